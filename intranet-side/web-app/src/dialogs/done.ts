/* Which of the officer's fields are asked: a condition here speaks of other such fields alone, what the form decides the server has decided. */
import type { DoneField } from "@/api/types";

type Condition = NonNullable<DoneField["when"]>[number];

function holds(c: Condition, done: Record<string, string>): boolean {
  const v = done[c.field];
  if (c.absent) return !v;
  if (!v) return false;
  if (c.in) return c.in.includes(v);
  if (c.not_in) return !c.not_in.includes(v);
  return (c.prefix ?? []).some((p) => v.startsWith(p));
}

export const askedFields = (fields: DoneField[], done: Record<string, string>): DoneField[] => fields.filter((f) => (f.when ?? []).every((c) => holds(c, done)));
export const answered = (fields: DoneField[], done: Record<string, string>): Record<string, string> =>
  Object.fromEntries(askedFields(fields, done).flatMap((f) => (done[f.id] ? [[f.id, done[f.id]!]] : [])));
