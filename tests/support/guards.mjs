// Reads schemas/effects as the register will, against the town as it stands: which person, which household, and what would stand against it. The
// generator asks it while it fills in a form, so that an application is not only valid but can be finished. A second reading of the contract, on purpose.
import { codeTables, effectsOf, org, engine, residents } from './forms.mjs';
import { addressText, householdOf, isHead, membersOf, personBy } from './town.mjs';

const normal = (p) => p?.status === 'normal';
const papers = residents.papers ?? [];

export class Reading {
  /** entries: the form as clean, with what the officer will add. */
  constructor(form, entries) {
    this.rule = effectsOf(form);
    this.names = this.rule?.names ?? {};
    this.entries = { ...entries, '@where': whereNow(entries) };
  }

  holds(conditions, row) {
    const entries = row ? { ...this.entries, ...row } : this.entries;
    return (conditions ?? []).every((k) => (k.absent ? entries[k.field] === undefined : engine.holds([k], entries)));
  }

  ref(x) { return typeof x === 'string' ? this.names[x] : x; }
  value(field) { return [field].flat().map((f) => this.entries[f]).find((v) => v !== undefined && v !== ''); }

  person(of, row) {
    const ref = this.ref(of);
    if (!ref || ref.by === 'new') return undefined;
    const no = ref.by === 'element' ? row?.[ref.of] : this.value(ref.field);
    return typeof no === 'string' ? personBy.get(no) : undefined;
  }

  household(of, row) {
    for (const way of [this.ref(of)].flat()) {
      const w = this.ref(way);
      if (!w || !this.holds(w.when, row)) continue;
      const v = w.field && this.value(w.field);
      const p = w.by === 'member_id_no' ? personBy.get(v) : w.by === 'own' ? this.person(w.person, row) : undefined;
      const h = w.by === 'new' ? (this.forms() ? 'new' : undefined) : p && (w.by === 'own' || normal(p)) ? householdOf(p)
        : w.by === 'book_no' && v ? residents.households.find((x) => x.book_no === v)
          : w.by === 'collective_name' && v ? residents.households.find((x) => x.name === v && x.status !== 'cancelled') : undefined;
      if (h) return h;
    }
    return undefined;
  }

  forms() { return this.rule.ops.some((o) => o.op === 'form_household' && this.holds(o.when)); }

  /** The answers by which a person or household is found. */
  fieldsOf(of) {
    return [this.ref(of)].flat().filter(Boolean).flatMap((w) => (this.holds(w.when) ? [...[w.field].flat(), ...(w.person ? this.fieldsOf(w.person) : [])] : [])).filter((f) => f && (!/^done_/.test(f) || this.asked(f)?.required));
  }

  asked(id) { return this.rule.completion?.find((c) => c.id === id); }

  rows(x) {
    if (!x.for_each) return [undefined];
    if (x.for_each === '@members') {
      const h = this.household(x.of);
      return h && h !== 'new' ? membersOf(h) : [];
    }
    return Array.isArray(this.entries[x.for_each]) ? this.entries[x.for_each] : [];
  }

