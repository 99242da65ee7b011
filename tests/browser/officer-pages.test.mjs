/* The officers' pages against invented data: layout at the smallest and the usual screen, accessibility, keyboard, dialogs, and what is
 * said when something goes wrong. Requirements: REV-01 REV-03 REV-06 REV-07 WFL-06 WFL-07 WFL-17 WFL-18 MAT-07 IMP-02 IMP-06. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { axe, launch, noPageScroll, nothingCut, open, shot, SIZES } from "./officer-helpers.mjs";
import { EFFECT_DEATH } from "../../intranet-side/web-app/mock/data.mjs";

let browser;
before(async () => { browser = await launch(); });
after(async () => { await browser.close(); });

const C = { review: "3407261100000018", arriving: "3407261100000026", sub: "3407261100000034", finish: "3407261100000042", withdraw: "3407261100000059", originals: "3407261100000067",
  rename: "3407261100000075", unreadable: "3407261100000083", held: "3407261100000091", people: "3407261100000109" };
const seen = (page) => page.waitForFunction(() => document.querySelector(".stage img")?.complete);

/* Runs one story in a page of its own; whatever the browser complains about fails it. */
function story(name, login, path, run, size) {
  test(name, async () => {
    const s = await open(browser, login, path, size);
    try {
      await run(s.page, s.world, s);
      assert.deepEqual(s.errors, [], "errors in the browser");
    } finally {
      await s.close();
    }
  });
}
/* What the server keeps arrives a moment after the screen shows it. */
async function until(holds, what) {
  for (let i = 0; i < 60; i++) {
    if (holds()) return;
    await new Promise((r) => setTimeout(r, 50));
  }
  assert.fail(what);
}
async function seeAllPages(page) {
  const n = await page.locator(".thumb").count();
  for (let i = 0; i < n; i++) {
    await seen(page);
    await page.keyboard.press("PageDown");
    await page.waitForTimeout(80);
  }
}
async function noteAllDifferences(page) {
  const n = await page.locator(".line.differs").count();
  for (let i = 0; i < n; i++) {
    await page.keyboard.press("d");
    await page.waitForTimeout(40);
    await page.keyboard.press("n");
    await page.locator(".note input").fill("已电话核对，以结婚证为准");
    await page.keyboard.press("Enter");
    await page.locator(".note input").waitFor({ state: "detached" });
  }
}

describe("every page at 1366x625 and 1920x1080: no page scroll, nothing cut, no accessibility violation", () => {
  const PAGES = [["login", null, "/login"], ["first-password", "fresh1", "/desk"], ["desk", "officer1", "/desk"], ["list", "officer1", "/cases?view=todo"], ["done-empty", "officer1", "/cases?view=done"],
    ["case", "officer1", `/cases/${C.review}`], ["case-unreadable", "officer1", `/cases/${C.unreadable}`], ["case-approver", "sub1", `/cases/${C.sub}`], ["search", "officer1", "/search/person"], ["case-people", "officer1", `/cases/${C.people}`], ["searches", "admin1", "/admin/searches"], ["admin-desk", "admin1", "/desk"], ["officers", "admin1", "/admin/officers"],
    ["exceptions", "admin1", "/admin/exceptions"], ["flows", "admin1", "/admin/flows?flow=online-outside-officer"], ["continue", "officer1", "/cases?view=continue"], ["missing", "officer1", "/cases/3407261199999999"]];
  for (const [name, login, path] of PAGES)
    for (const [label, size] of Object.entries(SIZES))
      story(`${name} ${label}`, login, path, async (page) => {
        if (name.startsWith("case")) await page.locator(".thumb").first().waitFor();
        await page.waitForTimeout(150);
        await shot(page, `${name}-${size.width}`);
        await noPageScroll(page, name);
        await nothingCut(page, name);
        await axe(page, name);
      }, size);
});

