/* The answers in words, by section: for the check page and for the copy that the person may keep. */
import type { Entries, Field, Repeat } from "@shared/rules.ts";
import type { ItemData } from "@/api/types";
import type { Draft } from "./draft";
import { listKey, report, screens } from "./form";

export interface Answer { id: string; label: string; value: string }
export interface AnswerSection { id: string; title: string; answers: Answer[] }

function region(data: ItemData, code: string): string {
  const of = (c: string) => (data.code_tables["GB/T 2260"] || []).find((x) => x.code === c)?.label;
  const names = [of(code.slice(0, 2) + "0000"), of(code.slice(0, 4) + "00"), of(code)].filter((x): x is string => !!x && x !== "市辖区" && x !== "县");
  return Array.from(new Set(names)).join("");
}

export function wordsOf(data: ItemData, f: Field, v: unknown): string {
  if (v === undefined || v === "") return "没填";
  if (v === true) return "是";
  if (v === false) return "否";
  const text = String(v);
  if (f.type === "address") return text.replace(/^\d{6} /, "");
  if (f.type === "date") return text.replace(/^(\d{4})-(\d\d)-(\d\d)$/, (_m, y: string, m: string, d: string) => `${y}年${+m}月${+d}日`);
  if (f.type !== "enum") return text;
  if (f.code_table === "GB/T 2260") return region(data, text) || "已选";
  const table = f.code_table ? data.code_tables[f.code_table] : f.values;
  return table?.find((c) => c.code === text)?.label || "已选";
}

/* One person of a list in one line: name, number, relation. */
export function personWords(data: ItemData, r: Repeat, row: Entries): string {
  return r.fields.filter((f) => row[f.id] !== undefined && row[f.id] !== "").map((f) => wordsOf(data, f, row[f.id])).join("，");
}
function people(data: ItemData, r: Repeat, rows: unknown): Answer[] {
  const list = Array.isArray(rows) ? (rows as Entries[]) : [];
  return list.length ? list.map((row, i) => ({ id: `${r.id}.${i}`, label: `第 ${i + 1} 个人`, value: personWords(data, r, row) || "没填" })) : [{ id: r.id, label: r.label, value: "没有" }];
}

export function answers(data: ItemData, d: Draft): AnswerSection[] {
  const clean = report(data, d).clean;
  return screens(data, d).map((s) => ({
    id: s.key,
    title: s.title,
    answers: s.repeat ? people(data, s.repeat, clean[s.repeat.id]) : s.fields.map((f) => ({ id: f.id, label: f.ask || f.label, value: wordsOf(data, f, d.entries[f.id] === undefined ? undefined : clean[f.id]) })),
  }));
}

/* The section that holds a finding's field, or the material's page. */
export function placeOf(data: ItemData, id: string, field: string): string {
  const m = /^material\.(\w+)/.exec(field);
  if (m) {
    const paper = data.item.materials.find((x) => String(x.no) === m[1] || x.group === m[1]);
    return paper ? `/apply/${id}/material/${paper.no}` : `/apply/${id}`;
  }
  const name = field.replace(/_pinyin$/, "").split(".")[0]!;
  const s = (data.family.sections || []).find((x) => x.fields.indexOf(name) >= 0 || (x.repeats || []).indexOf(name) >= 0);
  if (s && (s.repeats || []).indexOf(name) >= 0) return `/apply/${id}/form/${listKey(s.id, name)}?from=check&at=${field}`;
  return s ? `/apply/${id}/form/${s.id}?from=check` : `/apply/${id}`;
}
