// The citizens' pages against a stand-in service: every page at a phone's and a desk's size, and the one way from the tile to the receipt.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { startMock } from "../../internet-side/web-app/mock/server.mjs";
import { SIZES, inspect, launch, openPage, photograph } from "./citizen-helpers.mjs";

let browser;
before(async () => { browser = await launch(); });
after(async () => { await browser.close(); });

const ID = "340799199001010020", WOMAN = checked("34079919900101002");
function checked(first17) {
  const sum = [...first17].reduce((n, d, i) => n + +d * [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2][i], 0);
  return first17 + "10X98765432"[sum % 11];
}

async function world(size) {
  const mock = await startMock();
  const view = await openPage(browser, SIZES[size], mock.url);
  const done = async () => { await view.context.close(); mock.server.closeAllConnections(); mock.server.close(); assert.deepEqual(view.faults, []); };
  return { ...mock, ...view, done };
}
const press = (page, name, role = "button") => page.getByRole(role, { name, exact: true }).click();

async function signIn(page) {
  await page.getByLabel("手机号", { exact: true }).fill("13800001234");
  await press(page, "获取验证码");
  await page.getByText("重新发送 5", { exact: false }).waitFor();
  await page.getByLabel("短信验证码").fill("246810");
  await press(page, "登录");
}
/* Each section by its labels; a section the form does not show is not filled. */
async function fill(page, answers) {
  for (const [label, v] of Object.entries(answers)) {
    const group = page.locator("main form").getByRole("group", { name: label });
    if (await group.count()) await group.getByRole("radio", { name: v, exact: true }).check();
    else if (v.startsWith("@")) {
      await page.locator("main form").getByRole("button", { name: new RegExp(label) }).first().click();
      await page.getByRole("dialog").getByRole("searchbox").fill(v.slice(1));
      await page.getByRole("dialog").getByRole("button", { name: new RegExp(v.slice(1)) }).first().click();
    } else await page.locator("main form").getByLabel(label).first().fill(v);
  }
}
const BIRTH = [
  { 您的姓名: "测试甲", 您的身份证号: WOMAN, 您的手机号: "13800001234", 您是宝宝的什么人: "@母亲" },
  { 宝宝的姓名: "测试乙", 宝宝是男孩还是女孩: "女性", 宝宝的民族: "@汉族", 宝宝的出生日期: "20261102" },
  { "《出生医学证明》编号": "T340123456", "在哪个市、县（区）出生": "@江州区", 宝宝的籍贯: "@江州区" },
];
/* On to the next section; a refusal fails the test with its own sentences. */
async function advance(page) {
  const before = page.url();
  await press(page, "下一步");
  const refused = page.locator(".summary").waitFor().then(() => page.locator(".summary").innerText(), () => "");
  const gone = page.waitForURL((u) => u.href !== before).then(() => "", () => "still here");
  assert.equal(await Promise.race([refused, gone]), "", await title(page));
}
const title = (page) => page.locator("h1").innerText();

for (const size of ["phone", "desk"]) {
  test(`from the tile to the receipt, HJ001 at ${size} (CIT-04, CIT-05, CIT-06, CIT-08, CIT-09)`, { timeout: 120000 }, async () => {
    const w = await world(size);
    const { page } = w;
    const shot = (name) => inspect(page, `${size}-${name}`);
    await page.goto("/");
    await page.getByRole("link", { name: "宝宝出生" }).waitFor();
    await shot("01-home");
    await press(page, "宝宝出生", "link");
    await page.getByRole("button", { name: "中国大陆" }).click();
    await page.getByRole("heading", { name: "有《出生医学证明》吗？" }).waitFor();
    await shot("02-choose");
    await page.getByRole("button", { name: /^有/ }).click();
    await page.getByRole("button", { name: /妈妈/ }).first().click();
    await page.getByRole("button", { name: /都是家庭户|家庭/ }).first().click();
    await page.getByRole("button", { name: "开始办理" }).waitFor();
    await shot("03-item");
    await press(page, "开始办理");
    await page.getByRole("heading", { name: "核验身份" }).waitFor();
    await shot("04-tasks");
    await press(page, "开始填写");
    await page.getByLabel("您的姓名").waitFor();
    await press(page, "下一步");
    assert.match(await page.getByRole("alert").first().innerText(), /请填写“您的姓名”/);
    await page.getByLabel("您的身份证号").fill(ID);
    await page.getByLabel("您的姓名").focus();
    await page.locator("#f-applicant_id_no-bad", { hasText: "最后一位不对" }).waitFor();
    await shot("05-form-errors");
    for (const [i, answers] of BIRTH.entries()) {
      await fill(page, answers);
      if (i === 1) { await page.getByText(/已保存 \d\d:\d\d/).waitFor(); await shot("06-form-child"); }
      await advance(page);
    }
    await finishForm(page);
    await page.getByRole("heading", { name: "核验身份" }).waitFor();
    await shot("07-tasks-filled");
    await press(page, "上传材料");
    await addPapers(w, shot);
    await press(page, "检查并提交");
    await page.getByRole("heading", { name: "提交后会怎样" }).waitFor();
    await shot("10-check");
    await submitAndFollow(w, shot);
    await w.done();
  });
}

