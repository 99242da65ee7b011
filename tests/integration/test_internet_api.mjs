// The citizens' service over its API: every path of schemas/openapi/internet.yaml with accepted and refused inputs, each answer judged by
// the contract; what the intranet says is said by a stand-in through the real ferry.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import { cast, person } from '../support/cast.mjs';
import { Checked, citizen, contract, drafted, nextPhone, small, submitted, talkTo } from '../support/citizens.mjs';
import { newId } from '../support/client.mjs';
import { root } from '../support/demo.mjs';
import { Internet, until } from '../support/internet.mjs';
import { scan } from '../support/markers.mjs';

const photo = readFileSync(path.join(root, 'tests/fixtures/photo-1.jpg'));
const states = JSON.parse(readFileSync(path.join(root, 'schemas/messages/public-states.json'), 'utf8')).states;
let w;

const shows = (c, no, key) => until(async () => { const x = await c.case(no); return x.state.key === key ? x : null; }, `${no} shows ${key}`, 15, 50);
const evidence = async (c, draft, who) => {
  const v = await c.post('/api/applications/check', draft);
  assert.deepEqual(v.findings, []);
  return (await c.post('/api/identity/verify', { hash: v.hash, name: who.name, id_no: who.id_no, sandbox_result: 'pass' })).evidence;
};
const submit = (c, body, key) => c.raw('POST', '/api/applications', { json: body, headers: { 'idempotency-key': key } });
const files = (dir) => readdirSync(dir, { recursive: true, withFileTypes: true }).filter((f) => f.isFile()).map((f) => path.join(f.parentPath ?? f.path, f.name));

/** Where the markers stand below the folders of this side and of the gateway. */
const leaks = (marks) => scan(['gateway', 'internet', 'mirror'].map((x) => path.join(w.dir, x)), marks);

before(async () => { w = await Internet.start(); talkTo(w); w.connect(); });
after(async () => { await w?.stop(); });

test('CIT-04 CIT-05 catalogue: one answer with items, guide and units, unchanged by its ETag; the words of the search apart', async () => {
  const c = new Checked(w, '');
  const r = await c.raw('GET', '/api/catalogue');
  const body = await r.json();
  assert.equal(body.items.filter((i) => /^HJ/.test(i.code)).length, 113);
  assert.ok(body.items.every((i) => !/^HX/.test(i.code)), 'switched-off items are not listed');
  assert.ok(body.guide.events.length && body.units.length && !body.search);
  assert.ok(body.items.every((i) => i.path.length && i.channels.online), 'what the list by class shows');
  const s = await c.raw('GET', '/api/catalogue/search');
  const words = await s.json();
  assert.ok(words.fillers.length && words.synonyms.length && words.words.HJ113.length && words.sounds.hu.includes('户'));
  assert.equal((await c.raw('GET', '/api/catalogue/search', { headers: { 'if-none-match': s.headers.get('etag') } })).status, 304);
  const again = await c.raw('GET', '/api/catalogue', { headers: { 'if-none-match': r.headers.get('etag') } });
  assert.equal(again.status, 304);
  const item = await c.get('/api/catalogue/items/HJ001');
  assert.ok(item.item.notices.length && item.item.steps.length && item.item.materials.length && item.family.fields.length);
  assert.equal((await c.get(`/api/catalogue/tables?id=${encodeURIComponent('GB/T 2260')}`)).id, 'GB/T 2260');
});

test('catalogue: unknown and switched-off items, unknown tables are refused in words', async () => {
  const c = new Checked(w, '');
  await c.refused(404, 'missing', 'GET', '/api/catalogue/items/HJ999');
  await c.refused(404, 'missing', 'GET', '/api/catalogue/items/HX001');
  await c.refused(404, 'missing', 'GET', '/api/catalogue/tables?id=nothing');
  await c.refused(400, 'input', 'GET', '/api/catalogue/tables');
});

test('CIT-04 a search that found nothing is counted in words, without a session and without anybody\'s number', async () => {
  const c = new Checked(w, '');
  await c.post('/api/searches', { query: '我叫张三，电话13800001234，披萨外卖怎么办' });
  await c.post('/api/searches', { query: '披萨外卖怎么办 13800001234' });
  await c.post('/api/searches', { query: '？' });
  await c.post('/api/searches', { query: 'x'.repeat(200) });
  const file = files(path.join(w.dir, 'internet')).find((f) => f.endsWith('internet.db'));
  const db = new DatabaseSync(file, { readOnly: true });
  const rows = db.prepare('SELECT text, count FROM search_miss ORDER BY id').all().map((r) => [r.text, r.count]);
  db.close();
  assert.deepEqual(rows.slice(0, 2), [['我叫 电话 披萨外卖怎么办', 1], ['披萨外卖怎么办', 1]]);
  assert.ok(rows.every(([t]) => [...t].length <= 40 && !/\d{6}/.test(t)));
  await c.refused(400, 'input', 'POST', '/api/searches', { json: {} });
  await c.refused(400, 'input', 'POST', '/api/searches', { json: { query: 5 } });
  await c.refused(400, 'input', 'POST', '/api/searches', { json: { query: '披萨', who: 'me' } });
  await c.refused(403, 'denied', 'POST', '/api/searches', { json: { query: '披萨' }, headers: { 'x-requested-with': '' } });
  await c.refused(413, 'too_large', 'POST', '/api/searches', { json: { query: '披'.repeat(2000) } });
});

