/* Submitting so that a lost answer costs nothing: the key is drawn and kept before the first attempt, and the same key asks again. */
import { submit } from "@/api/calls";
import { ApiError, newId } from "@/api/client";
import type { DraftBody, Receipt } from "@/api/types";
import { keep } from "./db";
import { saveDraft } from "./draft";
import type { Draft } from "./draft";

const PAUSES_S = [1, 2, 4, 8, 15, 30];
const sleep = (s: number): Promise<void> => new Promise((done) => setTimeout(done, s * 1000));
const ours = (x: unknown): boolean => x instanceof ApiError && (x.code === "internal" || x.code === "unavailable");
/* No answer: ask until there is one. An answer that is our own failure: ask a few times, then say so; the key stays either way. */
const unsure = (x: unknown, tries: number): boolean => (x instanceof ApiError && x.lost) || (ours(x) && tries < 3);

/* ask(key) until the service has said yes or no; unknown outcomes are told and asked again. */
export async function untilAnswered(d: Draft, ask: (key: string) => Promise<Receipt>, uncertain: () => void, alive: () => boolean): Promise<Receipt> {
  if (!d.key) d.key = newId();
  d.sending = true;
  await saveDraft(d);
  for (let i = 0; ; i++) {
    try {
      const r = await ask(d.key);
      d.sending = false;
      d.no = r.no;
      await keep(`receipt.${r.no}`, r);
      await saveDraft(d);
      return r;
    } catch (x) {
      if (!unsure(x, i)) {
        /* A plain no: nothing was taken in, and mended content gets a key of its own. */
        d.sending = false;
        if (!ours(x) && !(x instanceof ApiError && (x.code === "auth" || x.code === "busy"))) d.key = "";
        await saveDraft(d);
        throw x;
      }
      uncertain();
      await sleep(PAUSES_S[Math.min(i, PAUSES_S.length - 1)]!);
      if (!alive()) throw x;
    }
  }
}

export const submitDraft = (d: Draft, b: DraftBody, uncertain: () => void, alive: () => boolean): Promise<Receipt> =>
  untilAnswered(d, (key) => submit(key, b, d.evidence), uncertain, alive);
