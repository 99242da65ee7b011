/* Numbers and times as people read them; always Beijing time. */
const BEIJING = 8 * 3600 * 1000;
const two = (n: number): string => ("0" + n).slice(-2);
const at = (iso: string | number): Date => new Date((typeof iso === "number" ? iso : Date.parse(iso)) + BEIJING);

export const clock = (t: string | number): string => `${two(at(t).getUTCHours())}:${two(at(t).getUTCMinutes())}`;
export const clockS = (t: string | number): string => `${clock(t)}:${two(at(t).getUTCSeconds())}`;
export function dayTime(t: string | number): string {
  const d = at(t);
  return `${two(d.getUTCMonth() + 1)}-${two(d.getUTCDate())} ${clock(t)}`;
}
export function monthDay(t: string | number): string {
  const d = typeof t === "string" && t.length === 10 ? new Date(t) : at(t);
  return `${d.getUTCMonth() + 1}月${d.getUTCDate()}日`;
}
export const fours = (no: string): string => no.replace(/(.{4})(?=.)/g, "$1 ");

export function size(bytes: number): string {
  return bytes < 1024 * 1024 ? `${Math.max(1, Math.round(bytes / 1024))} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}

/* "12月3日前" for whoever has to do something by then, unless the sentence says it already. */
export function dayOwed(c: { turn?: string; deadline?: string | null; state?: { sentence: string } }): string {
  const day = c.turn === "citizen" && c.deadline ? monthDay(c.deadline) : "";
  return day && (c.state?.sentence || "").indexOf(day) < 0 ? `${day}前` : "";
}
