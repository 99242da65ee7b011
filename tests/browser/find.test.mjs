// Finding a service and filling in lists of people, in a real browser against the stand-in service: every life event, every class, the search.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { levelsOf, within } from "../../internet-side/web-app/src/classes.ts";
import { offered } from "../../internet-side/web-app/src/guide.ts";
import { startMock } from "../../internet-side/web-app/mock/server.mjs";
import { SIZES, inspect, launch, openPage } from "./citizen-helpers.mjs";

const read = (path) => JSON.parse(readFileSync(new URL(`../../schemas/${path}`, import.meta.url), "utf8"));
const items = read("catalogue/items.json").items, guide = offered(read("guide/guide.json"), new Set(items.map((i) => i.code)));
const node = (id) => guide.nodes.find((n) => n.id === id);
const byCode = new Map(items.map((i) => [i.code, i]));

let browser;
before(async () => { browser = await launch(); });
after(async () => { await browser.close(); });

async function world(size = SIZES.phone) {
  const mock = await startMock();
  const view = await openPage(browser, size, mock.url);
  const done = async () => { await view.context.close(); mock.server.closeAllConnections(); mock.server.close(); assert.deepEqual(view.faults, []); };
  return { ...mock, ...view, done };
}

/** Every way through the guide: event, the answers, the item or the stop, and what the answers fill in. */
function ways() {
  const out = [];
  const walk = (event, id, labels, presets) => node(id).answers.forEach((a) => {
    const way = { event, labels: [...labels, a.label], presets: { ...presets, ...a.presets }, item: a.item, stop: a.stop };
    if (a.next) walk(event, a.next, way.labels, way.presets); else out.push(way);
  });
  for (const e of guide.events) walk(e, e.start, [], {});
  return out;
}

test("CIT-04 by data: at most four questions to each of the 113 services, each in one event; every stop has a way on; presets fit", () => {
  const all = ways(), events = new Map();
  for (const w of all) {
    assert.ok(w.labels.length <= 4, `${w.event.id}: ${w.labels}`);
    assert.ok(w.item ? byCode.has(w.item) : w.stop.text && w.stop.actions.length, `${w.labels}`);
    if (w.item) events.set(w.item, (events.get(w.item) || new Set()).add(w.event.id));
  }
  assert.deepEqual(items.map((i) => i.code).filter((c) => events.get(c)?.size !== 1), []);
  assert.ok(guide.none_of_these && guide.events.length === 13 && guide.events.filter((e) => e.home).length === 8);
  for (const n of guide.nodes) assert.equal(new Set(n.answers.map((a) => a.label)).size, n.answers.length, `${n.id}: each answer once`);
});

// With an extra service off nothing of it is seen; switched on, people are led to it like to any other.
for (const [size, dim] of Object.entries(SIZES))
  test(`CIT-18 CIT-19 in the browser at ${size}: HX023 off, then switched on: its life event, its question, its page, its form`, { timeout: 60000 }, async () => {
    const w = await world(dim), { page, knobs } = w;
    await page.goto("/choose");
    await page.getByRole("link", { name: /宝宝出生/ }).waitFor();
    assert.equal(await page.getByRole("link", { name: /迁往外省/ }).count(), 0);
    await page.goto("/choose/leave");
    await page.getByText("这里没有要选的了").waitFor();
    await page.goto("/choose/birth");
    await page.getByRole("button", { name: /香港或澳门/ }).click();
    await page.getByText("现在网上还不能办", { exact: false }).waitFor();
    knobs.on = ["HX023"];
    await page.goto("/");
    await page.getByText("全部 14 类 114 项").click();
    await page.getByRole("link", { name: /迁往外省/ }).waitFor();
    await inspect(page, `find-switched-on-events-${size}`);
    await page.getByRole("link", { name: /迁往外省/ }).click();
    await page.getByRole("heading", { name: "谁的户口要迁到外省？" }).waitFor();
    assert.equal(await page.locator("main .rows button.line").count(), 2, "what is off is no answer; 都不是 stands last");
    await inspect(page, `find-switched-on-${size}`);
    await page.getByRole("button", { name: /全家一起迁走/ }).click();
    await page.getByRole("heading", { name: "全家户口迁到外省", level: 1 }).waitFor();
    await page.getByText("《准予迁入证明》").first().waitFor();
    await inspect(page, `find-switched-on-item-${size}`);
    knobs.on = ["HX023", "HX024", "HX025", "HX005", "HX034", "HX035", "HX036"];
    await page.goto("/choose/leave");
    await page.getByRole("button", { name: /户主迁走/ }).waitFor();
    await inspect(page, `find-switched-on-all-${size}`);
    await page.goto("/choose/birth?a=2");
    await page.getByRole("button", { name: /双方都是华侨/ }).click();
    await page.getByText("这种情况现在网上还不能办", { exact: false }).waitFor();
    await w.done();
  });

