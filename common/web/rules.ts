// The one judge of what was filled in, for both web apps. The twin of common/form*.c: same data, same order, same verdicts, same
// sentences, held together by tests/unit/rules-cases.json. Pure: no DOM, no clock, no network.

import type { Day, TextKind } from './text.ts'
import {
  addDays, ageAt, compareDays, dayValid, formatDay, hasUntypeable, isName, isPhone, isPinyin, normaliseText, parseDay,
  parseIdNumber, provinceValid, textFault, textLength
} from './text.ts'

export type Value = string | boolean
export type Row = Record<string, unknown>
/** Field id to value; a repeat's id to rows. What came from elsewhere may hold anything. */
export type Entries = Record<string, unknown>

export interface Condition { field: string; in?: Value[]; not_in?: Value[]; prefix?: string[]; not_prefix?: string[] }
export interface Choice { code: string; label: string }
export interface Pattern { name: string; regex?: string; builtin?: string; upper?: boolean; message: string; example?: string }
export interface Field {
  id: string; label: string; type: 'text' | 'id_number' | 'date' | 'enum' | 'address' | 'phone' | 'boolean'
  required?: boolean; required_when?: Condition[]; visible_when?: Condition[]; fill_when?: Condition[]; id_number_when?: Condition[]
  code_table?: string; values?: Choice[]; allow?: string[]; section?: string; ask?: string; hint?: string; usual?: string
  fill_from?: string; fill_map?: Record<string, string>; suggest_by?: string[]; mask?: string; max_length?: number; pattern_name?: string; date_min?: string; date_max?: string; note?: string | null
}
export interface Repeat {
  id: string; label: string; min?: number; max?: number; required_when?: Condition[]; visible_when?: Condition[]; fields: Field[]; section?: string
  ask?: string; hint?: string
}
export interface Section { id: string; title: string; desk_title?: string; fields: string[]; repeats?: string[] }
export interface FamilyRule {
  id: string; op: string; a?: string; b?: string; n?: number; value?: string; values?: Value[]; fields?: string[]; column?: string; when?: Condition[]
  at: string; message: string
}
export interface Family {
  id: string; label: string; fields: Field[]; repeats?: Repeat[]; sections?: Section[]; rules?: FamilyRule[]
  presets: Record<string, Record<string, Value[]>>
}
export interface Alternative { name: string; verify?: string | null; e_licence?: string | null; when?: Condition[] }
export interface Material {
  no: number; name: string; plain_name?: string; condition?: string | null; requirement: 'required' | 'conditional' | 'one_of'; group?: string | null
  alternatives?: Alternative[]; original?: boolean; supplied_by?: string; verify?: string | null; e_licence?: string | null; when?: Condition[]
}
export interface Item { code: string; name: string; materials: Material[] }
/** What GET /api/catalogue/items/{code} answers. A code table that is left out for its size is not judged here; add it when loaded. */
export interface Rules {
  item: Item; family: Family; code_tables: Record<string, Choice[]>; patterns: Pattern[]; messages: Record<string, string>
  districts?: Record<string, Partial<Item>>       // region -> what of the item differs there
  unit_regions?: Record<string, string>           // accepting unit -> its region
}
export interface Identity { name?: string; id_no?: string; phone?: string }
export interface Context {
  today: string                       // Beijing, YYYY-MM-DD
  identity?: Identity | null
  only?: string[] | null              // a supplement: these fields and no others
}
export interface Finding { field: string; rule: string; want: string; have: string; message: string }
export interface Report { findings: Finding[]; clean: Entries }
export type Need = 'required' | 'one_of' | 'optional' | 'hidden'
export interface MaterialNeed { material: Material; need: Need }
export interface Slot { no: number; pages: number; licence?: boolean }

interface Words { ask?: string; label?: string; min?: string; max?: string; pattern?: string; material?: string; materials?: string }
interface Judge {
  rules: Rules; f: Family; today: Day; ctx: Context; raw: Entries; vals: Entries; findings: Finding[]; bad: Record<string, boolean>
}

const REGION_LEN = 7
const PINYIN = '_pinyin'
const PINYIN_MAX = 60
const MAX_ROWS = 20
const LONGEST: Record<string, number> = { text: 200, id_number: 18, date: 10, enum: 40, address: 100, phone: 16, boolean: 0 }
export const CHARACTER_SLOT = 99
export const MAX_PAGES = 40