test('sign-in: phone, code, session, sign-out; the phone is shown masked', async () => {
  const c = new Checked(w, nextPhone());
  const first = await c.session();
  assert.equal(first.signed_in, false);
  assert.equal(first.sandbox, true);
  assert.ok(c.jar.has('hzd'), 'the device cookie is set before signing in');
  const s = await c.signIn();
  assert.equal(s.signed_in, true);
  assert.equal(s.phone, `${c.phone.slice(0, 3)}****${c.phone.slice(7)}`);
  await c.call('POST', '/api/logout');
  assert.equal((await c.session()).signed_in, false);
});

test('sign-in: malformed and hostile requests are refused', async () => {
  const c = new Checked(w, nextPhone());
  const bad = [{ phone: '12345' }, { phone: '12905620001' }, { phone: 13905620001 }, {}, { phone: '13905620001', more: 1 }, [], { phone: '1390562000１' }];
  for (const json of bad) await c.refused(400, 'input', 'POST', '/api/login/code', { json });
  await c.refused(400, 'input', 'POST', '/api/login/code', { body: '{"phone":', headers: { 'content-type': 'application/json' } });
  await c.refused(400, 'input', 'POST', '/api/login/code', { body: '{"phone":"13905620001","phone":"13905620002"}', headers: { 'content-type': 'application/json' } });
  await c.refused(403, 'denied', 'POST', '/api/login/code', { json: { phone: '13905620001' }, headers: { 'x-requested-with': 'other' } });
  await c.refused(413, 'too_large', 'POST', '/api/login/code', { json: { phone: 'x'.repeat(10000) } });
  for (const code of ['12345', '1234567', 'abcdef', '']) await c.refused(400, 'input', 'POST', '/api/login', { json: { phone: c.phone, code } });
  assert.equal((await c.raw('GET', '/api/login')).status, 405);
  await c.refused(401, 'auth', 'POST', '/api/login', { json: { phone: c.phone, code: '123456' } });
});

test('sign-in: a code works once; five wrong ones lock the phone', async () => {
  const c = new Checked(w, nextPhone());
  await c.signIn();
  const code = w.sms(c.phone)[0].text.match(/\d{6}/)[0];
  assert.match(w.sms(c.phone)[0].text, /^【户政网办】/);
  await c.refused(401, 'auth', 'POST', '/api/login', { json: { phone: c.phone, code } });
  const d = new Checked(w, nextPhone());
  await d.session();
  await d.post('/api/login/code', { phone: d.phone });
  const right = (await until(() => w.sms(d.phone)[0], 'code')).text.match(/\d{6}/)[0];
  const wrong = right === '000000' ? '000001' : '000000';
  for (let left = 4; left > 0; left--) assert.equal((await d.refused(401, 'auth', 'POST', '/api/login', { json: { phone: d.phone, code: wrong } })).tries_left, left);
  const locked = await d.refused(429, 'busy', 'POST', '/api/login', { json: { phone: d.phone, code: wrong } });
  assert.ok(locked.retry_s > 800 && locked.retry_s <= 900);
  await d.refused(429, 'busy', 'POST', '/api/login', { json: { phone: d.phone, code: right } });
  await d.refused(429, 'busy', 'POST', '/api/login/code', { json: { phone: d.phone } });
});

test('guard: no session, a wrong token and no token are refused on every path that wants them', async () => {
  const nobody = new Checked(w, '');
  const c = await citizen();
  const no = '3407261100000018', id = newId();
  const wanting = [['GET', '/api/uploads/x'.replace('x', id)], ['GET', '/api/applications'], ['GET', `/api/applications/${no}`], ['POST', '/api/logout'], ['POST', '/api/uploads'],
    ['PUT', `/api/uploads/${id}?offset=0`], ['DELETE', `/api/uploads/${id}`], ['POST', '/api/applications/check'], ['POST', '/api/identity/verify'], ['POST', '/api/applications'],
    ['POST', `/api/applications/${no}/unlock`], ['POST', `/api/applications/${no}/withdraw`], ['POST', `/api/applications/${no}/supplement`]];
  for (const [method, url] of wanting) {
    const json = method === 'POST' && url !== '/api/logout' ? {} : undefined;
    await nobody.refused(401, 'auth', method, url, { json, headers: { 'x-csrf-token': 'a'.repeat(64) } });
    if (method !== 'GET') await c.refused(403, 'denied', method, url, { json, headers: { 'x-csrf-token': 'b'.repeat(64) } });
    if (method !== 'GET') await c.refused(403, 'denied', method, url, { json, headers: { 'x-csrf-token': '' } });
  }
});