// One way of each event is walked with the finger; the answers stand above as chips, the presets arrive, "none of these" never ends.
test("CIT-04 in the browser: a way of each of the 13 events, and 都不是 / 说不清 at its last question", { timeout: 120000 }, async () => {
  const w = await world(), { page } = w, all = ways();
  for (const [k, event] of guide.events.entries()) {
    const mine = all.filter((x) => x.event === event && x.item), way = mine[k % mine.length];
    await page.goto("/choose");
    await page.getByRole("link", { name: new RegExp(event.title) }).click();
    for (const [i, label] of way.labels.entries()) {
      const row = page.locator("main .rows button.line").filter({ has: page.getByText(label, { exact: true }) }).or(page.locator("main .rows button.line", { hasText: label })).first();
      await row.waitFor();
      if (i === way.labels.length - 1) {
        const question = await page.locator("h1").innerText();
        await page.getByRole("button", { name: guide.none_of_these }).click();
        await page.getByText("说不清也没关系", { exact: false }).waitFor();
        assert.ok(await page.getByRole("link", { name: /打电话/ }).count(), "a telephone");
        await page.getByRole("button", { name: "看窗口在哪" }).click();
        await page.getByRole("dialog").getByText("派出所", { exact: false }).first().waitFor();
        await page.getByRole("dialog").getByRole("button", { name: "关闭" }).click();
        await page.goBack();
        await page.getByRole("heading", { name: question }).waitFor();
        if (["birth", "rename", "restore"].includes(event.id)) await inspect(page, `find-choose-${event.id}`);
      }
      await page.locator("main .rows button.line").filter({ hasText: label }).filter({ has: page.locator(`.grow:text-matches("^${label.replace(/[（）()？?.]/g, ".")}")`) }).first().click();
    }
    await page.waitForURL(`**/items/${way.item}`);
    await page.getByRole("heading", { name: byCode.get(way.item).plain_name, level: 1 }).waitFor();
    assert.deepEqual(await page.evaluate((c) => JSON.parse(sessionStorage.getItem(`hz.presets.${c}`)), way.item), way.presets, way.item);
  }
  await w.done();
});

test("CIT-04 by class: the tree holds each service once; the list says whether it is open and where", { timeout: 60000 }, async () => {
  const seen = [];
  const walk = (at) => { const p = within(items, at); seen.push(...p.items.map((i) => i.code)); p.groups.forEach((g) => { assert.ok(g.count > 0 && g.levels.length > at.length); walk(g.levels); }); assert.equal(p.count, items.filter((i) => at.every((x, k) => levelsOf(i)[k] === x)).length); };
  walk([]);
  assert.deepEqual(seen.sort(), items.map((i) => i.code));
  const w = await world(), { page } = w;
  await page.goto("/all");
  await page.getByText("共 113 项").waitFor();
  await inspect(page, "find-all");
  await page.getByRole("link", { name: /户口迁移/ }).click();
  await page.getByText("共 37 项").waitFor();
  await page.getByRole("link", { name: /投靠/ }).first().click();
  await page.locator("h1", { hasText: "投靠" }).waitFor();
  await inspect(page, "find-all-deep");
  await page.getByRole("link", { name: "全部", exact: true }).click();
  await page.getByText("共 113 项").waitFor();
  await page.goto("/all?c=户口注销&c=注销登记");
  const open = page.locator("main .rows li", { hasText: "参军入伍注销户口" });
  assert.match(await open.innerText(), byCode.get("HJ084").online_open ? /网上办/ : /网上还没开通/);
  assert.match(await open.innerText(), /窗口办/);
  await page.goto("/all?c=没有的类");
  await page.getByText("这一类里没有事项").waitFor();
  await w.done();
});