const own = (o: object, key: string): boolean => Object.prototype.hasOwnProperty.call(o, key)
const at = (o: Entries, key: string): unknown => (own(o, key) ? o[key] : undefined)
const isObject = (v: unknown): v is Record<string, unknown> => typeof v === 'object' && v !== null && !Array.isArray(v)
// A null prototype: a field that calls itself __proto__ is a key like any other.
const bare = (): Entries => Object.create(null) as Entries

// ---- sentences ----

function expand(t: string, w: Words): string {
  const all: Record<string, string | undefined> = { ask: w.ask || w.label, label: w.label, min: w.min, max: w.max, pattern: w.pattern,
    materials: w.materials, material: w.material }
  return t.replace(/\{(ask|label|min|max|pattern|materials|material)\}/g, (_m, name: string) => all[name] || '')
}

function finding(rules: Rules, field: string, rule: string, want: string, have: string, w: Words, sentence?: string): Finding {
  return { field, rule, want, have, message: expand(rules.messages[sentence || rule] || '', w) }
}

function add(j: Judge, field: string, rule: string, want = '', have = '', w: Words = {}, sentence?: string): false {
  j.findings.push(finding(j.rules, field, rule, want, have, w, sentence))
  return false
}

// ---- values and conditions ----

function present(v: unknown): boolean {
  if (v === undefined || v === null) return false
  return typeof v === 'string' || Array.isArray(v) ? v.length > 0 : true
}

function accepts(k: Condition, v: unknown): boolean {
  if (v === undefined) return false
  const start = k.prefix || k.not_prefix
  if (start) return typeof v === 'string' && start.some((p) => v.slice(0, p.length) === p) === !!k.prefix
  return k.not_in ? k.not_in.indexOf(v as Value) < 0 : (k.in || []).indexOf(v as Value) >= 0
}

/** Whether all conditions hold for clean entries. */
export function holds(conditions: Condition[] | undefined, entries: Entries): boolean {
  return (conditions || []).every((k) => accepts(k, present(at(entries, k.field)) ? at(entries, k.field) : undefined))
}

const fieldOf = (f: Family, id: string): Field | undefined => f.fields.find((x) => x.id === id)
const repeatOf = (f: Family, id: string): Repeat | undefined => (f.repeats || []).find((x) => x.id === id)
const patternOf = (rules: Rules, f: Field): Pattern | undefined =>
  f.pattern_name ? rules.patterns.find((p) => p.name === f.pattern_name) : undefined
const isPersonName = (rules: Rules, f: Field): boolean => (patternOf(rules, f) || { builtin: '' }).builtin === 'person_name'
const presetOf = (rules: Rules, id: string): Value[] | undefined => {
  const all = rules.family.presets[rules.item.code]
  return all && own(all, id) ? all[id] : undefined
}

const partial = (j: Judge): boolean => !!j.ctx.only
const askedFor = (j: Judge, id: string): boolean => !j.ctx.only || j.ctx.only.indexOf(id) >= 0
const visible = (j: Judge, f: Field): boolean => partial(j) || judgeHolds(j, f.visible_when)

function valueOf(j: Judge, id: string): unknown {
  const f = fieldOf(j.f, id)
  const v = at(j.vals, id)
  return present(v) && (!f || visible(j, f)) ? v : undefined
}

function judgeHolds(j: Judge, conditions: Condition[] | undefined): boolean {
  return (conditions || []).every((k) => accepts(k, valueOf(j, k.field)))
}

function idChecked(j: Judge, f: Field): boolean {
  return f.type === 'id_number' || (f.type === 'text' && !!f.id_number_when && f.id_number_when.length > 0 && judgeHolds(j, f.id_number_when))
}

// ---- normal form ----

function kindOf(rules: Rules, f: Field, asId: boolean): TextKind {
  if (asId) return 'id'
  if (f.type === 'phone' || f.type === 'date' || f.type === 'address') return f.type
  const p = patternOf(rules, f)
  return !p ? 'plain' : p.builtin ? 'name' : p.upper ? 'number' : 'half'
}

