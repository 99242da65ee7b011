/* A search that found nothing, or after which nothing was chosen: its words are told to the service, once a visit each. Numbers never leave. */
import { reportSearch } from "@/api/calls";

const LONGEST = 40;
const told = new Set<string>();

/* As the service keeps it: runs of six or more digits are somebody's number. */
export function bareQuery(query: string): string {
  const narrow = query.replace(/[０-９]/g, (c) => String.fromCharCode(c.charCodeAt(0) - 0xfee0));
  return narrow.replace(/\d[\d\s-]{4,}[\dXx]/g, " ").replace(/\s+/g, " ").trim().slice(0, LONGEST);
}

export function tellMissed(query: string): void {
  const text = bareQuery(query);
  if (text.length < 2 || told.has(text) || told.size >= 20) return;
  told.add(text);
  void reportSearch(text).catch(() => undefined);
}
