// The configuration over both services: edited and released on the intranet, in force on the internet side within seconds; applications judged by the
// version they name; districts; wishes of the internet side; sides that differ are told. Every answer is judged by the contracts.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { Citizen } from '../support/client.mjs';
import { checkForm, checkMaterials } from '../../common/web/rules.ts';
import { cast, day } from '../support/cast.mjs';
import { Demo, root, sleep, until } from '../support/demo.mjs';
import { officer, onDesk } from '../support/officers.mjs';

const exec = promisify(execFile);
const photo = readFileSync(path.join(root, 'tests/fixtures/photo-small.jpg'));
let demo, one, two;
const change = (item, p, value, region = '') => ({ region, item, path: p, value });
const index = async () => (await fetch(`${demo.addresses.internet}/api/catalogue`)).json();
const item = async (code, region = '') => fetch(`${demo.addresses.internet}/api/catalogue/items/${code}${region ? `?region=${region}` : ''}`);
const version = async () => (await index()).version;
const status = () => JSON.parse(readFileSync(path.join(demo.dir, 'intranet/run/status.json'), 'utf8'));

/** Written by the first administrator, released by the second; in force on both sides when it returns. */
async function release(changes, reason = '本市口径') {
  const s = await one.post('/api/configuration/changes', { changes });
  const sent = await one.post(`/api/configuration/changes/${s.id}/submit`, { version: s.version, reason });
  const out = await two.post(`/api/configuration/changes/${s.id}/release`, { version: sent.version, base: sent.base });
  assert.equal(out.state, 'released');
  await until(async () => (await version()) === out.released, `version ${out.released} on the internet side`, 20, 100);
  return out;
}

before(async () => {
  demo = await Demo.start({ limits: 100 });
  [one, two] = [await officer(demo, 'hj_admin'), await officer(demo, 'hj_admin2')];
});
after(() => demo?.stop());

test('ADM-01 FRY-19 a text released by the second person is served to citizens within seconds; both sides name one version', async () => {
  const before = await version(), from = Date.now();
  const out = await release([change('HJ001', 'plain_name', '宝宝落户（跟妈妈）'), change('form:birth', 'fields.child_name.ask', '宝宝叫什么名字')]);
  console.log(`released to served: ${Date.now() - from} ms`);
  assert.equal(out.released, before + 1);
  assert.deepEqual(out.words.map((x) => [x.label, x.after]).sort(), [['名称', '宝宝落户（跟妈妈）'], [out.words.find((x) => x.path.endsWith('.ask')).label, '宝宝叫什么名字']].sort());
  const got = await (await item('HJ001')).json();
  assert.equal(got.item.plain_name, '宝宝落户（跟妈妈）');
  assert.equal(got.family.fields.find((f) => f.id === 'child_name').ask, '宝宝叫什么名字');
  assert.equal((await index()).items.find((i) => i.code === 'HJ001').plain_name, '宝宝落户（跟妈妈）');
  await until(async () => (await one.get('/api/configuration')).same, 'the beat names it', 8, 100);
  assert.equal((await one.get('/api/me')).config_version, out.released);
  const list = await one.get('/api/configuration/changes');
  assert.deepEqual([list.done[0].id, list.versions[0].version], [out.id, out.released]);
  const audit = new DatabaseSync(path.join(demo.dir, 'intranet/data/intranet.db'), { readOnly: true });
  const rows = audit.prepare("SELECT act, login FROM audit WHERE object = ? ORDER BY id").all(out.id).map((r) => `${r.act} ${r.login}`);
  audit.close();
  assert.deepEqual(rows, ['change_draft hj_admin', 'change_submit hj_admin', 'change_release hj_admin2']);
});

test('MAT-05 an application begun under the old version is still judged by it; the next one by the new list', async () => {
  const citizen = new Citizen(demo, '13690001001');
  await citizen.signIn();
  const c = cast.rename({ phone: citizen.phone });
  const draft = await citizen.draft(c.item, c.entries, {});
  for (const material of c.slots) draft.materials.push({ material, pages: [await citizen.upload(draft.draft, material, 'image/jpeg', photo)] });
  const was = (await (await item('HJ025')).json()).item.materials;
  const more = [...was, { no: was.length + 1, name: '《无犯罪记录证明》', requirement: 'required', supplied_by: 'applicant', original: false }];
  const out = await release([change('HJ025', 'materials', more)]);
  const { no } = await citizen.submit(draft, c.who);
  const desk = await onDesk(await officer(demo, demo.accounts.find((a) => a.role === 'officer' && a.unit === c.unit)), no);
  assert.ok(!desk.materials.some((m) => m.name.includes('无犯罪')), 'the case keeps the list it was begun with');
  assert.equal(draft.config_version, out.released - 1);
  const later = await citizen.draft(c.item, c.entries, {});
  later.materials = draft.materials;
  const verdict = await citizen.post('/api/applications/check', { ...later, draft: later.draft, materials: [] });
  assert.ok(verdict.findings.some((f) => f.field === `material.${more.length}` && f.rule === 'material_required'), JSON.stringify(verdict.findings));
});

