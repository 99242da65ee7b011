// Which station the phone proposes: by the address the form names, never by one that merely stands in it. CIT-06
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

import { suggestStation } from '../../internet-side/web-app/src/drafts/station.ts'

const read = (path) => JSON.parse(readFileSync(new URL(`../../schemas/${path}`, import.meta.url), 'utf8'))
const units = read('org/demo.json').units.filter((u) => u.accepting)
const allowed = units.map((u) => u.code)
const by = (short) => units.find((u) => u.short === short)
const fields = (form) => read(`forms/${form}.json`).fields
const at = (u) => `${u.regions[0]} ${u.streets[0]}8号`
const [here, there] = [by('长江路派出所'), by('沙洲派出所')]

test('a move-in belongs to the station of where the person goes, in every form of moving in', () => {
  for (const form of ['move_in_kin', 'move_in_house', 'move_in_work', 'move_in_divorce', 'student_move_in']) {
    const entries = { applicant_address: at(here), subject_region: here.regions[0], subject_address: at(here), target_address: at(there) }
    assert.equal(suggestStation(fields(form), entries, units, allowed), there.code, form)
    delete entries.target_address
    assert.equal(suggestStation(fields(form), entries, units, allowed), '', `${form}: nothing before the address is known`)
  }
})

test('a move-out belongs to the station of where the person is, not of where he goes', () => {
  for (const form of ['student_move_out', 'move_out']) {
    const entries = { subject_region: here.regions[0], subject_address: at(here), to_address: at(there), to_region: there.regions[0] }
    assert.equal(suggestStation(fields(form), entries, units, allowed), here.code, form)
    delete entries.subject_address
    const near = units.find((u) => u.regions.includes(here.regions[0]))
    assert.equal(suggestStation(fields(form), entries, units, allowed), near.code, `${form}: the district when the street is not known`)
  }
})

test('founding goes by the new address; a form that says nothing goes by target, new, own address', () => {
  assert.equal(suggestStation(fields('establish_family'), { address: at(there), applicant_address: at(here) }, units, allowed), there.code)
  assert.equal(suggestStation(fields('split'), { subject_address: at(here), new_address: at(there) }, units, allowed), here.code)
  assert.equal(suggestStation(fields('birth'), { child_birth_place: at(here), target_address: at(there) }, units, allowed), there.code)
})

test('an address elsewhere proposes nobody, whatever its street is called', () => {
  assert.equal(suggestStation(fields('move_in_kin'), { target_address: `320102 ${here.streets[0]}8号` }, units, allowed), '')
  assert.equal(suggestStation(fields('move_in_kin'), { target_address: at(there) }, units, [here.code]), '')
})
