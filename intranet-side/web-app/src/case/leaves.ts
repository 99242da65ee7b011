/* A leaf is what the viewer shows at once: one picture, or one sheet of a PDF. */
import type { Case, Material, Page } from "@/api/types";

export interface Leaf { key: string; material: Material; page: Page; sheet: number; sheets: number; label: string }

/* Scanned at the desk: it has a name and no number of the citizen's list. */
export const isScan = (m: Material): boolean => m.no > 200;

export function leavesOf(file: Case): Leaf[] {
  const out: Leaf[] = [];
  for (const material of file.materials) {
    let n = 0;
    for (const page of material.pages) {
      const sheets = Math.max(1, page.sheets ?? 1);
      for (let sheet = 1; sheet <= sheets; sheet++)
        out.push({ key: `${page.id}-${sheet}`, material, page, sheet, sheets, label: isScan(material) ? material.name + (sheets > 1 ? ` ${++n}` : "") : `${material.no}-${++n}` });
    }
  }
  return out;
}
export function unseenPages(file: Case): number {
  return file.materials.flatMap((m) => m.pages).filter((p) => p.state === "here" && !p.seen).length;
}
export function unnotedDifferences(file: Case): number {
  return file.sections.flatMap((s) => s.rows).filter((r) => r.differs && !r.note).length;
}
/* A paper's name in its marks; some names carry them inside already. */
export function titled(m: Material): string {
  const name = m.alternative || m.name;
  return name.includes("《") ? name : `《${name}》`;
}
