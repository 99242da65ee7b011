/* Finding a service in everyday words, synonyms, pinyin, initials, and with one character wrong. */
import type { Catalogue, ItemBrief, SearchWord } from "@/api/types";

export interface Hit { item: ItemBrief; score: number; near: number }
const lower = (s: string): string => s.toLowerCase().replace(/[\s，。？！、,.?!“”"《》（）()：:]/g, "");

/* The query itself, and the query with each word replaced by its synonyms. */
function variants(q: string, groups: string[][]): string[] {
  const out = [q];
  for (const group of groups) {
    const said = group.filter((w) => q.indexOf(w) >= 0).sort((a, b) => b.length - a.length)[0];
    if (!said) continue;
    for (const base of out.slice(0, 12)) for (const w of group) if (w !== said && base.indexOf(said) >= 0) out.push(base.replace(said, w));
  }
  return out.slice(0, 60);
}

/* Equal but for one character replaced, missing or too many. */
export function oneApart(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1) return false;
  let i = 0;
  while (i < a.length && i < b.length && a[i] === b[i]) i++;
  const x = a.slice(i), y = b.slice(i);
  return x.slice(1) === y.slice(1) || x.slice(1) === y || x === y.slice(1);
}

/* How much of the query's pairs of characters the word holds. */
function overlap(q: string, w: string): number {
  let n = 0;
  for (let i = 0; i + 1 < q.length; i++) if (w.indexOf(q.slice(i, i + 2)) >= 0) n++;
  return q.length > 1 ? n / (q.length - 1) : 0;
}

function wordScore(q: string, w: string): number {
  if (w === q) return 100;
  if (w.indexOf(q) >= 0) return 80 - Math.min(20, w.length - q.length);
  if (w.length >= 2 && q.indexOf(w) >= 0) return 60 + Math.min(15, w.length * 2);
  if (q.length >= 3 && oneApart(q, w)) return 55;
  const o = overlap(q, w);
  return o >= 0.5 ? 20 + 30 * o : 0;
}

function latinScore(q: string, w: SearchWord): number {
  if (w.pinyin === q || w.initials === q) return 90;
  if (w.pinyin.indexOf(q) === 0 || w.initials.indexOf(q) === 0) return 70;
  if (q.length >= 4 && (w.pinyin.indexOf(q) >= 0 || oneApart(q, w.pinyin))) return 45;
  return 0;
}

/* What is talked of, in whatever order: "丢了户口本" and "户口簿遗失" speak of the same two things. */
function concepts(t: string, groups: string[][]): number[] {
  return groups.map((g, i) => (g.some((w) => t.indexOf(w) >= 0) ? i : -1)).filter((i) => i >= 0);
}

function scoreItem(queries: string[], latin: boolean, words: SearchWord[], texts: string[]): number {
  let best = 0;
  if (latin) for (const w of words) best = Math.max(best, latinScore(queries[0]!, w));
  else queries.forEach((q, i) => { for (const t of texts) best = Math.max(best, wordScore(q, t) - (i ? 5 : 0)); });
  return best;
}

export function search(c: Catalogue, query: string): Hit[] {
  const q = lower(query);
  if (!q) return [];
  const latin = /^[a-z]+$/.test(q);
  const queries = latin ? [q] : variants(q, c.search.synonyms || []);
  const groups = c.search.synonyms || [];
  const said = latin ? [] : concepts(q, groups);
  const together = (texts: string[]): number => (said.length >= 2 && texts.some((t) => { const has = concepts(t, groups); return said.every((i) => has.indexOf(i) >= 0); }) ? 82 : 0);
  const words = new Map((c.search.items || []).map((x) => [x.code, [x.official, ...x.words]] as [string, SearchWord[]]));
  return c.items
    .map((item) => {
      const mine = words.get(item.code) || [];
      const texts = [item.plain_name, item.name, ...(item.search || []), ...mine.map((w) => w.text || "")].map(lower).filter(Boolean);
      const score = item.code.toLowerCase() === q ? 100 : Math.max(together(texts), scoreItem(queries, latin, mine, texts));
      /* Among equals: what can be done online, then what says it in its own name. */
      const name = [lower(item.plain_name)];
      return { item, score, near: Math.max(together(name), scoreItem(queries, latin, [], name)) };
    })
    .filter((h) => h.score >= 30)
    .sort((a, b) => b.score - a.score || +b.item.online_open - +a.item.online_open || b.near - a.near || (a.item.code < b.item.code ? -1 : 1))
    .slice(0, 30);
}
