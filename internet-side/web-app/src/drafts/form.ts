/* The rules engine as the pages use it: what is asked on a screen, what is missing, what will be sent. */
import { checkField, checkForm, checkMaterials, checkSection, holds, isAsked, materialsFor, CHARACTER_SLOT } from "@shared/rules.ts";
import type { Context, Entries, Field, Finding, MaterialNeed, Repeat, Section } from "@shared/rules.ts";
import { beijingToday, hasUntypeable } from "@shared/text.ts";
import { nowMs } from "@/state/session";
import type { DraftBody, ItemData, Material, Slot, Untypeable } from "@/api/types";
import type { Draft } from "./draft";

/* The field in which the person says who he is: the first that the verified identity would fill, without condition. */
export function identityField(data: ItemData, what: "name" | "id_no" | "phone"): Field | undefined {
  return data.family.fields.find((f) => f.fill_from === `identity.${what}` && !(f.fill_when || []).length);
}

const text = (v: unknown): string | undefined => (typeof v === "string" && v ? v : undefined);

function identityOf(data: ItemData, entries: Entries): Context["identity"] {
  const of = (what: "name" | "id_no" | "phone") => {
    const f = identityField(data, what);
    return f ? text(entries[f.id]) : undefined;
  };
  const me: Record<string, string> = {};
  for (const k of ["name", "id_no", "phone"] as const) {
    const v = of(k);
    if (v) me[k] = v;
  }
  return me;
}

/* Before the face check the identity is what the person typed about himself; it fills the same person's other places. */
export function contextOf(data: ItemData, entries: Entries): Context {
  return { today: beijingToday(nowMs()), identity: identityOf(data, entries) };
}

const isOwn = (data: ItemData, f: Field): boolean =>
  identityField(data, "name") === f || identityField(data, "id_no") === f || identityField(data, "phone") === f;

export function withOdd(d: Draft): Entries {
  const e: Entries = { ...d.entries };
  for (const o of d.odd) if (hasUntypeable(String(e[o.field] || ""))) e[`${o.field}_pinyin`] = o.pinyin;
  return e;
}

export function asked(data: ItemData, d: Draft, f: Field): boolean {
  const ctx = contextOf(data, d.entries);
  if (isOwn(data, f)) return holds(f.visible_when, d.entries);
  const preset = (data.family.presets[data.item.code] || {})[f.id];
  if (preset && preset.length === 1) return false;
  return isAsked(data, f.id, d.entries, ctx, d.guided);
}

/* One screen of the form: the fields of a section, or one of its lists of people. key stands in the address. */
export interface Screen { key: string; title: string; section: Section; fields: Field[]; repeat?: Repeat }

export const repeatOf = (data: ItemData, id: string): Repeat | undefined => (data.family.repeats || []).find((r) => r.id === id);
export const listKey = (section: string, repeat: string): string => `${section}.${repeat}`;
const listShown = (data: ItemData, d: Draft, r: Repeat): boolean => !(r.visible_when || []).length || holds(r.visible_when, report(data, d).clean);

export function screens(data: ItemData, d: Draft): Screen[] {
  const out: Screen[] = [];
  for (const section of data.family.sections || []) {
    const fields = section.fields.map((id) => data.family.fields.find((f) => f.id === id)!).filter((f) => f && asked(data, d, f));
    if (fields.length) out.push({ key: section.id, title: section.title, section, fields });
    for (const id of section.repeats || []) {
      const repeat = repeatOf(data, id);
      if (repeat && listShown(data, d, repeat)) out.push({ key: listKey(section.id, id), title: repeat.ask || (section.fields.length ? repeat.label : section.title), section, fields: [], repeat });
    }
  }
  return out;
}

/* Whether anything of the screen was answered. */
export const begun = (d: Draft, s: Screen): boolean =>
  s.repeat ? rowsOf(d, s.repeat).length > 0 : s.fields.some((f) => d.entries[f.id] !== undefined);

/* ---- lists of people ---- */
export type Row = Record<string, string | boolean>;
export function rowsOf(d: Draft, r: Repeat): Row[] {
  const v = d.entries[r.id];
  return Array.isArray(v) ? (v as Row[]) : [];
}
/* The rows as they are from now on; none at all is no answer. */
export function setRows(d: Draft, r: Repeat, rows: Row[]): void {
  if (rows.length) d.entries[r.id] = rows;
  else delete d.entries[r.id];
}
export const rowFilled = (row: Row): boolean => Object.keys(row).some((k) => row[k] !== undefined && row[k] !== "");
/* How many may stand in the list, in words. */
export function countWords(data: ItemData, d: Draft, r: Repeat): string {
  const must = !!(r.required_when && r.required_when.length) && holds(r.required_when, report(data, d).clean);
  const least = Math.max(r.min || 0, must ? 1 : 0);
  const most = r.max === undefined ? 20 : r.max;
  const have = rowsOf(d, r).length;
  if (have >= Math.max(1, least)) return `已填 ${have} 个人，最多 ${most} 个人`;
  return least ? (least === most ? `要填 ${least} 个人` : `至少填 ${least} 个人，最多 ${most} 个人`) : `没有就直接下一步，最多填 ${most} 个人`;
}

