/* What a supplement must hold before it is sent: each asked field answered well, each asked paper photographed and sent. */
import { checkField } from "@shared/rules.ts";
import { beijingToday } from "@shared/text.ts";
import type { Entries, Finding, ItemData, Slot, Supplement } from "@/api/types";
import { nowMs } from "@/state/session";
import type { Draft } from "./draft";
import { repeatOf } from "./form";

export const askedIds = (s: Supplement): string[] => (s.fields || []).map((f) => f.field);

export function fixFieldFindings(data: ItemData, d: Draft, s: Supplement, id: string): Finding[] {
  const f = (s.fields || []).find((x) => x.field === id);
  const list = repeatOf(data, id);
  if (list) return checkField(data, id, { [id]: d.entries[id] === undefined ? [] : d.entries[id] }, { today: beijingToday(nowMs()), only: askedIds(s) });
  if (d.entries[id] === undefined) return [{ field: id, rule: "required", want: "", have: "", message: `请填写“${f?.label || "这一项"}”` }];
  return checkField(data, id, d.entries, { today: beijingToday(nowMs()), only: askedIds(s) });
}

export function fixFindings(data: ItemData, d: Draft, s: Supplement): Finding[] {
  const out = askedIds(s).reduce<Finding[]>((all, id) => all.concat(fixFieldFindings(data, d, s, id)), []);
  for (const slot of s.slots || []) {
    const pages = d.pages.filter((p) => p.material === slot.material);
    const message = !pages.length ? `还没有拍《${slot.name.replace(/[《》]/g, "")}》` : pages.some((p) => p.state !== "done") ? "还有照片没传完，传完就能提交" : "";
    if (message) out.push({ field: `material.${slot.material}`, rule: "material_required", want: "", have: "", message });
  }
  return out;
}

export function fixBody(d: Draft, s: Supplement): { draft: string; entries: Entries; materials: Slot[] } {
  const entries: Entries = {};
  for (const id of askedIds(s)) if (d.entries[id] !== undefined) entries[id] = d.entries[id];
  const materials = (s.slots || []).map((x) => ({ material: x.material, pages: d.pages.filter((p) => p.material === x.material && p.state === "done").map((p) => p.upload) })).filter((x) => x.pages.length > 0);
  return { draft: d.id, entries, materials };
}
