/* Pages on their way up: one at a time, in parts, going on where the service stands; without a network they wait. */
import { beginUpload, getUpload, PART, putPart } from "@/api/calls";
import { ApiError } from "@/api/client";
import { get } from "@/drafts/db";
import type { Draft, Page } from "@/drafts/draft";
import { saveDraft } from "@/drafts/draft";

const busy = new Set<string>();

async function begin(d: Draft, p: Page): Promise<number> {
  if (p.upload) {
    try {
      return (await getUpload(p.upload)).offset;
    } catch (x) {
      /* Swept away on the service after its days: begin again. */
      if (!(x instanceof ApiError) || x.code !== "missing") throw x;
    }
  }
  const u = await beginUpload(d.id, p.material, p.type, p.size);
  p.upload = u.id;
  await saveDraft(d);
  return u.offset;
}

async function sendPage(d: Draft, p: Page): Promise<void> {
  const blob = await get<Blob>("pages", p.id);
  if (!blob) throw new ApiError({ code: "input" }, "这一页不在这台设备上了，请重拍");
  p.state = "sending";
  p.problem = "";
  let offset = await begin(d, p);
  p.sent = offset;
  while (offset < p.size) {
    const u = await putPart(p.upload, offset, blob.slice(offset, Math.min(offset + PART, p.size)));
    offset = u.offset;
    p.sent = offset;
  }
  p.state = "done";
}

/* Sends what waits. A page that fails for lack of a network waits again; any other failure is the page's own word. */
export async function pump(d: Draft): Promise<void> {
  if (busy.has(d.id)) return;
  busy.add(d.id);
  try {
    for (let p = next(d); p; p = next(d)) {
      try {
        await sendPage(d, p);
      } catch (x) {
        p.state = "failed";
        p.problem = x instanceof ApiError ? x.message : "没传上，请重试";
        if (x instanceof ApiError && (x.lost || x.code === "auth")) break;
      } finally {
        await saveDraft(d);
      }
    }
  } finally {
    busy.delete(d.id);
  }
}

const next = (d: Draft): Page | undefined => d.pages.find((p) => p.state === "waiting");

export function retry(d: Draft, p?: Page): Promise<void> {
  for (const q of p ? [p] : d.pages) if (q.state === "failed") q.state = "waiting";
  return pump(d);
}

export const percent = (p: Page): number => (p.size ? Math.round((100 * p.sent) / p.size) : 0);
export function stateWords(p: Page): string {
  if (p.state === "done") return "已传";
  if (p.state === "sending") return `上传 ${percent(p)}%`;
  return p.state === "failed" ? "没传上" : "等待";
}
