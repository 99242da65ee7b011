// The configuration edited as two administrators do it, over the real services: form and preview, release by the other, history; the citizens' page follows.
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { deskSignIn, launch, open, shoot } from '../support/browser.mjs';
import { Demo, until } from '../support/demo.mjs';
import { axe, nothingCut, noPageScroll } from './officer-helpers.mjs';

let demo, browser;
const problems = [];
const quiet = () => { const p = problems.splice(0); assert.deepEqual(p, []); };
before(async () => { demo = await Demo.start({ limits: 100 }); browser = await launch(); });
after(async () => { await browser?.close(); await demo?.stop(); });
const account = (login) => demo.accounts.find((a) => a.login === login);
async function desk(login, width = 1366, height = 625) {
  const page = await open(browser, demo.addresses.intranet, width, height, problems);
  await deskSignIn(page, account(login));
  return page;
}
/** A list of the library opens by its frame; the field in it takes no pointer. */
async function choose(page, name, option) {
  await page.locator('.el-select', { has: page.getByRole('combobox', { name, exact: true }) }).click();
  await page.getByRole('option', option instanceof RegExp ? { name: option } : { name: option, exact: true }).locator('visible=true').first().click();
}
async function looks(page, name) {
  await page.waitForTimeout(300);
  await shoot(page, `configuration-${name}`);
  await axe(page, name);
  await noPageScroll(page, name);
  await nothingCut(page, name);
}

test('ADM-01 MAT-05 WIN-03 an item edited with its preview, sent, released by the other administrator, seen by citizens, brought back', async () => {
  const page = await desk('hj_admin');
  await page.goto('/admin/items');
  await page.getByText('给宝宝上户口（跟妈妈）').waitFor();
  await looks(page, 'items');
  await page.getByText('给宝宝上户口（跟妈妈）').click();
  await page.getByRole('tab', { name: '文字' }).waitFor();
  await page.getByLabel('名称', { exact: true }).fill('宝宝落户（跟妈妈）');
  await page.getByLabel('一般多久').fill('2 个工作日');
  const phone = page.getByRole('region', { name: '群众看到的页面' });
  await phone.getByText('宝宝落户（跟妈妈）').waitFor();
  await phone.getByText('2 个工作日').waitFor();
  await page.getByRole('button', { name: /改动 2 处/ }).click();
  await looks(page, 'item-texts');
  await page.getByRole('tab', { name: '渠道' }).click();
  await looks(page, 'item-channels');
  await page.getByRole('tab', { name: '材料' }).click();
  await page.getByRole('button', { name: '加一份材料' }).click();
  await page.getByLabel('正式名称').fill('《居住证》');
  await page.getByLabel('正式名称').press('Tab');
  await choose(page, '要不要', '按情况');
  await page.getByRole('alert').filter({ hasText: '请写明什么情况要' }).waitFor();      // the refusal stands at the place and below
  await page.getByLabel('什么情况要（给群众看）').fill('父母有一方不是本市户口的');
  await page.getByLabel('什么情况要（给群众看）').press('Tab');
  await page.getByRole('alert').filter({ hasText: '由系统判断' }).waitFor();
  assert.equal(await page.getByRole('button', { name: '送审' }).isDisabled(), true);
  await page.getByRole('button', { name: '加一个条件' }).click();
  await choose(page, '由系统按这些条件判断 1 条件里的字段', /婚/);
  await choose(page, '由系统按这些条件判断 1 值', '否');
  await page.keyboard.press('Escape');
  await phone.getByText('父母有一方不是本市户口的').waitFor();
  await until(async () => !(await page.getByRole('button', { name: '送审' }).isDisabled()), 'it fits together', 10);
  await looks(page, 'item-materials');
  await page.getByRole('tab', { name: '表单' }).click();
  await page.getByRole('button', { name: /宝宝.*姓名|新生儿姓名|姓名/ }).first().click();
  await looks(page, 'item-form');
  await page.getByRole('button', { name: '送审' }).click();
  await page.getByLabel('为什么改').fill('外地群众常问居住证');
  await looks(page, 'item-submit');
  await page.getByRole('dialog').getByRole('button', { name: '送审' }).click();
  await page.getByRole('heading', { name: '配置发布' }).waitFor();
  await page.getByText('请另一位管理员发布').waitFor();
  await looks(page, 'releases-own');
  assert.equal(await page.getByRole('button', { name: '发布', exact: true }).isDisabled(), true);

  const other = await desk('hj_admin2', 1440, 900);
  await other.getByText('1 份配置改动待发布').waitFor();
  await looks(other, 'desk-notice');
  await other.getByText('1 份配置改动待发布').click();
  await other.getByRole('heading', { name: '配置发布' }).waitFor();
  await looks(other, 'releases-other');
  await other.getByRole('button', { name: '发布', exact: true }).click();
  await other.getByRole('dialog').getByRole('button', { name: '发布' }).click();
  await other.getByText('已发布 v2').waitFor();
  await until(async () => { await other.getByRole('button', { name: '刷新' }).click(); return other.getByText('两侧版本一致 v2').isVisible(); }, 'both sides agree', 30, 1000);
  await looks(other, 'releases-history');

  const citizen = await open(browser, demo.addresses.internet, 375, 603, problems);
  await citizen.goto('/items/HJ001');
  await citizen.getByRole('heading', { name: '宝宝落户（跟妈妈）' }).waitFor();
  await citizen.getByText(/孩子出生时父母是不是夫妻.*答“否”的要/).waitFor();      /* what the program decides is said with its question */
  await shoot(citizen, 'configuration-citizen');
  await other.getByRole('button', { name: '恢复到 v1' }).click();
  await other.getByText('已建恢复的草稿').waitFor();
  await other.getByText('恢复到 v1', { exact: true }).first().waitFor();
  quiet();
});

