/* Locked drafts of submitted cases: let go once the intranet has confirmed, kept while it may still refuse. */
import { getCase } from "@/api/calls";
import { signedIn } from "@/state/session";
import { dropDraft, listDrafts } from "./draft";

export async function settleDrafts(): Promise<void> {
  if (!signedIn()) return;
  for (const d of (await listDrafts()).filter((x) => x.no)) {
    try {
      const c = await getCase(d.no);
      if (c.confirmed && !c.refused_on_import) await dropDraft(d, false);
    } catch { /* another time */ }
  }
}