test('CIT-04 CIT-05 districts: a service closed in one district is open in the others, in lists, on its page and for whoever applies', async () => {
  await release([change('HJ001', 'online_open', false, '340797'), change('HJ001', 'closed_note', '望江区的请到窗口办', '340797'), change('HJ043', 'enabled', false, '340798')]);
  const all = await index();
  assert.equal(all.districts['340797'].HJ001.online_open, false);
  assert.ok(all.regions.some((r) => r.code === '340797' && r.label));
  const there = await (await item('HJ001', '340797')).json(), elsewhere = await (await item('HJ001', '340799')).json();
  assert.deepEqual([there.item.online_open, there.item.closed_note, elsewhere.item.online_open], [false, '望江区的请到窗口办', true]);
  assert.equal((await item('HJ043', '340798')).status, 404);
  assert.equal((await item('HJ043')).status, 200);
  for (const bad of ['110000', 'x', '340797%27']) assert.equal((await item('HJ001', bad)).status, 404, bad);
  const citizen = new Citizen(demo, '13690001002');
  await citizen.signIn();
  const c = cast.birth({ phone: citizen.phone });
  const draft = await citizen.draft(c.item, { ...c.entries, accept_unit: '340797510000' }, {});
  const refused = await citizen.raw('POST', '/api/applications/check', { json: draft });
  assert.deepEqual([refused.status, (await refused.json()).error.message], [403, '望江区的请到窗口办']);
  assert.equal((await citizen.raw('POST', '/api/applications/check', { json: { ...draft, entries: c.entries } })).status, 200);
});

test('MAT-05 papers of a district: the browser, the internet side and the intranet ask the same of whoever hands in there, and nothing more elsewhere', async () => {
  const was = (await (await item('HJ043')).json()).item.materials;
  await release([change('HJ043', 'materials', [...was, { no: was.length + 1, name: '《单位证明》', requirement: 'required', supplied_by: 'applicant', original: false }], '340799')]);
  const data = await (await item('HJ043')).json();
  assert.deepEqual([data.districts['340799'].materials.length, data.unit_regions['340799510000']], [was.length + 1, '340799']);
  const citizen = new Citizen(demo, '13690001003');
  await citizen.signIn();
  const c = cast.employer({ phone: citizen.phone }), wanted = `material.${was.length + 1}`;
  for (const [unit, asked] of [['340799520000', true], ['340797510000', false]]) {
    const entries = { ...c.entries, accept_unit: unit };
    const outside = await citizen.post('/api/applications/check', await citizen.draft(c.item, entries, {}));
    const browser = checkMaterials(data, checkForm(data, entries, { today: day() }).clean, []);
    assert.equal(outside.findings.some((f) => f.field === wanted), asked, unit);
    assert.equal(browser.some((f) => f.field === wanted), asked, unit);
    const papers = (list) => list.map((f) => f.field).filter((f) => f.startsWith('material.')).sort();
    assert.deepEqual(papers(outside.findings), papers(browser));
  }
});

test('FRY-15 refused: one person alone, another version, what does not fit; nothing of it reaches the internet side', async () => {
  const before = await version();
  const s = await one.post('/api/configuration/changes', { title: '试', changes: [change('HJ001', 'plain_name', '试一试')] });
  const sent = await one.post(`/api/configuration/changes/${s.id}/submit`, { version: s.version, reason: '试' });
  const url = `/api/configuration/changes/${s.id}`;
  await one.refused(403, 'denied', 'POST', `${url}/release`, { json: { version: sent.version, base: sent.base } });
  await two.refused(409, 'conflict', 'POST', `${url}/release`, { json: { version: sent.version, base: sent.base - 1 } });
  await two.refused(409, 'conflict', 'POST', `${url}/release`, { json: { version: sent.version - 1, base: sent.base } });
  await one.refused(409, 'conflict', 'POST', url, { json: { version: sent.version, changes: [] } });
  await one.refused(409, 'conflict', 'POST', `${url}/submit`, { json: { version: sent.version, reason: '再' } });
  await two.refused(400, 'input', 'POST', `${url}/return`, { json: { version: sent.version } });
  const back = await two.post(`${url}/return`, { version: sent.version, reason: '再想想' });
  assert.deepEqual([back.state, back.answer], ['draft', '再想想']);
  await one.post(`${url}/drop`, { version: back.version });
  const e = await one.refused(400, 'input', 'POST', '/api/configuration/changes', { json: { changes: [change('HJ001', 'flow', 'move_in')] } });
  assert.deepEqual(e.fields.map((f) => [f.field, f.message]), [['HJ001/flow', '这里不能改']]);
  const odd = await one.post('/api/configuration/changes', { changes: [change('form:birth', 'fields.child_gender.allow', ['7'])] });
  assert.equal(odd.findings.length, 1);
  const why = await one.refused(400, 'input', 'POST', `/api/configuration/changes/${odd.id}/submit`, { json: { version: odd.version, reason: '试' } });
  assert.match(why.message, /代码表没有/);
  await sleep(500);
  assert.equal(await version(), before);
});