test('CIT-04 switches of a district, thrown in the list and sent as one set', async () => {
  const page = await desk('hj_admin', 1440, 900);
  await page.goto('/admin/items');
  await choose(page, '地区', '望江区');
  await page.getByPlaceholder('编号、名称或类别').fill('HJ025');
  await page.getByRole('switch', { name: /网上$/ }).click();
  await page.getByText('改动 1 处').waitFor();
  await looks(page, 'items-district');
  await page.getByRole('button', { name: '送审' }).click();
  await page.getByLabel('为什么改').fill('望江区设备检修');
  await page.getByRole('dialog').getByRole('button', { name: '送审' }).click();
  await page.getByText('待发布', { exact: true }).waitFor();
  const other = await desk('hj_admin2');
  await other.goto('/admin/releases');
  await other.getByRole('region', { name: /大人改名/ }).getByRole('button', { name: '发布', exact: true }).click();
  await other.getByRole('dialog').getByRole('button', { name: '发布' }).click();
  await other.getByText('已发布 v3').waitFor();
  const citizen = await open(browser, demo.addresses.internet, 375, 603, problems);
  const at = async (region) => (await fetch(`${demo.addresses.internet}/api/catalogue/items/HJ025?region=${region}`)).json();
  await until(async () => !(await at('340797')).item.online_open, 'closed there', 20);
  await citizen.goto('/');
  await citizen.getByRole('button', { name: /在哪里办，现在是\s*江州市/ }).click();
  await citizen.getByRole('button', { name: '望江区' }).waitFor();
  await shoot(citizen, 'configuration-citizen-regions');
  await citizen.getByRole('button', { name: '望江区' }).click();
  await citizen.getByRole('button', { name: /在哪里办，现在是\s*望江区/ }).waitFor();
  await shoot(citizen, 'configuration-citizen-home');
  await citizen.goto('/items/HJ025');
  await citizen.getByRole('button', { name: '到窗口办' }).waitFor();
  assert.equal(await citizen.getByRole('button', { name: '开始办理' }).count(), 0);
  await shoot(citizen, 'configuration-citizen-closed');
  await citizen.goto('/');
  await citizen.getByRole('button', { name: /望江区/ }).click();
  await citizen.getByRole('button', { name: '青山区' }).click();
  await citizen.goto('/items/HJ025');
  await citizen.getByRole('button', { name: '开始办理' }).waitFor();
  quiet();
});
