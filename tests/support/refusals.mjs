// Spoils valid applications, one thing at a time: for every rule of schemas/forms/README.md, on every item where it can occur, an application that
// must be refused for exactly that. Each is labelled with the field and the rule it must be refused for.
import { createRequire } from 'node:module';
import path from 'node:path';
import { makeValid, randomFrom, reachable, shift } from './applications.mjs';
import { codeTables, engine, rulesOf, today as dayNow } from './forms.mjs';
import { root } from './demo.mjs';
import { checkDigit, inventNumber, people } from './town.mjs';

const naughty = createRequire(path.join(root, 'tests/browser/package.json'))('big-list-of-naughty-strings');
const { checkForm, checkMaterials, materialsFor, choicesOf } = engine;
const withCheck = (first17) => first17 + checkDigit(first17);
const fake = (id) => id.slice(0, 17) + (id[17] === '1' ? '2' : '1');
const far = (days) => shift(dayNow(), days);

/** What the browser says, papers included. */
export function browserVerdict(a) {
  const report = checkForm(a.rules, a.entries, { today: dayNow(), identity: a.identity });
  return [...report.findings, ...checkMaterials(a.rules, report.clean, a.slots)];
}

/** With the browser's verdict, and the answers as they would be sent: normalised, with what follows from others. */
function judged(a) {
  const report = checkForm(a.rules, a.entries, { today: dayNow(), identity: a.identity });
  return { ...a, clean: report.clean, browser: [...report.findings, ...checkMaterials(a.rules, report.clean, a.slots)] };
}

/** Identity numbers that are none, by the rule that says so. */
const NUMBERS = {
  id_fifteen: ['340799701103412'], id_length: ['34079919701103', '3407991970110341234'], id_characters: ['34079919701103０4X2', 'ABCDEFGHIJKLMNOPQR', '３４０７九'],
  id_region: [withCheck('99010119700101123'), withCheck('00010119700101123')],
  id_birth_date: [withCheck('34079919700230123'), withCheck(`340799${far(40).replaceAll('-', '')}123`), withCheck('34079900000000123')],
  id_check_digit: [fake(withCheck('34079919701103412'))],
};
const BAD_TEXT = { xml_char: ['甲\u0001乙', '甲\ufffe乙', '甲\u0085乙'], invisible_char: ['甲\u200b乙', '甲\u202e乙'], private_char: ['甲\ue123乙'], combining_char: ['甲\u0337乙'] };

/** A promise of a spoiled application: made only when one of its rule is still wanted. */
const spoil = (a, rule, field, change) => ({
  rule, field,
  make() {
    const b = { ...a, entries: structuredClone(a.entries), slots: structuredClone(a.slots), identity: { ...a.identity } };
    change(b);
    return { ...b, rule, field };
  },
});
const put = (a, rule, id, value, at = id) => spoil(a, rule, at, (b) => { b.entries[id] = value; });
const isIdChecked = (a, f) => f.type === 'id_number' || (f.id_number_when?.length > 0 && engine.holds(f.id_number_when, a.clean));

