/* Finding a service in everyday words: synonyms, filler words, word order, pinyin, initials, a wrong or like-sounding character.
 * A text becomes a bag of marks: one for each thing named (a group of synonyms), one for each pair of neighbouring characters outside of
 * these. What few services share weighs most. Built once per edition; a query then costs well under a millisecond. */
import type { ItemBrief, SearchData } from "@/api/types";

export interface Hit { item: ItemBrief; score: number }
export type Search = (query: string) => Hit[];

type Bag = Map<string, number>;         /* mark -> how surely it was said, up to 1 */
interface Text { bag: Bag; weight: number; name: boolean }
interface Entry { item: ItemBrief; texts: Text[]; bare: string[]; all: Set<string>; latin: { pinyin: string; initials: string }[] }
interface Term { text: string; sounds: string[]; mark: string }

const KEEP = /[^a-z0-9\u3400-\u9fff]/g;
const plain = (s: string): string => s.toLowerCase().replace(KEEP, "");
const HAN = /^[\u3400-\u9fff]+$/;
const LONG_NUMBER = /[0-9]{4,}x?/g;      /* somebody's number, or a year: no service is called by it */
const LEAST = 0.3;                       /* below this share of the query it is no hit */
const NEAR = 0.6;                        /* of the best hit's score: what is further off only hides it */
const MOST = 30;

/* ---- sounds ---- */

function soundsOf(data: SearchData): (text: string) => string[] {
  const one = new Map<string, string>();
  for (const s of Object.keys(data.sounds)) for (const c of data.sounds[s]!) one.set(c, s);
  const odd = Object.keys(data.readings || {}).map((w) => [w, data.readings[w]!.split(" ")] as [string, string[]]);
  return (text) => {
    const out = Array.from(text, (c) => one.get(c) || c);
    for (const [w, r] of odd) for (let i = text.indexOf(w); i >= 0; i = text.indexOf(w, i + 1)) r.forEach((x, k) => { out[i + k] = x; });
    return out;
  };
}

/* ---- marks ---- */

/* How well the term stands at this place: 1 letter by letter, less by sound, less with one of three or more characters wrong. */
function fit(text: string, sounds: string[], at: number, t: Term, known: (c: string) => boolean): number {
  const n = t.text.length;
  if (text.slice(at, at + n) === t.text) return 1;
  if (n < 2 || at + n > text.length || !HAN.test(t.text)) return 0;
  let wrong = 0, alike = 0;
  for (let i = 0; i < n; i++) {
    if (text[at + i] === t.text[i]) continue;
    if (sounds[at + i] === t.sounds[i]) alike++;
    else if (n >= 3 || !known(text[at + i]!)) wrong++;
    else return 0;
  }
  if (wrong === 0 && alike < n) return 0.85;
  return wrong === 1 && alike === 0 && (n >= 3 || !known(text[at]!) || !known(text[at + 1]!)) ? 0.7 : 0;
}

interface Found { term: Term; sure: number }
/* The longest term that stands here letter by letter; terms come by their first character, the longest first. */
function exactly(r: Reader, text: string, at: number): Found | null {
  const term = (r.byFirst.get(text[at]!) || []).find((t) => text.startsWith(t.text, at));
  return term ? { term, sure: 1 } : null;
}
/* The best of what sounds or looks like it: surer before less sure, long before short. */
function nearly(r: Reader, text: string, sounds: string[], at: number): Found | null {
  let best: Found | null = null;
  for (const t of r.terms) {
    const sure = fit(text, sounds, at, t, r.known);
    if (sure && (!best || sure > best.sure || (sure === best.sure && t.text.length > best.term.text.length))) best = { term: t, sure };
  }
  return best;
}

function add(bag: Bag, mark: string, sure: number): void {
  bag.set(mark, Math.max(bag.get(mark) || 0, sure));
}

/* Pairs of characters and of their sounds in what no term has named; a lonely character counts a little. */
function addRest(bag: Bag, run: string, sounds: string[]): void {
  if (run.length === 1) add(bag, run, 0.5);
  for (let i = 0; i + 1 < run.length; i++) {
    add(bag, run.slice(i, i + 2), 1);
    add(bag, `${sounds[i]} ${sounds[i + 1]}`, 0.6);
  }
}

interface Reader { terms: Term[]; byFirst: Map<string, Term[]>; sounds: (t: string) => string[]; known: (c: string) => boolean }
function bagOf(r: Reader, text: string, loose: boolean): Bag {
  const bag: Bag = new Map();
  const sounds = r.sounds(text);
  let from = 0;
  const flush = (to: number): void => { if (to > from) addRest(bag, text.slice(from, to), sounds.slice(from, to)); };
  for (let i = 0; i < text.length; ) {
    /* An exact word that begins one character later is not eaten by one that only sounds alike. */
    let f = exactly(r, text, i);
    if (!f && loose) {
      f = nearly(r, text, sounds, i);
      const next = f && exactly(r, text, i + 1);
      if (f && next && next.term.text.length >= f.term.text.length) f = null;
    }
    if (!f) { i++; continue; }
    flush(i);
    if (f.term.mark) add(bag, f.term.mark, f.sure);
    i += f.term.text.length;
    from = i;
  }
  flush(text.length);
  return bag;
}

/* ---- the index ---- */

