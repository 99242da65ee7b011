/* A page that was taken: kept on the device first, then on its way. */
import { newId } from "@/api/client";
import { put } from "@/drafts/db";
import { saveDraft } from "@/drafts/draft";
import type { Draft } from "@/drafts/draft";
import type { Taken } from "./image";
import { pump } from "./queue";

export { take } from "./image";

export async function keepPage(draft: Draft, material: number, t: Taken): Promise<void> {
  const id = newId();
  await put("pages", id, t.blob);
  draft.pages.push({ id, material, name: "", type: t.type, size: t.blob.size, state: "waiting", sent: 0, upload: "", problem: "" });
  await saveDraft(draft);
  void pump(draft);
}