/** Values that break what a single field says, for a field that has a value. */
function* ofValue(a, f, random) {
  const pick = (list) => list[Math.floor(random() * list.length)];
  const asId = isIdChecked(a, f);
  const preset = a.rules.family.presets[a.code]?.[f.id];
  yield put(a, 'type', f.id, f.type === 'boolean' ? pick(['true', 'yes', '是']) : pick([1, true, null, ['a'], { a: 'b' }]));
  if (f.type === 'boolean') {
    if (preset?.length === 1) yield put(a, 'preset', f.id, !preset[0]);
    return;
  }
  yield put(a, 'required', f.id, pick(['', ' ', '　']));
  for (const [rule, values] of Object.entries(BAD_TEXT)) yield put(a, rule, f.id, f.type === 'text' || f.type === 'address' ? pick(values) : `${a.clean[f.id]}${pick(values).slice(1, -1)}`);
  if (asId) for (const [rule, values] of Object.entries(NUMBERS)) yield put(a, rule, f.id, pick(values));
  else if (f.type === 'text') yield put(a, 'length', f.id, '长'.repeat((f.max_length ?? 200) + 1));
  if (f.type === 'address') yield put(a, 'length', f.id, `340799 ${'长'.repeat((f.max_length ?? 100) + 1)}`);
  if (f.type === 'enum') {
    yield put(a, 'code_value', f.id, pick(['zz', '00x', "1' or '1'='1"]));
    const all = (f.code_table ? codeTables[f.code_table] : f.values) ?? [];
    const outside = all.filter((c) => (!f.allow || f.allow.includes(c.code)) && preset && !preset.includes(c.code));
    if (outside.length) yield put(a, 'preset', f.id, pick(outside).code);
  }
  if (f.type === 'date') {
    yield put(a, 'date', f.id, pick(['2024-02-30', '1849-12-31', '2023-02-29', '明天', '2024-13-01', '20240000']));
    if (f.date_max) yield put(a, 'date_max', f.id, '9999-12-31');
    if (f.date_min) yield put(a, 'date_min', f.id, '1850-01-01');
  }
  if (f.type === 'phone') yield put(a, 'phone', f.id, pick(['12345678901', '1380000000', '138000000011', '0562-1812345', '电话']));
  if (f.type === 'address') yield put(a, 'address', f.id, pick(['江州市长江路12号', '999999 江州市长江路', '340799江州市', '34079 江州市长江路']));
  if (f.type === 'text' && !asId && f.pattern_name) {
    const p = a.rules.patterns.find((x) => x.name === f.pattern_name);
    yield put(a, 'pattern', f.id, p.builtin ? pick(['李·', '张3', '王<b>', 'Li明', '·李']) : pick(['*', '?!', '编号']));
    if (p.builtin) {
      yield spoil(a, 'pinyin', `${f.id}_pinyin`, (b) => { b.entries[f.id] = '李〓'; });
      yield spoil(a, 'pinyin', `${f.id}_pinyin`, (b) => { b.entries[f.id] = '李〓'; b.entries[`${f.id}_pinyin`] = '1'; });
      yield spoil(a, 'hidden', `${f.id}_pinyin`, (b) => { b.entries[f.id] = String(a.clean[f.id]).replaceAll('〓', '某'); b.entries[`${f.id}_pinyin`] = 'li'; });
    }
  }
  const from = (f.fill_from ?? '').split(':');
  if (from[0] === 'identity.name') yield put(a, 'derived', f.id, '别的人');
  if (from[0] === 'identity.id_no') yield put(a, 'derived', f.id, inventNumber(random, '1980-01-02'));
  if (from[0] === 'field') {
    const other = f.type === 'enum' ? choicesOf(a.rules, f).find((c) => c.code !== a.clean[f.id])?.code : asId ? inventNumber(random, '1980-01-02') : f.type === 'address' ? '340799 江州市江州区别处路1号' : '别的人';
    if (other) yield put(a, 'derived', f.id, other);
  }
  if (from[0] === 'id_number' && a.clean[from[1]]) yield put(a, 'derived', f.id, from[2] === 'gender' ? (a.clean[f.id] === '1' ? '2' : '1') : shift(a.clean[f.id], -1));
}

function* ofFields(a, random) {
  const { family } = a.rules;
  for (const f of family.fields) {
    const shown = engine.holds(f.visible_when, a.clean);
    if (!shown) yield put(a, 'hidden', f.id, f.type === 'boolean' ? true : f.type === 'enum' ? (choicesOf(a.rules, f)[0]?.code ?? '1') : '有值');
    else if (f.id in a.clean) yield* ofValue(a, f, random);
    if (shown && f.id in a.entries) yield spoil(a, 'required', f.id, (b) => { delete b.entries[f.id]; });
  }
  for (const name of ['more', '__proto__', 'constructor', 'subject.name', '姓名', 'APPLICANT_NAME', 'x'.repeat(300)])
    yield spoil(a, 'unknown', /^[A-Za-z0-9_]{1,64}$/.test(name) ? name : '?', (b) => { Object.defineProperty(b.entries, name, { value: 'a', enumerable: true, configurable: true, writable: true }); });
}