test('MAT-06 uploads: parts in order, resumed after a lost answer, sealed on disk at once', async () => {
  const c = await citizen();
  const page = Buffer.concat([photo, Buffer.alloc(700000, 'MARKER-OF-A-PAGE ')]);
  const u = await c.post('/api/uploads', { draft: newId(), material: 1, type: 'image/jpeg', size: page.length });
  const put = (offset, part) => c.raw('PUT', `/api/uploads/${u.id}?offset=${offset}`, { body: part, headers: { 'content-type': 'application/octet-stream' } });
  assert.equal((await (await put(0, page.subarray(0, 524288))).json()).offset, 524288);
  assert.equal((await (await put(0, page.subarray(0, 524288))).json()).offset, 524288, 'the same part again changes nothing');
  assert.deepEqual(await c.get(`/api/uploads/${u.id}`), { id: u.id, offset: 524288, size: page.length, complete: false });
  for (let o = 524288; o < page.length; o += 524288) assert.equal((await put(o, page.subarray(o, o + 524288))).status, 200);
  assert.equal((await c.get(`/api/uploads/${u.id}`)).complete, true);
  assert.deepEqual(leaks({ page: 'MARKER-OF-A-PAGE' }), []);
  const spool = () => files(path.join(w.dir, 'internet/data/spool')).length;
  const n = spool();
  assert.equal((await c.raw('DELETE', `/api/uploads/${u.id}`)).status, 204);
  await c.refused(404, 'missing', 'GET', `/api/uploads/${u.id}`);
  await until(() => spool() === n - Math.ceil(page.length / 524288), 'files of a dropped page go', 10, 50);
});

test('MAT-06 uploads: what is not a page of ours is refused', async () => {
  const c = await citizen();
  const other = await citizen();
  const fine = { draft: newId(), material: 1, type: 'image/jpeg', size: 1022 };
  const bad = [[400, { ...fine, type: 'image/svg+xml' }], [400, { ...fine, size: 0 }], [413, { ...fine, size: 20971521 }], [400, { ...fine, material: 100 }], [400, { ...fine, material: -1 }],
    [400, { ...fine, draft: 'x' }], [400, { ...fine, name: '../a.jpg' }], [400, {}], [400, { ...fine, size: '5' }]];
  for (const [status, json] of bad) await c.refused(status, status === 413 ? 'too_large' : 'input', 'POST', '/api/uploads', { json });
  const u = await c.post('/api/uploads', fine);
  const put = (who, offset, body) => ['PUT', `/api/uploads/${u.id}?offset=${offset}`, { body, headers: { 'content-type': 'application/octet-stream' } }];
  await c.refused(400, 'input', ...put(c, 0, Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'.padEnd(1022))));
  await c.refused(400, 'input', ...put(c, 0, Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(1014)])));
  await c.refused(400, 'input', ...put(c, 0, small.subarray(0, 1000)));
  await c.refused(409, 'conflict', ...put(c, 512, small.subarray(512)));
  await c.refused(400, 'input', ...put(c, 'x', small));
  await c.refused(400, 'input', ...put(c, '-1', small));
  await c.refused(413, 'too_large', ...put(c, 0, Buffer.alloc(600000)));
  await other.refused(404, 'missing', ...put(other, 0, small));
  await other.refused(404, 'missing', 'GET', `/api/uploads/${u.id}`);
  await other.refused(404, 'missing', 'DELETE', `/api/uploads/${u.id}`);
  await c.call(...put(c, 0, small));
  await c.refused(409, 'conflict', ...put(c, 0, Buffer.concat([small.subarray(0, 1000), Buffer.alloc(22)])));
});

test('uploads: an account has room for 60 MB and 40 pages a slot', async () => {
  const c = await citizen();
  const draft = newId();
  for (let i = 0; i < 3; i++) await c.post('/api/uploads', { draft, material: 1, type: 'image/jpeg', size: 20971520 });
  await c.refused(413, 'too_large', 'POST', '/api/uploads', { json: { draft, material: 1, type: 'image/jpeg', size: 1 } });
  const d = await citizen();
  for (let i = 0; i < 40; i++) await d.post('/api/uploads', { draft, material: 2, type: 'image/png', size: 10 });
  await d.refused(413, 'too_large', 'POST', '/api/uploads', { json: { draft, material: 2, type: 'image/png', size: 10 } });
});

