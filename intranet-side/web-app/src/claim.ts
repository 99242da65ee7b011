/* F9: the next case by the clock, opened at once. */
import type { Router } from "vue-router";
import { api } from "./api/calls";
import { Failure } from "./api/client";
import { say, sayFailure } from "./notice";
import { w } from "./words";

let busy = false;
export async function claimNext(router: Router): Promise<void> {
  if (busy) return;
  busy = true;
  try {
    const { no } = await api.next();
    await router.push(`/cases/${no}`);
  } catch (e) {
    if (e instanceof Failure && e.status === 404) say(w.desk.nothingToClaim);
    else sayFailure(e);
  } finally {
    busy = false;
  }
}