function normalValue(rules: Rules, f: Field, v: unknown, asId: boolean): unknown {
  return typeof v !== 'string' || f.type === 'enum' ? v : normaliseText(v, kindOf(rules, f, asId))
}

/** The form in which a value is judged and sent; what to put back into the input when it loses the focus. */
export function normalise(rules: Rules, field: Field, value: unknown, entries: Entries): unknown {
  const asId = field.type === 'id_number' || (!!field.id_number_when && field.id_number_when.length > 0 && holds(field.id_number_when, entries))
  return normalValue(rules, field, value, asId)
}

function pinyinOwner(rules: Rules, fields: Field[], key: string): Field | undefined {
  if (key.length <= PINYIN.length || key.slice(-PINYIN.length) !== PINYIN) return undefined
  const f = fields.find((x) => x.id === key.slice(0, -PINYIN.length))
  return f && isPersonName(rules, f) ? f : undefined
}

const normalPinyin = (v: unknown): unknown => (typeof v === 'string' ? normaliseText(v, 'plain') : v)

function unknown(j: Judge, prefix: string, key: string): void {
  add(j, prefix + (/^[A-Za-z0-9_]{1,64}$/.test(key) ? key : '?'), 'unknown')
}

function normalRow(j: Judge, r: Repeat, row: number, v: Row): Row {
  const out = bare()
  for (const key of Object.keys(v)) {
    const f = r.fields.find((x) => x.id === key)
    if (f) out[key] = normalValue(j.rules, f, v[key], f.type === 'id_number')
    else if (pinyinOwner(j.rules, r.fields, key)) out[key] = normalPinyin(v[key])
    else unknown(j, `${r.id}.${row}.`, key)
  }
  return out
}

const maxRows = (r: Repeat): number => (r.max === undefined ? MAX_ROWS : r.max)

function normaliseAll(j: Judge): void {
  for (const key of Object.keys(j.raw)) {
    const v = j.raw[key]
    const f = fieldOf(j.f, key)
    const named = pinyinOwner(j.rules, j.f.fields, key)
    const r = repeatOf(j.f, key)
    if (!askedFor(j, named ? named.id : key)) unknown(j, '', key)
    else if (f) j.vals[key] = normalise(j.rules, f, v, j.raw)
    else if (r) j.vals[key] = Array.isArray(v) ? v.map((row, i) => (isObject(row) && i < maxRows(r) ? normalRow(j, r, i, row) : row)) : v
    else if (named) j.vals[key] = normalPinyin(v)
    else unknown(j, '', key)
  }
}

// ---- what need not be asked ----

function derived(j: Judge, source: string, what: string): Value | undefined {
  const v = valueOf(j, source)
  const id = typeof v === 'string' ? parseIdNumber(v, j.today) : null
  if (!id || id.fault) return undefined
  return what === 'gender' ? id.gender : formatDay(id.birth)
}

/** Who signed in was verified by his resident identity card: GA/T 2000.156 calls that 111. */
function verified(who: Identity, what: string): Value | undefined {
  switch (what) {
    case 'identity.name': return who.name
    case 'identity.id_no': return who.id_no
    case 'identity.phone': return who.phone
    case 'identity.id_type': return who.id_no ? '111' : undefined
    default: return undefined
  }
}

/** The value of another field, the region an address lies in, or what stands beside it in the map. */
function copied(j: Judge, f: Field, source: string): Value | undefined {
  const v = valueOf(j, source)
  if (f.fill_map) return typeof v === 'string' && own(f.fill_map, v) ? f.fill_map[v] : undefined
  const from = fieldOf(j.f, source)
  if (from && from.type === 'address' && f.type === 'enum') return typeof v === 'string' && /^[0-9]{6} /.test(v) ? v.slice(0, REGION_LEN - 1) : undefined
  return v as Value | undefined
}

function filled(j: Judge, f: Field): Value | undefined {
  const preset = presetOf(j.rules, f.id)
  if (preset && preset.length === 1) return preset[0]
  const from = (f.fill_from || '').split(':')
  if (!judgeHolds(j, f.fill_when)) return undefined
  if (from[0] === 'id_number') return derived(j, from[1], from[2])
  if (from[0] === 'field') return copied(j, f, from[1])
  return verified(j.ctx.identity || {}, from[0])
}