describe("lists of people", () => {
  story("each person under the list's label; a difference is noted at the person; the list is asked for anew as a whole (CIT-06, CIT-12)", "officer1", `/cases/${C.people}`, async (page) => {
    await page.getByText("户内成员 第 2 人").waitFor();
    assert.deepEqual(await page.locator(".person").allInnerTexts(), ["户内成员 第 1 人", "户内成员 第 2 人", "户内成员 第 3 人"]);
    await page.keyboard.press("d");
    assert.equal(await page.evaluate(() => document.activeElement.id), "row-members.1.name");
    await page.keyboard.press("n");
    await page.locator(".note input").fill("写错一个字，已电话核实");
    await page.keyboard.press("Enter");
    await page.getByText("写错一个字，已电话核实").waitFor();
    await page.keyboard.press("F4");
    await page.getByRole("dialog").getByRole("checkbox", { name: "户内成员", exact: true }).waitFor({ state: "attached" });
    assert.equal(await page.getByRole("dialog").getByRole("checkbox", { name: "姓名", exact: true }).count(), 0, "not a single person's name");
  });
});

describe("sign in", () => {
  story("a wrong password is said in words, Enter goes from name to password to in", null, "/cases?view=doing", async (page) => {
    await page.getByLabel("警号或账号").fill("officer1");
    await page.keyboard.press("Enter");
    await page.keyboard.type("wrong");
    await page.keyboard.press("Enter");
    await page.getByText("账号或密码不对").waitFor();
    await page.keyboard.type("right");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/cases\?view=doing$/);
  });
  story("an address in the link cannot lead out of the app", null, "/login?to=//evil.example/", async (page, _w, s) => {
    await page.getByLabel("警号或账号").fill("officer1");
    await page.getByLabel("密码").fill("x");
    await page.getByRole("button", { name: "登 录" }).click();
    await page.waitForURL(`${s.mock.url}/desk`);
  });
  story("the first password must be changed before anything else; the server's rule is shown", "fresh1", "/desk", async (page) => {
    await page.waitForURL(/\/login/);
    for (const [label, text] of [["原密码", "a"], ["新密码", "short"], ["再输一次新密码", "other"]]) await page.getByLabel(label, { exact: true }).fill(text);
    await page.getByRole("button", { name: "改好并进入" }).click();
    await page.getByText("两次输入的新密码不一样").waitFor();
    await page.getByLabel("再输一次新密码").fill("short");
    await page.getByRole("button", { name: "改好并进入" }).click();
    await page.getByText("新密码至少 12 位").waitFor();
    for (const label of ["新密码", "再输一次新密码"]) await page.getByLabel(label, { exact: true }).fill("Long-enough-2026");
    await page.getByRole("button", { name: "改好并进入" }).click();
    await page.waitForURL(/\/desk/);
  });
});

