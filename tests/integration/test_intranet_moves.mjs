// A move on the running system, over the API and through nginx: an item is given the flow of a move by an edited folder of rules, crosses, is carried to its
// end with a scan at the desk; 续办, chart and scans accepted and refused. WFL-02 WFL-04 WFL-09 WFL-701..705
import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import { cast, persons, unitOf } from '../support/cast.mjs';
import { Demo, root, until } from '../support/demo.mjs';
import { Citizen } from '../support/client.mjs';
import { apply, contract, officer, onDesk, pdf, reconfigure } from '../support/officers.mjs';

const STATION = '340799510000';
const photo = readFileSync(path.join(root, 'tests/fixtures/photo-small.jpg'));
const free = persons.filter((p) => p.status === 'normal' && p.birth_date < '2000' && unitOf(p) === STATION && !p.id_no.startsWith('34079919990210'));
const file = (body, type = 'image/jpeg') => ({ body, headers: { 'content-type': type } });
let demo, o, no;

const enter = (login) => officer(demo, login);
const scan = (kind) => `/api/cases/${no}/scans${kind === undefined ? '' : `?kind=${kind}`}`;
const sql = (text, ...args) => {
  const db = new DatabaseSync(path.join(demo.dir, 'intranet/data/intranet.db'), { readOnly: true });
  try { return db.prepare(text).all(...args); } finally { db.close(); }
};

before(async () => {
  demo = await Demo.start({ limits: 100 });
  const citizen = new Citizen(demo, '13790000001'), before_ = (await citizen.session()).config_version;
  const schemas = path.join(demo.dir, 'schemas'), items = path.join(schemas, 'catalogue/items.json');
  cpSync(path.join(root, 'schemas'), schemas, { recursive: true });
  const list = JSON.parse(readFileSync(items, 'utf8'));
  list.items.find((i) => i.code === 'HJ043').flow = 'move_out';
  writeFileSync(items, JSON.stringify(list));
  await reconfigure(demo, { schema_dir: schemas });
  await until(async () => (await citizen.session()).config_version > before_, 'the edited rules on the other side', 30, 100);
  o = await enter('hj_officer1');
  no = (await apply(demo, ({ phone }) => cast.employer({ phone, who: free.pop(), employer: '江州市气象台' }))).no;
  await onDesk(o, no);
});
after(async () => { await demo?.stop(); });

test('WFL-02 the case got the flow of its item, and the trail says why', async () => {
  const c = await o.case(no);
  assert.equal(c.trail[0].after, '迁往外地，办迁出后发迁移证');
  assert.equal(sql('SELECT flow FROM case_file WHERE no = ?', no)[0].flow, 'move_out');
});

test('WFL-04 the chart of a case for whoever may see it, all flows for the administrator alone', async () => {
  const { flow, state, passed } = await o.get(`/api/cases/${no}/flow`);
  assert.deepEqual([flow.number, flow.variant, state, passed], ['⑦', 'officer', 'awaiting_review', []]);
  assert.equal((await (await enter('hj_aux1')).get(`/api/cases/${no}/flow`)).flow.number, '⑧', 'before the first claim each sees what it would be in his hands');
  for (const t of flow.transitions) for (const s of [...t.from, ...(t.to === '@previous' ? [] : [t.to])]) assert.ok(flow.states.some((x) => x.id === s), s);
  await (await enter('hj_officer2')).refused(404, 'missing', 'GET', `/api/cases/${no}/flow`);
  await o.refused(403, 'denied', 'GET', '/api/flows');
  const { flows } = await (await enter('hj_admin')).get('/api/flows');
  assert.equal(flows.map((f) => f.number).join(''), '①②③④⑤⑥⑦⑧⑨⑨⑩⑩');
  assert.ok(flows.every((f) => f.why.length));
});

