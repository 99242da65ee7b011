// The shared verdict table through common/web/rules.ts: exactly the findings that test_form.c sees, with want, have and sentence.
// Beside it what only the browser does: single fields, screens, what is asked, lone surrogates.
import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { test } from 'node:test'

import * as engine from '../../common/web/rules.ts'
import * as text from '../../common/web/text.ts'

const read = (path) => JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8'))
const table = read('tests/unit/rules-cases.json')
const items = read('schemas/catalogue/items.json').items.concat(read('schemas/catalogue/extra.json').items)
const files = (folder) => readdirSync(new URL(`../../schemas/${folder}`, import.meta.url)).filter((f) => f.endsWith('.json'))
const tables = Object.fromEntries(files('code-tables').map((f) => read(`schemas/code-tables/${f}`)).map((t) => [t.id, t.values]))
const org = read('schemas/org/demo.json')
tables['GA 380'] = org.units.filter((u) => u.accepting).map((u) => ({ code: u.code, label: u.name }))
const messages = Object.fromEntries(read('schemas/messages/form-errors.json').rules.map((r) => [r.rule, r.message]))
const patterns = read('schemas/forms/patterns.json').patterns

/** @province and @city are digits once the folder has been read (common/catalogue_read.c). */
const digits = { '@province': org.province_region, '@city': org.city_region }
const settled = (v) => (Array.isArray(v) ? v.map(settled) : v && typeof v === 'object'
  ? Object.fromEntries(Object.entries(v).map(([k, x]) => [k, settled(x)]))
  : digits[v] ? digits[v].replace(/(00)+$/, '') : v)

/** What GET /api/catalogue/items/{code} answers. */
function rulesOf(code, openGroup = false) {
  const item = settled(items.find((i) => i.code === code))
  if (openGroup) item.materials.forEach((m) => delete m.when)
  return { item, family: settled(read(`schemas/forms/${item.form}.json`)), code_tables: tables, patterns, messages }
}

function entriesOf(c) {
  const entries = c.replace ? { ...c.replace } : { ...table.bases[c.base].entries, ...(c.set || {}) }
  for (const id of c.unset || []) delete entries[id]
  return entries
}

function contextOf(c) {
  return { today: table.today, identity: c.identity || null, only: c.only || null }
}

function judge(c) {
  const rules = rulesOf(table.bases[c.base].item, c.open_group)
  const report = engine.checkForm(rules, entriesOf(c), contextOf(c))
  if (c.slots) report.findings.push(...engine.checkMaterials(rules, report.clean, c.slots))
  return report
}

// CIT-06, CIT-07, MAT-01, MAT-03, MAT-04, IMP-04: the browser says what the servers say, to the last character.
test('shared verdict table', () => {
  const wrong = []
  let refused = 0
  for (const c of table.cases) {
    const { findings, clean } = judge(c)
    const have = findings.map((f) => [f.field, f.rule, f.want, f.have, f.message])
    refused += have.length > 0 ? 1 : 0
    try {
      assert.deepEqual(have, c.expect)
      for (const [key, value] of Object.entries(c.clean || {})) assert.deepEqual(JSON.parse(JSON.stringify(clean[key] ?? null)), value)
    } catch (e) {
      wrong.push(`${c.name}: ${e.message}`)
    }
  }
  assert.ok(table.cases.length >= 200 && refused * 2 > table.cases.length)
  assert.equal(wrong.length, 0, wrong.join('\n'))
})

// MAT-01: no item breaks the engine, and no sentence shows a placeholder.
test('every item is judged, empty as it is', () => {
  for (const { code } of items) {
    const rules = rulesOf(code)
    const { findings, clean } = engine.checkForm(rules, {}, { today: table.today })
    const all = findings.concat(engine.checkMaterials(rules, clean, []))
    assert.ok(findings.length > 0, code)
    for (const f of all) assert.ok(f.message && !f.message.includes('{'), `${code} ${f.field} ${f.rule}: ${f.message}`)
  }
})