describe("list", () => {
  story("arrows move, Enter opens, Esc comes back to the same row with the filter kept", "officer1", "/cases?view=todo&item=HJ001", async (page) => {
    await page.locator("tbody tr").first().waitFor();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    const row = await page.evaluate(() => document.activeElement.innerText);
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/cases\/\d{16}$/);
    await page.locator(".thumb").first().waitFor();
    await page.keyboard.press("Escape");
    await page.waitForURL(/view=todo&item=HJ001/);
    await page.waitForFunction((t) => document.activeElement?.innerText === t, row);
  });
  story("new rows announce themselves and never move under the cursor (IMP-06)", "officer1", "/cases?view=todo", async (page, world) => {
    await page.locator("tbody tr").first().waitFor();
    const before = await page.locator("tbody tr").allInnerTexts();
    const fresh = structuredClone(world.cases[0]);
    Object.assign(fresh, { no: "3407261100000208", person: "新来的" });
    world.cases.unshift(fresh);
    world.changes.push({ seq: ++world.seq, no: fresh.no, kind: "new" });
    await page.getByText("有 1 件新件 · 刷新").waitFor({ timeout: 12000 });
    assert.deepEqual(await page.locator("tbody tr").allInnerTexts(), before);
    await shot(page, "list-news-1366");
    await axe(page, "list with news");
    await page.keyboard.press("F2");
    await page.getByText("新来的").waitFor();
  });
  story("F9 claims the next case and opens it; the slash goes to the search; a full number opens its case", "officer1", "/cases?view=todo", async (page, world) => {
    await page.locator("tbody tr").first().waitFor();
    await page.keyboard.press("F9");
    await page.waitForURL(/\/cases\/\d{16}$/);
    assert.equal(world.cases.filter((c) => c.held_by_me).length, 1);
    await page.getByRole("button", { name: "放回待办" }).waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("3407 2611 0000 0042");
    await page.keyboard.press("Enter");
    await page.waitForURL(new RegExp(C.finish));
  });
  story("batch: a result per row, the holder is named", "officer1", "/cases?view=todo", async (page) => {
    await page.locator("tbody tr").first().waitFor();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press(" ");
    const held = page.locator("tbody tr", { hasText: "钱大为" });
    await held.locator(".el-checkbox").click();
    await page.getByText("已选 2 件").waitFor();
    await page.getByRole("button", { name: "领取", exact: true }).click();
    await page.getByText("钱大为 09:30 起在办，可请其放回").or(page.getByText("钱大为 09:30 起在办")).first().waitFor();
    await page.getByText("已领取").waitFor();
    await shot(page, "list-batch-1366");
  });
  story("the channel's breakdown turns the line red, with words", "officer1", "/desk", async (page, world) => {
    world.channel = { ok: false, text: "自 09:41 中断，线上新件会晚到" };
    await page.locator(".channel.bad").getByText("自 09:41 中断").waitFor({ timeout: 12000 });
    for (const no of [C.review, C.arriving, C.rename, C.finish, C.withdraw, C.originals]) {
      await page.keyboard.press("/");
      await page.keyboard.type(no);
      await page.keyboard.press("Enter");
      await page.waitForURL(new RegExp(no));
      await page.locator(".thumb").first().waitFor();
    }
    assert.equal(await page.locator(".tab a").count(), 5, "the five last cases stay open");
    const cut = await page.locator(".top .tabs").evaluate((e) => e.scrollWidth - e.clientWidth);
    assert.ok(cut <= 0, `five open cases fit beside the alarm: ${cut}px too wide`);
    await shot(page, "tabs-channel-1366");
    await page.goto(page.url().replace(/\/cases.*/, "/desk"));
    await page.locator(".channel.bad").waitFor();
    await shot(page, "desk-channel-1366");
    await axe(page, "desk with broken channel");
  });
});

