// What people type: counted, normalised, judged. The twin of common/text.c and common/idnumber.c: same ranges, same order, same verdicts,
// held together by tests/unit/rules-cases.json. No DOM, no regular-expression features newer than ES2017.

export type TextKind = 'plain' | 'name' | 'half' | 'number' | 'id' | 'phone' | 'address' | 'date'
/** A day of the calendar. */
export interface Day { y: number; m: number; d: number }

type Range = readonly [number, number]

const HAN: readonly Range[] = [[0x3007, 0x3007], [0x3400, 0x4dbf], [0x4e00, 0x9fff], [0xf900, 0xfad9], [0x20000, 0x2a6df],
  [0x2a700, 0x2ebe0], [0x2ebf0, 0x2ee5d], [0x2f800, 0x2fa1d], [0x30000, 0x323af]]
const LATIN: readonly Range[] = [[0x41, 0x5a], [0x61, 0x7a], [0xc0, 0xd6], [0xd8, 0xf6], [0xf8, 0x24f], [0x1e00, 0x1eff]]
const BLANKS: readonly Range[] = [[0x09, 0x0d], [0x20, 0x20], [0xa0, 0xa0], [0x1680, 0x1680], [0x2000, 0x200a], [0x202f, 0x202f],
  [0x205f, 0x205f], [0x3000, 0x3000], [0xfeff, 0xfeff]]
const INVISIBLE: readonly Range[] = [[0xad, 0xad], [0x34f, 0x34f], [0x61c, 0x61c], [0x115f, 0x1160], [0x17b4, 0x17b5], [0x180b, 0x180f],
  [0x200b, 0x200f], [0x2028, 0x202e], [0x2060, 0x206f], [0x2800, 0x2800], [0x3164, 0x3164], [0xfe00, 0xfe0f], [0xfeff, 0xfeff],
  [0xffa0, 0xffa0], [0xfff9, 0xfffb], [0x1d173, 0x1d17a], [0xe0000, 0xe0fff]]
const PRIVATE: readonly Range[] = [[0xe000, 0xf8ff], [0xf0000, 0xffffd], [0x100000, 0x10fffd]]
const MARKS: readonly Range[] = [[0x300, 0x36f], [0x483, 0x489], [0x1ab0, 0x1aff], [0x1dc0, 0x1dff], [0x20d0, 0x20ff], [0x3099, 0x309a],
  [0xfe20, 0xfe2f]]
/** Letters of pinyin with their marks, decomposed and whole. */
const COMPOSED: Readonly<Record<string, string>> = (() => {
  const map: Record<string, string> = {}
  const rows: Array<[string, string, string]> = [['\u0300', 'aeiouünAEIOU', 'àèìòùǜǹÀÈÌÒÙ'], ['\u0301', 'aeiouünmAEIOU', 'áéíóúǘńḿÁÉÍÓÚ'],
    ['\u0304', 'aeiouüAEIOU', 'āēīōūǖĀĒĪŌŪ'], ['\u030c', 'aeiouünAEIOU', 'ǎěǐǒǔǚňǍĚǏǑǓ'], ['\u0308', 'uU', 'üÜ']]
  for (const [mark, bases, wholes] of rows) Array.from(bases).forEach((b, i) => { map[b + mark] = Array.from(wholes)[i] })
  return map
})()
const NORMAL_MAX = 4096
const MIDDLE_DOT = 0xb7
export const UNTYPEABLE = 0x3013

function within(cp: number, ranges: readonly Range[]): boolean {
  return ranges.some(([lo, hi]) => cp >= lo && cp <= hi)
}

export function codePoints(s: string): number[] {
  return Array.from(s, (c) => c.codePointAt(0) as number)
}

function text(cps: readonly number[]): string {
  return cps.map((cp) => String.fromCodePoint(cp)).join('')
}

/** Characters, not UTF-16 units. */
export function textLength(s: string): number {
  return codePoints(s).length
}

export function isHan(cp: number): boolean {
  return within(cp, HAN)
}

// ---- what may not be there ----

export type TextFault = '' | 'utf8' | 'control' | 'xml' | 'invisible' | 'private' | 'combining'

function faultOf(cp: number): TextFault {
  if (cp < 0x20 || (cp >= 0x7f && cp <= 0x9f)) return 'control'
  if ((cp & 0xfffe) === 0xfffe || (cp >= 0xfdd0 && cp <= 0xfdef) || cp === 0xfffd) return 'xml'
  if (within(cp, INVISIBLE)) return 'invisible'
  if (within(cp, PRIVATE)) return 'private'
  return within(cp, MARKS) ? 'combining' : ''
}

function lone(cp: number): boolean {
  return cp >= 0xd800 && cp <= 0xdfff
}

export function textFault(s: string): TextFault {
  const cps = codePoints(s)
  if (cps.some(lone)) return 'utf8'
  for (const cp of cps) {
    const fault = faultOf(cp)
    if (fault) return fault
  }
  return ''
}

// ---- alphabets ----