// CAT-002…CAT-024, CAT-070…CAT-082, CAT-089…CAT-092; MAT-03, MAT-04: whoever is born, adopted, settles, comes back or is added late.
const REGISTERED = ['birth', 'adoption', 'settlement', 'restoration_military', 'restoration', 'supplement']
const registered = items.filter((i) => i.online_open && REGISTERED.includes(i.form))

test('each service of these families has a complete application with all its papers, and one without', () => {
  assert.equal(registered.length, 15 + 2 + 7 + 5 + 8 + 4)
  for (const { code, materials } of registered) {
    const cases = table.cases.filter((c) => table.bases[c.base].item === code && c.slots)
    assert.ok(cases.some((c) => c.expect.length === 0), `${code}: complete`)
    assert.ok(cases.some((c) => c.expect.some((x) => x[0].startsWith('material.'))), `${code}: a paper is missing`)
    for (const m of materials.filter((x) => x.when && x.supplied_by !== 'police')) {
      const needs = cases.map((c) => engine.materialsFor(rulesOf(code), judge({ ...c, slots: null }).clean).find((x) => x.material.no === m.no).need)
      assert.ok(needs.includes('hidden') && needs.includes('required'), `${code}/${m.no}: both ways`)
    }
  }
})

test('each rule of these families is broken by a case', () => {
  const seen = new Set(table.cases.flatMap((c) => c.expect.map((x) => `${items.find((i) => i.code === table.bases[c.base].item).form}.${x[1]}`)))
  const rules = REGISTERED.flatMap((f) => read(`schemas/forms/${f}.json`).rules.map((r) => `${f}.${r.id}`))
  const doubled = ['birth.with_mother', 'birth.with_father']     // the field is required in the same case and says so first
  assert.deepEqual(rules.filter((r) => !seen.has(r)), doubled)
  for (const f of REGISTERED) {
    const mine = table.cases.filter((c) => items.find((i) => i.code === table.bases[c.base].item).form === f)
    const refused = mine.filter((c) => c.expect.length > 0).length
    assert.ok(mine.length >= 8 && refused * 2 > mine.length, f)
  }
})

// CIT-07: a question that decides what another screen shows stands before it, or a person would have to go back.
test('what decides on showing a field is asked before it', () => {
  for (const { code, form } of registered) {
    const family = read(`schemas/forms/${form}.json`)
    const preset = family.presets[code] || {}
    const order = family.fields.map((f) => f.id)
    const possible = (c) => !preset[c.field] || (c.in || []).some((v) => preset[c.field].includes(v))
    for (const f of family.fields)
      for (const conditions of [f.visible_when || [], f.required_when || []].filter((list) => list.every(possible)))
        for (const c of conditions.filter((x) => (preset[x.field] || []).length !== 1))
          assert.ok(order.indexOf(c.field) < order.indexOf(f.id), `${code}: ${f.id} hangs on ${c.field}`)
  }
})

test('clean entries are judged good again and stay as they are', () => {
  for (const c of table.cases.filter((x) => !x.expect.length && !x.only && !x.slots)) {
    const { clean } = judge(c)
    const again = engine.checkForm(rulesOf(table.bases[c.base].item), clean, { today: table.today })
    assert.deepEqual(again.findings, [], c.name)
    assert.deepEqual(again.clean, clean, c.name)
  }
})

test('leaving a field tells of that field alone, a screen of its fields', () => {
  const rules = rulesOf('HJ001')
  const ctx = { today: table.today }
  const entries = { ...table.bases.birth.entries, child_name: '〓', mother_id_no: '1', target_address: 'x' }
  assert.deepEqual(engine.checkField(rules, 'child_name', entries, ctx).map((f) => f.field), ['child_name_pinyin'])
  assert.deepEqual(engine.checkField(rules, 'child_gender', entries, ctx), [])
  assert.deepEqual(engine.checkSection(rules, 'mother', entries, ctx).map((f) => f.rule), ['id_length'])
  assert.deepEqual(engine.checkSection(rules, 'no such screen', entries, ctx), [])
})

