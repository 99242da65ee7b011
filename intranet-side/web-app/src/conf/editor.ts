/* One item being edited: what is in force, the changes over it, and the server's word on them. */
import { computed, ref, shallowRef } from "vue";
import { api } from "@/api/calls";
import type { ChangeSet, ConfChange, ConfEdit, ConfField, ConfItem, ConfWord, Finding } from "@/api/types";

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a ?? null) === JSON.stringify(b ?? null);
export const copy = <T>(v: T): T => JSON.parse(JSON.stringify(v)) as T;

function member(o: Record<string, unknown>, path: string): unknown {
  return path.split(".").reduce<unknown>((at, k) => (at as Record<string, unknown> | undefined)?.[k], o);
}
function setMember(o: Record<string, unknown>, path: string, value: unknown): void {
  const steps = path.split(".");
  let at = o;
  for (const k of steps.slice(0, -1)) at = (at[k] ??= {}) as Record<string, unknown>;
  at[steps.at(-1)!] = value;
}

export function useEditor() {
  const data = shallowRef<ConfEdit>();
  const set = shallowRef<ChangeSet>();
  const changes = ref<ConfChange[]>([]);
  const kept = ref("[]");
  const findings = ref<Finding[]>([]);
  const words = ref<ConfWord[]>([]);
  let region = "";
  let timer = 0;
  let asked = 0;

  const dirty = computed(() => JSON.stringify(changes.value) !== kept.value);
  const form = computed(() => `form:${data.value?.family.id ?? ""}`);
  const waiting = computed(() => data.value?.open.find((s) => s.state === "submitted"));

  async function read(code: string, where: string): Promise<void> {
    region = where;
    const got = await api.confItem(code, where);
    data.value = got;
    take(got.open.find((s) => s.state === "draft"));
  }
  function take(s: ChangeSet | undefined): void {
    set.value = s;
    changes.value = s ? copy(s.changes) : [];
    kept.value = JSON.stringify(changes.value);
    findings.value = s?.findings ?? [];
    words.value = s?.words ?? [];
  }
  async function judge(): Promise<void> {
    const mine = ++asked;
    if (!changes.value.length) {
      findings.value = [];
      words.value = [];
      return;
    }
    const got = await api.confPreview(changes.value);
    if (mine !== asked) return;
    findings.value = got.findings;
    words.value = got.words;
  }
  function later(): void {
    window.clearTimeout(timer);
    timer = window.setTimeout(() => void judge().catch(() => undefined), 400);
  }

  const find = (item: string, path: string) => changes.value.find((c) => c.item === item && c.path === path && c.region === (item.startsWith("form:") ? "" : region));
  const item = computed<ConfItem | undefined>(() => {
    if (!data.value) return undefined;
    const now = copy(data.value.item);
    for (const c of changes.value)
      if (c.item === now.code && c.region === region) setMember(now, c.path, c.reset ? member(data.value.city, c.path) : copy(c.value));
    return now;
  });
  const fields = computed<ConfField[]>(() => {
    const list = copy(data.value?.family.fields ?? []);
    for (const c of changes.value)
      if (c.item === form.value && !c.reset) {
        const [, id, key] = c.path.split(".");
        const f = list.find((x) => x.id === id);
        if (f && key) f[key] = copy(c.value);
      }
    return list;
  });

  /* A value that stands there already is no change. */
  function put(on: string, path: string, value: unknown, was: unknown): void {
    const where = on.startsWith("form:") ? "" : region;
    const rest = changes.value.filter((c) => !(c.item === on && c.path === path && c.region === where));
    changes.value = same(value, was) ? rest : [...rest, { region: where, item: on, path, value: copy(value ?? null) }];
    later();
  }
  const putItem = (path: string, value: unknown) => put(data.value!.item.code, path, value, member(data.value!.item, path));
  const putField = (id: string, key: string, value: unknown) =>
    put(form.value, `fields.${id}.${key}`, value, data.value!.family.fields.find((f) => f.id === id)?.[key]);
  /* What the district has of its own goes: the city's stands again. */
  function reset(path: string): void {
    const on = data.value!.item.code;
    changes.value = [...changes.value.filter((c) => !(c.item === on && c.path === path && c.region === region)), { region, item: on, path, reset: true }];
    later();
  }
  const changed = (on: string, path: string): boolean => !!find(on, path);
  const isOwn = (path: string): boolean => !!data.value?.own.includes(path.split(".")[0]!);
  const wrong = (field: string): string => findings.value.find((f) => f.field === field || f.field.startsWith(`${field}/`))?.message ?? "";
  const wrongAt = (field: string): string => findings.value.find((f) => f.field === field)?.message ?? "";

  async function save(): Promise<ChangeSet> {
    const s = set.value ? await api.confSave(set.value.id, set.value.version, changes.value) : await api.confAdd(changes.value);
    take(s);
    return s;
  }
  function undo(): void {
    changes.value = JSON.parse(kept.value) as ConfChange[];
    later();
  }
  return { data, set, changes, item, fields, form, findings, words, dirty, waiting, read, take, putItem, putField, reset, changed, isOwn, wrong, wrongAt, save, undo };
}
export type Editor = ReturnType<typeof useEditor>;