function isSeparator(cp: number): boolean {
  return cp === 0x20 || cp === 0x2d || cp === 0x27 || cp === 0x2e || cp === 0x2019 || cp === MIDDLE_DOT
}

function hanName(cps: readonly number[]): boolean {
  let dotOk = false
  for (const cp of cps) {
    if (cp === MIDDLE_DOT) {
      if (!dotOk) return false
      dotOk = false
    } else if (isHan(cp) || cp === UNTYPEABLE) dotOk = true
    else return false
  }
  return dotOk
}

function latinName(cps: readonly number[]): boolean {
  let before = 0x20
  for (const cp of cps) {
    if (isSeparator(cp)) {
      if (isSeparator(before) && !(before === 0x2e && cp === 0x20)) return false
    } else if (!within(cp, LATIN)) return false
    before = cp
  }
  return cps.length > 0 && (!isSeparator(before) || before === 0x2e)
}

/** A name as printed in the register: Han with U+00B7 between, or Latin letters; never both scripts. */
export function isName(s: string): boolean {
  const cps = codePoints(s)
  return hanName(cps) || latinName(cps)
}

export function hasUntypeable(s: string): boolean {
  return s.indexOf('〓') >= 0
}

export function isPinyin(s: string): boolean {
  let before = 0x20
  for (const cp of codePoints(s)) {
    if (cp === 0x20 ? before === 0x20 : !within(cp, LATIN)) return false
    before = cp
  }
  return before !== 0x20
}

export function isPhone(s: string): boolean {
  return /^1[3-9][0-9]{9}$/.test(s) || /^0(10|2[0-9]|[3-9][0-9]{2})-[2-9][0-9]{6,7}$/.test(s)
}

// ---- normal form ----

function half(cp: number): number {
  return cp >= 0xff01 && cp <= 0xff5e ? cp - 0xff01 + 0x21 : cp === 0x3000 ? 0x20 : cp
}

function halfAlnum(cp: number): number {
  const h = half(cp)
  return (h >= 0x30 && h <= 0x39) || (h >= 0x41 && h <= 0x5a) || (h >= 0x61 && h <= 0x7a) ? h : cp
}

function isBlank(cp: number): boolean {
  return within(cp, BLANKS)
}

function trim(cps: readonly number[]): number[] {
  let from = 0
  let to = cps.length
  while (from < to && isBlank(cps[from])) from++
  while (to > from && isBlank(cps[to - 1])) to--
  return cps.slice(from, to)
}

/** Line breaks and tabs to one space, marks of pinyin composed. */
function plain(cps: readonly number[]): number[] {
  const out: number[] = []
  let line = false
  for (const cp of cps) {
    const whole = out.length ? COMPOSED[text([out[out.length - 1], cp])] : undefined
    const brk = cp === 0x09 || cp === 0x0a || cp === 0x0d
    if (whole) out[out.length - 1] = whole.codePointAt(0) as number
    else if (!brk) out.push(cp)
    else if (!line) out.push(0x20)
    line = brk
  }
  return out
}

function drop(cps: readonly number[], hyphens: boolean): number[] {
  return cps.filter((cp) => !isBlank(cp) && !(hyphens && (cp === 0x2d || (cp >= 0x2010 && cp <= 0x2015))))
}

function upper(cp: number): number {
  return cp >= 0x61 && cp <= 0x7a ? cp - 0x20 : cp
}

function oneSpace(cps: readonly number[]): number[] {
  const out: number[] = []
  for (const cp of cps) {
    if (!isBlank(cp)) out.push(cp)
    else if (out.length && out[out.length - 1] !== 0x20) out.push(0x20)
  }
  return out
}

function nameChar(cp: number | undefined): boolean {
  return cp !== undefined && (isHan(cp) || cp === UNTYPEABLE || cp === MIDDLE_DOT)
}

const DOTS = [0x2022, 0x30fb, 0x2027, 0xff65, 0x2219, 0x22c5, 0x387]

function nameDots(cps: readonly number[]): number[] {
  const out = cps.slice()
  for (let i = 0; i < out.length; i++) {
    if (DOTS.indexOf(out[i]) >= 0) out[i] = MIDDLE_DOT
    if ((out[i] === 0x2e || out[i] === 0xff0e) && ((i > 0 && isHan(out[i - 1])) || (i + 1 < out.length && isHan(out[i + 1])))) out[i] = MIDDLE_DOT
  }
  return out
}

function name(cps: readonly number[]): number[] {
  const all = nameDots(oneSpace(cps)).map(halfAlnum)
  const out: number[] = []
  all.forEach((cp, i) => {
    if (!(cp === 0x20 && (nameChar(out[out.length - 1]) || nameChar(all[i + 1])))) out.push(cp)
  })
  return out
}

