// Every state of a case on a phone: tag, sentence and buttons, in the list and on the case's page, held against the table written in
// tests/fixtures/public-states-table.json. The internet side is the real one; a stand-in for the intranet speaks through the real ferry.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import test, { after, afterEach, before } from 'node:test';
import { addPages, fillForm, launch, open, shots, signIn, submit } from '../support/browser.mjs';
import { cast } from '../support/cast.mjs';
import { Checked, small, talkTo } from '../support/citizens.mjs';
import { root, until } from '../support/demo.mjs';
import { Internet } from '../support/internet.mjs';

process.removeAllListeners('warning');                     // node:sqlite calls itself experimental
const { DatabaseSync } = await import('node:sqlite');

const read = (file) => JSON.parse(readFileSync(path.join(root, file), 'utf8'));
const table = read('tests/fixtures/public-states-table.json');
const states = read('schemas/messages/public-states.json').states;
const phoneNo = '13905620401';
const photo = path.join(root, 'tests/fixtures/photo-2.jpg');
const later = new Date(Date.now() + 8 * 3600e3 + 10 * 86400e3).toISOString().slice(0, 10);
const spoken = (day) => `${Number(day.slice(5, 7))}月${Number(day.slice(8))}日`;
const fours = (no) => no.replace(/(.{4})(?=.)/g, '$1 ');
const rgb = (hex) => `rgb(${[1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16)).join(', ')})`;
const problems = [], driven = new Set();
let w, browser, page, me, no, rec, unit;

before(async () => {
  w = await Internet.start({ config: { static_dir: path.join(root, 'build/web/citizen') } });
  talkTo(w);
  browser = await launch();
  page = await open(browser, w.addresses.internet, 375, 603, problems);
  await signIn(page, w, phoneNo);
  me = new Checked(w, phoneNo);                              // the same person on the same device, without the clicks
  for (const c of await page.context().cookies()) me.jar.set(c.name, c.value);
  await me.session();
});
after(async () => { await browser?.close(); await w?.stop(); });
afterEach(async () => { await w?.disconnect(); });

const rowOf = (name) => { const r = table.rows.find((x) => x.name === name); assert.ok(r, `the table has a row ${name}`); return r; };
const sentenceOf = (row) => (row.instead ?? row.sentence).replace('{unit}', unit).replace('{later}', spoken(later));
const whole = (s) => s.replace(/\s+/g, ' ').replaceAll('。 ', '。').trim();      // a refusal's parts stand on lines of their own

async function tagIs(where, row, place) {
  const tag = where.locator('.tag');
  assert.equal(whole(await tag.innerText()), `${row.icon} ${row.tag}`, `${place}: tag`);
  const [text, ground] = await tag.evaluate((e) => [getComputedStyle(e).color, getComputedStyle(e).backgroundColor]);
  assert.deepEqual([text, ground], [rgb(table.tones[row.icon].text), rgb(table.tones[row.icon].ground)], `${place}: colours of ${row.icon}`);
}

/** The words of what can be pressed about a case, without those that every page has (back, refresh, copy, call). */
const words = async (where) => (await where.locator('button:visible, a.link:visible:not([href^="tel:"])').evaluateAll((all) =>
  all.map((e) => { const c = e.cloneNode(true); c.querySelectorAll('.sr').forEach((x) => x.remove()); return c.textContent.trim(); }))).filter(Boolean);

const fitting = async (place) => {
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.equal(wide, 0, `${place}: sideways scroll`);
  assert.doesNotMatch(await page.locator('main').innerText(), /undefined|null|NaN|[{}]|。。/, `${place}: machine words`);
};

/** The page of the case, then its card in the list, each against the row of the table. */
async function reads(name, which = no) {
  const row = rowOf(name);
  await page.goto(`/cases/${which}`);
  await page.locator('#now').waitFor();
  const place = `${name} on its page`;
  const now = page.locator('section[aria-labelledby=now]');
  await tagIs(now, row, place);
  assert.equal(whole(await now.locator('.sentence').innerText()), sentenceOf(row), `${place}: sentence`);
  const buttons = [...await words(now), ...await words(page.locator('section[aria-label=受理单位]'))];
  assert.deepEqual(buttons.sort(), [...row.buttons, ...(row.also ?? [])].sort(), `${place}: buttons`);
  for (const b of row.later ?? []) assert.equal(await page.getByRole('button', { name: b }).or(page.getByRole('link', { name: b })).count(), 0, `${place}: ${b} is not switched on`);
  await fitting(place);
  await page.screenshot({ path: path.join(shots, `states-${name}.png`) });
  await page.goto('/cases');
  await cardReads(row, page.locator('article.case-card').filter({ hasText: fours(which) }));
  driven.add(name);
}