test('CIT-06 CIT-07 MAT-03 check: every finding names its field and rule', async () => {
  const { c, draft } = await drafted('birth');
  const good = await c.post('/api/applications/check', draft);
  assert.equal(good.ok, true);
  assert.match(good.hash, /^[0-9a-f]{64}$/);
  assert.equal(good.verify.who, 'guardian');
  const verdict = async (change) => (await c.post('/api/applications/check', { ...draft, ...change })).findings.map((f) => `${f.field} ${f.rule}`);
  const entries = (change) => ({ entries: Object.fromEntries(Object.entries({ ...draft.entries, ...change }).filter(([, v]) => v !== undefined)) });
  assert.deepEqual(await verdict(entries({ child_name: undefined })), ['child_name required']);
  assert.deepEqual(await verdict(entries({ mother_id_no: draft.entries.mother_id_no.slice(0, 17) + (draft.entries.mother_id_no.endsWith('0') ? '1' : '0') })), ['mother_id_no id_check_digit']);
  assert.deepEqual(await verdict(entries({ child_birth_date: '2027-02-29' })), ['child_birth_date date']);
  assert.deepEqual(await verdict(entries({ nonsense: 'x' })), ['nonsense unknown']);
  assert.deepEqual(await verdict(entries({ child_gender: '7' })), ['child_gender code_value']);
  assert.deepEqual(await verdict({ materials: [draft.materials[0]] }), ['material.2 material_required']);
  assert.deepEqual(await verdict({ materials: [draft.materials[0], { ...draft.materials[1], pages: [newId()] }] }), ['material.2 page_unknown']);
  assert.deepEqual(await verdict({ materials: [draft.materials[0], { ...draft.materials[1], pages: draft.materials[0].pages }] }), ['material.2 page_repeated']);
  assert.deepEqual(await verdict({ draft: newId() }), ['material.1 page_unknown', 'material.2 page_unknown']);
  assert.deepEqual(await verdict({ untypeable: [{ field: 'child_name', pinyin: 'zhe1', page: newId() }] }), ['untypeable untypeable_field', 'child_name untypeable_pinyin', 'child_name untypeable_page']);
});

test('check: a character that cannot be typed comes with pinyin and a photograph', async () => {
  const { c, draft } = await drafted('birth', { childName: '陈〓' });
  const page = await c.upload(draft.draft, 0, 'image/jpeg', small);
  const full = { ...draft, entries: { ...draft.entries, child_name_pinyin: 'zhé' }, materials: [...draft.materials, { material: 0, pages: [page] }], untypeable: [{ field: 'child_name', pinyin: 'zhé', page }] };
  const v = await c.post('/api/applications/check', full);
  assert.deepEqual(v.findings, []);
  const r = await c.submit(full, cast.birth({ phone: c.phone }).who);
  const rec = await w.arrived(r.no, 'application');
  assert.match(Buffer.from(rec.content, 'base64').toString(), new RegExp(`<untypeable field="child_name" pinyin="zhé" page="${page}"/>`));
});

test('check: drafts that cannot be judged are refused in words', async () => {
  const { c, draft } = await drafted();
  await c.refused(409, 'conflict', 'POST', '/api/applications/check', { json: { ...draft, config_version: 99 } });
  await c.refused(404, 'missing', 'POST', '/api/applications/check', { json: { ...draft, item: 'HJ999' } });
  const { items } = await c.get('/api/catalogue');
  const closed = items.find((i) => !i.online_open);
  if (closed) await c.refused(403, 'denied', 'POST', '/api/applications/check', { json: { ...draft, item: closed.code } });
  for (const change of [{ draft: 'x' }, { entries: [] }, { materials: {} }, { materials: [{ material: 1, pages: 'x' }] }, { materials: [{ material: 1, pages: [], more: 1 }] }, { more: 1 }, { item: 7 },
    { config_version: '1' }, { materials: [{ material: 1, pages: [] }, { material: 1, pages: [] }] }, { untypeable: [1] }, { evidence: newId() }]) {
    await c.refused(400, 'input', 'POST', '/api/applications/check', { json: { ...draft, ...change } });
  }
  await c.refused(413, 'too_large', 'POST', '/api/applications/check', { json: { ...draft, entries: { a: 'x'.repeat(300000) } } });
  const flood = await c.raw('POST', '/api/applications/check', { json: { ...draft, entries: { a: 'x'.repeat(10 << 20) } } }).catch(() => null);
  assert.ok(flood === null || flood.status === 413, 'ten megabytes are cut off, not read');
  await c.refused(400, 'input', 'POST', '/api/applications/check', { body: '<!DOCTYPE a><a/>', headers: { 'content-type': 'application/json' } });
});

test('identity: three failures end the attempts and leave the draft; a pass is bound to the hash', async () => {
  const { c, who, draft } = await drafted();
  const { hash } = await c.post('/api/applications/check', draft);
  const ask = { hash, name: who.name, id_no: who.id_no };
  for (const left of [2, 1, 0]) assert.equal((await c.refused(403, 'denied', 'POST', '/api/identity/verify', { json: { ...ask, sandbox_result: 'fail' } })).tries_left, left);
  const e = await c.refused(429, 'busy', 'POST', '/api/identity/verify', { json: { ...ask, sandbox_result: 'pass' } });
  assert.ok(e.retry_s > 1700);
  assert.equal((await c.post('/api/applications/check', draft)).hash, hash);
  for (const change of [{ hash: 'x' }, { name: '' }, { id_no: '340799199710206940' }, { id_no: '123' }, { more: 'x' }, { sandbox_result: 'maybe' }]) {
    const d = await citizen();
    await d.refused(400, 'input', 'POST', '/api/identity/verify', { json: { ...ask, ...change } });
  }
});

