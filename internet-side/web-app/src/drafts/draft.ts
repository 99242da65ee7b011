/* A draft: what was answered and photographed, on this device alone, until the service's durable answer and the intranet's confirmation. */
import { reactive } from "vue";
import { newId } from "@/api/client";
import { dropUpload } from "@/api/calls";
import type { Entries, ItemData } from "@/api/types";
import { all, get, put, remove } from "./db";

export type PageState = "waiting" | "sending" | "done" | "failed";
export interface Page {
  id: string;
  material: number;
  name: string;
  type: string;
  size: number;
  state: PageState;
  sent: number;
  upload: string;
  problem: string;
}
export interface Odd { field: string; pinyin: string }

export interface Draft {
  id: string;
  kind: "apply" | "fix";
  item: string;
  title: string;
  version: number;
  entries: Entries;
  guided: string[];
  pages: Page[];
  odd: Odd[];
  /* Which of a paper's alternatives was handed in, by the paper's number; absent in drafts of before. */
  which?: Record<number, number>;
  visited: string[];
  created: number;
  saved: number;
  /* Drawn once before the first attempt to submit; the same key until the service has answered. */
  key: string;
  evidence: string;
  hash: string;
  sending: boolean;
  /* The case number once accepted: from then on the draft is locked. */
  no: string;
  /* A supplement: the case and round it answers, "3407….1". */
  of: string;
}

export const LIFE_MS = 30 * 86400 * 1000;
const open = new Map<string, Draft>();
const stored = new Map<string, string>();

export function newDraft(kind: Draft["kind"], data: ItemData, id = newId()): Draft {
  const now = Date.now();
  return reactive<Draft>({
    id, kind, item: data.item.code, title: data.item.plain_name, version: data.version, entries: {}, guided: [], pages: [], odd: [],
    visited: [], created: now, saved: 0, key: "", evidence: "", hash: "", sending: false, no: "", of: "",
  });
}

export async function openDraft(id: string): Promise<Draft | undefined> {
  const here = open.get(id);
  if (here) return here;
  const read = await get<Draft>("drafts", id);
  if (!read) return undefined;
  /* Whatever was on its way when the page closed starts again from what the service has. */
  read.pages.forEach((p) => { if (p.state === "sending") p.state = "waiting"; });
  const d = reactive(read);
  open.set(id, d);
  stored.set(id, plain(d));
  return d;
}

const plain = (d: Draft): string => JSON.stringify({ ...d, saved: 0 });

/* Writes only what changed; returns after the write is durable. The time shown is that of the last write that came back. */
export async function saveDraft(d: Draft): Promise<void> {
  open.set(d.id, d);
  const text = plain(d);
  if (stored.get(d.id) === text) return;
  const when = Date.now();
  await put("drafts", d.id, { ...(JSON.parse(text) as Draft), saved: when });
  stored.set(d.id, text);
  d.saved = when;
}

export async function dropDraft(d: Draft, alsoUploads = true): Promise<void> {
  for (const p of d.pages) {
    await remove("pages", p.id);
    if (alsoUploads && p.upload && !d.no) void dropUpload(p.upload).catch(() => undefined);
  }
  await remove("drafts", d.id);
  open.delete(d.id);
  stored.delete(d.id);
}

/* Drafts for the home page, newest first; those past their 30 days go. */
export async function listDrafts(): Promise<Draft[]> {
  const read = await all<Draft>("drafts").catch(() => [] as Draft[]);
  const old = read.filter((d) => !d.no && !d.sending && Date.now() - Math.max(d.saved, d.created) > LIFE_MS);
  for (const d of old) await dropDraft(d);
  return read.filter((d) => old.indexOf(d) < 0).sort((a, b) => b.saved - a.saved);
}

/* Begun on an earlier visit, or new. */
export async function supplementDraft(of: string, data: ItemData): Promise<Draft> {
  const begun = (await listDrafts()).find((d) => d.kind === "fix" && d.of === of && !d.no);
  const d = (begun && (await openDraft(begun.id))) || newDraft("fix", data);
  d.of = of;
  return d;
}

export const draftOfCase = async (no: string): Promise<Draft | undefined> =>
  (await listDrafts()).find((d) => d.no === no && d.kind === "apply");

/* The intranet has it: what was typed and photographed is let go. */
export async function releaseDraft(no: string): Promise<void> {
  const d = await draftOfCase(no);
  if (d) await dropDraft(d, false);
}

/* Refused on import: the entries open again under a new draft id, because the old one's pages are spent. */
export async function reopenDraft(no: string): Promise<Draft | undefined> {
  const old = await draftOfCase(no);
  if (!old) return undefined;
  const again = reactive<Draft>({ ...(JSON.parse(plain(old)) as Draft), id: newId(), key: "", evidence: "", hash: "", sending: false, no: "" });
  again.pages.forEach((p) => { p.upload = ""; p.sent = 0; p.state = "waiting"; });
  await saveDraft(again);
  await remove("drafts", old.id);
  open.delete(old.id);
  return again;
}
