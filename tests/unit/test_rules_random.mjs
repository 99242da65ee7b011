// The browser's judge of forms against the services' (build/…/tests/form_judge), on entries that nobody thought of: applications of every item with some answers taken
// away, put elsewhere, made odd, rows added and removed. The same findings in the same order and the same words, and of what is good the same clean entries.
// RULES_N: how many (2000); RULES_SEED: others. A difference is printed with what leads to it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import path from 'node:path';
import readline from 'node:readline';
import test from 'node:test';
import * as engine from '../../common/web/rules.ts';
import { makeValid, randomFrom } from '../support/applications.mjs';
import { codeTables, items, today } from '../support/forms.mjs';

const root = path.join(import.meta.dirname, '../..');
const judge = path.join(root, 'build', process.env.VARIANT || 'release', 'tests/form_judge');
const N = Number(process.env.RULES_N || 2000), seed = process.env.RULES_SEED || 'one';
const ODD = ['', ' ', '  张三 ', '张 三', '张三\u200b', '\ue000', '𠀀', 'e\u0301', '0', '1', '2', '01', '99', '10', '20', true, false, null, 0, 1, -1, 1.5, [], {}, [{}], ['1'], [null], { a: 1 },
  '340799199901011227', '34079919900101122X', '34079919900101122x', '340799990101122', '2026-02-29', '2026-11-31', '1875-01-01', '1900-01-01', '2999-01-01', '2026-1-1', '20260101', '２０２６-01-01',
  '13905620001', '1390562000', '139 0562 0001', '江州市江州区状元巷213号', '340799 江州市江州区状元巷213号35栋304室', '340799', '999999 某地', '上海市浦东新区世纪大道1号', '310115 上海市浦东新区世纪大道1号', '安徽省', '字'.repeat(300), 'x'.repeat(2001), '\u202e', 'LI MING', 'T340123456',
  't340123456', '12:34', '25:00', '34079900000001', 'today', '@elem', '-', '\n', '{label}'];
const ask = () => {
  const child = spawn(judge, [path.join(root, 'schemas'), today()], { stdio: ['pipe', 'pipe', 'inherit'] });
  const waiting = [];
  readline.createInterface({ input: child.stdout }).on('line', (l) => waiting.shift()(l));
  return { line: (text) => new Promise((done) => { waiting.push((l) => done(JSON.parse(l))); child.stdin.write(`${text}\n`); }), end: () => child.stdin.end() };
};
const clone = (v) => JSON.parse(JSON.stringify(v));

/** Where a value may be put: fields of the form, and of the rows of its lists. */
function slotsOf(family, entries) {
  const out = family.fields.map((f) => [entries, f.id]);
  for (const r of family.repeats || []) {
    out.push([entries, r.id]);
    if (Array.isArray(entries[r.id])) for (const row of entries[r.id]) if (row && typeof row === 'object') for (const f of r.fields) out.push([row, f.id]);
  }
  return out;
}

function change(family, entries, others, pick, tables) {
  const slots = slotsOf(family, entries), [at, key] = pick(slots), [from, other] = pick(slots);
  const field = [...family.fields, ...(family.repeats || []).flatMap((r) => r.fields)].find((f) => f.id === key);
  const values = field && (field.values || tables[field.code_table] || []).map((v) => v.code), list = Array.isArray(at[key]) ? at[key] : null;
  const how = pick([0, 1, 1, 2, 3, 3, 4, 5, 6, 7]);
  if (list && how > 3) {
    if (how === 4) list.pop();
    else if (how === 5 && list.length) list.push(clone(pick(list)));
    else if (how === 6) for (let i = 0; i < 25 && list.length; i++) list.push(clone(list[0]));
    else list.reverse();
  } else if (how === 0) delete at[key];
  else if (how === 1) at[key] = clone(pick(ODD));
  else if (how === 2 && from[other] !== undefined) at[key] = clone(from[other]);
  else if (how === 3 && values?.length) at[key] = pick(values);
  else if (how === 4 && others[key] !== undefined) at[key] = clone(others[key]);
  else if (how === 5 && typeof at[key] === 'string') at[key] = at[key].slice(0, -1);
  else if (how === 6 && typeof at[key] === 'boolean') at[key] = !at[key];
  else if (how === 7 && typeof at[key] === 'string') at[key] += pick(['1', ' ', '字', 'X']);
  else if (how === 2) at[pick(['odd', '', 'A', key])] = 'x';
}

// CIT-06, CIT-07, MAT-01, MAT-03, IMP-04, SEC-18
test('the same verdict on random entries', { timeout: 600000 }, async () => {
  const c = ask(), random = randomFrom(seed), pick = (list) => list[Math.floor(random() * list.length)];
  const wrong = [], kinds = {};
  const forms = [...new Set(items.map((i) => i.form))].map((form) => items.filter((i) => i.form === form));
  const ready = [];
  for (const group of forms)
    for (const item of [group[0], group[group.length - 1]]) {
      const rules = await c.line(`item ${item.code}`);
      rules.code_tables = { ...codeTables, ...rules.code_tables };      // the large ones, as GET /api/catalogue/tables answers them
      ready.push({ code: item.code, rules, valid: ['a', 'b', 'c'].map((s, i) => makeValid(item.code, { seed: `${seed} ${s}`, optional: i ? 'all' : 'none' }).clean) });
    }
  let good = 0;
  for (let i = 0; i < N; i++) {
    const { code, rules, valid } = pick(ready), entries = clone(pick(valid)), others = pick(valid);
    for (let k = pick([0, 1, 1, 1, 2, 2, 3, 5]); k > 0; k--) change(rules.family, entries, others, pick, rules.code_tables);
    const theirs = await c.line(`judge ${code} ${JSON.stringify(entries)}`);
    if (theirs.error) continue;
    const ours = engine.checkForm(rules, clone(entries), { today: today(), identity: null, only: null });
    const have = { findings: ours.findings.map((f) => [f.field, f.rule, f.want, f.have, f.message]), ...(ours.findings.length ? {} : { clean: clone(ours.clean) }) };
    const want = { findings: theirs.findings, ...(theirs.findings.length ? {} : { clean: theirs.clean }) };
    good += theirs.findings.length === 0;
    for (const f of theirs.findings) kinds[f[1]] = (kinds[f[1]] || 0) + 1;
    try { assert.deepEqual(have, want); } catch (e) { wrong.push(`${code} ${JSON.stringify(entries)}\n${e.message}`); }
  }
  c.end();
  console.log(`# ${N} entries of ${ready.length} items: ${good} good, ${Object.keys(kinds).length} kinds of finding`);
  assert.ok(good > N / 20 && Object.keys(kinds).length > 12);
  assert.equal(wrong.length, 0, `${wrong.length} differ:\n${wrong.slice(0, 5).join('\n')}`);
});
