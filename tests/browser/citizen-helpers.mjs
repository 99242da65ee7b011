// One browser and one stand-in service for the citizens' pages; what every page must satisfy.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const require = createRequire(import.meta.url);
const axeSource = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const shots = fileURLToPath(new URL("../../build/screenshots/", import.meta.url));
mkdirSync(shots, { recursive: true });

export const SIZES = { phone: { width: 375, height: 603 }, desk: { width: 1440, height: 900 } };
export const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

export const launch = () => chromium.launch({ executablePath: "/usr/bin/chromium", headless: true, args: ["--headless", ...FLAGS] });

/** A page whose console errors and policy violations fail the test; answers the service gives on purpose (4xx, cut connections) do not. */
export async function openPage(browser, size, url) {
  const context = await browser.newContext({ viewport: size, locale: "zh-CN", timezoneId: "Asia/Shanghai", baseURL: url, acceptDownloads: true });
  const page = await context.newPage();
  page.setDefaultTimeout(8000);
  const faults = [];
  page.on("console", (m) => { if (m.type() === "error" && !/Failed to load resource/.test(m.text())) faults.push(m.text()); });
  page.on("pageerror", (x) => faults.push(String(x)));
  return { context, page, faults };
}

/** Everything a page must satisfy whatever it shows; then its picture. Names of broken rules come back in the message. */
export async function inspect(page, name) {
  await page.evaluate(() => document.fonts.ready);
  await page.screenshot({ path: `${shots}citizen-${name}.png`, fullPage: true });
  const h1 = await page.locator("h1").allInnerTexts();
  assert.equal(h1.length, 1, `${name}: one h1, got ${h1}`);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.equal(wide, 0, `${name}: sideways scroll by ${wide} px`);
  assert.deepEqual(await smallTargets(page), [], `${name}: targets below 44 px`);
  const text = await page.locator("body").innerText();
  assert.doesNotMatch(text, /undefined|null|NaN|\[object|系统异常|参数错误|非法操作|GB\/T|GA 380/, `${name}: codes or machine words on screen`);
  await axe(page, name);
}

export async function axe(page, name) {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axeSource);
  const found = await page.evaluate(async () => {
    const r = await window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"] });
    return r.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(" ")).join(" | ")}`);
  });
  assert.deepEqual(found, [], `${name}: accessibility`);
}

/* Inline links within a sentence are exempt (WCAG 2.5.8); everything else that is pressed is a thumb wide. */
const smallTargets = (page) => page.evaluate(() => {
  const out = [];
  for (const e of document.querySelectorAll("button, a[href], input, select, textarea, summary, .filebtn")) {
    const label = e.closest("label") || e;
    const box = label.getBoundingClientRect();
    if (!box.width || !box.height || box.width <= 1 || getComputedStyle(e).visibility === "hidden" || e.closest(".sr")) continue;
    if (e.closest("dialog:not([open])")) continue;
    if (box.height < 43.5 || (box.width < 43.5 && e.tagName !== "INPUT")) out.push(`${e.tagName} ${(e.getAttribute("aria-label") || e.textContent || e.id).trim().slice(0, 20)} ${Math.round(box.width)}x${Math.round(box.height)}`);
  }
  return out;
});

/** A photograph of a printed page as a phone would take it: paper, print, a little grain; or the same out of focus, or in the dark. */
export function photograph(page, { blur = 0, dark = 0, lines = 40, width = 2400, height = 3200 } = {}) {
  return page.evaluate(async (o) => {
    const c = document.createElement("canvas");
    c.width = o.width; c.height = o.height;
    const g = c.getContext("2d");
    g.fillStyle = "#ddd6c8"; g.fillRect(0, 0, c.width, c.height);
    if (o.blur) g.filter = `blur(${o.blur}px)`;
    g.fillStyle = "#222";
    for (let i = 0; i < o.lines; i++) { g.font = `${i % 3 ? 34 : 60}px sans-serif`; g.fillText("常住人口登记卡 姓名 出生地 公民身份号码 签发机关 " + i, 120, 160 + i * 74); }
    g.filter = "none";
    if (o.dark) { g.fillStyle = `rgba(0,0,0,${o.dark})`; g.fillRect(0, 0, c.width, c.height); }
    const blob = await new Promise((done) => c.toBlob(done, "image/jpeg", 0.92));
    const bytes = new Uint8Array(await blob.arrayBuffer());
    let s = "";
    for (let i = 0; i < bytes.length; i += 8192) s += String.fromCharCode(...bytes.subarray(i, i + 8192));
    return btoa(s);
  }, { blur, dark, lines, width, height }).then((b64) => ({ name: "photo.jpg", mimeType: "image/jpeg", buffer: Buffer.from(b64, "base64") }));
}