function fillAll(j: Judge): void {
  let changed = !partial(j)
  while (changed) {
    changed = false
    for (const f of j.f.fields) {
      if (own(j.raw, f.id) || own(j.vals, f.id) || !visible(j, f)) continue
      const v = filled(j, f)
      if (v === undefined) continue
      j.vals[f.id] = v
      changed = true
    }
  }
}

// ---- one value ----

interface Check { j: Judge; f: Field; path: string; w: Words }
const fail = (k: Check, rule: string, want = '', have = '', more: Words = {}): false =>
  add(k.j, k.path, rule, want, have, { ...k.w, ...more })

function typeWord(v: unknown): string {
  if (v === null || v === undefined) return 'null'
  return typeof v === 'string' ? 'text' : typeof v === 'boolean' || typeof v === 'number' ? typeof v : Array.isArray(v) ? 'list' : 'object'
}

const FAULT_RULE: Record<string, string> = { utf8: 'xml_char', control: 'xml_char', xml: 'xml_char', invisible: 'invisible_char',
  private: 'private_char', combining: 'combining_char' }

function goodCharacters(k: Check, s: string): boolean {
  const fault = textFault(s)
  return !fault || fail(k, FAULT_RULE[fault], 'plain text', fault)
}

function goodLength(k: Check, s: string): boolean {
  if (k.f.type !== 'text' && k.f.type !== 'address') return true
  const max = k.f.max_length === undefined ? LONGEST[k.f.type] : k.f.max_length
  const n = textLength(s) - (k.f.type === 'address' ? REGION_LEN : 0)
  return n <= max || fail(k, 'length', String(max), String(n), { max: String(max) })
}

function goodCode(k: Check, s: string): boolean {
  if (k.f.type !== 'enum') return true
  const table = k.f.code_table ? k.j.rules.code_tables[k.f.code_table] : k.f.values
  const ok = (!table || table.some((c) => c.code === s)) && (!k.f.allow || k.f.allow.indexOf(s) >= 0)
  return ok || fail(k, 'code_value', k.f.code_table || 'values')
}

function goodPreset(k: Check, v: Value): boolean {
  const preset = presetOf(k.j.rules, k.path)
  return !preset || preset.indexOf(v) >= 0 || fail(k, 'preset', k.j.rules.item.code)
}

function goodId(k: Check, s: string): boolean {
  const fault = parseIdNumber(s, k.j.today).fault
  return !fault || fail(k, fault, 'GB 11643', fault === 'id_length' || fault === 'id_fifteen' ? String(textLength(s)) : '')
}

function boundDay(k: Check, bound: string): { day: Day; words: string } | null {
  const field = fieldOf(k.j.f, bound)
  if (field) {
    const v = valueOf(k.j, bound)
    const day = typeof v === 'string' ? parseDay(v) : null
    return day && { day, words: `“${field.ask || field.label}”` }
  }
  if (bound === 'today') return { day: k.j.today, words: '今天' }
  let day = parseDay(bound)
  const m = /^([+-]?[0-9]+)([yd])$/.exec(bound)
  if (!day && m) day = m[2] === 'd' ? addDays(k.j.today, +m[1]) : { ...k.j.today, y: k.j.today.y + +m[1] }
  while (day && !dayValid(day) && day.d > 28) day = { ...day, d: day.d - 1 }
  return day && { day, words: `${day.y}年${day.m}月${day.d}日` }
}

function goodBound(k: Check, have: Day, bound: string | undefined, max: boolean): boolean {
  const b = bound ? boundDay(k, bound) : null
  if (!b || (max ? compareDays(have, b.day) <= 0 : compareDays(have, b.day) >= 0)) return true
  return fail(k, max ? 'date_max' : 'date_min', `${max ? '<=' : '>='} ${formatDay(b.day)}`, '', max ? { max: b.words } : { min: b.words })
}

function goodDate(k: Check, s: string): boolean {
  const d = parseDay(s)
  if (!d || d.y < 1850) return fail(k, 'date', 'YYYY-MM-DD')
  return goodBound(k, d, k.f.date_min, false) && goodBound(k, d, k.f.date_max, true)
}

