/* The catalogue as a tree: 大类, 子类 where there is one, then the levels of its path. */
import type { ItemBrief } from "@/api/types";

export interface Group { label: string; levels: string[]; count: number }
export interface Place { groups: Group[]; items: ItemBrief[]; count: number }

export const levelsOf = (i: ItemBrief): string[] => [i.category, ...(i.subcategory ? [i.subcategory] : []), ...(i.path || [])];

const under = (items: ItemBrief[], at: string[]): ItemBrief[] => items.filter((i) => { const l = levelsOf(i); return at.every((x, k) => l[k] === x); });

/* What lies directly below: services that end here, or alone in their branch, and groups of the others. A service is shown once. */
export function within(items: ItemBrief[], at: string[]): Place {
  const all = under(items, at);
  const groups: Group[] = [];
  const here: ItemBrief[] = [];
  for (const label of Array.from(new Set(all.map((i) => levelsOf(i)[at.length] || "")))) {
    const mine = all.filter((i) => (levelsOf(i)[at.length] || "") === label);
    if (!label || (mine.length === 1 && at.length > 0)) { here.push(...mine); continue; }
    const levels = [...at, label];
    /* "户口迁移 › 直系亲属投靠" is one step when there is only one way on. */
    for (;;) {
      const next = new Set(mine.map((i) => levelsOf(i)[levels.length] || ""));
      const only = Array.from(next)[0]!;
      if (next.size !== 1 || !only || mine.length === 1) break;
      levels.push(only);
    }
    groups.push({ label: levels.slice(at.length).join(" › "), levels, count: mine.length });
  }
  return { groups, items: here, count: all.length };
}