describe("case", () => {
  story("form, register, image and decision in one view at 1366x625 (REV-06)", "officer1", `/cases/${C.review}`, async (page) => {
    await seen(page);
    const box = async (sel) => page.locator(sel).first().boundingBox();
    for (const sel of [".left", ".strip", ".stage", ".actions", ".line .value", ".differ"]) {
      const b = await box(sel);
      assert.ok(b && b.y >= 0 && b.y + Math.min(b.height, 20) <= 625 && b.x + Math.min(b.width, 20) <= 1366, `${sel} in view`);
    }
    assert.equal(Math.round((await box(".left")).width), 600);
    assert.equal(Math.round((await box(".strip")).width), 104);
    assert.ok((await box(".stage")).width >= 560);
    await noPageScroll(page, "case");
  });
  story("D goes from difference to difference; a note claims and stays; pages are seen, judged, zoomed, turned, compared", "officer1", `/cases/${C.review}`, async (page, world) => {
    await seen(page);
    await page.keyboard.press("d");
    const first = await page.evaluate(() => document.activeElement.id);
    await page.keyboard.press("d");
    const second = await page.evaluate(() => document.activeElement.id);
    assert.notEqual(first, second);
    assert.match(`${first} ${second}`, /row-mother_marital.*row-target_address/);
    await noteAllDifferences(page);
    assert.equal(world.cases[0].held_by_me, true);
    await page.keyboard.press("v");
    await page.keyboard.press("x"); /* at once: it is meant for the next page, however slow the answer to the first */
    await page.waitForFunction(() => document.querySelectorAll(".cap .ok").length === 1);
    await until(() => world.cases[0].materials[0].pages[0].verdict === "good", "the verdict is kept");
    await seen(page);
    await page.locator(".cap .no").waitFor();
    await until(() => world.cases[0].materials[0].pages[1].verdict === "blurred", "the verdict is kept");
    const width = () => page.locator(".stage img").last().evaluate((e) => e.getBoundingClientRect().width);
    const w0 = await width();
    await page.keyboard.press("+");
    await page.waitForTimeout(60);
    assert.ok((await width()) > w0);
    await page.keyboard.press("r");
    await page.keyboard.press("0");
    await page.waitForTimeout(60);
    await page.keyboard.press("c");
    await page.locator("figcaption").nth(1).waitFor();
    await page.waitForFunction(() => [...document.querySelectorAll(".stage img")].length === 2 && [...document.querySelectorAll(".stage img")].every((i) => i.complete && i.getBoundingClientRect().width > 100));
    await shot(page, "case-compare-1366");
    await axe(page, "case compare");
  });
  story("bare letters are silent while somebody types", "officer1", `/cases/${C.review}`, async (page, world) => {
    await seen(page);
    await page.keyboard.press("/");
    await page.keyboard.type("vxd0");
    assert.equal(world.cases[0].materials[0].pages[0].verdict, "none");
    assert.equal(await page.getByLabel("查办件：受理号、姓名或身份证号").inputValue(), "vxd0");
  });
  story("F2 before everything is seen asks once, names what is open, and the next case comes under the undo bar (REV-07)", "officer1", `/cases/${C.review}`, async (page, world) => {
    await seen(page);
    await page.waitForTimeout(150);
    await page.keyboard.press("F2");
    await page.getByText("还有 2 页没看，2 处不同没有说明。仍要审核通过？").waitFor();
    await shot(page, "case-ask-1366");
    await axe(page, "ask once");
    await page.keyboard.press("Escape");
    await page.locator(".el-dialog").waitFor({ state: "hidden" });
    assert.equal(world.cases[0].state, "awaiting_review");
    await seeAllPages(page);
    await noteAllDifferences(page);
    await page.getByText("材料都看过了").waitFor();
    await page.keyboard.press("F2");
    await page.getByText(/撤销 Z（[1-5] 秒）/).waitFor();
    assert.equal(world.cases[0].state, "awaiting_originals");
    assert.ok(!page.url().endsWith(C.review));
    await page.locator(".thumb").first().waitFor();
    await shot(page, "case-undo-1366");
    await noPageScroll(page, "undo bar");
    await page.keyboard.press("z");
    await page.waitForURL(new RegExp(C.review));
    await page.getByText("已撤销，回到原来的状态").waitFor();
    assert.equal(world.cases[0].state, "awaiting_review");
  });
  story("a decision waits for the images: the key says why", "officer1", `/cases/${C.arriving}`, async (page, world) => {
    await page.locator(".thumb").first().waitFor();
    await page.keyboard.press("F2");
    await page.locator(".state .error").getByText("材料还在传 2/3，传齐后才能决定").waitFor();
    await shot(page, "case-arriving-1366");
    world.cases[1].materials[1].pages[0].state = "here";
    world.changes.push({ seq: ++world.seq, no: C.arriving, kind: "changed" });
    await page.waitForFunction(() => document.querySelectorAll(".pic img").length === 3, null, { timeout: 12000 });
  });
  story("a page that cannot be decoded says so and has the send-back ready, ticked", "officer1", `/cases/${C.unreadable}`, async (page) => {
    await page.locator(".thumb").nth(2).click();
    await page.getByRole("alert").getByText("无法读取", { exact: true }).waitFor();
    await page.getByRole("button", { name: /退回补正/ }).first().click();
    await page.getByLabel(/给群众的话/).waitFor();
    assert.match(await page.getByLabel(/给群众的话/).inputValue(), /第 1 页.*看不清/);
  });
  story("somebody else's case: the error names the holder", "officer1", `/cases/${C.held}`, async (page) => {
    await seen(page);
    await page.keyboard.press("d");
    await page.keyboard.press("n");
    await page.locator(".note input").fill("看过");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("钱大为 09:30 起在办").waitFor();
  });
  story("tabs show checks, trail and related cases; the number is in fours (WFL-06)", "officer1", `/cases/${C.review}`, async (page) => {
    await page.getByText("3407 2611 0000 0018").waitFor();
    for (const [tab, text] of [["核验", "服务中断"], ["轨迹", "收到申请"], ["关联", "出生登记"]]) {
      await page.getByRole("tab", { name: new RegExp(tab) }).click();
      await page.locator("#pane").getByText(text).first().waitFor();
      await axe(page, `tab ${tab}`);
    }
    await page.getByRole("tab", { name: /核验/ }).click();
    await shot(page, "case-checks-1366");
  });
  story("the approver starts at the summary and approves with F2 (REV-03)", "sub1", `/cases/${C.sub}`, async (page, world) => {
    await page.getByRole("tab", { name: "审批摘要", selected: true }).waitFor();
    for (const text of ["程望舒", "第十八条", "建议同意", "没有看过"]) await page.locator(".summary").getByText(text).first().waitFor();
    await seeAllPages(page);
    await page.keyboard.press("F2");
    await page.getByText(/已同意.*撤销|已同意/).first().waitFor();
    assert.equal(world.cases[2].state, "awaiting_originals");
  });
  story("F1 lists the keys of this page", "officer1", `/cases/${C.review}`, async (page) => {
    await page.locator(".thumb").first().waitFor();
    await page.keyboard.press("F1");
    await page.getByText("下一处不同").waitFor();
    await shot(page, "keys-1366");
    await axe(page, "keys");
  });
});

