/* A move on the desk: 续办 leads back to the step where the case was left, the paper is scanned by file, paste or drop, the flow is read as a chart.
 * Requirements: WFL-04 WFL-05 WFL-09 WFL-505 WFL-605. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { setState } from "../../intranet-side/web-app/mock/data.mjs";
import { axe, launch, noPageScroll, nothingCut, open, shot, SIZES } from "./officer-helpers.mjs";

const PHOTO = fileURLToPath(new URL("../fixtures/photo-small.jpg", import.meta.url));
let browser;
before(async () => { browser = await launch(); });
after(async () => { await browser.close(); });

/* One case of the mock waits for its migration certificate, held by the officer. */
function waiting(world, held = true) {
  const c = world.cases[0];
  setState(c, "awaiting_certificate");
  Object.assign(c, { held_by_me: held, holder: held ? "沈明远" : "", claimable: !held });
  for (const p of c.materials.flatMap((m) => m.pages)) p.seen = true;
  return c;
}
async function story(path, run, { login = "officer1", size = SIZES.desk, held = true } = {}) {
  const s = await open(browser, login, "/desk", size);
  try {
    const c = waiting(s.world, held);
    await s.page.goto(s.mock.url + path(c));
    await s.page.waitForLoadState("networkidle");
    await run(s.page, s.world, c);
    assert.deepEqual(s.errors, [], "errors in the browser");
  } finally {
    await s.close();
  }
}
const scanned = (page) => page.locator(".scan").getByText("已扫入，办下一步前可以换一张");
/* A file on the clipboard or under the mouse, as the page is told of it. */
const give = (page, event, type, name) => page.evaluate(([kind, mime, file]) => {
  const data = new DataTransfer();
  data.items.add(new File([new Uint8Array([0xff, 0xd8, 0xff, 0xe0])], file, { type: mime }));
  const target = kind === "paste" ? document : document.querySelector(".scan");
  target.dispatchEvent(kind === "paste" ? new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }) : new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
}, [event, type, name]);

test("WFL-09 续办: what it waits for and since when; Enter leads to the paper that is missing", async () => {
  await story(() => "/cases?view=continue", async (page, world, c) => {
    const row = page.locator("tbody tr", { hasText: "续办·待迁移证" });
    await row.getByText("补扫迁移证").waitFor();
    assert.match(await row.textContent(), /11-20 09:30/);
    await page.locator("nav").getByRole("link", { name: /^续办\s*\d+$/ }).waitFor();
    await shot(page, "continue-move");
    await row.click();
    await page.waitForURL(new RegExp(`/cases/${c.no}\\?step=1$`));
    await page.locator("#scan-choose").waitFor();
    await page.waitForFunction(() => document.activeElement?.id === "scan-choose");
    await page.keyboard.press("F2");
    await page.getByText("请先补扫迁移证").waitFor();
    assert.equal(world.cases[0].state, "awaiting_certificate");
  });
});

for (const [label, size] of Object.entries(SIZES))
  test(`WFL-505 a paper chosen from a file stands among the pages, can be replaced, and lets the step go on (${label})`, async () => {
    await story((c) => `/cases/${c.no}`, async (page, world, c) => {
      await page.locator(".scan").getByText("选文件，或复制后在这里粘贴").waitFor();
      await shot(page, `scan-${size.width}`);
      await noPageScroll(page, "scan");
      await nothingCut(page, "scan");
      await axe(page, "scan");
      await page.locator(".scan input").setInputFiles(PHOTO);
      await scanned(page).waitFor();
      await page.locator(".viewer").getByText("迁移证").first().waitFor();
      await shot(page, `scanned-${size.width}`);
      const first = c.materials.at(-1).pages[0].id;
      await page.locator(".scan input").setInputFiles(PHOTO);
      await page.waitForFunction((id) => ![...document.querySelectorAll(".thumb img")].some((i) => i.src.includes(id)), first);
      assert.equal(world.scans, 2);
      await page.keyboard.press("F2");
      await page.waitForURL((u) => !u.pathname.endsWith(c.no));
      assert.equal(c.state, "awaiting_move_in");
    }, { size });
  });

test("WFL-505 a paper is pasted or dropped; what is no picture or too large is refused in words before anything is sent", async () => {
  await story((c) => `/cases/${c.no}`, async (page, world) => {
    await page.locator(".scan").waitFor();
    await give(page, "drop", "text/plain", "a.txt");
    await page.locator(".scan").getByText("只能用 JPG、PNG 或 PDF 文件").waitFor();
    await page.locator(".scan input").setInputFiles({ name: "large.pdf", mimeType: "application/pdf", buffer: Buffer.alloc((8 << 20) + 1) });
    await page.locator(".scan").getByText("文件太大").waitFor();
    assert.equal(world.scans, undefined);
    await give(page, "paste", "image/png", "scan.png");
    await scanned(page).waitFor();
    await give(page, "drop", "image/jpeg", "scan.jpg");
    await page.waitForTimeout(300);
    assert.equal(world.scans, 2);
  });
});

test("only the holder scans: before claiming the place says so", async () => {
  await story((c) => `/cases/${c.no}`, async (page, world) => {
    await page.locator(".scan").getByText("请先领取这件，再补扫").waitFor();
    assert.equal(await page.locator("#scan-choose").isDisabled(), true);
    await give(page, "paste", "image/png", "scan.png");
    await page.waitForTimeout(200);
    assert.equal(world.scans, undefined);
  }, { held: false });
});

test("WFL-04 the flow of a case: where it stands, what it went through, the same as a list", async () => {
  await story((c) => `/cases/${c.no}`, async (page) => {
    await page.getByRole("tab", { name: /轨迹/ }).click();
    await page.getByRole("button", { name: "看流程图" }).click();
    const box = page.locator(".box.at");
    await box.getByText("现在在这一步").waitFor();
    assert.match(await box.textContent(), /续办·待迁移证/);
    assert.equal(await page.locator(".box.passed").count(), 3);
    assert.ok((await page.locator(".wire").count()) > 8, "the ways on are drawn");
    await shot(page, "flow-case");
    await axe(page, "flow");
    await page.getByRole("button", { name: "文字版" }).click();
    const step = page.locator('.list > li[aria-current="step"]');
    assert.match(await step.textContent(), /补扫迁移证（民警）→ 续办·待迁入/);
    assert.match(await step.textContent(), /群众看到“等您交迁移证”/);
    await page.keyboard.press("Escape");
    await page.locator(".flow-dialog").waitFor({ state: "detached" });
  });
});

test("WFL-01 WFL-04 the administrator reads every flow, ① first", async () => {
  await story(() => "/admin/flows", async (page) => {
    const names = await page.locator(".names .name").allTextContents();
    assert.equal(names.length, 12);
    assert.match(names[0], /^① 现场办结—户籍民警/);
    for (const name of names) {
      await page.locator(".names .name", { hasText: name }).first().click();
      await page.locator(".chart .head b", { hasText: name.slice(2) }).waitFor();
      assert.ok((await page.locator(".box").count()) > 10);
      assert.equal(await page.locator(".list > li").count(), await page.locator(".box").count(), "the list says as much as the chart");
    }
    await page.locator(".names .name", { hasText: "省内迁入—户籍民警" }).click();
    await page.waitForTimeout(200);
    await shot(page, "flows-wide");
  }, { login: "admin1", size: SIZES.wide });
});