function goodAddress(k: Check, s: string): boolean {
  const table = k.j.rules.code_tables['GB/T 2260']
  const code = /^[0-9]{6} /.test(s) ? s.slice(0, 6) : ''
  const region = !!code && (table ? table.some((c) => c.code === code) : provinceValid(code.slice(0, 2)))
  return (region && textLength(s) >= REGION_LEN + 2) || fail(k, 'address', 'region code, space, 2 characters or more')
}

function goodPattern(k: Check, s: string): boolean {
  const p = patternOf(k.j.rules, k.f)
  if (!p) return true
  const ok = p.builtin ? isName(s) : /^[\x01-\x7f]*$/.test(s) && new RegExp(p.regex as string).test(s)
  return ok || fail(k, 'pattern', p.name, '', { pattern: p.message })
}

function goodForm(k: Check, s: string): boolean {
  if (idChecked(k.j, k.f)) return goodId(k, s)
  switch (k.f.type) {
    case 'date': return goodDate(k, s)
    case 'phone': return isPhone(s) || fail(k, 'phone', 'mobile or landline')
    case 'address': return goodAddress(k, s)
    case 'text': return goodPattern(k, s)
    default: return true
  }
}

function goodDerived(k: Check, s: string): boolean {
  const from = (k.f.fill_from || '').split(':')
  if (['identity.name', 'identity.id_no', 'identity.id_type', 'id_number', 'field'].indexOf(from[0]) < 0) return true
  const preset = presetOf(k.j.rules, k.f.id)
  if (preset && preset.length === 1) return true
  const is = filled(k.j, k.f)
  const entered = from.length > 1
  return is === undefined || is === s || add(k.j, k.path, 'derived', entered ? from[1] : 'identity', '', k.w, entered ? 'derived_entered' : undefined)
}

/** A present value, or null, against everything its field says; the first failure is the finding. */
function judgeOne(j: Judge, f: Field, path: string, v: unknown): boolean {
  const k: Check = { j, f, path, w: { ask: f.ask, label: f.label } }
  const wanted = f.type === 'boolean' ? 'boolean' : 'text'
  if (typeWord(v) !== wanted) return fail(k, 'type', wanted, typeWord(v))
  if (typeof v !== 'string') return goodPreset(k, v as boolean)
  return goodCharacters(k, v) && (idChecked(j, f) || goodLength(k, v)) && goodCode(k, v) && goodPreset(k, v) && goodForm(k, v) && goodDerived(k, v)
}

// ---- the walk ----

function judgePinyin(j: Judge, f: Field, prefix: string, from: Entries, shown: boolean): void {
  const path = prefix + f.id + PINYIN
  const name = at(from, f.id)
  const v = at(from, f.id + PINYIN)
  const copy = /^field:/.test(f.fill_from || '') && filled(j, f) !== undefined
  const wanted = shown && typeof name === 'string' && hasUntypeable(name) && !copy
  if (!wanted && v !== undefined) add(j, path, 'hidden', '', '', { ask: '拼音', label: '拼音' })
  else if (wanted && (typeof v !== 'string' || textLength(v) > PINYIN_MAX || !isPinyin(v))) add(j, path, 'pinyin')
}

function judgePresence(j: Judge, f: Field, path: string, v: unknown, required: boolean): boolean {
  if (v === null || present(v) || Array.isArray(v)) return judgeOne(j, f, path, v)
  if (!required && v === undefined) return true
  return add(j, path, 'required', '', '', { ask: f.ask, label: f.label }, f.type === 'enum' || f.type === 'boolean' ? 'required_choice' : undefined)
}

const someHold = (j: Judge, conditions: Condition[] | undefined): boolean =>
  !!conditions && conditions.length > 0 && judgeHolds(j, conditions)

function judgeField(j: Judge, f: Field): void {
  if (!askedFor(j, f.id)) return
  const v = at(j.vals, f.id)
  const shown = visible(j, f)
  if (!shown && v !== undefined) j.bad[f.id] = !add(j, f.id, 'hidden', '', '', { ask: f.ask, label: f.label })
  else if (shown) j.bad[f.id] = !judgePresence(j, f, f.id, v, partial(j) || !!f.required || someHold(j, f.required_when))
  if (isPersonName(j.rules, f)) judgePinyin(j, f, '', j.vals, shown)
}