function phone(cps: readonly number[]): number[] {
  let s = text(drop(cps.map(half), false)).replace(/^(\+86|0086)/, '').replace(/^-/, '')
  const bare = text(drop(codePoints(s), true)).replace(/[()]/g, '')
  if (/^1[0-9]{10}$/.test(bare)) s = bare
  else if (/^0[0-9]{9,11}$/.test(bare)) {
    const area = bare[1] === '1' || bare[1] === '2' ? 3 : 4
    s = bare.slice(0, area) + '-' + bare.slice(area)
  }
  return codePoints(s)
}

function date(cps: readonly number[]): number[] {
  const s = text(drop(cps.map(half), false))
  const m = /^([0-9]{4})([0-9]{2})([0-9]{2})$/.exec(s) || /^([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?$/.exec(s)
  return codePoints(m ? `${m[1]}-${('0' + m[2]).slice(-2)}-${('0' + m[3]).slice(-2)}` : s)
}

function apply(cps: readonly number[], kind: TextKind): number[] {
  const t = plain(trim(cps))
  switch (kind) {
    case 'plain': return t
    case 'name': return name(t)
    case 'half': return t.map(half)
    case 'number': return drop(t.map(half), false).map(upper)
    case 'id': return drop(t.map(half), true).map(upper)
    case 'phone': return phone(t)
    case 'address': return oneSpace(t.map(halfAlnum))
    case 'date': return date(t)
  }
}

export function normaliseText(s: string, kind: TextKind): string {
  const cps = codePoints(s)
  return cps.length > NORMAL_MAX || cps.some(lone) ? s : text(apply(cps, kind))
}

// ---- days ----

export function dayValid(d: Day): boolean {
  if (d.y < 1 || d.y > 9999 || d.m < 1 || d.m > 12 || d.d < 1) return false
  const leap = (d.y % 4 === 0 && d.y % 100 !== 0) || d.y % 400 === 0
  return d.d <= (d.m === 2 ? (leap ? 29 : 28) : [4, 6, 9, 11].indexOf(d.m) >= 0 ? 30 : 31)
}

export function parseDay(s: string): Day | null {
  const m = /^([0-9]{4})-([0-9]{2})-([0-9]{2})$/.exec(s)
  const d = m ? { y: +m[1], m: +m[2], d: +m[3] } : null
  return d && dayValid(d) ? d : null
}

export function compareDays(a: Day, b: Day): number {
  return a.y - b.y || a.m - b.m || a.d - b.d
}

/** Whole years from birth; -1 before it. */
export function ageAt(birth: Day, on: Day): number {
  if (compareDays(birth, on) > 0) return -1
  return on.y - birth.y - (on.m < birth.m || (on.m === birth.m && on.d < birth.d) ? 1 : 0)
}

export function addDays(d: Day, n: number): Day {
  const t = new Date(Date.UTC(d.y, d.m - 1, d.d + n))
  return { y: t.getUTCFullYear(), m: t.getUTCMonth() + 1, d: t.getUTCDate() }
}

export function formatDay(d: Day): string {
  return `${('000' + d.y).slice(-4)}-${('0' + d.m).slice(-2)}-${('0' + d.d).slice(-2)}`
}

/** Today in Beijing, whatever zone the device believes in. */
export function beijingToday(nowMs: number): string {
  return new Date(nowMs + 8 * 3600 * 1000).toISOString().slice(0, 10)
}

// ---- identity numbers, GB 11643 ----

const PROVINCES = '11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82 83'.split(' ')
const WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]

export type IdFault = '' | 'id_length' | 'id_fifteen' | 'id_characters' | 'id_region' | 'id_birth_date' | 'id_check_digit'
export interface IdNumber { fault: IdFault; birth: Day; gender: '1' | '2' }

export function provinceValid(two: string): boolean {
  return PROVINCES.indexOf(two) >= 0
}

export function idCheckDigit(first17: string): string {
  let sum = 0
  for (let i = 0; i < 17; i++) sum += +first17[i] * WEIGHTS[i]
  return '10X98765432'[sum % 11]
}

function idFault(s: string, birth: Day, today: Day): IdFault {
  if (/^[0-9]{15}$/.test(s)) return 'id_fifteen'
  if (!/^[\x01-\x7f]*$/.test(s)) return 'id_characters'
  if (s.length !== 18) return 'id_length'
  if (!/^[0-9]{17}[0-9X]$/.test(s)) return 'id_characters'
  if (!provinceValid(s.slice(0, 2))) return 'id_region'
  if (birth.y < 1850 || !dayValid(birth) || compareDays(birth, today) > 0) return 'id_birth_date'
  return idCheckDigit(s) === s[17] ? '' : 'id_check_digit'
}

/** s in normal form. birth and gender mean something only without a fault. */
export function parseIdNumber(s: string, today: Day): IdNumber {
  const birth = { y: +s.slice(6, 10), m: +s.slice(10, 12), d: +s.slice(12, 14) }
  return { fault: idFault(s, birth, today), birth, gender: +s[16] % 2 === 1 ? '1' : '2' }
}

/** "340***********1234". */
export function maskId(s: string): string {
  return s.length > 7 ? s.slice(0, 3) + '*'.repeat(s.length - 7) + s.slice(-4) : '*'.repeat(s.length)
}
