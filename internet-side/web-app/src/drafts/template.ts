/* A paper that people write themselves: its sentences with what was typed on this device, drawn as a page with signatures. Nothing is sent. */
import { holds } from "@shared/rules.ts";
import type { Entries, ItemData, Template } from "@/api/types";
import { wordsOf } from "./answers";

export const BLANK = "＿＿＿＿＿＿";

/* blanks: what the paper still lacks, by the question that asks for it. */
export interface Blank { id: string; ask: string }
export interface Written { title: string; to: string; paragraphs: string[]; signers: string[]; day: string; blanks: Blank[] }

function fill(text: string, data: ItemData, clean: Entries, blanks: Blank[]): string {
  return text.replace(/\{([a-z0-9_]+)\}/g, (_, id: string) => {
    const f = data.family.fields.find((x) => x.id === id);
    if (f && clean[id] !== undefined) return wordsOf(data, f, clean[id]) || BLANK;
    if (!blanks.some((b) => b.id === id)) blanks.push({ id, ask: f ? f.ask || f.label : "" });
    return BLANK;
  });
}

export function write(t: Template, data: ItemData, clean: Entries, today: string): Written {
  const [y, m, d] = today.split("-").map(Number);
  const blanks: Blank[] = [];
  return {
    title: t.title,
    blanks,
    to: fill(t.to, data, clean, blanks),
    paragraphs: t.paragraphs.map((p) => (typeof p === "string" ? { text: p } : p)).filter((p) => holds((p as { when?: never[] }).when, clean)).map((p) => fill(p.text, data, clean, blanks)),
    signers: t.signers,
    day: `${y} 年 ${m} 月 ${d} 日`,
  };
}

/* A4 at 150 dpi: what is written reads well and stays under the size of a photograph. */
const W = 1240, H = 1754, EDGE = 150, LINE = 62, FONT = 34;
const NO_START = "，。；：、！？）》”";

function lines(c: CanvasRenderingContext2D, text: string, width: number): string[] {
  const out: string[] = [];
  let now = "";
  for (const ch of Array.from(text)) {
    if (now && c.measureText(now + ch).width > width && NO_START.indexOf(ch) < 0) { out.push(now); now = ""; }
    now += ch;
  }
  return now ? [...out, now] : out;
}

/* One canvas per signer, in order; null where nobody signed. */
export function drawPaper(w: Written, signed: (HTMLCanvasElement | null)[]): HTMLCanvasElement {
  const page = document.createElement("canvas");
  page.width = W;
  page.height = H;
  const c = page.getContext("2d")!;
  const font = '"FangSong","STFangsong","Noto Serif CJK SC","Songti SC",serif';
  c.fillStyle = "#fff";
  c.fillRect(0, 0, W, H);
  c.fillStyle = "#000";
  c.textBaseline = "top";
  c.textAlign = "center";
  c.font = `600 48px ${font}`;
  c.fillText(w.title, W / 2, 150);
  c.textAlign = "left";
  c.font = `${FONT}px ${font}`;
  let y = 260;
  c.fillText(`${w.to}：`, EDGE, y);
  y += LINE * 1.2;
  for (const p of w.paragraphs)
    for (const line of lines(c, `　　${p}`, W - 2 * EDGE)) { c.fillText(line, EDGE, y); y += LINE; }
  y += LINE;
  w.signers.forEach((who, i) => {
    const label = `${who}：`;
    c.fillText(label, W / 2 - 120, y + 30);
    const s = signed[i], x = W / 2 - 120 + c.measureText(label).width;
    const room = { w: W - EDGE - x, h: 110 };
    if (s) {
      const k = Math.min(room.w / s.width, room.h / s.height);
      c.drawImage(s, x, y, s.width * k, s.height * k);
    } else c.fillText(BLANK, x, y + 30);
    y += 130;
  });
  c.textAlign = "right";
  c.fillText(w.day, W - EDGE, y + 20);
  return page;
}