/* A value left behind by a field that is no longer asked must not travel. */
export function tidy(data: ItemData, d: Draft): void {
  for (let changed = true; changed; ) {
    changed = false;
    for (const f of data.family.fields) {
      const has = d.entries[f.id] !== undefined;
      if (has && d.guided.indexOf(f.id) < 0 && !asked(data, d, f)) { delete d.entries[f.id]; changed = true; }
      if (has && d.entries[f.id] === "") { delete d.entries[f.id]; changed = true; }
    }
    for (const r of data.family.repeats || []) {
      if (d.entries[r.id] === undefined) continue;
      const good = rowsOf(d, r).filter(rowFilled);
      const keep = listShown(data, d, r) ? good : [];
      if (keep.length !== rowsOf(d, r).length || !keep.length) { setRows(d, r, keep); changed = true; }
    }
  }
}

export function required(data: ItemData, d: Draft, f: Field): boolean {
  if (f.required) return true;
  return !!(f.required_when && f.required_when.length) && holds(f.required_when, report(data, d).clean);
}

export const report = (data: ItemData, d: Draft) => checkForm(data, withOdd(d), contextOf(data, d.entries));
export const fieldFindings = (data: ItemData, d: Draft, id: string): Finding[] => checkField(data, id, withOdd(d), contextOf(data, d.entries));
export const sectionFindings = (data: ItemData, d: Draft, section: string): Finding[] =>
  checkSection(data, section, withOdd(d), contextOf(data, d.entries));

export const screenFindings = (data: ItemData, d: Draft, s: Screen): Finding[] =>
  s.repeat ? fieldFindings(data, d, s.repeat.id) : sectionFindings(data, d, s.section.id).filter((f) => !(s.section.repeats || []).some((id) => f.field === id || f.field.indexOf(`${id}.`) === 0));

export interface Need extends MaterialNeed { material: Material }
/* Papers of this person, in the item's order; a conditional one that the machine cannot decide is offered, never demanded. */
export function needs(data: ItemData, d: Draft): Need[] {
  return (materialsFor(data, report(data, d).clean) as Need[]).filter((n) => n.need !== "hidden");
}
export { materialName } from "./names";

export function materialFindings(data: ItemData, d: Draft): Finding[] {
  const count = new Map<number, number>();
  for (const p of d.pages) if (p.material > 0) count.set(p.material, (count.get(p.material) || 0) + 1);
  const slots = Array.from(count, ([no, pages]) => ({ no, pages }));
  const odd = d.pages.filter((p) => p.material === 0).length;
  if (odd) slots.push({ no: CHARACTER_SLOT, pages: odd });
  const clean = { ...report(data, d).clean };
  return checkMaterials(data, clean, slots);
}

export function pagesReady(d: Draft): boolean {
  return d.pages.every((p) => p.state === "done");
}

/* What goes to the service. Pages of papers that are no longer needed stay behind. */
export function body(data: ItemData, d: Draft): DraftBody {
  const clean = { ...report(data, d).clean };
  const slots: Slot[] = [];
  for (const n of needs(data, d)) {
    const pages = d.pages.filter((p) => p.material === n.material.no && p.state === "done").map((p) => p.upload);
    const which = (d.which || {})[n.material.no];
    if (pages.length) slots.push({ material: n.material.no, ...(which !== undefined && (n.material.alternatives || [])[which] ? { alternative: which } : {}), pages });
  }
  const photo = d.pages.filter((p) => p.material === 0 && p.state === "done");
  const odd: Untypeable[] = [];
  for (const o of d.odd) {
    delete clean[`${o.field}_pinyin`];
    const page = photo.find((p) => p.name === o.field);
    if (hasUntypeable(String(clean[o.field] || "")) && page) odd.push({ field: o.field, pinyin: o.pinyin, page: page.upload });
  }
  const b: DraftBody = { draft: d.id, item: d.item, config_version: data.version, entries: clean, materials: slots };
  if (odd.length) b.untypeable = odd;
  return b;
}