for (const [size, dim] of Object.entries(SIZES))
  test(`CIT-04 search at ${size}: hits with what tells them apart, a way on when nothing is found, and what was missed told without a cookie`, { timeout: 60000 }, async () => {
    const w = await world(dim), { page, knobs } = w;
    const asked = [];
    page.on("request", (r) => { if (r.url().includes("/api/catalogue/search")) asked.push(r.url()); });
    await page.goto("/");
    await page.getByRole("link", { name: "宝宝出生" }).waitFor();
    assert.deepEqual(asked, [], "the home page does not load the words of the search");
    await page.getByLabel("说说要办什么").fill("户口薄丢了咋办");
    await page.keyboard.press("Enter");
    await page.locator("main .rows a").first().waitFor();
    assert.match((await page.locator("main .rows a").allInnerTexts()).slice(0, 2).join(), /户口簿丢了补办/);
    assert.equal(asked.length, 1);
    await inspect(page, `find-search-${size}`);
    await page.locator("main .rows a").first().click();
    await page.waitForURL(/\/items\//);
    assert.deepEqual(knobs.searches, [], "who chose has found it");
    await page.goBack();
    await page.getByLabel("说说要办什么").fill("披萨外卖13800001234");
    await page.getByText("没有找到“披萨外卖13800001234”", { exact: false }).waitFor();
    await inspect(page, `find-search-empty-${size}`);
    await page.getByRole("link", { name: "看全部事项" }).click();
    await page.getByText("共 113 项").waitFor();
    await page.waitForTimeout(300);
    assert.deepEqual(knobs.searches, [{ query: "披萨外卖", cookie: undefined }]);
    await page.goto("/search");
    await page.getByRole("button", { name: "户口本丢了" }).click();
    await page.locator("main .rows a").first().waitFor();
    await w.done();
  });

// ---- lists of people ----

/* 换户主 with a list that is always asked, without the question before it: that one has a test of its own. */
function open(data, more = (d) => d) {
  if (data.item.code === "HJ042") Object.assign(data.item, { online_open: true, closed_note: null });
  const list = data.family.repeats?.find((r) => r.id === "members");
  if (list) Object.assign(list, { visible_when: [], required_when: [] });    // the question before the list has a test of its own
  return more(data);
}
const checked = (first17) => first17 + "10X98765432"[[...first17].reduce((n, d, i) => n + +d * [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2][i], 0) % 11];
const A = checked("34079919700101001"), B = checked("34079919990202002");

async function atList(w) {
  await w.page.goto("/items/HJ042");
  await w.page.getByRole("button", { name: "开始办理" }).click();
  await w.page.waitForURL(/\/apply\/[0-9a-f]{32}$/);
  const id = w.page.url().split("/").pop();
  await w.page.goto(`/apply/${id}/form/members.members`);
  await w.page.getByRole("button", { name: "加一个人" }).waitFor();
  return id;
}
async function person(page, i, name, id, relation) {
  await page.locator(`#f-members\\.${i}\\.name`).fill(name);
  await page.locator(`#f-members\\.${i}\\.id_no`).fill(id);
  if (!relation) return;
  await page.locator(`#f-members\\.${i}\\.relation_after`).click();
  await page.getByRole("dialog").getByRole("searchbox").fill(relation);
  await page.getByRole("dialog").getByRole("button", { name: new RegExp(`^${relation}`) }).first().click();
}

for (const [size, dim] of Object.entries(SIZES))
  test(`CIT-06 CIT-07 a list of people at ${size}: empty, one wrong, two, changed, taken away, kept, on the check page`, { timeout: 120000 }, async () => {
    const w = await world(dim), { page, knobs } = w;
    knobs.edit = (d) => open(d);
    const id = await atList(w);
    const shot = (name) => inspect(page, `people-${name}-${size}`);
    await page.getByText("没有就直接下一步，最多填 20 个人").waitFor();
    await shot("empty");
    await page.getByRole("button", { name: "加一个人" }).click();
    await page.getByRole("heading", { name: "第 1 个人" }).waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.textContent), "第 1 个人", "the reader hears where he is");
    await person(page, 0, "张 三", A.slice(0, 17) + (A[17] === "1" ? "2" : "1"));
    await page.getByRole("button", { name: "填好了，加上这个人" }).click();
    await page.getByRole("alert").filter({ hasText: "2 处要改" }).waitFor();
    assert.match(await page.locator("#f-members\\.0\\.id_no-bad").innerText(), /最后一位/);
    await shot("errors");
    await page.getByRole("alert").getByRole("button").first().click();
    assert.match(await page.evaluate(() => document.activeElement.id), /^f-members\.0\./, "the summary leads to the field");
    await person(page, 0, "张三", A, "配偶");
    await page.getByRole("button", { name: "填好了，加上这个人" }).click();
    await page.getByRole("button", { name: "再加一个人" }).click();
    await person(page, 1, "李四", B, "女");
    await page.keyboard.press("Tab");
    await page.waitForTimeout(2500);                       // what is typed is kept every two seconds
    await page.reload();
    await page.getByRole("button", { name: "再加一个人" }).waitFor();
    assert.deepEqual(await page.locator(".person strong").allInnerTexts(), ["张三", "李四"], "kept as typed");
    await shot("two");
    await page.getByRole("button", { name: /^修改\s*张三$/ }).click();
    await page.locator("#f-members\\.0\\.name").fill("张三丰");
    await page.getByRole("button", { name: "不改了" }).click();
    assert.deepEqual(await page.locator(".person strong").allInnerTexts(), ["张三", "李四"]);
    await page.getByRole("button", { name: "再加一个人" }).click();
    await page.getByRole("button", { name: "不加这个人了" }).click();
    assert.equal(await page.locator(".person").count(), 2);
    await page.goto(`/apply/${id}/check`);
    const card = page.locator("section.card", { has: page.getByRole("heading", { name: "户口簿上的其他人" }) }).last();
    assert.match(await card.innerText(), new RegExp(`第 1 个人\\s+张三，${A}，配偶[\\s\\S]*第 2 个人\\s+李四，${B}，女`));
    await card.getByRole("link", { name: /修改/ }).click();
    await page.getByRole("button", { name: /^删除\s*李四$/ }).click();
    await page.getByText("从名单里删掉李四？").waitFor();
    await shot("delete");
    await page.getByRole("button", { name: "删掉" }).click();
    assert.deepEqual(await page.locator(".person strong").allInnerTexts(), ["张三"]);
    await page.getByRole("button", { name: "改好了，返回检查" }).click();
    await page.getByRole("heading", { name: "检查并提交" }).waitFor();
    await w.done();
  });

