// The main job as people do it: a phone and a desk in real Chromium windows over the real services. Screenshots stay in build/screenshots.
import assert from 'node:assert/strict';
import path from 'node:path';
import test, { after, before } from 'node:test';
import { addPages, deskSignIn, fillForm, launch, open, shoot, signIn, submit } from '../support/browser.mjs';
import { cast, parentOf } from '../support/cast.mjs';
import { Demo, root, until } from '../support/demo.mjs';

const photo = (n) => path.join(root, `tests/fixtures/photo-${n}.jpg`);
let demo, browser;
before(async () => { demo = await Demo.start({ limits: 100 }); browser = await launch(); });
after(async () => { await browser?.close(); await demo?.stop(); });

const problems = [];
const quiet = () => { const p = problems.splice(0); assert.deepEqual(p, []); };

/** From the home page in everyday words to the receipt. */
async function applyByPhone(page, c, words, name, files) {
  await page.goto('/');
  await shoot(page, `${name}-home`);
  await page.getByRole('searchbox').or(page.getByPlaceholder(/说说要办什么/)).first().fill(words.say);
  await page.keyboard.press('Enter');
  await page.getByText(words.hit, { exact: true }).first().click();
  await page.getByRole('button', { name: '开始办理' }).waitFor();
  await shoot(page, `${name}-item`);
  await page.getByRole('button', { name: '开始办理' }).click();
  await page.waitForURL(/\/apply\//);
  await page.getByRole('button', { name: /开始填写|继续填写/ }).waitFor();
  await shoot(page, `${name}-tasks`);
  await page.getByRole('button', { name: /开始填写|继续填写/ }).click();
  await fillForm(page, demo, c.item, c.entries, name);
  for (let i = 0; i < 12; i++) {
    const go = page.getByRole('button', { name: /上传材料|检查并提交|继续填写/ });
    await go.waitFor();
    if ((await go.textContent()).includes('检查并提交')) break;
    assert.ok(!(await go.textContent()).includes('继续填写'), 'the form is whole');
    await go.click();
    await page.waitForURL(/\/material\/\d+$/);
    const no = Number(/(\d+)$/.exec(page.url())[1]);
    await addPages(page, files[no] ?? [photo(1)], `${name}-material-${no}`);
    await page.getByRole('link', { name: /返回|任务单/ }).or(page.getByRole('button', { name: /返回/ })).first().click();
    await page.waitForURL(/\/apply\/[0-9a-f]+$/);
  }
  await page.getByRole('button', { name: '检查并提交' }).click();
  await page.waitForURL(/\/check$/);
  const no = await submit(page, name);
  await shoot(page, `${name}-receipt`);
  return no;
}

async function openCase(desk, no, seconds = 30) {
  await until(async () => {
    await desk.goto(`/cases/${no}`);
    await desk.waitForTimeout(300);
    return (await desk.getByText('审核通过').count()) + (await desk.getByText(/上报|同意/).count()) > 0;
  }, `case ${no} opens on the desk`, seconds, 300);
}

/** Look at every page, as F2 wants it. */
async function lookAtAll(desk) {
  const thumbs = desk.locator('.thumbs button, .thumb');
  const n = await thumbs.count();
  for (let i = 0; i < n; i++) { await thumbs.nth(i).click(); await desk.waitForTimeout(250); await desk.keyboard.press('v'); await desk.waitForTimeout(100); }
}

/** F2, and "仍要" where the desk asks once. */
async function mainDecision(desk, label) {
  await desk.keyboard.press('F2');
  await desk.waitForTimeout(400);
  const still = desk.getByRole('button', { name: new RegExp(`仍要.*${label}`) });
  if (await still.count()) await still.click();
  await desk.waitForTimeout(400);
  const dialog = desk.getByRole('dialog').filter({ hasText: label });
  if (!(await dialog.count())) return;
  const boxes = dialog.locator('.el-checkbox');                // originals: each one is ticked when it was held against its picture
  for (let i = 0; i < (await boxes.count()); i++) await boxes.nth(i).click();
  await desk.keyboard.press('Control+Enter');
  await dialog.waitFor({ state: 'hidden' });
}

async function phoneShows(phone, no, tag, name) {
  await until(async () => {
    await phone.goto(`/cases/${no}`);
    await phone.waitForTimeout(300);
    return (await phone.getByText(tag).count()) > 0;
  }, `${no} reads ${tag} on the phone`, 40, 700);
  if (name) await shoot(phone, name);
}

test('CIT-07 CIT-08 CIT-12 WFL-101..106 HJ001 with three photographs: 补正 on the way, passed, finished', { timeout: 240000 }, async () => {
  const phone = await open(browser, demo.addresses.internet, 375, 603, problems);
  const number = '13900000001';
  await signIn(phone, demo, number);
  const c = cast.birth({ phone: number });
  const no = await applyByPhone(phone, c, { say: '生孩子上户口', hit: '给宝宝上户口（跟妈妈）' }, 'hj001', { 1: [photo(1), photo(3)], 2: [photo(2)] });
  await phone.getByText(/已送达/).first().waitFor({ timeout: 30000 });
  await shoot(phone, 'hj001-receipt-arrived');

  const desk = await open(browser, demo.addresses.intranet, 1366, 625, problems);
  await deskSignIn(desk, demo.account('officer', c.unit));
  await shoot(desk, 'desk-home');
  await desk.goto('/cases?view=todo');
  await desk.getByText('陈小满').first().waitFor();
  await shoot(desk, 'desk-todo');
  await openCase(desk, no);
  await desk.waitForTimeout(800);
  await shoot(desk, 'desk-case-hj001');
  const [height, inner] = await desk.evaluate(() => [document.documentElement.scrollHeight, window.innerHeight]);
  assert.ok(height <= inner, 'form, register, image and decision are in one view');

  await desk.keyboard.press('F4');
  const dialog = desk.getByRole('dialog');
  await dialog.waitFor();
  await dialog.getByText(/出生医学证明/).first().click();
  await desk.waitForTimeout(600);
  await shoot(desk, 'desk-return-dialog');
  await desk.keyboard.press('Control+Enter');
  await dialog.waitFor({ state: 'hidden' });
  await phoneShows(phone, no, '要您补材料', 'hj001-supplement');
  await phone.getByRole('button', { name: '去补材料' }).or(phone.getByRole('link', { name: '去补材料' })).first().click();
  await phone.waitForURL(/\/fix$/);
  await addPages(phone, [photo(2)], 'hj001-fix');
  await phone.getByRole('button', { name: /交给民警|提交/ }).click();
  await phone.waitForURL((u) => !u.pathname.endsWith('/fix'));
  await phoneShows(phone, no, '审核中', 'hj001-reviewing');

  await openCase(desk, no);
  await desk.waitForTimeout(800);
  await lookAtAll(desk);
  await mainDecision(desk, '审核通过');
  await phoneShows(phone, no, '审核通过', 'hj001-passed');
  await desk.goto(`/cases/${no}`);
  await desk.getByText('原件核对一致').first().waitFor();
  await mainDecision(desk, '原件核对一致');
  await desk.waitForTimeout(6000);
  await desk.goto(`/cases/${no}`);
  await desk.getByRole('button', { name: /办结/ }).first().waitFor();
  await desk.keyboard.press('F2');
  await desk.waitForTimeout(800);
  await shoot(desk, 'desk-finish-dialog');
  await desk.keyboard.press('Control+Enter');
  await phoneShows(phone, no, '已办结', 'hj001-completed');
  await phone.goto('/cases');
  await phone.waitForTimeout(500);
  await shoot(phone, 'cases-list');
  await desk.goto('/search/person');
  await desk.waitForTimeout(500);
  await shoot(desk, 'desk-search');
  quiet();
  await phone.context().close();
  await desk.context().close();
});

test('WFL-902 WFL-903 HJ025 refused by the sub-bureau', { timeout: 180000 }, async () => {
  const phone = await open(browser, demo.addresses.internet, 375, 603, problems);
  await signIn(phone, demo, '13900000002');
  const c = cast.rename({ phone: '13900000002' });
  const no = await applyByPhone(phone, c, { say: '改名字', hit: await itemName('HJ025') }, 'hj025', {});
  const desk = await open(browser, demo.addresses.intranet, 1366, 625, problems);
  await deskSignIn(desk, demo.account('officer', c.unit));
  await openCase(desk, no);
  await desk.waitForTimeout(600);
  await lookAtAll(desk);
  await desk.keyboard.press('F2');
  await desk.waitForTimeout(600);
  const still = desk.getByRole('button', { name: /仍要/ });
  if (await still.count()) { await still.click(); await desk.waitForTimeout(500); }
  await desk.getByRole('dialog').locator('textarea').first().fill('情况属实，报分局审批。');
  await shoot(desk, 'desk-submit-up');
  await desk.keyboard.press('Control+Enter');
  await desk.getByRole('dialog').waitFor({ state: 'hidden' });

  const approver = await open(browser, demo.addresses.intranet, 1366, 625, problems);
  await deskSignIn(approver, demo.account('sub_bureau', parentOf(c.unit)));
  await until(async () => { await approver.goto(`/cases/${no}`); await approver.waitForTimeout(600); return (await approver.getByRole('button', { name: /同意/ }).count()) > 0; }, 'the case is with the sub-bureau', 30, 500);
  await shoot(approver, 'desk-approver');
  await approver.keyboard.press('F8');
  await approver.waitForTimeout(400);
  await approver.getByRole('menuitem', { name: /不予办理/ }).click();
  const dialog = approver.getByRole('dialog');
  await dialog.locator('.el-radio').first().click();
  await dialog.getByLabel(/请输入“不予办理”|输入“不予办理”|不予办理/).last().fill('不予办理');
  await approver.waitForTimeout(600);
  await shoot(approver, 'desk-refuse-dialog');
  await approver.keyboard.press('Control+Enter');
  await phoneShows(phone, no, '不予办理', 'hj025-refused');
  quiet();
  for (const p of [phone, desk, approver]) await p.context().close();
});

test('CIT-28 HJ083 withdrawn', { timeout: 180000 }, async () => {
  const phone = await open(browser, demo.addresses.internet, 375, 603, problems);
  await signIn(phone, demo, '13900000003');
  const c = cast.death({ phone: '13900000003' });
  const no = await applyByPhone(phone, c, { say: '老人去世销户口', hit: await itemName('HJ083') }, 'hj083', {});
  await phoneShows(phone, no, '审核中', 'hj083-reviewing');
  await phone.getByRole('button', { name: '撤回' }).first().click();
  await phone.waitForTimeout(400);
  await shoot(phone, 'hj083-withdraw-sheet');
  await phone.getByRole('button', { name: /申请撤回|确认撤回|撤回申请/ }).last().click();
  await phoneShows(phone, no, '撤回申请中');
  const desk = await open(browser, demo.addresses.intranet, 1366, 625, problems);
  await deskSignIn(desk, demo.account('officer', c.unit));
  await until(async () => { await desk.goto(`/cases/${no}`); await desk.waitForTimeout(500); return (await desk.getByRole('button', { name: /同意撤回/ }).count()) > 0; }, 'withdrawal on the desk', 30, 500);
  await shoot(desk, 'desk-withdraw');
  await mainDecision(desk, '同意撤回');
  await phoneShows(phone, no, '已撤回', 'hj083-withdrawn');
  quiet();
  await phone.context().close();
  await desk.context().close();
});

async function itemName(code) {
  const { items } = await (await fetch(`${demo.addresses.internet}/api/catalogue`)).json();
  return items.find((i) => i.code === code).plain_name;
}