test('CIT-08 PRF-04 submit: accepted once under its key, in my business at once, within 3 s', async () => {
  const { c, who, draft } = await drafted('birth');
  const body = { ...draft, evidence: await evidence(c, draft, who) };
  const key = newId();
  const began = Date.now();
  const r = await submit(c, body, key);
  assert.equal(r.status, 201);
  assert.ok(Date.now() - began <= 3000, 'PRF-04');
  const receipt = await r.json();
  assert.match(receipt.no, /^34072\d{11}$/);
  assert.equal(receipt.pages, 2);
  const again = await submit(c, body, key);
  assert.equal(again.status, 200);
  assert.deepEqual(await again.json(), receipt);
  await c.refused(409, 'conflict', 'POST', '/api/applications', { json: { ...body, entries: { ...body.entries, child_name: '陈大满' } }, headers: { 'idempotency-key': key } });
  const twice = await c.refused(409, 'conflict', 'POST', '/api/applications', { json: body, headers: { 'idempotency-key': newId() } });
  assert.match(twice.message, /没有重复/);
  assert.equal(twice.fields[0].have, receipt.no);
  const list = (await c.get('/api/applications')).cases;
  assert.deepEqual(list.map((x) => x.no), [receipt.no]);
  assert.equal(list[0].state.tag, '已提交');
});

test('CIT-08 submit: fifty at once under one key give one case', async () => {
  const { c, who, draft } = await drafted();
  const body = { ...draft, evidence: await evidence(c, draft, who) };
  const key = newId();
  const answers = await Promise.all(Array.from({ length: 50 }, () => submit(c, body, key)));
  const numbers = new Set();
  for (const r of answers) { assert.ok([200, 201].includes(r.status), `status ${r.status}`); numbers.add((await r.json()).no); }
  assert.equal(numbers.size, 1);
  assert.equal(answers.filter((r) => r.status === 201).length, 1);
  assert.equal((await c.get('/api/applications')).cases.length, 1);
});

test('submit: without key, evidence, or with content changed after the face check nothing is accepted', async () => {
  const { c, who, draft } = await drafted();
  const other = await drafted();
  const mine = await evidence(c, draft, who);
  const send = (status, code, body, key = newId()) => c.refused(status, code, 'POST', '/api/applications', { json: body, headers: key ? { 'idempotency-key': key } : {} });
  await send(400, 'input', { ...draft, evidence: mine }, null);
  await send(400, 'input', { ...draft, evidence: mine }, 'short');
  await send(400, 'input', draft);
  await send(403, 'denied', { ...draft, evidence: newId() });
  await send(403, 'denied', { ...draft, evidence: await evidence(other.c, other.draft, other.who) });
  await send(403, 'denied', { ...draft, evidence: mine, entries: { ...draft.entries, new_name: '林知新' } });
  const f = await send(400, 'input', { ...draft, evidence: mine, entries: { ...draft.entries, applicant_name: '张三' } });
  assert.ok(f.fields.some((x) => x.field === 'applicant_name' && x.rule === 'derived'), JSON.stringify(f.fields));
  assert.deepEqual((await c.get('/api/applications')).cases, []);
});

test('I5 while a case is under way neither gateway nor service folders hold a name, number, phone or picture', async () => {
  await w.disconnect();
  const { c, who, draft } = await drafted('rename', { newName: '林独特' });
  const { no } = await c.submit(draft, who);
  await until(() => files(path.join(w.dir, 'gateway/in')).some((f) => /b-internet/.test(f)), 'the batch lies in the gateway', 10, 50);
  assert.deepEqual(leaks({ name: who.name, number: who.id_no, new_name: '林独特', photograph: 'MARKER-OF-A-PHOTOGRAPH', phone: c.phone }), []);
  w.connect();
  await w.arrived(no, 'application');
});

test('CIT-09 new device: only number and times until the last four characters; five wrong tries lock', async () => {
  const { c, who, no } = await submitted();
  const d = new Checked(w, c.phone);
  await d.signIn();
  const locked = await d.get(`/api/applications/${no}`);
  assert.deepEqual(Object.keys(locked).sort(), ['locked', 'no', 'submitted', 'tries_left', 'updated']);
  assert.equal((await d.get('/api/applications')).cases[0].locked, true);
  await d.refused(403, 'denied', 'POST', `/api/applications/${no}/withdraw`, { json: {} });
  for (const last4 of ['12', '12345', 'abcd', 'XXXX']) await d.refused(400, 'input', 'POST', `/api/applications/${no}/unlock`, { json: { last4 } });
  const wrong = who.id_no.endsWith('0001') ? '0002' : '0001';
  assert.equal((await d.refused(403, 'denied', 'POST', `/api/applications/${no}/unlock`, { json: { last4: wrong } })).tries_left, 4);
  const open = await d.post(`/api/applications/${no}/unlock`, { last4: who.id_no.slice(-4).toLowerCase() });
  assert.equal(open.locked, false);
  assert.equal((await d.case(no)).no, no);
  const f = new Checked(w, c.phone);
  await f.signIn();
  for (let left = 4; left > 0; left--) assert.equal((await f.refused(403, 'denied', 'POST', `/api/applications/${no}/unlock`, { json: { last4: wrong } })).tries_left, left);
  await f.refused(429, 'busy', 'POST', `/api/applications/${no}/unlock`, { json: { last4: wrong } });
  await f.refused(429, 'busy', 'POST', `/api/applications/${no}/unlock`, { json: { last4: who.id_no.slice(-4) } });
  assert.equal((await f.case(no)).tries_left, 0);
});

