// Makes valid applications for every item from the form definitions alone. Nothing here knows an item: a form is filled in by looking at what
// the rules still find wrong and changing one answer that has to do with it, until nothing is wrong. The same seed makes the same applications.
import { engine, residents, rulesOf, today as dayNow } from './forms.mjs';
import { addressText, column, householdOf, inventNumber, isHead, membersOf, people } from './town.mjs';

const { checkForm, checkMaterials, materialsFor, choicesOf } = engine;
const STEPS = 1500;
const STARTS = 6;

export function randomFrom(text) {
  let a = 2166136261;
  for (const c of text) a = Math.imul(a ^ c.codePointAt(0), 16777619);
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const NORMAL = people.filter((p) => p.status === 'normal');
const SURNAMES = Array.from('赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦许何吕施张孔曹严华金魏陶姜');
const GIVEN = Array.from('安宁晓雨明远思源嘉树清和若水子墨文博雅静书瑶一鸣景行知微立夏怀瑾望舒');
const SEEN_IN_FORMS = ['阿依古丽·买买提', '欧阳若水', '龘靐', '𠮷田', '司马'];
export const shift = (day, n) => new Date(Date.parse(`${day}T00:00:00Z`) + n * 86400e3).toISOString().slice(0, 10);
const addYears = (day, n) => {
  const y = String(Number(day.slice(0, 4)) + n).padStart(4, '0');
  return day.slice(4) === '-02-29' ? `${y}-02-28` : y + day.slice(4);
};

/** Fields in which the person lives by whose number `f` is filled: those that the form itself ties to it. */
const tied = (family, id) => family.fields.filter((g) => g.register && g.register.by === id);
const conditionsIn = (family, item, more = []) => [
  ...family.fields.flatMap((f) => [f.visible_when, f.required_when, f.fill_when, f.id_number_when]),
  ...(family.repeats ?? []).flatMap((r) => [r.visible_when, r.required_when]),
  ...(family.rules ?? []).map((r) => r.when), ...item.materials.map((m) => m.when), ...more,
].filter(Boolean);

/** One form being filled in. */
class Paper {
  constructor(rules, want) {
    Object.assign(this, { rules, want, family: rules.family, random: want.random, today: want.today, entries: {}, who: {}, done: {} });
    this.fields = new Map(this.family.fields.map((f) => [f.id, f]));
    this.applicant = this.citizen();
  }

  pick(list) { return list[Math.floor(this.random() * list.length)]; }
  chance(p) { return this.random() < p; }

  citizen() {
    const of = (least, most) => people.filter((p) => p.status === 'normal' && p.birth_date <= addYears(this.today, -least) && p.birth_date > addYears(this.today, -most));
    if (this.want.strangers && this.chance(0.6)) return { name: this.name().replace('〓', ''), id_no: inventNumber(this.random, addYears(shift(this.today, -Math.floor(this.random() * 9000)), -20), undefined, this.pick(['110101', '320102', '341204'])) };
    const young = this.chance(0.15) ? of(16, 18) : [];                // who lives on his own work may apply for himself
    return this.pick(young.length ? young : of(18, 120));
  }

  identity() { return { name: this.applicant.name, id_no: this.applicant.id_no, phone: this.want.phone }; }
  judge() { return checkForm(this.rules, this.entries, { today: this.today, identity: this.want.window ? null : this.identity() }); }

  // ---- one answer ----

  name() { return this.chance(0.1) ? this.pick(SEEN_IN_FORMS) : this.pick(SURNAMES) + this.pick(GIVEN) + (this.chance(0.6) ? this.pick(GIVEN) : ''); }

  bound(text) {
    if (!text) return null;
    if (text === 'today') return this.today;
    const m = /^([+-]?\d+)([yd])$/.exec(text);
    if (m) return m[2] === 'd' ? shift(this.today, Number(m[1])) : addYears(this.today, Number(m[1]));
    if (this.fields.has(text)) return typeof this.clean?.[text] === 'string' ? this.clean[text] : null;
    return text;
  }

  date(f) {
    const from = this.bound(f.date_min) ?? '1930-01-01', until = this.bound(f.date_max) ?? shift(this.today, this.chance(0.2) ? 200 : 0);
    const days = Math.round((Date.parse(until) - Date.parse(from)) / 86400e3);
    if (!(days > 0)) return until;
    return shift(until, -Math.floor(this.random() * Math.min(days, this.pick([20, 300, 8000, 30000]))));
  }

  number(id) {
    const p = this.forced ?? (this.chance(0.85) ? this.pick(NORMAL) : null);
    if (p && p.id_no) { this.who[id] = p; return p.id_no; }
    delete this.who[id];
    const birth = shift(this.today, -Math.floor(this.random() * 365 * this.pick([1, 12, 17, 60, 90])));
    return inventNumber(this.random, birth, undefined, this.pick(['110101', '340799', '650102', '810000']));
  }

  text(f, asId) {
    if (asId) return this.number(f.id);
    const p = this.rules.patterns.find((x) => x.name === f.pattern_name);
    if (p?.builtin) return this.name();
    if (p) return p.example.replace(/\d(?=\d{4})/g, () => String(Math.floor(this.random() * 10)));
    const words = /_no$/.test(f.id) ? `J340700-2026-${String(Math.floor(this.random() * 1e6)).padStart(6, '0')}` : `${f.label}${this.pick(['甲', '乙', '丙'])}${Math.floor(this.random() * 1e4)}`;
    return Array.from(words).slice(0, Math.min(f.max_length ?? 200, 40)).join('');
  }

  address() {
    const h = householdOf(this.pick(people.filter((p) => p.household_id)));
    return addressText(h);
  }

  fresh(f, asId = f.type === 'id_number') {
    const only = this.want.pins?.[f.id] ?? this.want.narrow?.[f.id];
    if (only) return this.pick(only);
    switch (f.type) {
      case 'enum': {
        const all = choicesOf(this.rules, f);
        return f.usual && this.chance(0.3) && all.some((c) => c.code === f.usual) ? f.usual : this.pick(all)?.code;
      }
      case 'boolean': {
        const preset = this.rules.family.presets[this.rules.item.code]?.[f.id];
        return preset ? this.pick(preset) : this.chance(0.5);
      }
      case 'date': return this.date(f);
      case 'address': return this.address();
      case 'phone': return this.chance(0.8) ? `13${String(Math.floor(this.random() * 1e9)).padStart(9, '0')}` : '0562-2812345';
      case 'id_number': return this.number(f.id);
      default: return this.text(f, asId);
    }
  }

  idChecked(f) { return f.type === 'id_number' || (f.type === 'text' && f.id_number_when?.length > 0 && engine.holds(f.id_number_when, this.clean ?? {})); }

  /** Answer a field; what the form ties to a person's number comes along. */
  answer(f) {
    const by = f.register && this.who[f.register.by];
    const known = by && column(by, f.register.column);
    let v = known !== undefined && !this.want.pins?.[f.id] && this.chance(0.9) ? known : this.fresh(f, this.idChecked(f));
    if (v === undefined) v = this.fresh(f);
    this.entries[f.id] = v;
    if (!this.idChecked(f)) return;
    for (const g of tied(this.family, f.id)) {
      const is = this.who[f.id] && column(this.who[f.id], g.register.column);
      if (g.id in this.entries && is !== undefined && !this.want.pins?.[g.id]) this.entries[g.id] = is;
    }
  }

  row(r) { return Object.fromEntries(r.fields.filter((f) => f.required || this.want.optional !== 'none').map((f) => [f.id, this.rowValue(r, f)])); }
  rowValue(r, f) {
    if (f.type !== 'id_number') return this.fresh({ ...f, register: undefined });
    return this.number(`${r.id}.${f.id}`);
  }

  // ---- repair ----

  /** Make a field visible: the answers that its conditions want. */
  open(conditions, depth = 0) {
    for (const k of conditions ?? []) {
      const f = this.fields.get(k.field);
      if (!f || depth > 6) continue;
      this.open(f.visible_when, depth + 1);
      const fits = (v) => engine.holds([k], { [k.field]: v });
      if (this.clean && fits(this.clean[k.field])) continue;
      const all = f.type === 'enum' ? choicesOf(this.rules, f).map((c) => c.code) : f.type === 'boolean' ? [true, false] : [];
      const possible = (this.want.pins?.[k.field] ?? all).filter(fits);
      if (possible.length) this.entries[k.field] = this.pick(possible);
    }
  }

  /** Change one answer that the finding has to do with. */
  repair({ field = '', rule, related, fix, list }) {
    if (fix && this.mend(fix, related, list)) return;
    const [base, row, part] = field.split('.');
    const repeat = (this.family.repeats ?? []).find((r) => r.id === base);
    const across = (this.family.rules ?? []).find((x) => x.id === rule);
    if (across?.op === 'rows_include') return this.include(across);
    const f = this.fields.get(base) ?? this.fields.get(base.replace(/_pinyin$/, ''));
    if (repeat && !related) this.repairRepeat(repeat, row, part, rule);
    else if (rule === 'derived' && this.want.pins?.[base] && f?.fill_when?.length) this.repick(f.fill_when.map((k) => k.field));
    else if (rule === 'hidden' || rule === 'derived' || rule === 'unknown') delete this.entries[base];
    else if (rule === 'pin') { this.open(f?.visible_when ?? repeat?.visible_when); if (f) this.answer(f); }
    else if (rule === 'required' && f) this.answer(f);
    else this.repick(related?.length ? related : this.relatedTo(base, rule));
  }

  /** What the register would want instead (guards.mjs): another person where a number is asked, by the form or of the officer. */
  mend(wish, related, list) {
    const fix = typeof wish === 'string' ? { [wish]: true } : wish;
    const normal = NORMAL, id = this.pick(related.filter((x) => this.isNumber(x)));
    const row = list && this.entries[list.list]?.[this.clean[list.list].indexOf(list.row)];
    if (fix.officer) {
      const of = this.pick(people.filter((p) => p.status !== 'normal'));
      if (this.chance(0.7) && this.clean.person_birth_date) this.done[fix.officer] = inventNumber(this.random, this.clean.person_birth_date, this.clean.person_gender);
      else { this.done[fix.officer] = of.id_no; this.who[fix.officer] = of; }
      return true;
    }
    if (fix.where) {                                                // somebody of elsewhere
      const place = (code) => /[1-9]\d?$/.test(code.slice(2)) && (fix.where === 'province' ? code.startsWith(fix.province) && !code.startsWith(fix.city) : !code.startsWith(fix.province));
      this.entries.subject_region = this.pick(this.rules.code_tables['GB/T 2260'].filter((c) => place(c.code))).code;
      const subject = this.fields.get('subject_id_no');
      if (!subject || this.follows(subject)) this.applicant = this.citizen();
      else { delete this.who.subject_id_no; this.entries.subject_id_no = inventNumber(this.random, addYears(shift(this.today, -Math.floor(this.random() * 9000)), -this.pick([1, 18, 25, 50])), undefined, '320102'); }
      return true;
    }
    if (fix.drop) { delete this.done[fix.drop]; return true; }
    if (fix.heir && this.chance(0.6)) { this.done.done_new_head_id_no = this.pick(fix.heir).id_no; return true; }
    if (fix.heir) return this.put(id, this.pick(normal.filter((p) => !isHead(p))));
    if (fix.row && row) { Object.assign(row, fix.row); return true; }
    const one = {
      somebody: () => this.pick(normal), elsewhere: () => this.pick(normal), head: () => this.pick(normal.filter(isHead)), member: () => this.pick(normal.filter((p) => !isHead(p) || membersOf(householdOf(p)).length === 1)),
    }[wish];
    if (fix.book) return this.book() || this.put(id, this.pick(normal));
    if (fix.invent || ('cancelled' in fix && this.fields.has(id) && this.chance(0.3))) { if (this.fields.has(id)) { delete this.who[id]; this.entries[id] = inventNumber(this.random, shift(this.today, -Math.floor(this.random() * 18000))); } return this.fields.has(id); }
    const family = 'together' in fix ? membersOf(householdOf(fix.together) ?? { household_id: '' }) : [];
    const p = one ? one() : 'together' in fix ? this.pick(family.length > 1 && this.chance(0.85) ? family : normal.filter((x) => membersOf(householdOf(x)).length > 2))
      : 'cancelled' in fix ? this.pick(people.filter((x) => x.status !== 'normal' && (!fix.cancelled || fix.cancelled.includes(x.cancel_kind))))
        : fix.paper ? this.pick(people.filter((x) => (residents.papers ?? []).some((y) => y.kind === fix.paper && y.status === 'valid' && y.person_id === x.person_id))) : undefined;
    if (one || 'together' in fix || 'cancelled' in fix || fix.paper) {
      if (p && row) { Object.assign(row, this.rowOf(list.list, p)); return true; }
      return this.put(id, p);
    }
    if (id && this.chance(0.1)) return this.put(id, this.pick(normal));
    let done = false;
    for (const [k, v] of Object.entries(fix)) if (v !== undefined && v !== null && this.fields.has(k) && !this.want.pins?.[k] && !this.follows(this.fields.get(k))) { this.entries[k] = v; done = true; }
    return done;
  }

  isNumber(id) {
    const f = this.fields.get(id);
    return f ? this.idChecked(f) && !this.follows(f) && engine.holds(f.visible_when, this.clean) : /^done_.*id_no$/.test(id);
  }

  /** This person's number in a field of the form or of the officer. */
  put(id, p) {
    if (!p || !id) return false;
    if (!this.fields.has(id)) { this.done[id] = p.id_no; this.who[id] = p; return true; }
    this.forced = p;
    this.answer(this.fields.get(id));
    this.forced = null;
    return true;
  }

  /** The officer names a household of the station by its number. */
  book() {
    if (!this.want.books || this.chance(0.4)) return false;
    const h = this.pick(this.want.books(this.clean));
    if (!h) return false;
    this.done.done_book_no = h.book_no;
    if (this.fields.has('accept_unit')) this.entries.accept_unit = h.unit_code;
    return true;
  }

  rowOf(list, p) {
    const r = this.family.repeats.find((x) => x.id === list);
    return Object.fromEntries(r.fields.filter((f) => ['id_no', 'name'].includes(f.id)).map((f) => [f.id, p[f.id]]));
  }

  /** Whether the field's value follows from who signed in or from another answer. */
  follows(f) { return !(f.id in this.entries) && this.clean && f.id in this.clean; }

  include({ a, column, b }) {
    const r = (this.family.repeats ?? []).find((x) => x.id === a);
    const rows = Array.isArray(this.entries[a]) ? this.entries[a] : [];
    if (!rows.length) rows.push(this.row(r));
    rows[0] = { ...rows[0], [column]: this.clean[b] };
    this.entries[a] = rows;
  }

  repairRepeat(r, row, part, rule) {
    const list = Array.isArray(this.entries[r.id]) ? this.entries[r.id] : [];
    if (rule === 'hidden') delete this.entries[r.id];
    else if (part !== undefined) list[Number(row)][part] = this.rowValue(r, r.fields.find((x) => x.id === part));
    else if (['repeat_min', 'required', 'pin'].includes(rule) || list.length < 2) this.entries[r.id] = [...list, this.row(r)].slice(0, r.max ?? 20);
    else list.pop();
  }

  relatedTo(id, rule) {
    const r = (this.family.rules ?? []).find((x) => x.id === rule && x.at === id);
    const f = this.fields.get(id);
    return [...new Set([id, ...(r ? [r.a, r.b, ...(r.fields ?? []), ...(r.when ?? []).map((k) => k.field)] : []), f?.date_min, f?.date_max])]
      .filter((x) => this.fields.has(x));
  }

  /** A new answer for one of these; where an answer follows from another, for what it follows from. */
  repick(ids) {
    const id = this.pick(ids);
    const f = this.fields.get(id);
    const from = (f?.fill_from ?? '').split(':'), owner = f?.register && this.fields.get(f.register.by);
    if (!f) return;
    if (owner && this.who[owner.id] && !this.follows(owner) && this.chance(0.3)) { this.answer(owner); return; }      // another person, with what is known of him
    if ((from[0] === 'id_number' || from[0] === 'field') && !(id in this.entries) && id in this.clean) this.repick([from[1]]);
    else if (from[0].startsWith('identity.') && !(id in this.entries) && id in this.clean) this.applicant = this.citizen();
    else if (id in this.entries || !(id in this.clean) || this.chance(0.3)) this.answer(f);
  }

  // ---- to the end ----

  unmet() {
    for (const [id, values] of Object.entries(this.want.pins ?? {}))
      if (!values.includes(this.clean[id])) return { field: id, rule: 'pin' };
    for (const id of this.want.filled ?? []) if (this.clean[id] === undefined) return { field: id, rule: 'pin' };
    if (this.want.optional === 'all') {
      for (const f of this.family.fields)
        if (this.clean[f.id] === undefined && !this.given.has(f.id) && engine.holds(f.visible_when, this.clean)) {
          this.given.add(f.id);
          return { field: f.id, rule: 'required' };
        }
      for (const r of this.family.repeats ?? [])
        if (this.clean[r.id] === undefined && !this.given.has(r.id) && engine.holds(r.visible_when, this.clean)) {
          this.given.add(r.id);
          return { field: r.id, rule: 'repeat_min' };
        }
    }
    const { breaks } = this.want;
    if (breaks && !this.broken) return { field: breaks.at, rule: breaks.id };
    return this.want.lives?.(this) ?? null;
  }

  fill() {
    this.given = new Set();
    for (let step = 0; step < (this.want.steps ?? STEPS); step++) {
      const { findings: all, clean } = this.judge();
      const { breaks } = this.want;
      const findings = breaks ? all.filter((x) => x.rule !== breaks.id) : all;
      this.clean = clean;
      this.broken = breaks && all.find((x) => x.rule === breaks.id)?.field;
      const next = findings.length ? this.pick(findings) : this.unmet();
      if (!next) return true;
      this.last = next;
      this.repair(next);
    }
    return false;
  }
}

/** Papers for this person, one of each group: {no, pages, alternative?}. which: which of a group; optional: also those that may be left out. */
export function slotsFor(rules, clean, { which = 0, optional = false } = {}) {
  const groups = new Set();
  const out = [];
  const all = materialsFor(rules, clean);
  for (const { material: m, need } of all) {
    if (need === 'hidden' || (need === 'optional' && !optional)) continue;
    if (need === 'one_of') {
      const group = all.filter((x) => x.need === 'one_of' && x.material.group === m.group);
      if (groups.has(m.group) || group[which % group.length].material !== m) continue;
      groups.add(m.group);
    }
    out.push({ no: m.no, pages: 1, ...(m.alternatives?.length && which % 2 ? { alternative: which % m.alternatives.length } : {}) });
  }
  return out;
}

/** A valid application, or an Error that names item and rule. want: {seed, pins: {field: [values]}, filled: [fields], optional: none|some|all, lives}. */
export function makeValid(code, want = {}) {
  const rules = rulesOf(code);
  const seed = want.seed ?? 1;
  let last;
  for (let start = 0; start < (want.starts ?? STARTS); start++) {
    const random = randomFrom(`${code}/${seed}/${start}/${JSON.stringify(want.pins ?? '')}`);
    const paper = new Paper(rules, { phone: '13800000001', today: dayNow(), optional: 'some', ...want, random });
    if (paper.fill()) {
      const slots = slotsFor(rules, paper.clean, { which: want.which ?? 0, optional: want.optional === 'all' });
      const wrong = checkMaterials(rules, paper.clean, slots);
      if (wrong.length) throw new Error(`${code}: ${wrong[0].field} ${wrong[0].rule}: no papers satisfy the item`);
      return { code, rules, entries: paper.entries, clean: paper.clean, unit: paper.clean.accept_unit, identity: paper.identity(), who: paper.who, done: paper.done, slots, broken: paper.broken, want };
    }
    last = paper.last;
  }
  const e = new Error(`${code}: no answers satisfy ${last.rule} at ${last.field}${want.pins ? ` with ${JSON.stringify(want.pins)}` : ''}`);
  e.unmet = last;
  throw e;
}

/** The fields that decide something, and the values of each that make a difference: [{field, value}]. */
export function branches(code) {
  const rules = rulesOf(code);
  const { family, item } = rules;
  const out = [];
  const all = conditionsIn(family, item).flat();
  for (const f of family.fields) {
    const mine = all.filter((k) => k.field === f.id);
    if (!mine.length) continue;
    const choices = f.type === 'enum' ? choicesOf(rules, f).map((c) => c.code) : f.type === 'boolean' ? (family.presets[code]?.[f.id] ?? [true, false]) : [];
    const signature = (v) => JSON.stringify(mine.map((k) => engine.holds([k], { [f.id]: v })));
    const seen = new Set();
    for (const v of choices) {
      if (f.code_table && seen.has(signature(v))) continue;      // a large table: one of each kind
      seen.add(signature(v));
      out.push({ field: f.id, value: v });
    }
  }
  return out;
}

/** Whether the item can show the field at all: its conditions against the presets. */
export function reachable(rules, conditions, depth = 0) {
  return depth > 6 || (conditions ?? []).every((k) => {
    const f = rules.family.fields.find((x) => x.id === k.field);
    if (!f) return true;
    const values = f.type === 'enum' ? choicesOf(rules, f).map((c) => c.code) : f.type === 'boolean' ? (rules.family.presets[rules.item.code]?.[f.id] ?? [true, false]) : null;
    return reachable(rules, f.visible_when, depth + 1) && (!values || values.some((v) => engine.holds([k], { [k.field]: v })));
  });
}

/** Valid applications of an item: bare, full, each branch of each deciding field, each paper that is there only for some. */
export function validOnes(code) {
  const rules = rulesOf(code);
  const made = [makeValid(code, { seed: 'bare', optional: 'none' }), makeValid(code, { seed: 'full', optional: 'all', which: 1 })];
  const closed = [];
  for (const { field, value } of branches(code)) {
    const f = rules.family.fields.find((x) => x.id === field);
    if (!reachable(rules, f.visible_when)) continue;
    if (made.some((a) => a.clean[field] === value)) continue;
    try {
      made.push(makeValid(code, { seed: `${field}=${value}`, pins: { [field]: [value] }, starts: 3, steps: 300 }));
    } catch (e) {
      if (!e.unmet) throw e;
      closed.push({ field, value, why: e.unmet });
    }
  }
  for (const m of rules.item.materials.filter((x) => x.when?.length && x.supplied_by !== 'police' && reachable(rules, x.when))) {
    if (made.some((a) => engine.holds(m.when, a.clean))) continue;
    const pins = Object.fromEntries(m.when.map((k) => [k.field, valuesFor(rules, k)]));
    try {
      made.push(makeValid(code, { seed: `material ${m.no}`, pins, starts: 3, steps: 500 }));
    } catch (e) {
      if (!e.unmet) throw e;
      closed.push({ field: `material.${m.no}`, value: 'shown', why: e.unmet });
    }
  }
  return { made, closed };
}

function valuesFor(rules, k) {
  const f = rules.family.fields.find((x) => x.id === k.field);
  const all = f?.type === 'enum' ? choicesOf(rules, f).map((c) => c.code) : [true, false];
  return all.filter((v) => engine.holds([k], { [k.field]: v }));
}

export { conditionsIn };