function judgeRow(j: Judge, r: Repeat, i: number, row: unknown): void {
  if (!isObject(row)) {
    add(j, `${r.id}.${i}`, 'type', '', '', { ask: r.label, label: r.label })
    return
  }
  for (const f of r.fields) {
    judgePresence(j, f, `${r.id}.${i}.${f.id}`, at(row, f.id), !!f.required)
    if (isPersonName(j.rules, f)) judgePinyin(j, f, `${r.id}.${i}.`, row, true)
  }
}

function judgeCount(j: Judge, r: Repeat, n: number): void {
  const must = partial(j) || someHold(j, r.required_when)
  const least = must && !r.min ? 1 : r.min || 0
  const w: Words = { ask: r.label, label: r.label, min: String(least), max: String(maxRows(r)) }
  if (n < least) add(j, r.id, 'repeat_min', String(least), String(n), w)
  else if (n > maxRows(r)) add(j, r.id, 'repeat_max', String(maxRows(r)), String(n), w)
}

function judgeRepeat(j: Judge, r: Repeat): void {
  if (!askedFor(j, r.id)) return
  const v = at(j.vals, r.id)
  const w = { ask: r.label, label: r.label }
  if (!partial(j) && !judgeHolds(j, r.visible_when)) {
    if (v !== undefined) add(j, r.id, 'hidden', '', '', w)
  } else if (v !== undefined && !Array.isArray(v)) add(j, r.id, 'type', '', '', w)
  else {
    const rows = (v || []) as unknown[]
    judgeCount(j, r, rows.length)
    rows.slice(0, maxRows(r)).forEach((row, i) => judgeRow(j, r, i, row))
  }
}

// ---- rules across fields ----

const goodValue = (j: Judge, id: string): unknown => (j.bad[id] ? undefined : valueOf(j, id))

function numberOf(j: Judge, id: string): ReturnType<typeof parseIdNumber> | null {
  const f = fieldOf(j.f, id)
  const v = goodValue(j, id)
  const n = f && typeof v === 'string' && idChecked(j, f) ? parseIdNumber(v, j.today) : null
  return n && !n.fault ? n : null
}

function dayOf(j: Judge, operand: string): Day | null {
  if (operand === 'today') return j.today
  const f = fieldOf(j.f, operand)
  if (f && f.type === 'date') {
    const v = goodValue(j, operand)
    return typeof v === 'string' ? parseDay(v) : null
  }
  const n = numberOf(j, operand)
  return n && n.birth
}

function daysHold(j: Judge, r: FamilyRule): boolean {
  const a = dayOf(j, r.a as string)
  const b = r.b ? dayOf(j, r.b) : j.today
  if (!a || !b) return true
  switch (r.op) {
    case 'not_after': return compareDays(a, b) <= 0
    case 'not_before': return compareDays(a, b) >= 0
    case 'age_at_least': return ageAt(a, j.today) >= (r.n as number)
    default: return ageAt(a, j.today) < (r.n as number)
  }
}

function cell(row: unknown, column: string): string | undefined {
  const v = isObject(row) ? at(row, column) : undefined
  return typeof v === 'string' && v ? v : undefined
}

/** Then its absence has been said already. */
function columnRequired(j: Judge, r: FamilyRule): boolean {
  const rows = repeatOf(j.f, r.a as string)
  return !!rows && rows.fields.some((f) => f.id === r.column && !!f.required)
}

/** Whether rows_differ and rows_have hold for row i. */
function rowHolds(j: Judge, r: FamilyRule, rows: unknown[], i: number): boolean {
  const row = rows[i]
  const v = isObject(row) ? at(row, r.column as string) : undefined
  const have = cell(row, r.column as string)
  if (r.op === 'rows_have') return present(v) ? v !== false : columnRequired(j, r)
  if (have === undefined) return true
  if (r.b) return goodValue(j, r.b) !== have
  return !rows.slice(0, i).some((x) => cell(x, r.column as string) === have)
}