describe("decision dialogs", () => {
  story("send back: what was marked is ticked, the sentence follows kind and page, the preview is the citizen's (WFL-05)", "officer1", `/cases/${C.review}`, async (page, world) => {
    await seen(page);
    await page.keyboard.press("PageDown");
    await seen(page);
    await page.keyboard.press("x");
    await page.locator(".cap .no").waitFor();
    await page.keyboard.press("F4");
    const text = page.getByLabel(/给群众的话/);
    await text.waitFor();
    assert.match(await text.inputValue(), /第 2 页编号看不清，请在亮处重拍整页/);
    await page.locator(".phone").getByText("第 2 页编号看不清").waitFor();
    await page.locator(".sms").getByText("尾号 0018").waitFor();
    await shot(page, "dialog-fix-1366");
    await axe(page, "send-back dialog");
    await text.fill("系统看不清第 2 页");
    await page.getByText("不能这样写").waitFor();
    await shot(page, "dialog-fix-words-1366");
    await text.fill("第 2 页的编号看不清，请重拍整页");
    await page.getByText("不能这样写").waitFor({ state: "detached" });
    await page.keyboard.press("Control+Enter");
    await page.getByText(/撤销 Z/).waitFor();
    assert.equal(world.cases[0].state, "supplement");
  });
  story("send back: two papers and an answer, all sentences shown to the citizen", "officer1", `/cases/${C.review}`, async (page) => {
    await seen(page);
    await page.keyboard.press("F4");
    for (const label of ["婴儿母亲《居民户口簿》", "婴儿《出生医学证明》", "落户地址"]) await page.locator(".pick", { hasText: label }).locator(".el-checkbox").click();
    await page.locator(".phone li").nth(2).waitFor();
    await shot(page, "dialog-fix-many-1366");
    await axe(page, "send-back dialog, three rows");
    const b = await page.locator(".el-dialog__footer").boundingBox();
    assert.ok(b.y + b.height <= 625, "the button stays in view");
  });
  story("refuse: rule, reason, remedy, typed confirmation; Esc keeps nothing, an empty try says what is missing", "officer1", `/cases/${C.review}`, async (page, world) => {
    await seen(page);
    await page.keyboard.press("F8");
    await page.getByRole("menuitem", { name: "不予办理" }).click();
    await page.getByText("请输入“不予办理”确认").waitFor();
    await page.keyboard.press("Control+Enter");
    await page.getByText(/请选一条依据/).waitFor();
    await page.locator(".el-radio").first().click();
    await page.locator(".phone").getByText("宝宝要落的户口不在本辖区。").waitFor();
    const typed = await page.getByLabel("请输入“不予办理”确认").boundingBox();
    assert.ok(typed.y + typed.height <= 575, "the typed confirmation is in view without scrolling");
    await shot(page, "dialog-refuse-1366");
    await axe(page, "refusal dialog");
    await page.getByLabel("请输入“不予办理”确认").fill("不予办理");
    await page.keyboard.press("Control+Enter");
    await page.getByText(/已决定不予办理/).waitFor();
    assert.equal(world.cases[0].state, "refused");
  });
  story("the first thing to fill in has the focus, Esc goes back from every field, also from a list that is shut", "officer1", `/cases/${C.review}`, async (page) => {
    await seen(page);
    await page.keyboard.press("F4");
    await page.waitForFunction(() => document.activeElement?.type === "checkbox" && document.activeElement.closest(".pick"));
    await page.getByRole("combobox", { name: "再选一项填写的内容" }).focus();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
  });
  story("send up needs an opinion; Enter goes on and never submits", "officer1", `/cases/${C.rename}`, async (page, world) => {
    await seen(page);
    await seeAllPages(page);
    await page.keyboard.press("F2");
    await page.getByText("上级分局").waitFor();
    await page.keyboard.press("Control+Enter");
    await page.getByText("请填写意见").waitFor();
    await page.getByRole("button", { name: "材料齐全，情况属实，建议同意，请审批。" }).click();
    await page.getByLabel("意见（内部，群众看不到）").press("Enter");
    assert.equal(world.cases[6].state, "awaiting_review");
    await shot(page, "dialog-up-1366");
    await axe(page, "send-up dialog");
    await page.keyboard.press("Control+Enter");
    await page.getByText(/已上报/).waitFor();
    assert.equal(world.cases[6].state, "awaiting_sub_bureau");
  });
  story("finish shows the register before and after, and obstacles stop it", "officer1", `/cases/${C.finish}`, async (page, world) => {
    await seen(page);
    await page.keyboard.press("F2");
    await page.locator(".changes").getByText("未婚").waitFor();
    await shot(page, "dialog-finish-1366");
    await axe(page, "finish dialog");
    await page.keyboard.press("Control+Enter");
    await page.waitForFunction((no) => !location.pathname.endsWith(no), C.finish);
    assert.equal(world.cases[3].state, "completed");
  });
  story("POP-24 POP-57 what the register needs is asked; what stood against finishing goes when it is answered", "officer1", `/cases/${C.finish}`, async (page, world) => {
    world.effect = EFFECT_DEATH;
    await seen(page);
    await page.keyboard.press("F2");
    await page.getByText("户内还有 2 名家庭成员").waitFor();
    await shot(page, "dialog-done-1366");
    await axe(page, "finish dialog with its own fields");
    await page.keyboard.press("Control+Enter");
    await page.locator(".foot").getByText(/请填写要更正的登记项目/).waitFor();
    await page.getByLabel("新户主的公民身份号码").fill("340799198808152029");
    await page.getByText("户内还有 2 名家庭成员").waitFor({ state: "detached" });
    await page.locator("#done_item").click();
    await page.getByRole("option", { name: "服务处所" }).click();
    await page.getByLabel("更正后的内容").fill("江州市第二中学");
    await page.getByText("已经核实，仍要办结").click();
    await shot(page, "dialog-done-filled-1366");
    await page.keyboard.press("Control+Enter");
    await page.waitForFunction((no) => !location.pathname.endsWith(no), C.finish);
    assert.equal(world.cases[3].state, "completed");
    assert.deepEqual(world.decision.completion, { done_new_head_id_no: "340799198808152029", done_item: "employer", done_value: "江州市第二中学" });
    assert.equal(world.decision.unseen_ok, true);
  });
  story("POP-61 a finished case is taken back with a reason and typed words", "officer1", `/cases/${C.finish}`, async (page, world) => {
    Object.assign(world.cases[3], { state: "completed", internal: "已办结", tone: "done", reversal: { offered: true, why_not: "", at: "" } });
    await page.reload();
    await page.getByRole("button", { name: /更多决定/ }).waitFor();
    await page.keyboard.press("F8");
    await page.getByRole("menuitem", { name: "撤销办结" }).click();
    await page.locator(".el-dialog.reverse textarea").fill("把同名的人改错了");
    await page.keyboard.press("Control+Enter");
    await page.locator(".foot").getByText("请输入“撤销办结”").waitFor();
    await shot(page, "dialog-reverse-1366");
    await axe(page, "reversal dialog");
    await page.locator(".el-dialog.reverse input").fill("撤销办结");
    await page.keyboard.press("Control+Enter");
    await page.getByText("已办结（已撤销）").waitFor();
  });
  story("originals are compared one by one (WFL-17)", "officer1", `/cases/${C.originals}`, async (page, world) => {
    await seen(page);
    await page.keyboard.press("F2");
    await page.getByText("逐份核对原件").waitFor();
    await page.keyboard.press("Control+Enter");
    await page.getByText(/每份都核对后才能确定/).waitFor();
    await shot(page, "dialog-originals-1366");
    await axe(page, "originals dialog");
    for (const b of await page.locator(".el-dialog .el-checkbox").all()) await b.click();
    await page.keyboard.press("Control+Enter");
    await page.getByText(/原件已核对一致/).waitFor();
    assert.equal(world.cases[5].state, "awaiting_completion");
  });
  story("withdrawal: agreed with what the citizen will read; the approver's refusal to return needs an opinion (WFL-18)", "officer1", `/cases/${C.withdraw}`, async (page, world) => {
    await seen(page);
    await page.keyboard.press("F2");
    await page.getByText("群众申请撤回这件申请").waitFor();
    await page.locator(".phone").getByText("已撤回", { exact: true }).waitFor();
    await shot(page, "dialog-withdraw-1366");
    await axe(page, "withdrawal dialog");
    await page.keyboard.press("Control+Enter");
    await page.getByText(/已同意撤回/).waitFor();
    assert.equal(world.cases[4].state, "refused");
  });
});

