/* The services and their forms, asked for once and kept for reading without a network. */
import { getCatalogue, getItem, getTable } from "@/api/calls";
import type { Catalogue, Choice, ItemData, Unit } from "@/api/types";
import { ApiError } from "@/api/client";
import { keep, kept } from "@/drafts/db";
import { offered } from "@/guide";
import { settings } from "@/state/settings";

let index: Promise<Catalogue> | null = null;
const items = new Map<string, Promise<ItemData>>();
const tables = new Map<string, Promise<Choice[]>>();

export async function throughStore<T>(key: string, ask: () => Promise<T>): Promise<T> {
  try {
    const fresh = await ask();
    void keep(key, fresh);
    return fresh;
  } catch (x) {
    const old = x instanceof ApiError && x.lost ? await kept<T>(key) : undefined;
    if (old === undefined) throw x;
    return old;
  }
}

function once<T>(map: Map<string, Promise<T>>, key: string, ask: () => Promise<T>): Promise<T> {
  let p = map.get(key);
  if (!p) {
    p = throughStore(key, ask);
    p.catch(() => map.delete(key));
    map.set(key, p);
  }
  return p;
}

/* Only what is on here, with this district's names and switches, and the questions that lead to it. */
function here(c: Catalogue): Catalogue {
  const own = (c.districts || {})[settings.region] || {};
  const items = c.items.map((i) => ({ ...i, ...own[i.code] })).filter((i) => i.enabled !== false);
  return { ...c, items, guide: offered(c.guide, new Set(items.map((i) => i.code))) };
}

export function loadCatalogue(): Promise<Catalogue> {
  index ||= throughStore("catalogue", getCatalogue).catch((x: unknown) => { index = null; throw x; });
  return index.then(here);
}

/* As the city has it: what a form works on, which follows the district of the unit that is chosen in it. */
export const loadItem = (code: string): Promise<ItemData> => once(items, `item.${code}`, () => getItem(code));
/* As the chosen district has it: what is read before applying. */
export const loadItemHere = (code: string): Promise<ItemData> =>
  settings.region ? once(items, `item.${code}.${settings.region}`, () => getItem(code, settings.region)) : loadItem(code);
export const loadTable = (id: string): Promise<Choice[]> => once(tables, `table.${id}`, () => getTable(id).then((t) => t.values));

/* An edition that changed while the app was open: ask again. */
export function forgetCatalogue(): void {
  index = null;
  items.clear();
}

/* Stations that take applications: those without children, or so marked. */
export function stations(units: Unit[]): Unit[] {
  const parents = new Set(units.map((u) => u.parent));
  return units.filter((u) => (u.accepting !== undefined ? u.accepting : !parents.has(u.code)));
}
