/* The bar over the next case: the decision is committed, but nothing has left the house before undo_until. */
import { reactive } from "vue";
import { api } from "./api/calls";
import { Failure } from "./api/client";
import { say, sayFailure } from "./notice";
import { w } from "./words";

export const undo = reactive({ no: "", text: "", left: 0, until: 0, busy: false });
let timer = 0;

function tick(): void {
  undo.left = Math.max(0, Math.ceil((undo.until - Date.now()) / 1000));
  if (undo.left === 0) clearUndo();
}
/* The server's clock is not ours: never longer than 5 s from the answer. */
export function offerUndo(no: string, text: string, untilIso: string | null): void {
  clearUndo();
  if (!untilIso) return say(text, "done");
  undo.no = no;
  undo.text = text;
  undo.until = Date.now() + 5_000;
  tick();
  timer = window.setInterval(tick, 250);
}
export function clearUndo(): void {
  window.clearInterval(timer);
  undo.no = "";
  undo.left = 0;
}
export async function takeBack(): Promise<string> {
  const no = undo.no;
  if (!no || undo.busy) return "";
  undo.busy = true;
  try {
    await api.undo(no);
    clearUndo();
    say(w.page.undone, "done");
    return no;
  } catch (e) {
    if (e instanceof Failure && e.status === 409) say(w.page.undoLate, "refused");
    else sayFailure(e);
    return "";
  } finally {
    undo.busy = false;
  }
}
