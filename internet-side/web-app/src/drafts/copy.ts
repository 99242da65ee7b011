/* What the person may keep: a copy of the application as one HTML file, the receipt as a picture. Made here; nothing is sent anywhere. */
import { get } from "./db";
import type { Draft } from "./draft";
import type { ItemData, Receipt } from "@/api/types";
import { answers } from "./answers";
import { materialName } from "./form";
import { clockS, dayTime, fours } from "@/format";

const safe = (s: string): string => s.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

function download(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const a = document.createElement("a");
  a.href = url;
  a.download = name;
  document.body.appendChild(a);
  a.click();
  a.remove();
  setTimeout(() => URL.revokeObjectURL(url), 60000);
}

const dataUrl = (b: Blob): Promise<string> =>
  new Promise((resolve, reject) => {
    const r = new FileReader();
    r.onload = () => resolve(String(r.result));
    r.onerror = () => reject(r.error);
    r.readAsDataURL(b);
  });

async function pictures(d: Draft, data: ItemData): Promise<string> {
  let out = "";
  for (const p of d.pages) {
    const blob = await get<Blob>("pages", p.id).catch(() => undefined);
    const m = data.item.materials.find((x) => x.no === p.material);
    if (blob && p.type !== "application/pdf") out += `<figure><figcaption>${safe(m ? materialName(m) : "打不出来的字")}</figcaption><img alt="" src="${await dataUrl(blob)}"></figure>`;
  }
  return out;
}

export async function saveCopy(d: Draft, data: ItemData, r: Receipt): Promise<void> {
  const rows = answers(data, d)
    .map((s) => `<h2>${safe(s.title)}</h2><table>${s.answers.map((a) => `<tr><th>${safe(a.label)}</th><td>${safe(a.value)}</td></tr>`).join("")}</table>`)
    .join("");
  const html = `<!doctype html><html lang="zh-CN"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${safe(d.title)}</title>
<style>body{font:16px/1.5 sans-serif;max-width:720px;margin:16px auto;padding:0 16px}table{width:100%;border-collapse:collapse}th,td{border:1px solid #999;padding:6px;text-align:left;vertical-align:top}th{width:40%;font-weight:400}img{max-width:100%}</style>
<h1>${safe(d.title)}</h1><p>受理号 ${fours(r.no)}<br>提交时间 ${dayTime(r.submitted)}<br>受理单位 ${safe(r.unit.name)}</p>${rows}${await pictures(d, data)}<p>这是您自己保存的申请内容，里面有个人信息，请妥善保管。</p></html>`;
  download(new Blob([html], { type: "text/html;charset=utf-8" }), `申请内容-${r.no.slice(-4)}.html`);
}

export function saveReceipt(r: Receipt, title: string): Promise<void> {
  const c = document.createElement("canvas");
  c.width = 750;
  c.height = 620;
  const g = c.getContext("2d")!;
  g.fillStyle = "#fff";
  g.fillRect(0, 0, c.width, c.height);
  const line = (text: string, y: number, font: string, color = "#1d2129") => { g.font = `${font} sans-serif`; g.fillStyle = color; g.fillText(text, 48, y, 654); };
  line("✓ 已提交", 100, "600 44px", "#1b7a3d");
  line(title, 180, "600 36px");
  line("受理号", 260, "28px", "#4a5463");
  line(fours(r.no), 310, "600 40px");
  line(`提交时间  ${dayTime(r.submitted).slice(0, 6)}${clockS(r.submitted)}`, 400, "30px");
  line(`受理单位  ${r.unit.name}`, 460, "30px");
  line("在“户政网办”的“进度”里查看办理情况", 550, "28px", "#4a5463");
  return new Promise((done) => c.toBlob((b) => { if (b) download(b, `回执-${r.no.slice(-4)}.png`); done(); }, "image/png"));
}
