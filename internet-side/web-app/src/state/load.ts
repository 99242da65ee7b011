/* One way to ask for a page's data: busy, then the value or the error, and again on request. */
import { ref, shallowRef } from "vue";
import type { Ref, ShallowRef } from "vue";

export interface Loaded<T> { busy: Ref<boolean>; error: Ref<unknown>; data: ShallowRef<T | undefined>; again: () => Promise<void> }

export function useLoad<T>(ask: () => Promise<T>): Loaded<T> {
  const busy = ref(true);
  const error = ref<unknown>(null);
  const data = shallowRef<T>();
  let turn = 0;
  async function again(): Promise<void> {
    const mine = ++turn;
    busy.value = data.value === undefined;
    error.value = null;
    try {
      const got = await ask();
      if (mine === turn) data.value = got;
    } catch (x) {
      if (mine === turn && data.value === undefined) error.value = x;
      else if (mine === turn) console.warn("refresh", x instanceof Error ? x.message : "");
    } finally {
      if (mine === turn) busy.value = false;
    }
  }
  void again();
  return { busy, error, data, again };
}
