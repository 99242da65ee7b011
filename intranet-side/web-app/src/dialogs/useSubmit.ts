/* Sending a decision. When the answer is lost we do not guess: the case is read again until the server says what it is now. */
import { onBeforeUnmount, ref } from "vue";
import { api } from "@/api/calls";
import { Failure } from "@/api/client";
import type { Case, Decided, Decision, Finding } from "@/api/types";
import { w } from "@/words";

const ASK_AGAIN_MS = 3_000;

export function useSubmit(onFresh: (file: Case) => void, onArrived: (file: Case) => void) {
  const busy = ref(false);
  const error = ref("");
  const fields = ref<Finding[]>([]);
  let timer = 0;
  let gone = false;
  onBeforeUnmount(() => {
    gone = true;
    window.clearTimeout(timer);
  });

  function askAgain(no: string, version: number): void {
    window.clearTimeout(timer);
    timer = window.setTimeout(async () => {
      if (gone) return;
      try {
        const now = await api.case(no);
        if (gone) return;
        if (now.version === version) error.value = w.decide.backOnline;
        else onArrived(now);
      } catch {
        askAgain(no, version);
      }
    }, ASK_AGAIN_MS);
  }
  async function refresh(no: string): Promise<void> {
    try {
      onFresh(await api.case(no));
    } catch {
      /* gone from our sight: the message says why */
    }
  }
  /* null: not taken, and error says so. */
  async function send(no: string, d: Decision): Promise<Decided | null> {
    if (busy.value) return null;
    busy.value = true;
    error.value = "";
    fields.value = [];
    window.clearTimeout(timer);
    try {
      return await api.decide(no, d);
    } catch (e) {
      if (!(e instanceof Failure)) throw e;
      fields.value = e.fields;
      error.value = e.message;
      if (e.lost) {
        error.value = e.code === "timeout" ? w.lostUnsure : w.lost;
        askAgain(no, d.version);
      } else if (e.status === 409) await refresh(no);
      return null;
    } finally {
      busy.value = false;
    }
  }
  return { busy, error, fields, send };
}
