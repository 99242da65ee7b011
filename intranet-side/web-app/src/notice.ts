/* One line of news at the bottom, said to screen readers, gone after a while unless it is a failure. */
import { reactive } from "vue";

export type NoticeTone = "done" | "work" | "refused";
export const notice = reactive({ text: "", tone: "work" as NoticeTone, n: 0 });
const SHOWN_MS = 6_000;
let timer = 0;

export function say(text: string, tone: NoticeTone = "work"): void {
  notice.text = text;
  notice.tone = tone;
  notice.n++;
  window.clearTimeout(timer);
  if (tone !== "refused") timer = window.setTimeout(hush, SHOWN_MS);
}
export function hush(): void {
  notice.text = "";
}
export function sayFailure(e: unknown): void {
  say(e instanceof Error ? e.message : String(e), "refused");
}
