// The invented town's people as a generator wants them: by need. The register's own data, read and never written.
import { residents, org } from './forms.mjs';

export const personBy = new Map(residents.persons.map((p) => [p.id_no, p]));
export const householdBy = new Map(residents.households.map((h) => [h.household_id, h]));
const addressBy = new Map(residents.addresses.map((a) => [a.address_id, a]));
const personById = new Map(residents.persons.map((p) => [p.person_id, p]));
export const people = residents.persons;

export const householdOf = (p) => (p && p.household_id ? householdBy.get(p.household_id) : undefined);
export const addressOf = (h) => (h ? addressBy.get(h.address_id) : undefined);
export const headOf = (h) => (h ? personById.get(h.head_person_id) : undefined);
export const membersOf = (h) => people.filter((p) => p.household_id === h.household_id && p.status === 'normal');
export const isHead = (p) => headOf(householdOf(p)) === p;
export const addressText = (h) => { const a = addressOf(h); return a ? `${a.region} ${a.text}` : undefined; };
export const stationFor = (h) => h?.unit_code;
export const stations = org.units.filter((u) => u.accepting);

/** What the register holds of a person under the name of a column, "address" and "book_no" through the household. */
export function column(p, name) {
  if (name === 'address') return addressText(householdOf(p));
  if (name === 'book_no') return householdOf(p)?.book_no;
  return p[name] ?? undefined;
}

const WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
export const checkDigit = (first17) => '10X98765432'[WEIGHTS.reduce((sum, w, i) => sum + w * Number(first17[i]), 0) % 11];

/** A number of GB 11643 that nobody in the town has. */
export function inventNumber(random, birth, gender, area = '110101') {
  for (;;) {
    const n = 100 + Math.floor(random() * 890);
    const seq = gender === undefined || String(n % 2 === 1 ? 1 : 2) === gender ? n : n + 1;
    const first = `${area}${birth.replaceAll('-', '')}${String(seq).padStart(3, '0')}`;
    const no = first + checkDigit(first);
    if (!personBy.has(no)) return no;
  }
}