  /** null, or {rule, related, fix?}: what a guard says against it. */
  guard(g, row) {
    const p = this.person(g.person, row), home = g.household ?? (g.person ? undefined : this.rule.ops.find((o) => o.household)?.household);
    const h = home ? this.household(home, row) : householdOf(p), unit = this.entries.accept_unit, known = h && h !== 'new';
    const list = g.for_each && !g.for_each.startsWith('@') ? { list: g.for_each, row } : undefined;
    const bad = (fix) => ({ rule: `guard ${g.check}`, message: g.message, field: list?.list, list, fix,
      related: [...this.fieldsOf(g.person), ...this.fieldsOf(g.other), ...this.fieldsOf(home), ...[g.field].flat()].filter(Boolean) });
    switch (g.check) {
      case 'household_found': return h ? null : bad('book');
      case 'household_not_found': return known ? bad() : null;
      case 'household_normal': return !known || h.status !== 'cancelled' ? null : bad();
      case 'household_in_unit': return !known || h.unit_code === unit ? null : bad({ accept_unit: h.unit_code });
      case 'household_not_frozen': return !known || !Number(h.frozen ?? 0) ? null : bad();
      case 'land_is_state': {
        const at = g.address && residents.households.filter((x) => addressText(x) === this.value(g.address));
        return (at ? at.every((x) => x.land_kind !== 'collective') : !known || h.land_kind !== 'collective') ? null : bad();
      }
      case 'no_duplicate': return null;
      case 'something_changes': return this.changes() ? null : { ...bad(), related: this.setFields() };
      case 'person_found': return p ? null : bad('somebody');
      case 'person_not_found': return p ? bad('invent') : null;
      case 'person_normal': return !p || normal(p) ? null : bad('somebody');
      case 'person_alive': return !p || normal(p) || !['death', 'duplicate'].includes(p.cancel_kind) ? null : bad('somebody');
      case 'person_cancelled': return !p || (!normal(p) && (!g.kinds || g.kinds.includes(p.cancel_kind))) ? null : bad({ cancelled: g.kinds ?? null });
      case 'person_in_unit': return !householdOf(p) || householdOf(p).unit_code === unit ? null : bad({ accept_unit: householdOf(p).unit_code });
      case 'person_unlocked': return !p || !p.lock_case ? null : bad('somebody');
      case 'name_matches': {
        const name = g.of ? row?.[g.of] : this.value(g.field);
        return !p || name === undefined || name === p.name ? null : bad(g.of ? { row: { [g.of]: p.name } } : { [g.field]: p.name });
      }
      case 'equals': return !p || !this.value(g.field) || p[g.column] === this.value(g.field) ? null : bad({ [g.field]: p[g.column] });
      case 'not_head_or_alone': return !p || !isHead(p) || membersOf(householdOf(p)).length < 2 ? null : bad('member');
      case 'is_head': return !p || isHead(p) ? null : bad('head');
      case 'same_household': {
        const o = this.person(g.other, row);
        return !p || !o || p.household_id === o.household_id ? null : bad({ together: o });
      }
      case 'differs': {
        const other = g.household ? (known ? h.household_id : 'new') : this.value(g.field);
        return !p || !normal(p) || String(p[g.column] ?? '') !== String(other ?? '') ? null : bad();
      }
      case 'paper_valid': return g.of_case || g.severity === 'warn' || papers.some((x) => x.status === 'valid' && x.kind === g.kind && (!g.person || x.person_id === p?.person_id)) ? null : bad({ paper: g.kind });
      default: throw new Error(`effects: check ${g.check} is not known to the generator`);
    }
  }

  /** What the register keeps whatever the data says, as far as it can be seen before. */
  op(o, row, leaving) {
    const p = this.person(o.person, row), h = o.household ? this.household(o.household, row) : undefined, known = h && h !== 'new';
    const list = o.for_each && !o.for_each.startsWith('@') ? { list: o.for_each, row } : undefined;
    const bad = (why, fix) => ({ rule: `register ${o.op}: ${why}`, related: [...this.fieldsOf(o.person), ...this.fieldsOf(o.household)], field: list?.list, list, fix });
    const into = ['add_person', 'admit_person', 'restore_person', 'move_person'].includes(o.op);
    if (o.op === 'form_household' && residents.households.some((x) => Number(x.frozen ?? 0) && addressText(x) === this.value(o.set.address.field))) return { ...bad('the address is frozen'), related: [o.set.address.field] };
    if (o.op === 'set_head' && h === 'new') return null;                  // who comes into it came by an op before
    if (['cancel_person', 'move_person', 'set_head', 'update_person', 'restore_person'].includes(o.op) && this.ref(o.person)?.by !== 'new' && !p) return bad('nobody has this number', 'somebody');
    if (['cancel_person', 'move_person', 'set_head'].includes(o.op) && p && !normal(p)) return bad('is cancelled', 'somebody');
    if (o.op === 'restore_person' && p && normal(p)) return bad('is there', { cancelled: null });
    if (into && o.household && !h) return bad('no household', 'book');
    if (into && known && (h.status === 'cancelled' || Number(h.frozen ?? 0))) return bad('household has ended or is frozen');
    if (into && known && !membersOf(h).length && h.kind === '10') return bad('household has nobody');
    if (o.op === 'move_person' && known && p?.household_id === h.household_id) return bad('lives there');
    if (o.op === 'set_head' && p && known && p.household_id !== h.household_id) return bad('is no member', this.fromOfficer(o.person) ?? 'somebody');
    if (o.op === 'set_head' && p && known && isHead(p)) return bad('is head already', this.fromOfficer(o.person) ?? 'member');
    if (['cancel_person', 'move_person', 'admit_person'].includes(o.op) && normal(p) && isHead(p) && householdOf(p).kind === '10' && membersOf(householdOf(p)).some((m) => !leaving.has(m)) && !this.heirs(true).has(p.household_id)) return bad('is head and others stay', this.heirs(false).has(p.household_id) ? { heir: membersOf(householdOf(p)).filter((m) => !leaving.has(m)) } : 'member');
    if (o.op === 'add_person' && o.set?.id_no?.field && personBy.has(this.entries[o.set.id_no.field])) return bad('number is known', 'invent');
    return null;
  }

