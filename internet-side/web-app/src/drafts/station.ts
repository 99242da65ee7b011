/* Which station takes the application: the one whose street stands in the address, else the first of its district. Where somebody settles
   decides before where he was born, lived or enlisted. */
import type { Entries, Field } from "@shared/rules.ts";
import type { Unit } from "@/api/types";

export function suggestStation(fields: Field[], clean: Entries, units: Unit[], allowed: string[]): string {
  const target = String(clean.target_address || "");
  const places = target ? [target] : fields.filter((f) => f.type === "address" && f.id !== "applicant_address").map((f) => String(clean[f.id] || "")).filter(Boolean);
  const regions = fields.filter((f) => /^(subject|target)_region$/.test(f.id)).map((f) => String(clean[f.id] || "")).filter(Boolean);
  const open = units.filter((u) => allowed.indexOf(u.code) >= 0);
  const streets = (u: Unit): string[] => [...(u.streets || []), (u.short || "").replace(/派出所$/, "")].filter((s) => s.length > 1);
  const street = open.find((u) => streets(u).some((s) => places.some((p) => p.indexOf(s) >= 0)));
  if (street) return street.code;
  const codes = [...places.map((p) => p.slice(0, 6)), ...regions];
  const near = open.find((u) => (u.regions || []).some((r) => codes.indexOf(r) >= 0));
  return near ? near.code : "";
}