function* ofRepeats(a, random) {
  for (const r of a.rules.family.repeats ?? []) {
    const list = a.clean[r.id];
    if (!engine.holds(r.visible_when, a.clean)) { yield put(a, 'hidden', r.id, []); continue; }
    yield put(a, 'type', r.id, '名单');
    if ((r.min ?? 0) > 0 || (r.required_when?.length && engine.holds(r.required_when, a.clean))) yield put(a, 'repeat_min', r.id, []);
    if (!Array.isArray(list) || !list.length) continue;
    yield put(a, 'repeat_max', r.id, Array.from({ length: (r.max ?? 20) + 1 }, () => structuredClone(list[0])));
    const rowed = (rule, part, change) => spoil(a, rule, `${r.id}.0${part ? `.${part}` : ''}`, (b) => { b.entries[r.id] = structuredClone(list); change(b.entries[r.id]); });
    yield rowed('type', '', (rows) => { rows[0] = '张三'; });
    yield rowed('unknown', 'more', (rows) => { rows[0].more = 'a'; });
    for (const f of r.fields) {
      if (f.required && f.id in list[0]) yield rowed('required', f.id, (rows) => { delete rows[0][f.id]; });
      if (!(f.id in list[0])) continue;
      const one = { ...a, clean: list[0], rules: { ...a.rules, family: { ...a.rules.family, presets: {} } } };
      for (const b of ofValue({ ...one, entries: list[0] }, f, random))
        if (!['preset', 'derived', 'date_min', 'date_max'].includes(b.rule)) yield spoil(a, b.rule, `${r.id}.0.${b.field}`, (x) => { x.entries[r.id] = [b.make().entries, ...structuredClone(list.slice(1))]; });
    }
  }
}

/** The papers. Forty pages are the most that a request can say at all: one more is not an application. */
function* ofPapers(a) {
  const all = materialsFor(a.rules, a.clean);
  const without = (nos) => (b) => { b.slots = b.slots.filter((s) => !nos.includes(s.no)); };
  const groups = new Set();
  for (const { material: m, need } of all) {
    if (need === 'required') yield spoil(a, 'material_required', `material.${m.no}`, without([m.no]));
    if (need === 'hidden') yield spoil(a, 'material_hidden', `material.${m.no}`, (b) => { b.slots.push({ no: m.no, pages: 1 }); });
    if (need === 'one_of' && !groups.has(m.group)) {
      groups.add(m.group);
      yield spoil(a, 'material_group', `material.${m.group}`, without(all.filter((x) => x.material.group === m.group).map((x) => x.material.no)));
    }
  }
  for (const no of [98, 99, ...a.rules.item.materials.filter((m) => m.supplied_by === 'police').map((m) => m.no)])
    yield spoil(a, 'material_unknown', `material.${no}`, (b) => { b.slots.push({ no, pages: 1 }); });
  if (a.slots.length) {
    const { no } = a.slots[0];
    yield spoil(a, 'material_pages', `material.${no}`, (b) => { b.slots[0].pages = 41; });
    yield spoil(a, 'material_repeated', `material.${no}`, (b) => { b.slots.push({ no, pages: 1 }); });
  }
}

// ---- the family's own rules ----

const birthOf = (p) => p.birth_date;
const numbersBy = (test, random) => {
  const fit = people.filter((p) => p.status === 'normal' && test(p));
  return fit.length ? fit[Math.floor(random() * fit.length)].id_no : undefined;
};