/* The remaining sections: whatever is still asked, by kind. */
async function finishForm(page) {
  for (let i = 0; i < 8 && /\/form\//.test(page.url()); i++) {
    await page.locator("form .field").first().waitFor();
    const t = await title(page);
    if (t === "妈妈") {
      assert.equal(await page.getByText("妈妈用的是哪种证件").count(), 0, "the applying mother was verified by her identity card");
      await fill(page, { 妈妈的民族: "@汉族" });
    }
    if (t === "父母的婚姻") await fill(page, { 孩子出生时父母是不是夫妻: "否" });
    if (t === "户口落在哪里") await fill(page, { 落在哪种户口上: "家庭户口", 宝宝落户的地址: "@江州区", 宝宝是户主的什么人: "@外孙女" });
    if (t === "户口落在哪里") {
      await page.locator("#f-target_address").fill("长江路12号502室");
      await page.locator("#f-target_address").blur();
      assert.match(await page.getByRole("button", { name: /由哪个派出所受理/ }).innerText(), /派出所/, "the station is proposed from the address");
      await inspect(page, `${page.viewportSize().width < 500 ? "phone" : "desk"}-06-form-address`);
    }
    await advance(page);
  }
}

async function addPapers(w, shot) {
  const { page, knobs } = w;
  const input = page.locator("input[type=file]").last();
  await input.waitFor({ state: "attached" });
  await input.setInputFiles(await photograph(page));
  /* The first upload asks to sign in, on top of the page; then it goes on by itself. */
  await page.getByLabel("短信验证码").waitFor();
  await signIn(page);
  await page.getByText("已传", { exact: true }).first().waitFor();
  knobs.failParts = 1;
  await input.setInputFiles(await photograph(page, { lines: 20 }));
  await page.getByText("没传上", { exact: true }).waitFor();
  await shot("08-material-failed");
  await page.getByRole("button", { name: /^重试/ }).click();
  await page.getByText("没传上", { exact: true }).waitFor({ state: "detached" });
  await page.getByRole("button", { name: "第 2 页往前移" }).click();
  await page.getByRole("button", { name: "删除第 2 页" }).click();
  await press(page, "下一份");
  await page.getByText("材料 2/").waitFor();
  await page.locator("input[type=file]").last().setInputFiles(await photograph(page, { blur: 14 }));
  await page.getByText("有点模糊").waitFor();
  await shot("09-material-doubt");
  await press(page, "就用这张");
  await page.getByText("已传", { exact: true }).first().waitFor();
  const sizes = await page.evaluate(() => new Promise((done) => { const rq = indexedDB.open("huzheng"); rq.onsuccess = () => { const all = rq.result.transaction("pages").objectStore("pages").getAll(); all.onsuccess = () => done(all.result.map((b) => b.size)); }; }));
  assert.equal(sizes.length, 2);
  assert.ok(sizes.every((n) => n <= 200 * 1024), `pages of ${sizes} bytes`);
  await press(page, "材料好了");
}

async function submitAndFollow(w, shot) {
  const { page, knobs } = w;
  await press(page, "提交申请");
  assert.match(await page.getByRole("alert").first().innerText(), /勾选/);
  await page.getByRole("checkbox").check();
  await press(page, "提交申请");
  await page.getByRole("button", { name: "模拟不通过" }).click();
  await page.getByText("还可以试 2 次").waitFor();
  await shot("11-face");
  knobs.loseSubmits = 1;
  await press(page, "模拟通过");
  await page.getByText("正在确认是否已提交…").first().waitFor();
  await page.getByRole("heading", { name: "已提交" }).waitFor();
  assert.equal(knobs.me.cases.size, 1, "one application though the answer was lost");
  await page.getByText(/已送达.*\d\d:\d\d:\d\d/).waitFor();
  await shot("12-receipt");
  const [copy] = await Promise.all([page.waitForEvent("download"), press(page, "保存一份申请内容")]);
  const { readFileSync } = await import("node:fs");
  assert.match(readFileSync(await copy.path(), "utf8"), /测试乙/);
  await page.getByLabel("起个备注名").fill("老二");
  await press(page, "保存");
  await press(page, "查看进度");
  await page.getByRole("heading", { name: /老二/ }).waitFor();
  await shot("13-case");
  const left = await page.evaluate(() => new Promise((done) => { const rq = indexedDB.open("huzheng"); rq.onsuccess = () => { const all = rq.result.transaction("drafts").objectStore("drafts").getAll(); all.onsuccess = () => done(all.result.length); }; }));
  assert.equal(left, 0, "the draft goes once the case is confirmed");
}

