/* A page of an application: its draft, the rules it is judged by, and saving every two seconds and on leaving. */
import { computed, onBeforeUnmount, onMounted, ref, shallowRef } from "vue";
import { useRouter } from "vue-router";
import type { ItemData, Unit } from "@/api/types";
import { loadCatalogue, loadItem, loadTable, stations } from "@/state/catalogue";
import { useLoad } from "@/state/load";
import { say } from "@/state/notice";
import { clock } from "@/format";
import { openDraft, saveDraft } from "./draft";
import type { Draft } from "./draft";
import { ApiError } from "@/api/client";

/* Large tables come apart from the form; without one the server still judges, so a failure is no obstacle. */
export async function withTables(data: ItemData): Promise<ItemData> {
  const wanted = new Set(data.family.fields.concat(...(data.family.repeats || []).map((r) => r.fields)).map((f) => (f.type === "address" ? "GB/T 2260" : f.code_table)).filter((t): t is string => !!t && !data.code_tables[t]));
  await Promise.all(Array.from(wanted, async (id) => {
    try { data.code_tables[id] = await loadTable(id); } catch { /* judged by the service */ }
  }));
  return data;
}

export interface Page { draft: Draft; data: ItemData; units: Unit[] }

export function useDraft(id: string) {
  const router = useRouter();
  const saving = ref("");
  const page = shallowRef<Page>();
  const { busy, error, again } = useLoad(async () => {
    const d = await openDraft(id);
    if (!d) throw new ApiError({ code: "missing" }, "这份草稿不在这台设备上了，可能已过 30 天，或在另一台设备上填的");
    if (d.no) { await router.replace(d.kind === "fix" ? `/cases/${d.no}` : `/cases/${d.no}`); }
    const data = await withTables(await loadItem(d.item));
    const units = await loadCatalogue().then((c) => stations(c.units), () => [] as Unit[]);
    page.value = { draft: d, data, units };
    return page.value;
  });

  async function save(): Promise<boolean> {
    const d = page.value?.draft;
    if (!d || d.no) return true;
    try {
      await saveDraft(d);
      saving.value = "";
      return true;
    } catch {
      saving.value = "没存上";
      say("这台设备存不下了，请清理空间，不要关闭这个页面", true);
      return false;
    }
  }
  let timer: ReturnType<typeof setInterval> | undefined;
  const leave = () => void save();
  onMounted(() => {
    timer = setInterval(leave, 2000);
    document.addEventListener("visibilitychange", leave);
    window.addEventListener("pagehide", leave);
  });
  onBeforeUnmount(() => {
    clearInterval(timer);
    document.removeEventListener("visibilitychange", leave);
    window.removeEventListener("pagehide", leave);
    leave();
  });
  const saved = computed(() => saving.value || (page.value?.draft.saved ? `已保存 ${clock(page.value.draft.saved)}` : ""));
  return { page, busy, error, again, save, saved };
}