/** Answers that break the rule, to be tried in order, given a valid application in which the rule applies. */
function* breaking(a, r, random) {
  const set = (more) => ({ ...a.clean, ...more });
  const f = (id) => a.rules.family.fields.find((x) => x.id === id);
  const without = (ids) => Object.fromEntries(Object.entries(a.clean).filter(([k]) => !ids.includes(k)));
  const day = (id) => (id === 'today' ? dayNow() : f(id)?.type === 'date' ? a.clean[id] : a.clean[id] && `${a.clean[id].slice(6, 10)}-${a.clean[id].slice(10, 12)}-${a.clean[id].slice(12, 14)}`);
  const born = (id, when) => set({ [id]: inventNumber(random, when) });
  switch (r.op) {
    case 'require_any': yield without(r.fields); yield without(r.fields.flatMap((id) => [id, id.replace(/_(name|id_no|id_type)$/, '_name'), id.replace(/_(name|id_no|id_type)$/, '_id_no'), id.replace(/_(name|id_no|id_type)$/, '_id_type')])); break;
    case 'together': for (const id of r.fields) yield without([id]); break;
    case 'not_after': case 'not_before': {
      const late = r.op === 'not_after' ? [r.a, r.b] : [r.b, r.a];                 // the first must not be later than the second
      for (const [id, other, by] of [[late[0], late[1], 1], [late[1], late[0], -1]])
        for (const n of [1, 40, 400, 9000]) {
          if (!f(id) || !day(other)) continue;
          const when = shift(day(other), by * n);
          if (f(id).type === 'date') yield set({ [id]: when });
          else if (when <= dayNow()) yield born(id, when);
        }
      break;
    }
    case 'differ':
      if (a.clean[r.b] !== undefined) yield set({ [r.a]: a.clean[r.b] });
      if (a.clean[r.a] !== undefined) yield set({ [r.b]: a.clean[r.a] });
      break;
    case 'same':
      for (const id of [r.b, r.a]) if (f(id)) yield set({ [id]: isIdChecked(a, f(id)) ? inventNumber(random, '1985-05-05') : f(id).type === 'enum' ? choicesOf(a.rules, f(id)).find((c) => c.code !== a.clean[id])?.code : '另一个' });
      break;
    case 'in':
      for (const c of f(r.a).type === 'boolean' ? [true, false] : choicesOf(a.rules, f(r.a)).map((x) => x.code)) if (!r.values.includes(c)) yield set({ [r.a]: c });
      break;
    case 'age_at_least': case 'age_below': {
      const years = r.op === 'age_at_least' ? r.n - 1 : r.n + 3;
      const when = shift(dayNow(), -Math.round(365.25 * Math.max(years, 0)) - 40);
      if (f(r.a)?.type === 'date') yield set({ [r.a]: when });
      else yield born(r.a, when);
      break;
    }
    case 'gender_is': yield set({ [r.a]: inventNumber(random, '1985-05-05', r.value === '1' ? '2' : '1') });
      yield set({ [r.a]: numbersBy((p) => birthOf(p) < '1990' && p.gender !== r.value, random) });
      break;
    case 'refuse':
      yield set(Object.fromEntries(r.when.map((k) => [k.field, valuesOf(a.rules, k)[0] ?? a.clean[k.field]])));
      break;
    case 'rows_differ': {
      const rows = a.clean[r.a] ?? [];
      if (rows.length) yield set({ [r.a]: [...structuredClone(rows), structuredClone(rows[0])] });
      if (rows.length && r.b && a.clean[r.b]) yield set({ [r.a]: [{ ...rows[0], [r.column]: a.clean[r.b] }, ...structuredClone(rows.slice(1))] });
      break;
    }
    case 'rows_have': yield set({ [r.a]: (a.clean[r.a] ?? []).map((row) => Object.fromEntries(Object.entries(row).filter(([k]) => k !== r.column))) }); break;
    case 'rows_include': yield set({ [r.a]: (a.clean[r.a] ?? []).map((row) => ({ ...row, ...(row[r.column] === a.clean[r.b] ? { [r.column]: inventNumber(random, '1990-03-03') } : {}) })) }); break;
    default: throw new Error(`rule ${r.id}: op ${r.op} is not known to the generator`);
  }
}

/** Another number where the one of who signed in belongs: as it stands, and with that person signed in. */
function* signedIn(a, entries) {
  const { fields } = a.rules.family;
  for (const f of fields) if (/^id_number:/.test(f.fill_from ?? '')) delete entries[f.id];
  yield { ...a, entries };
  const mine = fields.filter((f) => f.fill_from === 'identity.id_no' && engine.holds(f.fill_when, entries));
  const other = mine.map((f) => entries[f.id]).find((v) => typeof v === 'string' && v !== a.identity.id_no);
  if (other) yield { ...a, identity: { ...a.identity, id_no: other }, entries: { ...entries, ...Object.fromEntries(mine.map((f) => [f.id, other])) } };
}

const holdsWith = (a, conditions) => engine.holds(conditions, a.clean);

