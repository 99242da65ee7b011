/* Times are UTC in data and Beijing time (UTC+8, no summer time) on screens. */
const BEIJING_MS = 8 * 3600 * 1000;

function parts(rfc3339: string): { date: string; time: string } | null {
  const ms = Date.parse(rfc3339);
  if (Number.isNaN(ms)) return null;
  const text = new Date(ms + BEIJING_MS).toISOString();
  return { date: text.slice(0, 10), time: text.slice(11, 19) };
}
export function shortTime(rfc3339?: string | null): string {
  const p = rfc3339 ? parts(rfc3339) : null;
  return p ? `${p.date.slice(5)} ${p.time.slice(0, 5)}` : "";
}
export function shortDate(rfc3339?: string | null): string {
  const p = rfc3339 ? parts(rfc3339) : null;
  return p ? p.date.slice(5) : "";
}
export function fullTime(rfc3339?: string | null): string {
  const p = rfc3339 ? parts(rfc3339) : null;
  return p ? `${p.date} ${p.time}` : "";
}
export function clockNow(): string {
  return shortTime(new Date().toISOString());
}
export function fours(no: string): string {
  return no.replace(/(.{4})(?=.)/g, "$1 ");
}
/* The word by which an officer recalls a case: what comes before the colon of the item's name. */
export function itemShort(name: string): string {
  return name.split(/[：:（(]/)[0] ?? name;
}