test("CIT-07 a list that must hold somebody, one that is full, one behind a question; a wrong person found on the check page", { timeout: 60000 }, async () => {
  const w = await world(), { page, knobs } = w;
  const list = (d) => d.family.repeats?.find((r) => r.id === "members");
  knobs.edit = (d) => open(d, (x) => { if (x.family.id === "head_change") Object.assign(list(x), { min: 1, max: 2 }); return x; });
  const id = await atList(w);
  await page.getByText("至少填 1 个人，最多 2 个人").waitFor();
  await page.getByRole("button", { name: "下一步" }).click();
  await page.getByRole("alert").filter({ hasText: "1 处要改" }).waitFor();
  await inspect(page, "people-must-phone");
  for (const [i, n, no, rel] of [[0, "张三", A, "配偶"], [1, "李四", B, "女"]]) {
    await page.getByRole("button", { name: /加一个人/ }).click();
    await person(page, i, n, no, rel);
    await page.getByRole("button", { name: "填好了，加上这个人" }).click();
  }
  await page.getByText("已经填满 2 个人").waitFor();
  /* With the keyboard alone: to the second person's name and back. */
  await page.getByRole("button", { name: /^修改\s*李四$/ }).focus();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Control+A");
  await page.keyboard.type("李4");
  await page.waitForTimeout(2500);
  await page.goto(`/apply/${id}/check`);
  await page.getByRole("button", { name: "提交申请" }).click();
  await page.getByRole("alert").getByRole("button", { name: /姓名/ }).last().click();
  await page.waitForURL(/members\.members\?from=check&at=members\.1\.name/);
  await page.locator("#f-members\\.1\\.name-bad").waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), "f-members.1.name");
  await page.evaluate(() => localStorage.setItem("hz.elder", "1"));
  knobs.edit = (d) => open(d, (x) => { if (x.family.id === "head_change") list(x).visible_when = [{ field: "members_agree", in: [true] }]; return x; });
  await page.goto(`/apply/${id}/form/members.members`);
  await page.getByText("这一步不用填").waitFor();
  await w.done();
});

