// Reads schemas/effects as the register will, against the town as it stands: which person, which household, and what would stand against it. The
// generator asks it while it fills in a form, so that an application is not only valid but can be finished. A second reading of the contract, on purpose.
import { codeTables, effectsOf, engine, residents } from './forms.mjs';
import { householdBy, householdOf, isHead, membersOf, personBy, people } from './town.mjs';

const normal = (p) => p?.status === 'normal';
const papers = residents.papers ?? [];

export class Reading {
  /** entries: the form as clean, with what the officer will add. */
  constructor(form, entries) {
    this.rule = effectsOf(form);
    this.entries = entries;
  }

  holds(conditions, row) { return engine.holds(conditions, row ? { ...this.entries, ...row } : this.entries); }

  person(ref, row) {
    if (!ref) return undefined;
    const no = ref.by === 'element' ? row?.[ref.of] : this.entries[ref.field];
    return typeof no === 'string' ? personBy.get(no) : undefined;
  }

  household(ways, row) {
    for (const w of Array.isArray(ways) ? ways : [ways]) {
      if (!w || !this.holds(w.when, row)) continue;
      const v = w.field && this.entries[w.field];
      const p = w.by === 'member_id_no' ? personBy.get(v) : w.by === 'own' ? this.person(w.person, row) : undefined;
      const h = w.by === 'new' ? 'new' : p && (w.by === 'own' || normal(p)) ? householdOf(p)
        : w.by === 'book_no' && v ? residents.households.find((x) => x.book_no === v)
          : w.by === 'collective_name' && v ? residents.households.find((x) => x.name === v && x.status !== 'cancelled') : undefined;
      if (h) return h;
    }
    return undefined;
  }