test('IDOR: a case of another account answers like one that does not exist', async () => {
  const { no } = await submitted();
  const c = await citizen();
  const messages = new Set();
  for (const n of [no, '3407261199999990', '9999999999999999', 'abc']) {
    messages.add((await c.refused(404, 'missing', 'GET', `/api/applications/${n}`)).message);
    await c.refused(404, 'missing', 'POST', `/api/applications/${n}/unlock`, { json: { last4: '1234' } });
    await c.refused(404, 'missing', 'POST', `/api/applications/${n}/withdraw`, { json: {} });
    await c.refused(404, 'missing', 'POST', `/api/applications/${n}/supplement`, { json: { draft: newId(), entries: {}, materials: [] }, headers: { 'idempotency-key': newId() } });
  }
  assert.equal(messages.size, 1);
});

test('FRY-13 confirmed: everything sealed is purged within 60 s, the tracking row remains, markers are nowhere', async () => {
  const { c, who, no, rec, slices } = await submitted('rename', { newName: '林远方' });
  assert.ok(slices.every((s) => files(path.join(w.dir, 'internet/data/spool')).some((f) => f.endsWith(s.id))));
  assert.ok(files(path.join(w.dir, 'mirror')).some((f) => f.endsWith(rec.id)), 'the record is on the second volume');
  w.answer(no, rec, 'received', { done: 1, total: 3 });
  const half = await shows(c, no, 'received');
  assert.equal(half.state.sentence, `${half.unit.short}已收到，照片还在传 1/3`);
  w.answer(no, rec, 'confirmed', { items: [rec, ...slices] });
  const done = await until(async () => { const x = await c.case(no); return x.confirmed ? x : null; }, 'confirmed', 15, 50);
  assert.equal(done.state.key, 'reviewing');
  const gone = () => ![rec, ...slices].some((s) => [...files(path.join(w.dir, 'internet/data/spool')), ...files(path.join(w.dir, 'mirror'))].some((f) => f.endsWith(s.id)));
  await until(gone, 'spool and mirror files go', 60, 100);
  const sealedBytes = () => files(path.join(w.dir, 'internet/data')).some((f) => readFileSync(f).includes(Buffer.from(rec.id)) && /-wal$/.test(f));
  await until(() => !sealedBytes(), 'the WAL is truncated', 60, 200);
  assert.deepEqual(leaks({ name: who.name, number: who.id_no, new_name: '林远方', photograph: 'MARKER-OF-A-PHOTOGRAPH', phone: c.phone }), []);
  assert.equal((await c.case(no)).no, no);
});

test('FRY-13 I4 a forged or partial confirmation purges nothing', async () => {
  const { c, no, rec, slices } = await submitted();
  const spool = path.join(w.dir, 'internet/data/spool');
  w.answer(no, rec, 'confirmed', { items: [{ ...rec, hash: '0'.repeat(64) }, ...slices] });
  w.answer(no, rec, 'confirmed', { items: [rec, ...slices.slice(1)] });
  w.answer(no, rec, 'confirmed', { items: [rec, ...slices.map((s) => ({ ...s, hash: 'f'.repeat(64) }))] });
  w.status(no, 'reviewing', { event: '到了这里' });
  await until(async () => (await c.case(no)).events.some((x) => x.text === '到了这里'), 'the status behind them came', 15, 50);
  assert.ok(slices.every((s) => files(spool).some((f) => f.endsWith(s.id))));
  assert.equal((await c.case(no)).confirmed, false);
  w.answer(no, rec, 'confirmed', { items: [rec, ...slices] });
  await until(async () => (await c.case(no)).confirmed, 'the true one confirms', 15, 50);
});

test('CIT-11 held, refused on import: said in words, the refused one may be handed in again', async () => {
  const held = await submitted();
  w.answer(held.no, held.rec, 'held', { reason: 'parser died' });
  const h = await shows(held.c, held.no, 'held');
  assert.doesNotMatch(JSON.stringify(h), /parser/);
  w.answer(held.no, held.rec, 'received', { done: 3, total: 3 });
  await shows(held.c, held.no, 'reviewing');
  const { c, who, draft, no, rec } = await submitted();
  w.answer(no, rec, 'refused', { reason: '身份核验没有通过' });
  const x = await shows(c, no, 'import_refused');
  assert.equal(x.refused_on_import, true);
  assert.equal(x.finished, true);
  assert.equal(x.state.sentence, '身份核验没有通过。您填的内容还在这台设备上，改好后重新申请');
  assert.deepEqual(x.state.buttons.map((b) => b.action), ['mend']);
  await until(() => !files(path.join(w.dir, 'mirror')).some((f) => f.endsWith(rec.id)), 'a refused one is purged too', 60, 100);
  const materials = [];
  for (const m of draft.materials) materials.push({ ...m, pages: [await c.upload(draft.draft, m.material, 'image/jpeg', small)] });
  assert.notEqual((await c.submit({ ...draft, materials }, who)).no, no);
});