test("elder view: the home page, the search and a list of people", { timeout: 60000 }, async () => {
  const w = await world(), { page, knobs } = w;
  knobs.edit = (d) => open(d);
  await page.goto("/");
  await page.getByRole("button", { name: "长辈版" }).click();
  await page.getByRole("link", { name: "宝宝出生" }).waitFor();
  await inspect(page, "find-home-elder");
  await page.goto("/search?q=老人过世");
  await page.locator("main .rows a").first().waitFor();
  await inspect(page, "find-search-elder");
  await page.goto("/choose/paper");
  await page.locator("main .rows button").first().waitFor();
  await inspect(page, "find-choose-elder");
  await atList(w);
  await page.getByRole("button", { name: "加一个人" }).click();
  await person(page, 0, "张三", A, "配偶");
  await inspect(page, "people-person-elder");
  await page.getByRole("button", { name: "填好了，加上这个人" }).click();
  await page.getByRole("button", { name: "再加一个人" }).waitFor();
  await inspect(page, "people-one-elder");
  await w.done();
});

test("a supplement asks for a list anew, as a whole", { timeout: 60000 }, async () => {
  const w = await world(), { page, knobs } = w;
  knobs.edit = (d) => open(d);
  knobs.me.signedIn = true;
  const c = knobs.addCase("HJ042");
  knobs.setState(c.no, "supplement");
  Object.assign(c, { deadline: "2026-12-01", supplement: { round: 1, sentence: "户内成员没有写全", deadline: "2026-12-01", slots: [], fields: [{ field: "members", label: "户内成员", reason: "少了孩子" }] } });
  await page.goto(`/cases/${c.no}/fix`);
  await page.getByText("请把所有人重新填一遍").waitFor();
  await page.getByRole("button", { name: "提交补充材料" }).click();
  await page.getByRole("alert").first().waitFor();
  await page.getByRole("button", { name: "加一个人" }).click();
  await person(page, 0, "张三", A, "配偶");
  await inspect(page, "people-fix-phone");
  const sent = page.waitForRequest((r) => r.url().endsWith("/supplement"));
  await page.getByRole("button", { name: "提交补充材料" }).click();
  const { entries } = (await sent).postDataJSON();
  assert.deepEqual(Object.keys(entries), ["members"]);
  assert.equal(entries.members.length, 1);
  assert.deepEqual([entries.members[0].name, entries.members[0].id_no], ["张三", A]);
  await w.done();
});