// CIT-07: what the item, the identity or the guide already says is not asked.
test('what is known is not asked', () => {
  const rules = rulesOf('HJ001')
  const me = { name: '林晓燕', id_no: table.bases.birth.entries.applicant_id_no, phone: '13905620001' }
  const ctx = { today: table.today, identity: me }
  assert.equal(engine.isAsked(rules, 'settle_with', {}, ctx), false)
  assert.equal(engine.isAsked(rules, 'applicant_name', {}, ctx), false)
  assert.equal(engine.isAsked(rules, 'applicant_name', {}, { today: table.today }), true)
  assert.equal(engine.isAsked(rules, 'mother_name', {}, ctx), true)
  assert.equal(engine.isAsked(rules, 'mother_name', { applicant_relation: '52' }, ctx), false)
  assert.equal(engine.isAsked(rules, 'mother_id_type', { applicant_relation: '51' }, ctx), true)
  assert.equal(engine.isAsked(rules, 'mother_id_type', { applicant_relation: '52' }, ctx), false)
  assert.equal(engine.isAsked(rules, 'marriage_certificate_no', {}, ctx), false)
  assert.equal(engine.isAsked(rules, 'marriage_certificate_no', { in_wedlock: true }, ctx), true)
  assert.equal(engine.isAsked(rules, 'child_gender', { child_gender: '1' }, ctx, ['child_gender']), false)
  assert.equal(engine.isAsked(rules, 'no such field', {}, ctx), false)
})

test('choices are narrowed by the field and by the item', () => {
  const field = (rules, id) => rules.family.fields.find((f) => f.id === id)
  const birth = rulesOf('HJ001')
  assert.deepEqual(engine.choicesOf(birth, field(birth, 'child_gender')).map((c) => c.code), ['1', '2'])
  assert.deepEqual(engine.choicesOf(birth, field(birth, 'settle_with')).map((c) => c.code), ['mother'])
  const rules = { ...birth, code_tables: {} }
  assert.deepEqual(engine.choicesOf(rules, field(birth, 'child_ethnicity')), [])
})

// A table over 500 values comes later: until then its codes are not judged, and addresses by province alone.
test('a large table that has not come yet refuses nobody', () => {
  const rules = { ...rulesOf('HJ001'), code_tables: { ...tables } }
  delete rules.code_tables['GB/T 2260']
  const entries = { ...table.bases.birth.entries, child_native_region: '340799', target_address: '340799 长江路12号' }
  assert.deepEqual(engine.checkForm(rules, entries, { today: table.today }).findings, [])
  const bad = engine.checkForm(rules, { ...entries, target_address: '990799 长江路12号' }, { today: table.today }).findings
  assert.deepEqual(bad.map((f) => f.rule), ['address'])
})

test('half a character of UTF-16 is refused, not repaired', () => {
  const entries = { ...table.bases.birth.entries, child_name: '林\ud842' }
  const { findings } = engine.checkForm(rulesOf('HJ001'), entries, { today: table.today })
  assert.deepEqual(findings.map((f) => [f.rule, f.have]), [['xml_char', 'utf8']])
  assert.equal(text.normaliseText('\udfb7 x', 'id'), '\udfb7 x')
})

test('a day that is none stops the programmer', () => {
  assert.throws(() => engine.checkForm(rulesOf('HJ001'), {}, { today: '2026-02-30' }), /want YYYY-MM-DD/)
})

test('days and ages', () => {
  assert.equal(text.beijingToday(Date.UTC(2026, 10, 22, 16, 0, 0)), '2026-11-23')
  assert.equal(text.beijingToday(Date.UTC(2026, 10, 22, 15, 59, 59)), '2026-11-22')
  assert.deepEqual(text.addDays({ y: 2024, m: 2, d: 28 }, 2), { y: 2024, m: 3, d: 1 })
  assert.equal(text.ageAt({ y: 2008, m: 2, d: 29 }, { y: 2026, m: 2, d: 28 }), 17)
  assert.equal(text.ageAt({ y: 2008, m: 2, d: 29 }, { y: 2026, m: 3, d: 1 }), 18)
  assert.equal(text.ageAt({ y: 2027, m: 1, d: 1 }, { y: 2026, m: 3, d: 1 }), -1)
})

test('masks show three and four characters at most', () => {
  assert.equal(text.maskId('340799199001011225'), '340***********1225')
  assert.equal(text.maskId('1234567'), '*******')
  assert.equal(text.maskId(''), '')
})