describe("when something goes wrong, nothing typed is lost and nothing false is said", () => {
  story("a lost answer keeps the dialog and says that nothing was decided; the next try works", "officer1", `/cases/${C.review}`, async (page, world) => {
    await seen(page);
    await page.keyboard.press("F4");
    await page.locator(".pick", { hasText: "婴儿《出生医学证明》" }).locator(".el-checkbox").click();
    await page.getByLabel(/给群众的话/).fill("第 1 页右上角的编号被挡住了，请重拍");
    await page.locator(".phone").getByText("右上角").waitFor();
    world.dropNext = /decide$/;
    await page.keyboard.press("Control+Enter");
    await page.getByText("连接中断，决定没有提交").waitFor();
    await shot(page, "dialog-lost-1366");
    assert.match(await page.getByLabel(/给群众的话/).inputValue(), /右上角/);
    await page.getByText("连接已恢复，决定没有提交").waitFor({ timeout: 8000 });
    world.dropNext = null;
    await page.keyboard.press("Control+Enter");
    await page.getByText(/撤销 Z/).waitFor();
    assert.equal(world.cases[0].state, "supplement");
  });
  story("the session runs out in the dialog: sign in on top, the text is still there", "officer1", `/cases/${C.review}`, async (page, world) => {
    await seen(page);
    await page.keyboard.press("F4");
    await page.locator(".pick", { hasText: "婴儿《出生医学证明》" }).locator(".el-checkbox").click();
    await page.getByLabel(/给群众的话/).fill("第 1 页缺了一角，请重拍");
    await page.waitForTimeout(600);
    world.user = null;
    await page.keyboard.press("Control+Enter");
    await page.getByText("登录已过期，请重新登录").waitFor();
    await shot(page, "session-lost-1366");
    await axe(page, "session lost");
    await page.getByLabel("密码", { exact: true }).fill("right");
    await page.keyboard.press("Enter");
    await page.getByText("登录已过期，请重新登录").waitFor({ state: "hidden" });
    assert.match(await page.getByLabel(/给群众的话/).inputValue(), /缺了一角/);
    await page.getByRole("button", { name: /^退回补正/ }).last().click();
    await page.getByText(/撤销 Z/).waitFor();
    assert.equal(world.cases[0].state, "supplement");
  });
  story("changed meanwhile: the text stays, the new version is shown, the second try goes through", "officer1", `/cases/${C.review}`, async (page, world) => {
    await seen(page);
    await page.keyboard.press("F4");
    await page.locator(".pick", { hasText: "婴儿《出生医学证明》" }).locator(".el-checkbox").click();
    await page.waitForTimeout(500);
    world.cases[0].version++;
    await page.keyboard.press("Control+Enter");
    await page.getByText(/刚被.*改动/).waitFor();
    await page.waitForTimeout(300);
    await page.keyboard.press("Control+Enter");
    await page.getByText(/撤销 Z/).waitFor();
  });
  story("a list that does not come says so and offers another try", "officer1", "/desk", async (page, world) => {
    world.dropNext = /^\/api\/cases$/;
    await page.locator(".side").getByRole("link", { name: /^待办/ }).click();
    await page.getByText("连接中断").first().waitFor();
    await page.getByRole("button", { name: "重试" }).waitFor();
    world.dropNext = null;
    await page.getByRole("button", { name: "重试" }).click();
    await page.locator("tbody tr").first().waitFor();
  });
});

