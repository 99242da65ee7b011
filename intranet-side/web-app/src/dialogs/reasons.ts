/* What is asked of the citizen, as rows that can be ticked: a paper or an answer, what is wrong with it, the sentence he will read. */
import type { Case, FormRow, Material, Reason, ReasonTemplate } from "@/api/types";

export interface Pick {
  key: string; name: string; on: boolean; material?: number; field?: string; templates: ReasonTemplate[]; kind: string; page: number; pages: number;
  what: string; about: string; text: string; edited: boolean;
}

const KIND_OF_VERDICT: Record<string, string> = { blurred: "unclear", incomplete: "missing_page", mismatch: "differs", expired: "expired" };

export function templateOf(p: Pick): ReasonTemplate | undefined {
  return p.templates.find((t) => t.id === p.kind) ?? p.templates[0];
}
export function asks(p: Pick, slot: "page" | "what" | "field" | "choice"): boolean {
  if (slot === "field" && p.field !== undefined) return false;
  return (templateOf(p)?.text ?? "").includes(`{${slot}}`);
}
export function compose(p: Pick): void {
  const t = templateOf(p);
  if (!t || p.edited) return;
  const values: Record<string, string> = {
    material: p.name, page: String(p.page), what: p.what || t.choices?.what?.[0] || "", field: p.field !== undefined ? p.name : p.about || "内容", choice: p.about || "这种情形",
  };
  p.text = t.text.replace(/\{(\w+)\}/g, (all, k: string) => values[k] ?? all);
}

/* What the officer marked in the viewer is ticked already, with the page and the kind. */
function pickOfMaterial(m: Material, templates: ReasonTemplate[]): Pick {
  const bad = m.pages.find((p) => (p.verdict && KIND_OF_VERDICT[p.verdict]) || p.state === "unreadable");
  const kind = bad?.state === "unreadable" ? "unclear" : KIND_OF_VERDICT[bad?.verdict ?? ""];
  const p: Pick = {
    key: `m${m.no}`, name: m.alternative || m.name, on: !!bad, material: m.no, templates, kind: templates.find((t) => t.id === kind)?.id ?? templates[0]?.id ?? "",
    page: bad ? m.pages.indexOf(bad) + 1 : 1, pages: Math.max(1, m.pages.length), what: "", about: "", text: "", edited: false,
  };
  compose(p);
  return p;
}
export function pickOfField(r: FormRow, templates: ReasonTemplate[], on: boolean): Pick {
  const p: Pick = {
    key: `f${r.field}`, name: r.label, on, field: r.field, templates, kind: templates[0]?.id ?? "", page: 1, pages: 1, what: "", about: "", text: "", edited: false,
  };
  compose(p);
  return p;
}
/* What can be asked for anew: each answer, and each list of people as a whole. */
export function askRows(file: Case): FormRow[] {
  const out: FormRow[] = [];
  for (const r of file.sections.flatMap((s) => s.rows)) {
    if (!r.person) { out.push(r); continue; }
    const field = r.field.split(".")[0]!;
    const list = out.find((x) => x.field === field);
    if (list) list.differs = list.differs || r.differs || false;
    else out.push({ ...r, field, label: r.person.replace(/ 第 \d+ 人$/, "") });
  }
  return out;
}
export function materialPicks(file: Case, templates: ReasonTemplate[]): Pick[] {
  return file.materials.map((m) => pickOfMaterial(m, templates.filter((t) => (t.target ?? "material") === "material")));
}
export function fieldPicks(file: Case, templates: ReasonTemplate[]): Pick[] {
  const mine = templates.filter((t) => t.target === "field");
  return askRows(file).filter((r) => r.differs).map((r) => pickOfField(r, mine, false));
}
export function reasonsOf(picks: Pick[]): Reason[] {
  return picks.filter((p) => p.on && p.text.trim()).map((p) => ({
    ...(p.material !== undefined ? { material: p.material } : {}),
    ...(p.field !== undefined ? { field: p.field } : {}),
    kind: p.kind,
    text: p.text.trim(),
  }));
}