  fieldsOf(ref) {
    if (!ref) return [];
    return (Array.isArray(ref) ? ref : [ref]).flatMap((w) => (this.holds(w.when) ? [w.field, ...this.fieldsOf(w.person)] : [])).filter(Boolean);
  }

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
    const p = this.person(g.person, row), h = g.household ? this.household(g.household, row) : g.person ? householdOf(p) : this.household(this.rule.ops.find((o) => o.household)?.household, row);
    const unit = this.entries.accept_unit;
    const bad = (fix) => ({ rule: `guard ${g.check}`, message: g.message, related: [...this.fieldsOf(g.person), ...this.fieldsOf(g.other), ...this.fieldsOf(g.household ?? this.rule.ops.find((o) => o.household)?.household), g.field].filter(Boolean), fix });
    switch (g.check) {
      case 'household_found': return h ? null : bad();
      case 'household_normal': return !h || h === 'new' || h.status !== 'cancelled' ? null : bad();
      case 'household_in_unit': return !h || h === 'new' || h.unit_code === unit ? null : bad({ accept_unit: h.unit_code });
      case 'household_not_frozen': return !h || h === 'new' || !Number(h.frozen ?? 0) ? null : bad();
      case 'land_is_state': return !h || h === 'new' || h.land_kind !== 'collective' ? null : bad();
      case 'no_duplicate': case 'something_changes': return null;
      case 'person_found': return p ? null : bad();
      case 'person_not_found': return p ? bad('invent') : null;
      case 'person_normal': return !p || normal(p) ? null : bad();
      case 'person_cancelled': return p && !normal(p) && (!g.kinds || g.kinds.includes(p.cancel_kind)) ? null : bad({ cancelled: g.kinds ?? null });
      case 'person_in_unit': return !p || !normal(p) || householdOf(p)?.unit_code === unit ? null : bad({ accept_unit: householdOf(p)?.unit_code });
      case 'person_unlocked': return !p || !p.lock_case ? null : bad();
      case 'name_matches': return !p || this.entries[g.field] === p.name ? null : bad({ [g.field]: p.name });
      case 'not_head_or_alone': return !p || !isHead(p) || membersOf(householdOf(p)).length < 2 ? null : bad();
      case 'is_head': return !p || isHead(p) ? null : bad('head');
      case 'same_household': {
        const o = this.person(g.other, row);
        return !p || !o || p.household_id === o.household_id ? null : bad('together');
      }
      case 'differs': return !p || String(p[g.column] ?? '') !== String(this.entries[g.field] ?? '') ? null : bad();
      case 'paper_valid': {
        const no = g.no && this.entries[g.no.field ?? g.no];
        return papers.some((x) => x.status === 'valid' && x.kind === g.kind && (!no || x.no === no) && (!g.person || x.person_id === p?.person_id) && (!g.household || x.household_id === h?.household_id)) ? null : bad({ paper: g.kind });
      }
      default: throw new Error(`effects: check ${g.check} is not known to the generator`);
    }
  }

  /** What the register keeps whatever the data says, as far as it can be seen before. */
  op(o, row, leaving) {
    const p = this.person(o.person, row), h = o.household ? this.household(o.household, row) : undefined;
    const related = [...this.fieldsOf(o.person), ...this.fieldsOf(o.household)];
    const bad = (why, fix) => ({ rule: `register ${o.op}: ${why}`, related, fix });
    const back = ['restore_person'].includes(o.op), forth = ['cancel_person', 'move_person', 'set_head'].includes(o.op);
    if (o.op !== 'admit_person' && o.person && !p) return bad('nobody has this number');
    if (forth && p && !normal(p)) return bad('is cancelled');
    if (back && p && normal(p)) return bad('is there', { cancelled: null });
    if (['add_person', 'admit_person', 'restore_person', 'move_person', 'issue_paper'].includes(o.op) && o.household && !h && o.op !== 'issue_paper') return bad('no household');
    if (h && h !== 'new' && (h.status === 'cancelled' || Number(h.frozen ?? 0)) && o.op !== 'issue_paper') return bad('household has ended or is frozen');
    if (o.op === 'set_head' && p && h && h !== 'new' && p.household_id !== h.household_id) return bad('is no member', 'together');
    if (['cancel_person', 'move_person', 'admit_person'].includes(o.op) && normal(p) && isHead(p) && membersOf(householdOf(p)).some((m) => !leaving.has(m))) return bad('is head and others stay');
    if (o.op === 'add_person' && o.set?.id_no?.field && personBy.has(this.entries[o.set.id_no.field])) return bad('number is known');
    return null;
  }

  against() {
    if (!this.rule) return null;
    const ops = this.rule.ops.filter((o) => this.holds(o.when)), leaving = new Set();
    for (const o of ops.filter((x) => ['cancel_person', 'move_person', 'admit_person'].includes(x.op)))
      for (const row of this.rows(o)) { const p = this.person(o.person, row) ?? (o.for_each === '@members' ? row : undefined); if (p) leaving.add(p); }
    for (const g of this.rule.guards ?? []) {
      if (!this.holds(g.when)) continue;
      for (const row of this.rows(g)) { const x = this.guard(g, row); if (x && (g.severity === 'refuse' || g.check === 'not_head_or_alone')) return x; }
    }
    const head = ops.some((o) => o.op === 'set_head');
    for (const o of ops) for (const row of this.rows(o)) {
      const x = this.op(o, o.for_each === '@members' ? { id_no: row?.id_no, ...row } : row, leaving);
      if (x && !(head && /head and others/.test(x.rule))) return x;
    }
    return null;
  }
}

/** What an officer would add: a value for each completion field, by its type. */
export function completionFor(form, clean, { unit, date }) {
  const out = {};
  for (const c of effectsOf(form)?.completion ?? []) {
    if (!c.required || !engine.holds(c.when, { ...clean, ...out })) continue;
    out[c.id] = completionValue(c, { unit, date });
  }
  return out;
}

export function completionValue(c, { unit, date, serial = 1 }) {
  const table = c.code_table && codeTables[c.code_table];
  switch (c.type) {
    case 'date': return date;
    case 'enum': return (c.values ?? table)[0].code;
    case 'book_no': return residents.households.find((h) => h.unit_code === unit && h.status !== 'cancelled').book_no;
    case 'phone': return '13905620000';
    default: return `${c.label}${serial}`.slice(0, c.max_length ?? 30);
  }
}

export { people, householdBy };