function termsOf(data: SearchData, sounds: (t: string) => string[]): Term[] {
  const out: Term[] = [];
  data.synonyms.forEach((group, i) => group.forEach((w) => out.push({ text: w, sounds: sounds(w), mark: `#${i}` })));
  return out;
}

function byFirst(terms: Term[]): Map<string, Term[]> {
  const out = new Map<string, Term[]>();
  for (const t of terms.slice().sort((a, b) => b.text.length - a.text.length)) out.set(t.text[0]!, [...(out.get(t.text[0]!) || []), t]);
  return out;
}

/* Words that say nothing of the matter; the longest first, so that none is left in pieces. */
function withoutFillers(data: SearchData, r: Reader): (q: string) => string {
  const words = data.fillers.slice().sort((a, b) => b.length - a.length);
  return (q) => {
    let out = "";
    for (let i = 0; i < q.length; ) {
      /* A term that holds the filler ("丢了") is kept whole. */
      const term = exactly(r, q, i)?.term;
      const filler = words.find((w) => q.startsWith(w, i));
      if (term && (!filler || term.text.length >= filler.length)) { out += term.text; i += term.text.length; }
      else if (filler) i += filler.length;
      else out += q[i++];
    }
    return out || q;
  };
}

function entryOf(item: ItemBrief, data: SearchData, r: Reader): Entry {
  const words = [item.plain_name, item.name, ...(data.words[item.code] || [])];
  const bare = words.map(plain);
  const texts = bare.map((t, i) => ({ bag: bagOf(r, t, false), weight: 0, name: i < 2 }));
  const all = new Set<string>();
  for (const t of texts) t.bag.forEach((_n, mark) => all.add(mark));
  return { item, texts, bare, all, latin: bare.map((t) => { const s = r.sounds(t); return { pinyin: s.join(""), initials: s.map((x) => x[0]).join("") }; }) };
}

/* ---- scores ---- */

/* Equal but for one letter replaced, missing or too many. */
export function oneApart(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1) return false;
  let i = 0;
  while (i < a.length && i < b.length && a[i] === b[i]) i++;
  const x = a.slice(i), y = b.slice(i);
  return x.slice(1) === y.slice(1) || x.slice(1) === y || x === y.slice(1);
}

function latinScore(q: string, e: Entry): number {
  let best = 0;
  e.latin.forEach((w, i) => {
    const s = w.pinyin === q || w.initials === q ? 1 : w.pinyin.startsWith(q) || w.initials.startsWith(q) ? 0.8
      : q.length >= 4 && (w.pinyin.indexOf(q) >= 0 || w.initials.indexOf(q) >= 0) ? 0.7 : q.length >= 5 && (oneApart(q, w.pinyin) || oneApart(q, w.initials)) ? 0.6 : 0;
    best = Math.max(best, s - (i > 1 ? 0.02 : 0));
  });
  return best;
}

export function makeSearch(items: ItemBrief[], data: SearchData): Search {
  const sounds = soundsOf(data);
  const usual = new Set(Object.values(data.sounds).join(""));
  const terms = termsOf(data, sounds);
  const r: Reader = { terms, byFirst: byFirst(terms), sounds, known: (c) => usual.has(c) };
  const strip = withoutFillers(data, r);
  const entries = items.map((i) => entryOf(i, data, r));
  const seen = new Map<string, number>();
  for (const e of entries) e.all.forEach((m) => seen.set(m, (seen.get(m) || 0) + 1));
  const rare = (m: string): number => Math.log(1 + entries.length / (seen.get(m) || 0.5)) * (m[0] === "#" ? 1.6 : m.indexOf(" ") > 0 ? 0.4 : m.length === 1 ? 0.4 : 1);
  for (const e of entries) for (const t of e.texts) t.bag.forEach((n, m) => { t.weight += n * rare(m); });

  function score(q: Bag, whole: number, e: Entry): number {
    let inAll = 0, best = 0;
    q.forEach((n, m) => { if (e.all.has(m)) inAll += n * rare(m); });
    if (!inAll) return 0;
    for (const t of e.texts) {
      let both = 0;
      q.forEach((n, m) => { const k = t.bag.get(m); if (k) both += Math.min(n, k) * rare(m); });
      /* Said by one text in few other words beats said in bits by many. */
      best = Math.max(best, (0.7 * both) / whole + (0.3 * both) / (t.weight || 1) + (t.name ? 0.02 : 0));
    }
    return 0.55 * best + 0.45 * (inAll / whole);
  }

  return (query) => {
    const q = plain(query).replace(LONG_NUMBER, "");
    if (!q || /^[0-9]+$/.test(q)) return [];
    const latin = /^[a-z]+$/.test(q);
    const bag = latin ? new Map<string, number>() : bagOf(r, strip(q), true);
    let whole = 0;
    bag.forEach((n, m) => { if (seen.has(m)) whole += n * rare(m); else if (m.indexOf(" ") < 0) whole += 0.5 * n; });
    return entries
      .map((e) => ({ item: e.item, score: e.bare[0] === q || e.bare[1] === q || e.item.code.toLowerCase() === q ? 2 : latin ? latinScore(q, e) : score(bag, whole || 1, e) }))
      .filter((h) => h.score >= LEAST)
      .sort((a, b) => b.score - a.score || +b.item.online_open - +a.item.online_open || (a.item.code < b.item.code ? -1 : 1))
      .filter((h, i, all) => i < 3 || h.score >= NEAR * all[0]!.score)
      .slice(0, MOST);
  };
}