test('CIT-11 every public state is shown with its tag, sentence and buttons', async () => {
  const { c, no } = await submitted();
  const values = { unit: undefined, reason: '照片不清楚', rule: '《户口登记条例》', remedy: '补齐后可以再申请', date: '12月3日', who: '孩子爸爸', bring: '户口簿', time: '09:00', total: '2', done: '1' };
  const known = ['fix', 'withdraw', 'mend', 'again', 'originals', 'unit'];
  for (const s of states.filter((x) => !x.local && !x.final && !['crossing', 'held', 'import_refused', 'supplement'].includes(x.key))) {
    w.status(no, s.key, { values: Object.fromEntries(Object.entries(values).filter(([, v]) => v)), event: `到了 ${s.key}`, stage: 3 });
    const x = await shows(c, no, s.key);
    const wanted = s.sentence.replace(/\{(\w+)\}/g, (_, k) => values[k] ?? x.unit.short);
    assert.equal(x.state.sentence, wanted, s.key);
    assert.equal(x.state.tag, s.tag);
    assert.equal(x.turn, s.turn);
    assert.deepEqual(x.state.buttons.map((b) => b.action), s.buttons.filter((b) => !b.feature && known.includes(b.action)).map((b) => b.action), s.key);
  }
  w.status(no, 'reviewing', { event: '没有日期' });
  await until(async () => (await c.case(no)).state.sentence === '民警正在审核', 'the variant without a date', 10, 50);
  w.status(no, 'completed', { stage: 5, final: true, event: '已办结', values: { variant: 'nothing' } });
  const end = await shows(c, no, 'completed');
  assert.equal(end.finished, true);
  assert.equal(end.state.sentence, '已经办好，户籍登记已更新');
  assert.equal(end.stages[4].state, 'done');
  assert.equal(end.withdrawable, false);
});

test('a status this configuration does not know is held, not shown and not lost', async () => {
  const { c, no } = await submitted();
  w.status(no, 'state_of_tomorrow', { event: '以后才有' });
  await until(() => /"result":"held"/.test(w.log), 'held', 15, 50);
  assert.doesNotMatch(JSON.stringify(await c.case(no)), /以后才有/);
});

test('CIT-12 supplement: only what was asked, under the same number, once', async () => {
  const { c, no } = await submitted('birth');
  const later = new Date(Date.now() + 10 * 86400e3).toISOString().slice(0, 10);
  w.request(no, 1, later, { 2: '第 2 页看不清编号' }, { child_birth_place: '请写到医院' });
  w.status(no, 'supplement', { deadline: later, event: '民警请您补材料' });
  const x = await until(async () => { const y = await c.case(no); return y.supplement && y.events.length > 1 ? y : null; }, 'asked', 15, 50);
  assert.equal(x.turn, 'citizen');
  assert.equal(x.deadline, later);
  assert.match(x.state.sentence, /^轮到您：请补 1 份材料。\d+月\d+日前补齐/);
  assert.deepEqual(x.supplement.slots.map((s) => [s.material, s.name, s.reason]), [[2, '宝宝的《出生医学证明》', '第 2 页看不清编号']]);
  const draft = newId();
  const page = await c.upload(draft, 2, 'image/jpeg', small);
  const wrong = await c.upload(draft, 1, 'image/jpeg', small);
  const good = { draft, entries: { child_birth_place: '340799 江州市江州区第一医院' }, materials: [{ material: 2, pages: [page] }] };
  const url = `/api/applications/${no}/supplement`;
  const fields = async (json) => (await c.refused(400, 'input', 'POST', url, { json, headers: { 'idempotency-key': newId() } })).fields.map((f) => `${f.field} ${f.rule}`);
  assert.ok((await fields({ ...good, materials: [] })).includes('material.2 material_required'));
  assert.ok((await fields({ ...good, materials: [...good.materials, { material: 1, pages: [wrong] }] })).includes('material.1 not_asked'));
  assert.ok((await fields({ ...good, entries: { ...good.entries, child_name: '陈别' } })).some((f) => f.startsWith('child_name')));
  assert.ok((await fields({ ...good, entries: {} })).some((f) => f.startsWith('child_birth_place')));
  assert.ok((await fields({ ...good, item: 'HJ001' })).includes('item shape'));
  await c.refused(400, 'input', 'POST', url, { json: good });
  const key = newId();
  const r = await c.raw('POST', url, { json: good, headers: { 'idempotency-key': key } });
  assert.equal(r.status, 201);
  assert.equal((await r.json()).no, no);
  assert.equal((await c.raw('POST', url, { json: good, headers: { 'idempotency-key': key } })).status, 200);
  await c.refused(409, 'conflict', 'POST', url, { json: good, headers: { 'idempotency-key': newId() } });
  const rec = await w.arrived(no, 'supplement');
  assert.equal(rec.seq, 2);
  assert.match(Buffer.from(rec.content, 'base64').toString(), /round="1"/);
  assert.equal((await c.case(no)).state.key, 'crossing');
  w.answer(no, rec, 'confirmed', { items: [rec, ...(await w.slices(no, rec))] });
  w.status(no, 'reviewing', { event: '重新审核' });
  await shows(c, no, 'reviewing');
});

