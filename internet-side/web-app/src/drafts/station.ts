/* Which station takes the application: the one whose street stands in the address, else the first of its district. The form says which
 * addresses count (`suggest_by` of the accepting unit, the first that is filled in): a move-in belongs to where the person goes. */
import type { Entries, Field } from "@shared/rules.ts";
import type { Unit } from "@/api/types";

const USUAL = ["target_address", "new_address", "address", "subject_address", "target_region", "subject_region"];

export function suggestStation(fields: Field[], clean: Entries, units: Unit[], allowed: string[]): string {
  const by = fields.find((f) => f.code_table === "GA 380")?.suggest_by || USUAL;
  const place = by.filter((id) => fields.some((f) => f.id === id)).map((id) => String(clean[id] || "")).find(Boolean);
  if (!place) return "";
  const open = units.filter((u) => allowed.indexOf(u.code) >= 0);
  const streets = (u: Unit): string[] => [...(u.streets || []), (u.short || "").replace(/派出所$/, "")].filter((s) => s.length > 1);
  const within = (n: number): Unit[] => open.filter((u) => (u.regions || []).some((r) => r.slice(0, n) === place.slice(0, n)));
  const of = (list: Unit[]): Unit | undefined => list.find((u) => streets(u).some((s) => place.indexOf(s) >= 0));
  return (of(within(6)) || within(6)[0] || of(within(4)))?.code || "";
}
