/* Asks again while the page is looked at; quickly at first, then at leisure. */
import { onBeforeUnmount } from "vue";

export function usePoll(ask: () => Promise<boolean>): void {
  let stopped = false;
  let timer: ReturnType<typeof setTimeout>;
  let n = 0;
  async function turn(): Promise<void> {
    if (stopped) return;
    let more = true;
    if (document.visibilityState !== "hidden") {
      try { more = await ask(); } catch { /* the next turn asks again */ }
      n++;
    }
    if (more && !stopped) timer = setTimeout(() => void turn(), n < 20 ? 2000 : n < 60 ? 5000 : 15000);
  }
  timer = setTimeout(() => void turn(), 800);
  onBeforeUnmount(() => { stopped = true; clearTimeout(timer); });
}