describe("register query and administration", () => {
  story("nothing without a condition; number and Enter find; a value is shown on request and logged", "officer1", "/search/person", async (page, world) => {
    await page.getByRole("button", { name: /查询/ }).click();
    await page.getByText("请至少填一个条件").waitFor();
    await page.getByLabel("身份证号", { exact: true }).fill("340799 19880815 2029");
    await page.keyboard.press("Enter");
    await page.locator(".detail").getByText("340***********2029").first().waitFor();
    await page.getByRole("button", { name: "显示 公民身份号码" }).click();
    await page.getByText("340799198808152029").waitFor();
    assert.deepEqual(world.log.map((l) => l.field), ["id_no"]);
    await shot(page, "search-hit-1366");
    await axe(page, "register query");
    await noPageScroll(page, "register query");
    await page.keyboard.press("Escape");
    await page.locator(".detail").waitFor({ state: "detached" });
  });
  story("accounts: create shows the first password once, unlock, disable says what happens, reset", "admin1", "/admin/officers", async (page, world) => {
    await page.getByText("两侧版本一致 v12").waitFor();
    await page.getByRole("button", { name: "新建账号" }).click();
    await page.getByRole("textbox", { name: "账号", exact: true }).fill("officer9");
    await page.getByRole("textbox", { name: "姓名", exact: true }).fill("祝平");
    await page.getByRole("combobox", { name: "单位" }).click();
    await page.getByRole("option", { name: "测试分局滨湖派出所" }).click();
    await axe(page, "new account");
    await page.getByRole("button", { name: "建立" }).click();
    await page.getByText("Qx7-maple-Lake").waitFor();
    await shot(page, "officers-secret-1366");
    await page.getByRole("dialog").getByRole("button", { name: "关闭" }).last().click();
    await page.getByRole("dialog").waitFor({ state: "hidden" });
    await page.locator("tr", { hasText: "孙可" }).getByRole("button", { name: "解锁" }).click();
    await page.waitForFunction(() => !document.body.innerText.includes("已锁定"));
    await page.locator("tr", { hasText: "沈明远" }).getByRole("button", { name: "停用" }).click();
    await page.getByText("停用后 沈明远 立即退出").waitFor();
    await page.getByRole("dialog").getByRole("button", { name: "停用" }).click();
    await page.locator("tr", { hasText: "沈明远" }).getByText("已停用").waitFor();
    assert.equal(world.officers.length, 5);
  });
  story("ADM-01 IMP-02 the administrator's desk: what waits for him, each row to its place; no cases, nothing to claim", "admin1", "/desk", async (page) => {
    const tile = async (word) => page.locator(".tile", { hasText: word }).locator("b").innerText();
    await page.getByRole("heading", { name: "等着处理" }).waitFor();
    assert.deepEqual([await tile("待发布"), await tile("草稿"), await tile("互联网侧提出"), await tile("异常件")], ["1", "1", "1", "3"]);
    assert.equal(await page.getByText("领取下一件").count(), 0);
    await page.getByText("两侧版本一致 v12").waitFor();
    assert.match(await page.locator("tbody tr").first().innerText(), /配置版本 13 还没有到/, "an application that lies stands first");
    for (let i = 0; i < 2; i++) await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/admin\/releases$/);
    await page.getByRole("heading", { name: "改名（未满18岁）网上办理" }).waitFor();
  });
  story("exceptions: reason shown, a held record is processed again (IMP-02)", "admin1", "/admin/exceptions", async (page, world) => {
    await page.getByText("配置版本 13 还没有到").waitFor();
    await page.getByRole("button", { name: /重新处理/ }).click();
    await page.getByText("已重新处理").waitFor();
    await page.waitForFunction(() => document.querySelectorAll("tbody tr").length === 2);
    assert.equal(world.exceptions.length, 2);
  });
});
