/* Reading a page: nothing for 300 ms, then a skeleton, after 8 s words; a failure in words with a way on. */
import { onBeforeUnmount, reactive } from "vue";

export interface Load { waiting: boolean; slow: boolean; error: string; run: (work: () => Promise<void>) => Promise<void> }

export function useLoad(): Load {
  let first = 0;
  let second = 0;
  const stop = () => {
    window.clearTimeout(first);
    window.clearTimeout(second);
  };
  const state: Load = reactive({
    waiting: false,
    slow: false,
    error: "",
    async run(work: () => Promise<void>) {
      stop();
      first = window.setTimeout(() => (state.waiting = true), 300);
      second = window.setTimeout(() => (state.slow = true), 8_000);
      state.error = "";
      try {
        await work();
      } catch (e) {
        state.error = e instanceof Error ? e.message : String(e);
      } finally {
        stop();
        state.waiting = false;
        state.slow = false;
      }
    },
  });
  onBeforeUnmount(stop);
  return state;
}