async function cardReads(row, card) {
  const place = `${row.name} in the list`;
  await card.waitFor();
  await tagIs(card, row, place);
  assert.equal(whole(await card.locator('> p').first().innerText()), sentenceOf(row), `${place}: sentence`);
  assert.deepEqual((await words(card)).filter((b) => b !== 'plain'), row.card, `${place}: buttons`);
  await fitting(place);
  await card.screenshot({ path: path.join(shots, `states-card-${row.name}.png`) });
}

const shows = (key, which = no) => until(async () => { const x = await me.case(which); return x.state.key === key ? x : null; }, `${which} shows ${key}; ${w.peerLog}`, 20, 50);

/** The intranet says a state; what the page then reads is the table's. */
async function told(name) {
  const row = rowOf(name), event = `到了 ${name}`;
  w.status(no, row.key, { ...row.say, event });
  await until(async () => { const x = await me.case(no); return x.state.key === row.key && x.events.some((e) => e.text === event); }, `${name} came; ${w.peerLog}`, 20, 50);
  await reads(name);
}

test('CIT-28 a draft; CIT-11 refused on import: the entries are kept, and the button leads to them', { timeout: 240000 }, async () => {
  const c = cast.rename({ phone: phoneNo });
  unit = (await me.get('/api/catalogue')).units.find((u) => u.code === c.unit).short;
  await page.goto(`/items/${c.item}`);
  await page.getByRole('button', { name: '开始办理' }).click();
  await page.getByRole('button', { name: '开始填写' }).click();
  await fillForm(page, w, c.item, c.entries);
  await page.screenshot({ path: path.join(shots, 'states-draft.png') });
  assert.equal(await page.getByRole('button', { name: '删除这份草稿' }).count(), 1);
  await page.goto('/cases');
  await cardReads(rowOf('draft'), page.locator('article.case-card').first());
  driven.add('draft');
  await page.getByRole('link', { name: /^继续填/ }).click();
  for (let go; (go = page.getByRole('button', { name: /上传材料|检查并提交/ })), await go.waitFor(), (await go.textContent()).includes('上传');) {
    await go.click();
    await addPages(page, [photo]);
    await page.getByRole('button', { name: '返回' }).click();
    await page.waitForURL(/\/apply\/[0-9a-f]+$/);
  }
  await page.getByRole('button', { name: '检查并提交' }).click();
  const refused = await submit(page);
  w.connect();
  const record = await w.arrived(refused, 'application');
  w.answer(refused, record, 'refused', { reason: '身份核验没有通过' });
  await shows('import_refused', refused);
  await reads('import-refused', refused);
  await page.goto(`/cases/${refused}`);
  await page.getByRole('button', { name: '改好再交' }).click();
  await page.waitForURL(/\/apply\/[0-9a-f]+$/);
  await page.getByText('可以提交了').waitFor();
});

test('CIT-08 CIT-11 on the way: crossing, slow, held, arriving, under review before anybody spoke', { timeout: 120000 }, async () => {
  const c = cast.rename({ phone: phoneNo, newName: '林知新' });
  const draft = await me.draft(c.item, c.entries, Object.fromEntries(c.slots.map((s) => [s, { pages: [small] }])));
  ({ no } = await me.submit(draft, c.who));
  await reads('crossing');
  const db = new DatabaseSync(path.join(w.dir, 'internet/data/internet.db'));
  db.exec('PRAGMA busy_timeout = 5000');
  const shift = db.prepare('UPDATE tracking SET submitted_ms = submitted_ms + ? WHERE case_no = ?');
  shift.run(-6 * 60000, no);
  await reads('crossing-slow');
  shift.run(6 * 60000, no);
  db.close();
  w.connect();
  rec = await w.arrived(no, 'application');
  const slices = await w.slices(no, rec);
  w.answer(no, rec, 'held', { reason: 'parser died' });
  await shows('held');
  await reads('held');
  w.answer(no, rec, 'received', { done: 2, total: 3 });
  await shows('received');
  await reads('received');
  w.answer(no, rec, 'confirmed', { items: [rec, ...slices] });
  await shows('reviewing');
  await reads('reviewing-unsaid');
});