  /** Households that get another head by this form: now, or if the officer named one. */
  heirs(now) {
    return new Set(this.rule.ops.filter((o) => o.op === 'set_head' && (!now || this.holds(o.when))).map((o) => this.household(o.household)?.household_id).filter(Boolean));
  }

  /** Whether some column of somebody gets another value, as far as it comes from an answer. */
  changes() {
    return this.rule.ops.filter((o) => this.holds(o.when)).some((o) => o.op !== 'update_person' || this.rows(o).some((row) => {
      const p = this.person(o.person, row);
      return Object.entries(o.set ?? {}).some(([column, source]) => {
        const given = 'const' in source ? source.const : source.field ? this.value(source.field) : NaN;            // NaN: worked out by the register
        return String(given ?? '') !== String(p?.[column] ?? '');
      });
    }));
  }

  setFields() { return this.rule.ops.filter((o) => this.holds(o.when)).flatMap((o) => Object.values(o.set ?? {}).map((x) => x.field)).filter(Boolean); }

  /** A number that the officer added is taken back. */
  fromOfficer(of) {
    const field = [this.ref(of)?.field].flat().find((f) => /^done_/.test(f ?? ''));
    return field && this.entries[field] ? { drop: field } : undefined;
  }

  /** Households that lose or change somebody, and those that only take somebody in. */
  homes() {
    const lose = new Set(), take = new Set();
    for (const o of this.rule?.ops ?? []) {
      if (!this.holds(o.when)) continue;
      for (const row of this.rows(o)) {
        const p = this.person(o.person, row), h = o.household ? this.household(o.household, row) : undefined;
        if (p && !/paper/.test(o.op)) lose.add(normal(p) ? p.household_id : p.person_id);
        if (h && h !== 'new') (['set_head', 'update_household'].includes(o.op) ? lose : take).add(h.household_id);
      }
    }
    for (const g of this.rule?.guards ?? []) for (const row of this.holds(g.when) ? this.rows(g) : []) {
      const p = this.person(g.person, row);
      if (p) take.add(normal(p) ? p.household_id : p.person_id);
    }
    for (const h of lose) take.delete(h);
    return { lose, take };
  }

  against() {
    if (!this.rule) return null;
    const ops = this.rule.ops.filter((o) => this.holds(o.when)), leaving = new Set();
    for (const o of ops.filter((x) => ['cancel_person', 'move_person', 'admit_person'].includes(x.op)))
      for (const row of this.rows(o)) { const p = this.person(o.person, row); if (p) leaving.add(p); }
    for (const g of this.rule.guards ?? []) {
      if (!this.holds(g.when)) continue;
      for (const row of this.rows(g)) { const x = this.guard(g, row); if (x && (g.severity === 'refuse' || ['not_head_or_alone', 'something_changes'].includes(g.check))) return x; }
    }
    for (const c of this.rule.completion ?? [])
      if (c.required && c.type === 'id_number' && this.holds(c.when) && !this.entries[c.id]) return { rule: `officer: ${c.id}`, related: [], fix: { officer: c.id } };
    for (const o of ops) for (const row of this.rows(o)) {
      const x = this.op(o, row, leaving);
      if (x) return x;
    }
    return null;
  }
}

/** Where the household of the form's person is now: a normal person of the register, or the region he names. */
export function whereNow(entries) {
  const p = personBy.get(entries.subject_id_no), region = String(entries.subject_region ?? '');
  if (normal(p) || region.startsWith(org.city_region.slice(0, 4))) return 'city';
  return region.startsWith(org.province_region.slice(0, 2)) ? 'province' : 'outside';
}

/** A value for what an officer adds, by its type. */
export function completionValue(c, { unit, date, serial = 1 }) {
  switch (c.type) {
    case 'date': return date;
    case 'enum': return (c.values ?? codeTables[c.code_table])[0].code;
    case 'book_no': return residents.households.find((h) => h.unit_code === unit && h.status !== 'cancelled').book_no;
    case 'phone': return '13905620000';
    default: return `${c.label}${serial}`.slice(0, c.max_length ?? 30);
  }
}