/** An application that breaks one rule across fields; null with the reason when it cannot be broken. */
function ofRule(code, r, bases, random) {
  const rules = rulesOf(code);
  if (!reachable(rules, r.when)) return { why: 'its condition cannot hold for this item' };
  const at = rules.family.fields.find((x) => x.id === r.at);
  if (at && !reachable(rules, at.visible_when)) return { why: `${r.at} is not shown for this item` };
  const pool = bases.filter((a) => r.op === 'refuse' || holdsWith(a, r.when));
  const operands = [r.a, r.b, ...(r.fields ?? [])].filter((id) => id && id !== 'today' && reachable(rules, rules.family.fields.find((x) => x.id === id)?.visible_when));
  for (let k = 0; k < 3; k++) {
    const pins = r.op === 'refuse' ? {} : pinsOf(rules, r.when);
    if (k > 0 || !pool.length) {
      try {
        pool.push(makeValid(code, { seed: `rule ${r.id} ${k}`, pins, filled: operands.filter((id) => !pins[id]), optional: k % 2 ? 'some' : 'all', starts: 1, steps: 250 }));
      } catch (e) { if (!e.unmet) throw e; }
    }
    while (pool.length) {
      const a = pool.shift();
      for (const entries of breaking(a, r, random)) {
        for (const b of signedIn(a, entries)) {
          const found = checkForm(rules, b.entries, { today: dayNow(), identity: b.identity }).findings.find((x) => x.rule === r.id);
          if (found) return { made: { ...b, rule: r.id, field: found.field } };
        }
      }
    }
  }
  if (r.op === 'refuse' || /^rows_/.test(r.op)) try {             // by looking for it: everything else in order, this one broken
    const a = makeValid(code, { seed: `breaking ${r.id}`, pins: pinsOf(rules, r.when), breaks: r, starts: 1, steps: 150 });
    return { made: { ...a, rule: r.id, field: a.broken } };
  } catch (e) { if (!e.unmet) throw e; }
  return { why: 'another rule is always broken first' };
}

const pinsOf = (rules, conditions) => Object.fromEntries((conditions ?? []).map((c) => [c.field, valuesOf(rules, c)]).filter(([, v]) => v.length));

function valuesOf(rules, k) {
  const f = rules.family.fields.find((x) => x.id === k.field);
  const all = f?.type === 'enum' ? choicesOf(rules, f).map((c) => c.code) : f?.type === 'boolean' ? [true, false] : [];
  return all.filter((v) => engine.holds([k], { [k.field]: v }));
}

/** What people and programs type that is none of the above: must be judged alike, whatever the verdict. */
function* ofNaughty(a, random) {
  const texts = a.rules.family.fields.filter((f) => ['text', 'address', 'enum', 'date', 'phone', 'id_number'].includes(f.type) && f.id in a.clean);
  for (let k = 0; k < 3; k++) {
    const f = texts[Math.floor(random() * texts.length)];
    const value = naughty[Math.floor(random() * naughty.length)];
    yield put(a, null, f.id, f.type === 'address' && random() < 0.5 ? `340799 ${value}` : value);
  }
}

/** Every rule of an item broken once: {made: [applications with field and rule], not: [{rule, why}]}. most: how many of one kind of rule at most. */
export function invalidOnes(code, valid, { most = 1 } = {}) {
  const random = randomFrom(`refusals/${code}`);
  const made = [], not = [], count = new Map();
  const shuffled = (list) => list.map((v) => [random(), v]).sort((x, y) => x[0] - y[0]).map((x) => x[1]);
  const take = (promised) => {
    if ((count.get(promised.rule) ?? 0) >= most) return;
    const b = promised.make();
    const found = browserVerdict(b);
    if (b.rule === null ? !found.length : !found.some((x) => x.field === b.field && x.rule === b.rule)) return;      // put right before it is judged
    count.set(b.rule, (count.get(b.rule) ?? 0) + 1);
    made.push(judged(b));
  };
  for (const a of valid) for (const b of shuffled([...ofFields(a, random), ...ofRepeats(a, random), ...ofPapers(a)])) take(b);
  for (const b of ofNaughty(valid[1] ?? valid[0], random)) take(b);
  for (const r of rulesOf(code).family.rules ?? []) {
    const x = ofRule(code, r, valid.slice(0, 4), random);
    if (x.made) made.push(judged(x.made));
    else not.push({ rule: r.id, why: x.why });
  }
  return { made, not };
}