test('WFL-09 WFL-704 the case goes on under 续办; a scan is refused unless the step asks for it, it is held, of the right kind and readable', async () => {
  await o.refused(403, 'denied', 'POST', scan('certificate'), file(photo));
  await o.decide(no, 'pass', { unseen_ok: true });
  await o.refused(409, 'conflict', 'POST', scan('certificate'), file(photo));
  await o.decide(no, 'originals_ok');
  await o.decide(no, 'move_out', { unseen_ok: true });
  const c = await o.case(no);
  assert.deepEqual([c.state, c.internal], ['awaiting_certificate_scan', '续办·待扫迁移证']);
  const { rows, counts } = await o.get('/api/cases?view=continue');
  const row = rows.find((r) => r.no === no);
  assert.deepEqual([row.next, row.holder, counts.continue], ['补扫迁移证', '我', rows.length]);
  assert.match(row.since, /^\d{4}-\d\d-\d\dT/);
  const [a] = c.actions.filter((x) => x.action === 'scan_certificate');
  assert.deepEqual([a.enabled, a.why_not, a.needs], [false, '请先补扫迁移证', ['scan:certificate']]);
  assert.match((await o.refused(409, 'conflict', 'POST', `/api/cases/${no}/decide`, { json: { action: 'scan_certificate', version: c.version } })).message, /请先补扫迁移证/);
  assert.match((await o.refused(409, 'conflict', 'POST', scan('permit'), file(photo))).message, /不用补扫准迁证/);
  for (const kind of [undefined, '', 'passport', 'CERTIFICATE', 'certificate%00'])
    assert.equal((await o.raw('POST', scan(kind), file(photo))).status, 400, String(kind));
  for (const [body, words] of [[Buffer.from('GIF89a....'), /只能用/], [Buffer.alloc(0), /./], [Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'), /只能用/], [Buffer.from('\xff\xd8\xff\xe0 no picture', 'latin1'), /打不开/],
    [Buffer.concat([Buffer.from(' '), pdf(1)]), /只能用/]])
    assert.match((await o.refused(400, 'input', 'POST', scan('certificate'), file(body, 'image/png'))).message, words);
  await o.refused(413, 'too_large', 'POST', scan('certificate'), file(Buffer.alloc((8 << 20) + 1, 0xff)));
  await (await enter('hj_officer9')).refused(403, 'denied', 'POST', scan('certificate'), file(photo));
  for (const login of ['hj_officer2', 'hj_approve1']) await (await enter(login)).refused(404, 'missing', 'POST', scan('certificate'), file(photo));
  await (await enter('hj_admin')).refused(403, 'denied', 'POST', scan('certificate'), file(photo));
  assert.ok(!(await o.case(no)).materials.some((m) => m.no > 200), 'nothing of it was kept');
});

test('WFL-705 a scan is kept sealed, drawn anew, replaced by a better one, written down; then the step is taken', async () => {
  const large = Buffer.concat([photo, Buffer.alloc((4 << 20) - photo.length)]);          // more than nginx takes elsewhere; zeros behind the picture's end
  const kept = [];
  for (const [body, type] of [[photo, 'image/jpeg'], [pdf(2), 'application/pdf'], [large, 'image/jpeg']]) {
    const c = await (await o.raw('POST', scan('certificate'), file(body, type))).json();
    const slot = c.materials.find((m) => m.no === 202);
    assert.deepEqual([slot.name, slot.pages.length, slot.pages[0].type], ['迁移证', 1, type]);
    const r = await o.raw('GET', `/api/cases/${no}/pages/${slot.pages[0].id}?size=thumb`);
    assert.deepEqual([r.status, r.headers.get('content-type')], [200, 'image/jpeg']);
    kept.push(slot.pages[0].id);
  }
  await o.refused(404, 'missing', 'GET', `/api/cases/${no}/pages/${kept[0]}?size=thumb`);
  const stored = sql('SELECT a.file FROM part AS a JOIN page AS p ON p.uid = a.page WHERE p.case_no = ? AND p.material = 202', no);
  assert.equal(stored.length, 1);
  assert.ok(!readFileSync(path.join(demo.dir, 'intranet/data/files', stored[0].file)).includes(photo.subarray(0, 64)), 'sealed at rest');
  assert.equal(sql("SELECT count(*) AS n FROM audit WHERE act = 'scan' AND object = ?", no)[0].n, 3);
  assert.deepEqual((await o.case(no)).trail.filter((e) => e.action === 'scan').map((e) => e.text), ['扫入迁移证', '重扫迁移证', '重扫迁移证']);
  await o.decide(no, 'scan_certificate');
  await until(async () => (await o.case(no)).state === 'completed', 'completed', 10, 100);
  for (const way of ['accepted', 'refused']) assert.ok(!contract.missing(way).some((x) => /scans|flow/.test(x)), way);
  await o.refused(403, 'denied', 'POST', scan('certificate'), file(photo));
});