test('CIT-12 a refused supplement can be handed in again; an overdue one shows as ended', async () => {
  const { c, no } = await submitted();
  const later = new Date(Date.now() + 5 * 86400e3).toISOString().slice(0, 10);
  const url = `/api/applications/${no}/supplement`;
  const hand = async () => {
    const draft = newId();
    const page = await c.upload(draft, 1, 'image/jpeg', small);
    return c.raw('POST', url, { json: { draft, entries: {}, materials: [{ material: 1, pages: [page] }] }, headers: { 'idempotency-key': newId() } });
  };
  assert.equal((await hand()).status, 409, 'nothing is asked for');
  w.request(no, 1, later, { 1: '没有签名' });
  await shows(c, no, 'supplement');
  assert.equal((await hand()).status, 201);
  const rec = await w.arrived(no, 'supplement');
  w.answer(no, rec, 'refused', { reason: '照片打不开' });
  const x = await until(async () => { const y = await c.case(no); return y.supplement ? y : null; }, 'asked again', 15, 50);
  assert.ok(x.events.some((e) => e.text === '补交的材料没有收下：照片打不开'));
  assert.equal((await hand()).status, 201);
  const second = await w.arrived(no, 'supplement', 2);
  w.answer(no, second, 'confirmed', { items: [second, ...(await w.slices(no, second))] });
  w.status(no, 'reviewing');
  await shows(c, no, 'reviewing');
  w.request(no, 2, '2026-01-02', { 1: '没有日期' });
  const late = await shows(c, no, 'supplement_overdue');
  assert.equal(late.state.sentence, '没有收到补充材料，已结束');
  assert.equal(late.finished, true);
  assert.match((await c.refused(409, 'conflict', 'POST', url, { json: { draft: newId(), entries: {}, materials: [] }, headers: { 'idempotency-key': newId() } })).message, /已过/);
});

test('CIT-28 withdrawal: asked once, decided there; refused it goes on, decided cases cannot be withdrawn', async () => {
  const { c, no } = await submitted();
  for (const json of [{ reason: 1 }, { reason: 'x'.repeat(201) }, { reason: 'a\u0007b' }, { more: 'x' }]) await c.refused(400, 'input', 'POST', `/api/applications/${no}/withdraw`, { json });
  const r = await c.raw('POST', `/api/applications/${no}/withdraw`, { json: { reason: '不办了' } });
  assert.equal(r.status, 202);
  const x = await r.json();
  assert.equal(x.state.key, 'withdraw_asked');
  assert.equal(x.withdrawable, false);
  await c.post(`/api/applications/${no}/withdraw`, {});
  const rec = await w.arrived(no, 'withdrawal');
  assert.equal(w.items.filter((i) => i.case === no && i.kind === 'withdrawal').length, 1);
  assert.match(Buffer.from(rec.content, 'base64').toString(), /<reason>不办了<\/reason>/);
  w.status(no, 'reviewing', { event: '这时还没看到撤回' });
  await until(async () => (await c.case(no)).events.some((e) => e.text === '这时还没看到撤回'), 'status', 15, 50);
  assert.equal((await c.case(no)).state.key, 'withdraw_asked', 'a status from before does not hide what was asked');
  w.answer(no, rec, 'refused', { reason: '已经作出决定' });
  const y = await shows(c, no, 'reviewing');
  assert.ok(y.events.some((e) => e.text === '没有撤回：已经作出决定'));
  await c.post(`/api/applications/${no}/withdraw`, {});
  const second = await w.arrived(no, 'withdrawal', 2);
  assert.equal(second.seq, 3);
  w.answer(no, second, 'confirmed');
  w.status(no, 'withdrawn', { final: true, event: '已撤回', values: { date: '11月23日' } });
  assert.equal((await shows(c, no, 'withdrawn')).finished, true);
  assert.match((await c.refused(409, 'conflict', 'POST', `/api/applications/${no}/withdraw`, { json: {} })).message, /不能撤回/);
});

test('every path of the contract was walked, accepted and refused', () => {
  contract.walked.add('GET /healthz accepted');        // test_internet_run.mjs asks it in health and out of it
  contract.walked.add('GET /healthz refused');
  assert.deepEqual(contract.missing('accepted'), []);
  const always = ['GET /api/session', 'GET /api/catalogue', 'GET /api/catalogue/search'];          // these refuse nobody
  assert.deepEqual(contract.missing('refused').filter((o) => !always.includes(o)), []);
});

test('the log has no warning that nobody meant, and no personal data', () => {
  const meant = ['item'];
  const lines = w.log.split('\n').filter(Boolean).map((l) => JSON.parse(l));
  assert.deepEqual([...new Set(lines.filter((l) => ['warn', 'error'].includes(l.level) && !meant.includes(l.event)).map((l) => JSON.stringify(l)))], []);
  const people = [person(cast.rename({ phone: '1' }).who.id_no)].flatMap((p) => [p.name, p.id_no]);
  for (const m of people) assert.ok(!w.log.includes(m), `log holds ${m}`);
  assert.ok(!/1390562\d{4}/.test(w.log), 'log holds a phone');
});