test("the first visit loads at most 150 KB gzip", async () => {
  const w = await world("phone");
  const loaded = [];
  w.page.on("response", (r) => { if (/\.(js|css)$/.test(new URL(r.url()).pathname)) loaded.push(r.body()); });
  await w.page.goto("/");
  await w.page.getByRole("link", { name: "宝宝出生" }).waitFor();
  const bytes = (await Promise.all(loaded)).reduce((n, b) => n + gzipSync(b).length, 0);
  assert.ok(bytes > 20000 && bytes <= 150 * 1024, `${bytes} bytes`);
  await w.done();
});

for (const size of ["phone", "desk"]) {
  test(`pages outside an application at ${size} (CIT-07, CIT-11, CIT-12)`, { timeout: 120000 }, async () => {
    const w = await world(size);
    const { page, knobs } = w;
    const shot = (name) => inspect(page, `${size}-${name}`);
    await page.goto("/search?q=丢了户口本");
    await page.getByRole("link", { name: /网上办|要到窗口/ }).first().waitFor();
    assert.match(await page.locator("main .rows a").first().innerText(), /户口簿丢了/, "everyday words find the service, in any order");
    await shot("20-search");
    await page.getByLabel("说说要办什么").fill("噢噢噢噢");
    await page.getByText("没有找到“噢噢噢噢”").waitFor();
    await page.goto("/choose");
    await page.getByRole("link", { name: /出国回国/ }).waitFor();
    await shot("21-events");
    await page.goto("/choose/birth?a=n");
    await page.getByRole("link", { name: /打电话/ }).waitFor();
    await shot("22-none");
    await page.goto("/nowhere");
    await shot("23-missing");
    await page.goto("/cases");
    await page.getByText("登录后看办理进度").waitFor();
    await page.goto("/login?to=/cases");
    await page.getByRole("button", { name: "登录" }).click();
    await page.getByText("请填写 11 位手机号").waitFor();
    await shot("24-login");
    await signIn(page);
    await page.getByText("还没有办理记录").waitFor();
    await shot("25-cases-empty");
    await casesOf(w, shot);
    await page.goto("/me");
    await page.getByRole("switch").check();
    await page.getByRole("link", { name: "首页" }).waitFor();
    await shot("40-me-elder");
    await page.goto("/");
    await page.getByRole("heading", { name: "需要您处理" }).waitFor();
    await shot("41-home-elder");
    for (const path of ["/", "/me", "/cases", "/items/HJ083", `/cases/${[...knobs.me.cases.keys()][0]}`]) {
      await page.setViewportSize({ width: 320, height: 568 });
      await page.goto(path);
      await page.waitForLoadState("networkidle");
      await inspect(page, `320-elder${path.replace(/\W\d*/g, "-")}`);
    }
    await w.done();
  });
}

