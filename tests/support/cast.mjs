// Who applies for what in end-to-end tests: entries of the four services for the invented people of schemas/org/demo-residents.json.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './demo.mjs';

const data = JSON.parse(readFileSync(path.join(root, 'schemas/org/demo-residents.json'), 'utf8'));
const org = JSON.parse(readFileSync(path.join(root, 'schemas/org/demo.json'), 'utf8'));
export const persons = data.persons;
export const person = (idNo) => persons.find((p) => p.id_no === idNo);
const household = (p) => data.households.find((h) => h.household_id === p.household_id);
const address = (p) => data.addresses.find((a) => a.address_id === household(p).address_id);
const head = (p) => persons.find((x) => x.person_id === household(p).head_person_id);
export const unitOf = (p) => household(p).unit_code;
export const parentOf = (code) => org.units.find((u) => u.code === code).parent;
export const day = (back = 0) => new Date(Date.now() + 8 * 3600e3 - back * 86400e3).toISOString().slice(0, 10);

const applicant = (p, relation, phone) => ({
  applicant_name: p.name, applicant_id_no: p.id_no, applicant_phone: phone, applicant_relation: relation,
});
const subject = (p) => ({ subject_name: p.name, subject_id_no: p.id_no, subject_region: address(p).region, accept_unit: unitOf(p) });

/** Each gives {item, who (identity and face), entries, slots: material numbers that want pages, unit}. */
export const cast = {
  birth({ phone, childName = '陈小满', mother = person(data.cast.birth.mother) } = {}) {
    const father = persons.find((x) => x.id_no === mother.spouse_id_no);
    const h = head(mother);
    return {
      item: 'HJ001', who: mother, unit: unitOf(mother), slots: [1, 2],
      entries: {
        ...applicant(mother, '52', phone),
        child_name: childName, child_gender: '2', child_ethnicity: '01', child_birth_date: day(12), has_birth_certificate: true,
        birth_certificate_no: 'T340123456', child_birth_country: 'CHN', child_birth_region: address(mother).region, child_native_region: address(mother).region,
        mother_name: mother.name, mother_id_type: '111', mother_id_no: mother.id_no,
        ...(father ? { father_name: father.name, father_id_type: '111', father_id_no: father.id_no, in_wedlock: true } : { in_wedlock: false }),
        settle_with: 'mother', target_kind: '10', target_address: `${address(mother).region} ${address(mother).text}`,
        target_head_name: h.name, target_head_id_no: h.id_no, target_relation: h.id_no === mother.id_no ? '30' : '30', accept_unit: unitOf(mother),
      },
    };
  },

  death({ phone }) {
    const who = person(data.cast.death.applicant);
    const dead = person(data.cast.death.subject);
    return {
      item: 'HJ083', who, unit: unitOf(dead), slots: [1, 2, 3],
      entries: {
        ...applicant(who, '20', phone), ...subject(dead), is_head: false, death_date: day(3), death_kind: 'normal', proof_kind: 'medical',
        proof_by: '江州市第一人民医院',
      },
    };
  },

  rename({ phone, newName = '林知远' }) {
    const who = person(data.cast.name_change.subject);
    return {
      item: 'HJ025', who, unit: unitOf(who), slots: [1, 2, 3],
      entries: { ...applicant(who, '01', phone), ...subject(who), new_name: newName, reason: 'adult', reason_text: '原名与亲属重名，生活中常被混淆。' },
    };
  },

  employer({ phone, who = person(data.cast.non_core_change.subject), employer = '江州市图书馆' }) {
    return {
      item: 'HJ043', who, unit: unitOf(who), slots: [1, 2, 3, 4],
      entries: { ...applicant(who, '01', phone), ...subject(who), change_item: 'employer', employer_after: employer, promise: true },
    };
  },
};
