// Debian's Chromium, and the two apps as people use them: fields by their question, buttons by their word, the desk by its keys.
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { root, until } from './demo.mjs';

export const shots = path.join(root, 'build/screenshots');
mkdirSync(shots, { recursive: true });

export const launch = () => chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});

/** A page that fails the test on a script error or a refused resource. */
export async function open(browser, base, width, height, problems) {
  const context = await browser.newContext({ viewport: { width, height }, baseURL: base, locale: 'zh-CN', timezoneId: 'Asia/Shanghai', acceptDownloads: true });
  const page = await context.newPage();
  page.on('pageerror', (e) => problems.push(`script: ${e.message}`));
  page.on('console', (m) => { if (m.type() === 'error' && !/status of (4|5)\d\d/.test(m.text())) problems.push(`console: ${m.text()}`); });
  page.setDefaultTimeout(15000);
  return page;
}

export const shoot = (page, name) => page.screenshot({ path: path.join(shots, `${name}.png`) });

/* --- the phone --- */

export async function signIn(page, demo, phone) {
  await page.goto('/login');
  await page.getByLabel('手机号').fill(phone);
  const before = demo.sms(phone).length;
  await page.getByRole('button', { name: '获取验证码' }).click();
  const message = await until(() => demo.sms(phone)[before], 'the SMS with the code', 10);
  await page.getByLabel('短信验证码').fill(message.text.match(/(?<!\d)\d{6}(?!\d)/)[0]);
  await page.getByRole('button', { name: '登录', exact: true }).click();
  await page.waitForURL((u) => !u.pathname.startsWith('/login'));
}

/** Code -> label of the item's form, from the same answer that the page works on. */
async function labels(demo, item) {
  const data = await (await fetch(`${demo.addresses.internet}/api/catalogue/items/${item}`)).json();
  const fields = new Map(data.family.fields.map((f) => [f.id, f]));
  for (const f of data.family.fields)                          // large tables come by themselves
    if (f.code_table && !data.code_tables[f.code_table]) {
      const r = await fetch(`${demo.addresses.internet}/api/catalogue/tables?id=${encodeURIComponent(f.code_table)}`);
      if (r.ok) data.code_tables[f.code_table] = (await r.json()).values;
    }
  return (id, value) => {
    const f = fields.get(id);
    const list = f.values ?? data.code_tables[f.code_table] ?? [];
    return list.find((v) => v.code === value)?.label;
  };
}

async function pick(page, button, text) {
  await button.click();
  await page.locator('#pick-q').fill(text);
  await page.locator('.picks .line').filter({ hasText: text }).first().click();
  await page.locator('#pick-q').waitFor({ state: 'detached' });
}

async function fill(page, id, value, label) {
  const radios = page.locator(`input[type=radio][name="f-${id}"]`);
  if (await radios.count()) {
    const word = typeof value === 'boolean' ? (value ? '是' : '否') : label(id, value);
    await page.locator('label.option').filter({ has: page.locator(`input[name="f-${id}"]`), hasText: word }).first().click();
    return;
  }
  const region = page.locator(`#f-${id}-region`);
  if (await region.count()) {
    const [, name, rest] = /^\d{6} (江州市..区)?(.*)$/.exec(value) ?? [null, null, value];
    if (name) await pick(page, region, name.slice(-3));
    await page.locator(`#f-${id}`).fill(rest);
    await page.locator(`#f-${id}`).blur();
    return;
  }
  const field = page.locator(`#f-${id}`);
  if (!(await field.count())) return;                       // not asked: preset or derived
  if (await field.evaluate((e) => e.tagName === 'BUTTON')) await pick(page, field, label(id, value));
  else { await field.fill(String(value)); await field.blur(); }
}

/** From the task list through every section of the form. */
export async function fillForm(page, demo, item, entries, name) {
  const label = await labels(demo, item);
  await page.waitForURL(/\/form\/\w+$/);
  for (let screens = 0; screens < 12; screens++) {
    await page.waitForURL(/\/apply\/[0-9a-f]+(\/form\/\w+)?$/);
    const section = /\/form\/(\w+)$/.exec(page.url())?.[1];
    if (!section) return;
    await page.locator('h1').waitFor();
    await page.waitForTimeout(100);
    for (const [id, value] of Object.entries(entries)) await fill(page, id, value, label);
    if (name) await shoot(page, `${name}-form-${section}`);
    const here = page.url();
    await page.getByRole('button', { name: /下一步|下一项|保存/ }).click();
    await page.waitForURL((u) => u.href !== here);
  }
  throw new Error('the form has no end');
}

export async function addPages(page, files, name) {
  for (const file of files) {
    const before = await page.locator('.pages > li').count();
    await page.locator('.take input[type=file]').first().setInputFiles(file);
    await until(async () => (await page.locator('.pages > li').count()) > before || (await page.getByRole('button', { name: '就用这张' }).count()) > 0, 'the page is judged', 30);
    if (await page.getByRole('button', { name: '就用这张' }).count()) {
      if (name) await shoot(page, `${name}-doubt`);
      await page.getByRole('button', { name: '就用这张' }).click();
    }
    await page.locator('.pages > li').nth(before).locator('.ok').waitFor({ timeout: 30000 });
  }
  if (name) await shoot(page, name);
}

export async function submit(page, name) {
  await page.getByLabel(/我保证内容和材料真实/).check();
  if (name) await shoot(page, `${name}-check`);
  await page.getByRole('button', { name: '提交申请' }).click();
  await page.getByRole('button', { name: '模拟通过', exact: true }).waitFor();
  if (name) await shoot(page, `${name}-face`);
  await page.getByRole('button', { name: '模拟通过', exact: true }).click();
  await page.waitForURL(/\/receipt\/\d{16}$/, { timeout: 30000 });
  return /(\d{16})$/.exec(page.url())[1];
}

/* --- the desk --- */

export async function deskSignIn(page, account) {
  await page.goto('/');
  await page.getByLabel('警号或账号').fill(account.login);
  await page.getByLabel('密码', { exact: true }).fill(account.password);
  await page.locator('button[type=submit]').click();
  await page.getByText('工作台').first().waitFor();
}