test('CIT-11 WFL-05 under review, with the police', { timeout: 120000 }, async () => {
  w.connect();
  for (const name of ['reviewing', 'sub-bureau', 'city', 'investigating', 'suspended', 'second-person']) await told(name);
});

test('CIT-12 what the citizen is asked for, and what becomes of it when nothing comes', { timeout: 120000 }, async () => {
  w.connect();
  w.request(no, 1, later, { 1: '没有签名' });
  w.status(no, 'supplement', { deadline: later });
  await shows('supplement');
  await reads('supplement');
  w.request(no, 2, later, {}, { reason_text: '请写清楚改名的原因' });
  await until(async () => (await me.case(no)).supplement?.round === 2, 'the second round', 20, 50);
  await reads('supplement-fields');
  w.request(no, 3, '2026-01-02', { 1: '没有签名' });
  await shows('supplement_overdue');
  await reads('supplement-overdue');
  w.status(no, 'supplement_overdue', { final: true, event: '过期了' });
  await until(async () => (await me.case(no)).events.some((e) => e.text === '过期了'), 'the intranet says it too', 20, 50);
  await reads('supplement-overdue');
});

test('CIT-28 a withdrawal asked for by the button, and its end', { timeout: 120000 }, async () => {
  w.connect();
  await told('reviewing');
  await page.goto(`/cases/${no}`);
  await page.getByRole('button', { name: '撤回', exact: true }).click();
  await page.getByRole('button', { name: '申请撤回' }).click();
  await page.getByText('撤回申请中').first().waitFor();
  await reads('withdraw-asked');
  w.answer(no, await w.arrived(no, 'withdrawal'), 'confirmed');
  await told('withdrawn');
});

test('CIT-11 WFL-05 passed, originals, ends and corrections', { timeout: 240000 }, async () => {
  w.connect();
  for (const name of ['passed-originals', 'originals-in-transit', 'originals-received', 'originals-bad', 'passed', 'continuing', 'awaiting-migration-certificate',
    'completed', 'completed-mailed', 'completed-nothing', 'correcting', 'refused', 'terminated']) await told(name);
});

test('APT CIT-11 appointments', { timeout: 120000 }, async () => {
  w.connect();
  for (const name of ['slot-booked', 'slot-passed', 'slot-came', 'slot-missed', 'slot-cancelled']) await told(name);
  await page.goto('/cases');
  await page.locator('article.case-card').nth(1).waitFor();
  await page.screenshot({ path: path.join(shots, 'states-list.png') });
});

// WFL-05: no state without its row, no row that nobody drove, and every state of every flow of the intranet is one of these.
test('WFL-05 CIT-11 every public state was driven, and every internal state has one', () => {
  const keys = new Set(table.rows.map((r) => r.key));
  assert.deepEqual(states.map((s) => s.key).filter((k) => !keys.has(k)), [], 'states without a row in the table');
  assert.deepEqual([...keys].filter((k) => !states.some((s) => s.key === k)), [], 'rows without a state');
  assert.deepEqual(table.rows.map((r) => r.name).filter((n) => !driven.has(n)), [], 'rows that nobody drove');
  const flows = readdirSync(path.join(root, 'schemas/workflows')).filter((f) => /^online-.*\.json$/.test(f)).map((f) => read(`schemas/workflows/${f}`));
  const internal = flows.flatMap((f) => f.states.map((s) => ({ where: `${f.id} ${s.id}`, ...s })));
  assert.ok(internal.length > 40, 'the flows have states');
  for (const s of internal) {
    assert.ok(s.internal, `${s.where}: officers have a word for it`);
    for (const key of [s.public, s.public_while_arriving].filter((k, i) => k || !i)) assert.ok(keys.has(key), `${s.where}: its public state ${key} is in the table`);
  }
});

test('no page had a script error', () => assert.deepEqual(problems, []));