test('ADM-02 IMP-07 FRY-15 what the internet side wants becomes a draft with a prompt, and takes two persons; both sides are then in step', async () => {
  const file = path.join(demo.dir, 'wish.json'), conf = path.join(demo.dir, 'internet/internet.conf'), program = path.join(root, 'build/bin/internet-side');
  const wish = (content) => { writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content)); return exec(program, ['--config', conf, '--wish', file]); };
  await wish({ title: '省平台停办', text: '省统一平台今天关闭了军人变更', changes: [change('HJ043', 'online_open', false)] });
  const draft = await until(async () => (await one.get('/api/configuration/changes')).open.find((s) => s.source === 'internet'), 'the wish on the intranet', 20, 100);
  assert.deepEqual([draft.title, draft.wish, draft.state, draft.edited.name], ['省平台停办', '省统一平台今天关闭了军人变更', 'draft', '']);
  assert.ok((await two.get('/api/desk')).notices.some((n) => n.text.includes('互联网侧提出 1 份配置改动')));
  assert.equal((await (await item('HJ043')).json()).item.online_open, true, 'nothing changes before it is released');
  const sent = await one.post(`/api/configuration/changes/${draft.id}/submit`, { version: draft.version, reason: '核实无误' });
  const out = await two.post(`/api/configuration/changes/${draft.id}/release`, { version: sent.version, base: sent.base });
  await until(async () => (await version()) === out.released && (await (await item('HJ043')).json()).item.online_open === false, 'in force outside', 20, 100);
  await wish({ title: '只有话', text: '请把办理步骤写短一点' });
  const words = await until(async () => (await one.get('/api/configuration/changes')).open.find((s) => s.title === '只有话'), 'a wish of words', 20, 100);
  assert.equal((await one.post(`/api/configuration/changes/${words.id}/decline`, { version: words.version, reason: '已经很短' })).state, 'declined');
  for (const bad of ['{', '[]', { title: '', text: 'x' }, { title: 'x' }, { title: 'x', text: 'x', changes: {} }, { title: 'x', text: 'x', changes: [{ item: 'HJ001' }] }])
    await assert.rejects(wish(bad), (x) => x.code === 1 && /wish/.test(x.stderr), JSON.stringify(bad));
  await wish({ title: '不行的', text: '不是配置里的一处', changes: [change('HJ001', 'flow', 'move_in')] });
  await until(async () => (await one.get('/api/exceptions')).exceptions.some((x) => x.kind === 'configuration-wish' && x.word === 'refused'), 'refused among the exceptions', 20, 100);
});

test('a restart of the intranet comes to the same version, and 恢复 brings an earlier one back as a new one', async () => {
  const { base } = await one.get('/api/configuration/changes');
  await demo.killAndRestart('intranet-side');
  await until(async () => { try { return (await fetch(`${demo.addresses.intranet}/healthz`)).status === 200; } catch { return false; } }, 'healthy', 20, 50);
  [one, two] = [await officer(demo, 'hj_admin'), await officer(demo, 'hj_admin2')];
  assert.equal((await one.get('/api/me')).config_version, base);
  await one.refused(404, 'missing', 'POST', '/api/configuration/versions/99999/restore');
  await one.refused(409, 'conflict', 'POST', `/api/configuration/versions/${base}/restore`);
  const s = await one.post('/api/configuration/versions/1/restore');
  assert.equal(s.restores, 1);
  const sent = await one.post(`/api/configuration/changes/${s.id}/submit`, { version: s.version, reason: '全部改回' });
  const out = await two.post(`/api/configuration/changes/${s.id}/release`, { version: sent.version, base: sent.base });
  await until(async () => (await version()) === out.released, 'in force outside', 20, 100);
  const got = await index();
  assert.equal(got.items.find((i) => i.code === 'HJ001').plain_name, '给宝宝上户口（跟妈妈）');
  assert.deepEqual(got.districts, {});
});

test('FRY-15 sides that stay apart are an alarm: status.json dates it, ferry status says what to type', async () => {
  const mover = demo.processes.mover;
  process.kill(mover.pid, 'SIGSTOP');
  try {
    const s = await one.post('/api/configuration/changes', { changes: [change('HJ001', 'facts.fee', '免费')] });
    const sent = await one.post(`/api/configuration/changes/${s.id}/submit`, { version: s.version, reason: '写清楚' });
    const out = await two.post(`/api/configuration/changes/${s.id}/release`, { version: sent.version, base: sent.base });
    await until(() => status().config === out.released && status().since.configuration, 'dated', 10, 100);
    assert.equal((await one.get('/api/configuration')).same, false);
    assert.ok((await one.get('/api/desk')).notices.some((n) => n.text.includes(`两侧配置版本不一致：公安网 v${out.released}`)));
  } finally { process.kill(mover.pid, 'SIGCONT'); }
  await until(async () => (await one.get('/api/configuration')).same, 'in step again', 60, 500);
});