/* A case in each state that the service can show: the tag, the sentence and the buttons are those of the data. */
async function casesOf({ page, knobs }, shot) {
  const c = knobs.addCase("HJ083");
  for (const [key, variant] of [["crossing"], ["held"], ["reviewing"], ["sub_bureau"], ["refused"], ["withdrawn"], ["completed", "nothing"], ["supplement"]]) {
    knobs.setState(c.no, key, {}, variant);
    if (key === "supplement") Object.assign(c, { deadline: "2026-12-01", supplement: { round: 1, sentence: "死亡证明第 2 页看不清编号", deadline: "2026-12-01", slots: [{ material: 1, name: "户口簿", reason: "第 1 页看不清，请在亮处重拍整页" }], fields: [{ field: "applicant_phone", label: "您的手机号", reason: "请留能打通的号码" }] } });
    await page.goto(`/cases/${c.no}`);
    await page.getByRole("heading", { name: c.state.tag }).waitFor();
    assert.match(await page.locator("main").innerText(), new RegExp(c.state.sentence.slice(0, 12)));
    for (const b of c.state.buttons) await page.getByRole("button", { name: b.label, exact: true }).first().waitFor();
    await shot(`30-case-${key}`);
  }
  await page.getByRole("button", { name: "撤回", exact: true }).click();
  await page.getByText("撤回后这次申请就结束了").waitFor();
  await shot("31-withdraw");
  await press(page, "不撤回");
  await page.goto("/cases?tab=mine");
  await page.getByRole("heading", { name: /./ }).nth(1).waitFor();
  await shot("32-cases");
  await page.goto(`/cases/${c.no}/fix`);
  await page.getByText("没提到的不用重交").waitFor();
  await press(page, "提交补充材料");
  await page.getByText("还没有拍《户口簿》").waitFor();
  await shot("33-fix");
  await page.getByLabel("您的手机号").fill("13900001234");
  await page.locator("input[type=file]").last().setInputFiles(await photograph(page));
  await page.getByText("已传", { exact: true }).waitFor();
  await press(page, "提交补充材料");
  await page.getByRole("heading", { name: "审核中" }).waitFor();
  const locked = knobs.addCase("HJ025");
  locked.locked = true;
  await page.goto(`/cases/${locked.no}`);
  await page.getByLabel("申请人身份证号后四位").fill("001x");
  await shot("34-locked");
  await page.getByRole("button", { name: "查看进度" }).click();
  await page.getByRole("heading", { name: "已提交" }).waitFor();
  knobs.setState(locked.no, "supplement");
}

/* What was typed stands in the paper; it is not taken unsigned or with blanks; signed it is a page of the material like a photograph. */
for (const size of ["phone", "desk"]) {
  test(`an application letter is written from its template and signed on the screen, at ${size} (MAT-18)`, { timeout: 60000 }, async () => {
    const w = await world(size);
    const { page } = w;
    await page.goto("/items/HJ025");
    await press(page, "开始办理");
    await page.getByRole("heading", { name: "核验身份" }).waitFor();
    const apply = new URL(page.url()).pathname;
    await page.goto(`${apply}/material/1`);
    await page.getByRole("link", { name: /用范本写/ }).click();
    await page.getByRole("heading", { name: "姓名变更申请书", level: 1 }).waitFor();
    await press(page, "签好了，放进材料");
    assert.match(await page.getByRole("alert").innerText(), /还没有签名/);
    await sign(page);
    await press(page, "签好了，放进材料");
    assert.match(await page.getByRole("alert").innerText(), /还有空着的地方/, "blanks are not signed for");
    await inspect(page, `${size}-21-template-blank`);
    await page.goto(apply);
    await press(page, "开始填写");
    await fill(page, { 您的姓名: "测试甲", 您的身份证号: WOMAN, 您的手机号: "13800001234" });
    await advance(page);
    await fill(page, { 户口在哪个: "@江州区" });
    await page.locator("#f-subject_address-region").click();
    await page.getByRole("dialog").getByRole("searchbox").fill("江州区");
    await page.getByRole("dialog").getByRole("button", { name: /江州区/ }).first().click();
    await page.locator("#f-subject_address").fill("长江路12号502室");
    await page.locator("#f-subject_address").blur();
    await advance(page);
    await fill(page, { 要改成的姓名: "测试丙", 为什么要改: "与家族字辈一致" });
    await page.getByText(/已保存 \d\d:\d\d/).waitFor();
    await page.waitForTimeout(2200);
    await page.goto(`${apply}/material/1/write`);
    const text = await page.getByRole("article").innerText();
    assert.match(text, /本人测试甲，公民身份号码\d{17}[\dX]，户籍地址.*长江路12号502室/);
    assert.match(text, /由“测试甲”变更为“测试丙”/);
    assert.doesNotMatch(text, /[{}]|＿/);
    await sign(page);
    await inspect(page, `${size}-22-template-signed`);
    await press(page, "签好了，放进材料");
    await page.getByText("第 1 页", { exact: true }).waitFor();
    await inspect(page, `${size}-23-template-page`);
    await w.done();
  });
}
async function sign(page) {
  await page.locator(".sign canvas").first().evaluate((e) => e.scrollIntoView({ block: "center" }));
  const box = await page.locator(".sign canvas").first().boundingBox();
  await page.mouse.move(box.x + 30, box.y + box.height / 2);
  await page.mouse.down();
  for (let i = 1; i < 12; i++) await page.mouse.move(box.x + 30 + i * 14, box.y + box.height / 2 + (i % 2 ? 20 : -20));
  await page.mouse.up();
}