/** Said at the row itself where a row is to blame. */
function judgeRows(j: Judge, r: FamilyRule): void {
  const list = repeatOf(j.f, r.a as string)
  const v = list && judgeHolds(j, list.visible_when) ? at(j.vals, list.id) : []
  const rows = Array.isArray(v) ? v : []
  const say = (field: string): void => { j.findings.push({ field, rule: r.id, want: '', have: '', message: r.message }) }
  if (r.op === 'rows_include') {
    const wanted = goodValue(j, r.b as string)
    if (typeof wanted === 'string' && !rows.some((row) => cell(row, r.column as string) === wanted)) say(r.at)
    return
  }
  const i = rows.findIndex((_row, k) => !rowHolds(j, r, rows, k))
  if (i >= 0) say(`${r.a}.${i}.${r.column}`)
}

function ruleHolds(j: Judge, r: FamilyRule): boolean {
  const fields = r.fields || []
  const given = fields.filter((id) => present(valueOf(j, id))).length
  const a = r.a ? goodValue(j, r.a) : undefined
  const b = r.b ? goodValue(j, r.b) : undefined
  const n = r.op === 'gender_is' ? numberOf(j, r.a as string) : null
  switch (r.op) {
    case 'require_any': return given > 0
    case 'together': return given === 0 || given === fields.length
    case 'differ': return a === undefined || b === undefined || a !== b
    case 'same': return a === undefined || b === undefined || a === b
    case 'in': return a === undefined || (r.values || []).indexOf(a as Value) >= 0
    case 'gender_is': return !n || n.gender === r.value
    case 'refuse': return false
    default: return daysHold(j, r)
  }
}

function judgeRules(j: Judge): void {
  for (const r of j.f.rules || []) {
    const applies = !j.bad[r.at] && (r.when || []).every((k) => accepts(k, goodValue(j, k.field)))
    if (applies && r.op.slice(0, 5) === 'rows_') judgeRows(j, r)
    else if (applies && !ruleHolds(j, r)) j.findings.push({ field: r.at, rule: r.id, want: '', have: '', message: r.message })
  }
}

function judge(rules: Rules, entries: Entries, ctx: Context): Judge {
  const today = parseDay(ctx.today)
  if (!today) throw new Error('rules: context.today: want YYYY-MM-DD')
  return { rules, f: rules.family, today, ctx, raw: entries, vals: bare(), findings: [], bad: {} }
}

// ---- what the apps call ----

/** Everything at once; clean is what is sent. */
export function checkForm(rules: Rules, entries: Entries, ctx: Context): Report {
  const j = judge(rules, entries, ctx)
  normaliseAll(j)
  fillAll(j)
  j.f.fields.forEach((f) => judgeField(j, f))
  ;(j.f.repeats || []).forEach((r) => judgeRepeat(j, r))
  if (!partial(j)) judgeRules(j)
  return { findings: j.findings, clean: j.vals }
}

function belongs(finding: string, id: string): boolean {
  return finding === id || finding === id + PINYIN || finding.slice(0, id.length + 1) === id + '.'
}

/** Findings at one field or repeat, for the moment the person leaves it. */
export function checkField(rules: Rules, id: string, entries: Entries, ctx: Context): Finding[] {
  return checkForm(rules, entries, ctx).findings.filter((x) => belongs(x.field, id))
}

/** Findings on one screen, for "下一步". */
export function checkSection(rules: Rules, section: string, entries: Entries, ctx: Context): Finding[] {
  const s = (rules.family.sections || []).find((x) => x.id === section)
  const ids = s ? s.fields.concat(s.repeats || []) : []
  return checkForm(rules, entries, ctx).findings.filter((x) => ids.some((id) => belongs(x.field, id)))
}

/** Whether the phone asks the field: visible, not preset to one value, not known already, no copy. guided: fields whose value the guide has set. */
export function isAsked(rules: Rules, id: string, entries: Entries, ctx: Context, guided: string[] = []): boolean {
  const f = fieldOf(rules.family, id)
  const j = judge(rules, entries, ctx)
  normaliseAll(j)
  fillAll(j)
  const copy = !!f && /^field:/.test(f.fill_from || '') && !f.fill_map && judgeHolds(j, f.fill_when)
  return !!f && visible(j, f) && !copy && !(guided.indexOf(id) >= 0 && present(at(j.vals, id))) && filled(j, f) === undefined
}

