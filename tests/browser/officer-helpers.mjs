/* A browser on the officers' app: Debian's Chromium, the mock of the API, axe-core, and an ear for every error of the page. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { newWorld, startMock } from "../../intranet-side/web-app/mock/server.mjs";

const FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
export const SHOTS = fileURLToPath(new URL("../../build/screenshots/", import.meta.url));
export const SIZES = { desk: { width: 1366, height: 625 }, wide: { width: 1920, height: 1080 } };

export const launch = () => chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });

/* One page signed in as login, with its own world behind it. errors fills with everything the browser complains about. */
export async function open(browser, login = "officer1", path = "/desk", size = SIZES.desk) {
  const mock = await startMock(0, newWorld());
  if (login) mock.world.user = login;
  const context = await browser.newContext({ viewport: size, locale: "zh-CN", reducedMotion: "reduce" });
  const page = await context.newPage();
  const errors = [];
  page.on("pageerror", (e) => errors.push(e.message));
  page.on("console", (m) => {
    if (m.type() === "error" && !/Failed to load resource/.test(m.text())) errors.push(m.text());
  });
  await page.goto(mock.url + path);
  await page.waitForLoadState("networkidle");
  return { page, mock, world: mock.world, errors, close: async () => { await context.close(); await mock.close(); } };
}

/* Evaluated through the protocol, so the page's own security policy stays as strict as it is. */
export async function axe(page, where) {
  await page.evaluate(AXE);
  const found = await page.evaluate(async () => {
    const r = await globalThis.axe.run(document, { runOnly: { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] } });
    return r.violations.map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => `${n.target.join(" ")} ${n.failureSummary}`).join(" | ")}`);
  });
  assert.deepEqual(found, [], `accessibility of ${where}`);
}

export async function shot(page, name) {
  mkdirSync(SHOTS, { recursive: true });
  await page.screenshot({ path: `${SHOTS}officer-${name}.png` });
}

/* Nothing of the page lies outside the window; panes may scroll inside. */
export async function noPageScroll(page, where) {
  const d = await page.evaluate(() => {
    const e = document.scrollingElement;
    return [e.scrollWidth - e.clientWidth, e.scrollHeight - e.clientHeight];
  });
  assert.deepEqual(d, [0, 0], `page scroll of ${where}`);
}

/* Nothing said is cut: no text runs out of a box that hides it. */
export async function nothingCut(page, where) {
  const cut = await page.evaluate(() => [...document.querySelectorAll("button,th,td,h1,h2,.tag,a,dt,dd,label")].filter((e) => {
    const s = getComputedStyle(e);
    return e.offsetParent && s.overflowX !== "visible" && e.scrollWidth > e.clientWidth + 1 && !e.closest(".sr-only") && !e.classList.contains("sr-only");
  }).map((e) => e.textContent.trim().slice(0, 40)));
  assert.deepEqual(cut, [], `cut text on ${where}`);
}