/** The codes to choose from: those of the table or the field, narrowed by allow and by the item's preset. */
export function choicesOf(rules: Rules, f: Field): Choice[] {
  const all = (f.code_table ? rules.code_tables[f.code_table] : f.values) || []
  const preset = presetOf(rules, f.id)
  return all.filter((c) => (!f.allow || f.allow.indexOf(c.code) >= 0) && (!preset || preset.indexOf(c.code) >= 0))
}

// ---- materials ----

function needOf(m: Material, clean: Entries): Need {
  const when = m.when || []
  if (m.requirement === 'conditional' && when.length === 0) return 'optional'
  if (!holds(when, clean)) return 'hidden'
  return m.requirement === 'one_of' ? 'one_of' : 'required'
}

const sameGroup = (a: Material, b: Material): boolean =>
  a.requirement === 'one_of' && b.requirement === 'one_of' && a.group === b.group

/** The item's papers where the application is handed in: the district of the accepting unit may have a list of its own (MAT-05). */
/** What the citizen reads. */
export const plainName = (m: Material): string => m.plain_name || m.name

function materialsOf(rules: Rules, clean: Entries): Material[] {
  const region = rules.districts ? (rules.unit_regions || {})[String(clean.accept_unit || '')] : undefined
  return (region && rules.districts![region]?.materials) || rules.item.materials
}

/** One entry per paper that the applicant supplies; the last paper shown of a group is required. */
export function materialsFor(rules: Rules, clean: Entries): MaterialNeed[] {
  const all = materialsOf(rules, clean).filter((m) => m.supplied_by !== 'police').map((m) => ({ material: m, need: needOf(m, clean) }))
  for (const x of all) {
    const shown = all.filter((y) => sameGroup(x.material, y.material) && y.need !== 'hidden').length
    if (x.need === 'one_of' && shown === 1) x.need = 'required'
  }
  return all
}

const takesLicence = (m: Material): boolean => !!m.e_licence || (m.alternatives || []).some((a) => !!a.e_licence)

function untypeable(v: unknown): boolean {
  if (typeof v === 'string') return hasUntypeable(v)
  return (typeof v === 'object' && v !== null) && Object.keys(v).some((k) => untypeable((v as Entries)[k]))
}

function slotFinding(rules: Rules, all: MaterialNeed[], slots: Slot[], i: number, clean: Entries): Finding | null {
  const s = slots[i]
  const m = all.find((x) => x.material.no === s.no)
  const w: Words = { material: m ? plainName(m.material) : '打不出来的字', max: String(MAX_PAGES) }
  const say = (rule: string, want: string, have: string): Finding => finding(rules, `material.${s.no}`, rule, want, have, w)
  if (slots.slice(0, i).some((x) => x.no === s.no)) return say('material_repeated', 'once', 'twice')
  if (!m && !(s.no === CHARACTER_SLOT && untypeable(clean))) return say('material_unknown', '', String(s.no))
  if (m && m.need === 'hidden' && (s.pages > 0 || s.licence)) return say('material_hidden', '0', String(s.pages))
  return s.pages > MAX_PAGES || s.pages < 0 ? say('material_pages', String(MAX_PAGES), String(s.pages)) : null
}

/** Are the papers there that this person needs, and no others? */
export function checkMaterials(rules: Rules, clean: Entries, slots: Slot[]): Finding[] {
  const all = materialsFor(rules, clean)
  const out: Finding[] = []
  const given = (m: Material): boolean => slots.some((s) => s.no === m.no && (s.pages > 0 || (!!s.licence && takesLicence(m))))
  slots.forEach((_s, i) => {
    const f = slotFinding(rules, all, slots, i, clean)
    if (f) out.push(f)
  })
  all.forEach((x, i) => {
    if (x.need === 'required' && !given(x.material)) {
      out.push(finding(rules, `material.${x.material.no}`, 'material_required', '1', '0', { material: plainName(x.material) }))
    }
    const group = x.need === 'one_of' ? all.filter((y) => sameGroup(x.material, y.material) && y.need !== 'hidden') : []
    if (group.length && all.indexOf(group[0]) === i && !group.some((y) => given(y.material))) {
      const names = group.map((y) => `“${plainName(y.material)}”`).join('、')
      out.push(finding(rules, `material.${x.material.group}`, 'material_group', '1', '0', { materials: names }))
    }
  })
  return out
}
