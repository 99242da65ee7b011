// The officers' service over its API, with nginx in front: every path of schemas/openapi/intranet.yaml with accepted and refused inputs, each answer
// judged by the contract, which knows every member that may stand in one. Cases are applications that citizens of the demonstration hand in.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import { cast, day, persons, unitOf } from '../support/cast.mjs';
import { Demo, root, sleep, until } from '../support/demo.mjs';
import { Citizen } from '../support/client.mjs';
import { rfc3339 } from '../support/internet.mjs';
import { apply, contract, nobody, officer, onDesk, pdf, reconfigure } from '../support/officers.mjs';

const IDLE_S = 60, LOCK_S = 6, UNDO_S = 5;
const STATION = '340799510000', BUREAU = '340799000000', ELSEWHERE = '340799520000';
const NOWHERE = '3407999999999999';
const free = persons.filter((p) => p.status === 'normal' && p.birth_date < '2000' && unitOf(p) === STATION && !p.id_no.startsWith('34079919990210'));
const held = {};                         // exceptions: applications that came before the identity provider's key
let demo, idler, idle;
let deaf = [];                           // from, to: when the database took no writes

const enter = (login) => officer(demo, login);
const employer = (name = '江州市气象台') => apply(demo, ({ phone }) => cast.employer({ phone, who: free.pop(), employer: name }));
/** A case on the desk of `o`, nobody's yet. */
const fresh = async (o, name) => { const a = await employer(name); return { ...a, c: await onDesk(o, a.no) }; };
const audit = (act, object) => {
  const db = new DatabaseSync(path.join(demo.dir, 'intranet/data/intranet.db'), { readOnly: true });
  try { return db.prepare('SELECT login, result FROM audit WHERE act = ? AND object = ? ORDER BY id').all(act, object); } finally { db.close(); }
};
const at = (error) => (error.fields ?? []).map((f) => `${f.field} ${f.rule}`);
const raw = (body, type = 'application/json') => ({ body, headers: { 'content-type': type } });

/** An operation of the contract as a request, its path filled in. */
function request(operation, { no = NOWHERE, id = '0'.repeat(32) } = {}) {
  const [method, p] = operation.split(' ');
  const url = p.replace('{no}', no).replace('{id}', id).replace('{item}', 'HJ043').replace('{act}', p.startsWith('/api/configuration') ? 'submit' : 'unlock')
    .replace('{code}', 'HJ043').replace('{version}', '1');
  if (operation.startsWith('POST') && operation.endsWith('/scans')) return [method, `${url}?kind=permit`, { body: Buffer.from('%PDF-1.4'), headers: { 'content-type': 'application/pdf' } }];
  const query = { 'GET /api/changes': '?since=0', 'GET /api/cases': '?view=todo', 'GET /api/register/persons': '?name=无名氏' }[operation] ?? '';
  const decision = { action: 'pass', version: 1 };
  const json = { 'POST /api/login': { login: 'x', password: 'x' }, 'POST /api/password': { old: 'x', new: 'y' }, 'POST /api/cases/{no}/preview': decision,
    'POST /api/cases/{no}/decide': decision, 'POST /api/cases/{no}/notes': { field: 'employer_after', note: '说明' }, 'POST /api/cases/{no}/pages/{id}': { seen: true },
    'POST /api/cases/{no}/effect': { completion: {} }, 'POST /api/cases/{no}/reverse': { reason: '录错', confirm_text: '撤销办结' },
    'POST /api/reveal': { no, field: 'subject_id_no' }, 'POST /api/officers': { login: 'x', name: '王一', role: 'aux', unit: STATION },
    'POST /api/configuration/preview': { changes: [] }, 'POST /api/configuration/changes': { changes: [] }, 'POST /api/configuration/changes/{id}': { version: 1, changes: [] },
    'POST /api/configuration/changes/{id}/{act}': { version: 1, reason: 'x' } }[operation];
  return [method, encodeURI(url + query), { json }];
}
const operations = (fits) => contract.operations().filter((o) => fits.test(o));
const guarded = () => operations(/\/api\/(?!login)/);

before(async () => {
  demo = await Demo.start({ limits: 100 });
  const key = path.join(demo.dir, 'intranet/keys/identity.pub');
  await reconfigure(demo, { idle_s: IDLE_S, lock_s: LOCK_S, undo_s: UNDO_S, identity_key: '' });
  const admin = await enter('hj_admin');
  for (const name of ['first', 'second']) {
    held[name] = await employer();
    await until(async () => (await admin.get('/api/exceptions')).exceptions.some((x) => x.no === held[name].no && x.word === 'held'), 'held', 20, 50);
  }
  const { id } = (await admin.get('/api/exceptions')).exceptions.find((x) => x.no === held.first.no);
  assert.equal((await admin.post(`/api/exceptions/${id}/retry`)).word, 'held', 'nothing has changed yet');
  await reconfigure(demo, { identity_key: key });
  idler = await enter('hj_aux8');
  idle = Date.now();
});
after(async () => { await demo?.stop(); });

test('IMP-02 exceptions: what is held is listed with its reason and processed again; what was refused is final', async () => {
  const admin = await enter('hj_admin');
  const list = async () => (await admin.get('/api/exceptions')).exceptions;
  const [first, second] = ['first', 'second'].map((n) => held[n].no);
  const row = (await list()).find((x) => x.no === first);
  assert.deepEqual([row.kind, row.word], ['application', 'held']);
  assert.ok(row.reason && row.at);
  assert.equal((await admin.post(`/api/exceptions/${row.id}/retry`)).word, 'applied');
  assert.equal((await onDesk(await enter('hj_officer1'), first)).state, 'awaiting_review');
  assert.ok(!(await list()).some((x) => x.id === row.id));
  await admin.refused(404, 'missing', 'POST', `/api/exceptions/${row.id}/retry`);
  const other = (await list()).find((x) => x.no === second);
  execFileSync(path.join(root, 'build/bin/ferry'), ['discard', other.id, '--config', demo.ferry_conf, '--side', 'intranet', '--reason', '材料打不开']);
  const gone = await until(async () => (await list()).find((x) => x.id === other.id && x.word === 'refused'), 'refused', 10, 50);
  assert.match(gone.reason, /打不开/);
  await admin.refused(404, 'missing', 'POST', `/api/exceptions/${other.id}/retry`);
  for (const id of ['0'.repeat(32), 'x', 'A'.repeat(32), '1'.repeat(65)]) await admin.refused(404, 'missing', 'POST', `/api/exceptions/${id}/retry`);
});

test('sign-in: who one is, and what a malformed or hostile request is told', async () => {
  const o = await enter('hj_officer1');
  assert.deepEqual([o.me.role, o.me.unit.code, o.me.must_change_password, o.me.nav], ['officer', STATION, false, ['desk', 'cases', 'register']]);
  assert.deepEqual(await o.get('/api/me'), { ...o.me, channel: (await o.get('/api/me')).channel });
  const n = nobody(demo), url = '/api/login';
  const right = { login: 'hj_officer1', password: o.account.password };
  const bad = [[{}, 'login required,password required'], [{ login: 'a' }, 'password required'], [{ ...right, more: 1 }, 'more unknown'], [{ ...right, login: 7 }, 'login type'],
    [{ ...right, password: null }, 'password type'], [{ ...right, login: 'x'.repeat(33) }, 'login length'], [{ ...right, password: 'x'.repeat(129) }, 'password length'],
    [{ ...right, login: 'a\u0007b' }, 'login xml_char'], [[], ' type'], [[right], ' type']];
  for (const [json, want] of bad) assert.equal(at(await n.refused(400, 'input', 'POST', url, { json })).join(), want);
  const length = (await n.refused(400, 'input', 'POST', url, { json: { ...right, login: 'x'.repeat(33) } })).fields[0];
  assert.deepEqual([length.want, length.have], ['at most 32 characters', '33']);
  assert.ok(!JSON.stringify(await n.refused(400, 'input', 'POST', url, { json: { ...right, password: '口令'.repeat(80) } })).includes('口令'), 'a secret is not repeated');
  for (const body of ['', '{', '"x"', '7', 'null', '{"login":"a","login":"b","password":"x"}', `${JSON.stringify(right)}x`, '<!DOCTYPE a><a/>', '{"login":"a\\u0000","password":"x"}', '['.repeat(400), '\xff'])
    await n.refused(400, 'input', 'POST', url, raw(body));
  for (const type of ['text/plain', 'application/xml', 'multipart/form-data; boundary=x', 'application/jsonx']) await n.refused(400, 'input', 'POST', url, raw(JSON.stringify(right), type));
  await n.refused(403, 'denied', 'POST', url, { json: right, headers: { 'x-requested-with': 'other' } });
  await n.refused(413, 'too_large', 'POST', url, { json: { ...right, password: 'x'.repeat(2000) } });
  for (const operation of new Set(contract.operations().map((x) => x.split(' ')[1]).filter((x) => !x.endsWith('/next'))))      // …/next reads as a number
    for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'PATCH'].filter((m) => !contract.operations().includes(`${m} ${operation}`)))
      assert.equal((await n.raw(...request(`${method} ${operation}`))).status, 405, `${method} ${operation}`);
  const wrong = await n.refused(401, 'auth', 'POST', url, { json: { ...right, password: 'x' } });
  assert.equal((await n.refused(401, 'auth', 'POST', url, { json: { ...right, login: 'hj_nobody' } })).message, wrong.message, 'an unknown login looks like a wrong password');
});

test('SEC-18 a decision of ten megabytes is cut off; other bodies that are no decision are refused', async () => {
  const o = await enter('hj_officer1');
  const url = `/api/cases/${NOWHERE}/decide`;
  const huge = raw(`{"action":"pass","version":1,"opinion":"${'x'.repeat(10 << 20)}"}`);
  await o.refused(413, 'too_large', 'POST', url, huge);
  const direct = await fetch(demo.direct.intranet + url, { method: 'POST', ...huge, headers: { ...huge.headers, cookie: `hz=${o.jar.get('hz')}`, 'x-csrf-token': o.csrf } }).catch(() => null);
  assert.ok(direct === null || direct.status === 413, 'without nginx nothing of it is read either');
  await o.refused(413, 'too_large', 'POST', url, raw(`{"opinion":"${'x'.repeat(70000)}"}`));
  for (const body of ['<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>', '{"action":"pass","action":"refuse","version":1}', '{"action":"pass","version":1}{}', '[]', '{"version":1e999}', '{"a":'.repeat(40)])
    await o.refused(400, 'input', 'POST', url, raw(body));
});

test('SEC-20 sessions: none, an invented one and an ended one are refused on every path; so is every change without this session\'s token', async () => {
  const n = nobody(demo), lost = nobody(demo), o = await enter('hj_officer1'), other = await enter('hj_officer1');
  n.csrf = 'a'.repeat(64);
  lost.jar.set('hz', 'b'.repeat(64));
  for (const operation of guarded()) {
    await n.refused(401, 'auth', ...request(operation));
    await lost.refused(401, 'auth', ...request(operation));
  }
  const admin = await enter('hj_admin');
  for (const operation of guarded().filter((x) => x.startsWith('POST'))) {
    const who = /officers|exceptions/.test(operation) ? admin : o;
    for (const token of ['', 'b'.repeat(64), other.csrf, who.csrf.toUpperCase(), who.csrf.slice(1)]) {
      const [method, url, options] = request(operation);
      await who.refused(403, 'denied', method, url, { ...options, headers: { 'x-csrf-token': token } });
    }
  }
  assert.equal((await o.raw('POST', '/api/logout')).status, 204);
  o.jar.set('hz', other.jar.get('hz'));
  await o.refused(403, 'denied', 'POST', '/api/logout');
  assert.equal((await other.get('/api/me')).login, 'hj_officer1', 'the other session goes on');
  const headers = { cookie: `hz=${other.jar.get('hz')}`, 'x-proxy-secret': readFileSync(path.join(demo.dir, 'intranet/proxy-secret'), 'utf8').trim(), 'x-real-ip': '10.1.2.3' };
  assert.equal((await fetch(`${demo.direct.intranet}/api/me`, { headers })).status, 401, 'a session seen from another address');
  await other.refused(401, 'auth', 'GET', '/api/me');
});

test('SEC-09 roles: what is not of one\'s role is refused on every path of it, what is everybody\'s is given', async () => {
  const cases = operations(/\/api\/(cases|reasons|reveal|register)/), accounts = operations(/\/api\/(officers|exceptions|flows|configuration\/(catalogue|preview|changes|versions))/);
  assert.ok(cases.length > 12 && accounts.length === 15);
  for (const [login, theirs] of [['hj_admin', cases], ['hj_officer1', accounts], ['hj_aux1', accounts], ['hj_approve1', accounts]]) {
    const o = await enter(login);
    for (const operation of theirs) await o.refused(403, 'denied', ...request(operation));
    for (const operation of operations(/GET \/api\/(me|desk|changes|units|configuration(\/items)?)$/)) await o.call(...request(operation));
  }
  assert.equal((await (await enter('hj_admin')).get('/api/flows')).flows.length, 12);
  const tree = async (login) => (await (await enter(login)).get('/api/units')).units;
  const units = async (login) => (await tree(login)).filter((u) => u.level !== 'committee').map((u) => u.code);
  assert.deepEqual(await units('hj_officer1'), [STATION]);
  assert.equal((await units('hj_approve1')).length, 4);
  assert.equal((await units('hj_admin')).length, 12);
  for (const [login, n] of [['hj_officer1', 3], ['hj_approve1', 9], ['hj_admin', 24]]) {      // 村居 of the organisation tree, below the stations one sees
    const all = await tree(login), committees = all.filter((u) => u.level === 'committee');
    assert.ok(committees.length === n && committees.every((v) => all.some((s) => s.code === v.parent && s.level === 'station')), `${login}: ${committees.length}`);
  }
  const o = await enter('hj_officer1');
  const { items } = await o.get('/api/configuration/items');
  assert.ok(items.some((i) => i.code === 'HJ043') && items.every((i) => /^HJ/.test(i.code)));
  assert.equal(typeof (await o.get('/api/configuration')).version, 'number');
  assert.ok((await o.get('/api/reasons/HJ043')).refusal.length);
  for (const item of ['HJ999', 'x', '%00', 'HJ043%27']) {
    const status = item === '%00' ? 400 : 404;
    await o.refused(status, status === 400 ? 'input' : 'missing', 'GET', `/api/reasons/${item}`);
  }
});

test('SEC-09 I1 area: an officer of another station and an approver to whom nothing was sent find nothing, as of a number that does not exist', async () => {
  const o = await enter('hj_officer1');
  const { no, c } = await fresh(o);
  const id = c.materials[0].pages[0].id;
  assert.equal((await o.get(`/api/cases/${no}/flow`)).state, c.state);
  for (const login of ['hj_officer2', 'hj_aux4', 'hj_approve1', 'hj_approve2']) {
    const stranger = await enter(login);
    for (const operation of operations(/\{no\}|reveal/)) {
      const there = await stranger.refused(404, 'missing', ...request(operation, { no, id }));
      const invented = await stranger.refused(404, 'missing', ...request(operation, { no: NOWHERE, id }));
      assert.equal(there.message, invented.message, operation);
    }
    assert.equal((await stranger.get(`/api/cases?view=todo&q=${no}`)).total, 0);
    assert.ok(!(await stranger.get('/api/changes?since=0')).changed.some((x) => x.no === no));
  }
  for (const bad of ['1', 'x', '%27', `${no}0`, no.slice(1), 'x'.repeat(65), '..%2f..'])
    for (const tail of ['', '/effect', `/pages/${id}`]) assert.ok([400, 404].includes((await o.raw('GET', `/api/cases/${bad}${tail}`)).status), bad);
  for (const bad of ['1', 'x', id.toUpperCase(), '0'.repeat(32), `${id}0`]) await o.refused(404, 'missing', 'GET', `/api/cases/${no}/pages/${bad}`);
  const { c: second, no: secondNo } = await fresh(o);
  await o.refused(404, 'missing', 'GET', `/api/cases/${secondNo}/pages/${id}`);
  assert.notEqual(second.materials[0].pages[0].id, id);
  assert.equal((await o.case(no)).version, c.version, 'nobody changed it');
});

test('accounts: first password, its rules and the last five; nothing else works before it was changed', async () => {
  const admin = await enter('hj_admin');
  const { officer: made, first_password: first } = await admin.post('/api/officers', { login: 'api_first', name: '王新来', role: 'officer', unit: STATION });
  assert.deepEqual([made.enabled, made.locked, made.must_change_password], [true, false, true]);
  const o = await enter({ login: 'api_first', password: first });
  const also = await enter({ login: 'api_first', password: first });
  assert.equal(o.me.must_change_password, true);
  for (const operation of guarded().filter((x) => !/\/api\/(me|password|logout)$/.test(x))) await o.refused(403, 'denied', ...request(operation));
  const change = (old, fresh) => ({ json: { old, new: fresh } });
  const bad = [['Ab1-Ab1-Ab1', /12 到 128/], [`Ab1-${'x'.repeat(125)}`, /12 到 128/], ['abcdefgh1234', /三种/], ['甲乙丙丁戊己庚辛壬癸子丑', /三种/], ['Xx1-API_first-9', /不能含有账号/], [first, /最近 5 次/]];
  for (const [fresh, words] of bad) {
    const e = await o.refused(400, 'input', 'POST', '/api/password', change(first, fresh));
    assert.deepEqual([at(e), words.test(e.message)], [['new password'], true], e.message);
  }
  assert.deepEqual(at(await o.refused(400, 'input', 'POST', '/api/password', change('wrong', 'Good-Password-1'))), ['old password']);
  for (const json of [{}, { old: first }, { old: first, new: 7 }, { old: first, new: 'Good-Password-1', more: 1 }, []]) await o.refused(400, 'input', 'POST', '/api/password', { json });
  let now = first;
  for (const n of [1, 2, 3, 4, 5]) {
    const me = await o.post('/api/password', { old: now, new: `Good-Password-${n}` });
    assert.equal(me.must_change_password, false);
    o.csrf = me.csrf;
    now = `Good-Password-${n}`;
  }
  for (const n of [5, 4, 3, 2, 1]) assert.match((await o.refused(400, 'input', 'POST', '/api/password', change(now, `Good-Password-${n}`))).message, /最近 5 次/);
  await also.refused(401, 'auth', 'GET', '/api/me');
  await nobody(demo).refused(401, 'auth', 'POST', '/api/login', { json: { login: 'api_first', password: first } });
  assert.equal((await o.get('/api/desk')).counts.doing, 0);
});

test('SEC-18 accounts: five wrong passwords lock, whoever knows the right one too; time or the administrator opens', async () => {
  const admin = await enter('hj_admin');
  const make = async (login) => admin.post('/api/officers', { login, name: '王锁', role: 'aux', unit: STATION });
  const [timed, opened] = [await make('api_timed'), await make('api_opened')];
  const lock = async ({ officer: o, first_password: password }) => {
    for (let i = 0; i < 4; i++) await nobody(demo).refused(401, 'auth', 'POST', '/api/login', { json: { login: o.login, password: `wrong${i}` } });
    const e = await nobody(demo).refused(429, 'busy', 'POST', '/api/login', { json: { login: o.login, password: 'wrong' } });
    assert.ok(e.retry_s >= 1 && e.retry_s <= LOCK_S, `retry_s ${e.retry_s}`);
    await nobody(demo).refused(429, 'busy', 'POST', '/api/login', { json: { login: o.login, password } });
    assert.equal((await admin.get('/api/officers')).officers.find((x) => x.id === o.id).locked, true);
  };
  const enters = async ({ officer: o, first_password: password }) => (await nobody(demo).raw('POST', '/api/login', { json: { login: o.login, password } })).status;
  await lock(opened);
  assert.equal((await admin.post(`/api/officers/${opened.officer.id}/unlock`)).officer.locked, false);
  assert.equal(await enters(opened), 200);
  await lock(timed);
  await until(async () => (await enters(timed)) === 200, 'open again', LOCK_S + 5, 500);
});

test('ADM-01 WIN-03 configuration: items, one item, previews, drafts; each input that does not fit is named at its place', async () => {
  const admin = await enter('hj_admin'), other = await enter('hj_admin2'), C = '/api/configuration';
  const change = (item, p, value, region = '') => ({ region, item, path: p, value });
  const { items, regions, base } = await admin.get(`${C}/catalogue`);
  assert.deepEqual([items.length, items.filter((i) => i.extra).length, regions.length, base >= 1], [150, 37, 3, true]);
  assert.equal((await admin.get(`${C}/catalogue?region=340797`)).items.every((i) => !i.own), true);
  for (const bad of ['catalogue?region=110000', 'catalogue?region=x', 'catalogue/HJ999', 'catalogue/x', 'catalogue/HJ001?region=110000', `changes/${'0'.repeat(32)}`, 'changes/x'])
    await admin.refused(404, 'missing', 'GET', `${C}/${bad}`);
  const one = await admin.get(`${C}/catalogue/HJ001`);
  assert.ok(one.item.materials.length && one.family.fields.length && one.open.length === 0 && one.own.length === 0);
  const seen = await admin.post(`${C}/preview`, { changes: [change('HJ001', 'facts.fee', '免费'), change('HJ001', 'channels.window', false)] });
  assert.deepEqual(seen.words.map((x) => [x.label, x.before, x.after]), [['费用', '不收费', '免费'], ['窗口办理', '开', '关']]);
  const why = await admin.post(`${C}/preview`, { changes: [change('HJ001', 'plain_name', ''), change('HJ999', 'plain_name', 'x')] });
  assert.deepEqual(why.findings.map((f) => [f.field, f.rule]), [['HJ001/plain_name', 'required'], ['HJ999/plain_name', 'unknown']]);
  for (const json of [{}, { changes: {} }, { changes: [], more: 1 }, []]) await admin.refused(400, 'input', 'POST', `${C}/preview`, { json });
  const fine = [change('HJ001', 'plain_name', '宝宝落户')];
  const bad = [[{ changes: fine, more: 1 }, 'more unknown'], [{ title: 7, changes: fine }, 'title type'], [{ title: 'x'.repeat(61), changes: fine }, 'title length'], [{ title: 'a\u0007', changes: fine }, 'title xml_char'],
    [{}, 'changes required'], [{ changes: [change('HJ001', 'flow', 'x')] }, 'HJ001/flow unknown'], [{ changes: [...fine, ...fine] }, 'HJ001/plain_name twice'],
    [{ changes: [change('form:birth', 'fields.child_name.ask', 'x', '340797')] }, 'form:birth/fields.child_name.ask region'], [{ changes: Array.from({ length: 401 }, () => fine[0]) }, 'changes length']];
  for (const [json, want] of bad) assert.deepEqual(at(await admin.refused(400, 'input', 'POST', `${C}/changes`, { json })), [want]);
  await admin.refused(400, 'input', 'POST', `${C}/changes`, raw('{'));
  const s = await admin.post(`${C}/changes`, { title: '改名', changes: fine }), url = `${C}/changes/${s.id}`;
  assert.deepEqual([s.state, s.title, s.author, s.may_release, s.words.length, s.findings.length], ['draft', '改名', true, false, 1, 0]);
  assert.equal((await admin.get(`${C}/catalogue/HJ001`)).open[0].id, s.id);
  assert.equal((await admin.get(`${C}/catalogue`)).items.find((i) => i.code === 'HJ001').waits.state, 'draft');
  const again = await other.post(url, { version: s.version, changes: [change('HJ001', 'plain_name', '宝宝落户口')] });
  const late = await admin.refused(409, 'conflict', 'POST', url, { json: { version: s.version, changes: fine } });
  assert.equal(late.message, '顾明远刚改过这份改动，请刷新后再操作');
  for (const json of [{ changes: fine }, { version: -1, changes: fine }, { version: '1', changes: fine }, { version: again.version }]) await admin.refused(400, 'input', 'POST', url, { json });
  for (const [act, json, status, code] of [['submit', { version: again.version }, 400, 'input'], ['submit', { version: again.version, reason: '' }, 400, 'input'], ['release', { version: again.version, base }, 409, 'conflict'],
    ['release', { version: again.version }, 400, 'input'], ['return', { version: again.version, reason: 'x' }, 409, 'conflict'], ['decline', { version: again.version, reason: 'x' }, 409, 'conflict'],
    ['erase', { version: again.version }, 404, 'missing'], ['drop', { version: 99 }, 409, 'conflict'], ['drop', { version: again.version, reason: 'x' }, 400, 'input']])
    await admin.refused(status, code, 'POST', `${url}/${act}`, { json });
  assert.equal((await admin.post(`${url}/drop`, { version: again.version })).state, 'dropped');
  await admin.refused(409, 'conflict', 'POST', url, { json: { version: again.version + 1, changes: fine } });
  for (const v of ['0', '99', 'x', '-1', '1e1']) await admin.refused(404, 'missing', 'POST', `${C}/versions/${v}/restore`);
  const two = await admin.post(`${C}/changes`, { changes: [change('HJ001', 'facts.fee', '免费')] }), own = `${C}/changes/${two.id}`;
  const sent = await admin.post(`${own}/submit`, { version: two.version, reason: '写清楚' });
  await admin.refused(403, 'denied', 'POST', `${own}/release`, { json: { version: sent.version, base } });
  assert.equal((await other.post(`${own}/release`, { version: sent.version, base })).released, base + 1);
  await other.refused(409, 'conflict', 'POST', `${own}/return`, { json: { version: sent.version + 1, reason: 'x' } });
  assert.deepEqual((await admin.get(`${C}/changes`)).versions.map((v) => v.version), [base + 1, base]);
  const back = await admin.post(`${C}/versions/${base}/restore`);
  assert.deepEqual([(await admin.get(`${C}/changes/${back.id}`)).changes[0].reset, back.words[0].after], [true, '不收费']);
  assert.equal((await admin.post(`${C}/changes/${back.id}/drop`, { version: back.version })).state, 'dropped');
  assert.deepEqual(audit('change_draft', s.id).map((r) => r.login), ['hj_admin', 'hj_admin2']);
  assert.deepEqual(audit('change_drop', s.id).map((r) => r.login), ['hj_admin']);
});

test('accounts: made, disabled, enabled, reset by the administrator; each input that does not fit is named', async () => {
  const admin = await enter('hj_admin');
  const fine = { login: 'api_made', name: '王小明', role: 'officer', unit: STATION };
  const bad = [[{ ...fine, login: 'A' }, 'login pattern'], [{ ...fine, login: '1abc' }, 'login pattern'], [{ ...fine, login: 'ab' }, 'login pattern'], [{ ...fine, login: 'x'.repeat(33) }, 'login length'],
    [{ ...fine, login: "a'; --" }, 'login pattern'], [{ ...fine, name: '' }, 'name name'], [{ ...fine, name: '<b>王</b>' }, 'name name'], [{ ...fine, name: '王'.repeat(51) }, 'name length'],
    [{ ...fine, role: 'root' }, 'role code_value'], [{ ...fine, role: 'system' }, 'role code_value'], [{ ...fine, unit: '340799999999' }, 'unit code_value'], [{ ...fine, unit: '1' }, 'unit code_value'],
    [{ ...fine, unit: BUREAU }, 'unit level'], [{ ...fine, role: 'sub_bureau' }, 'unit level'], [{ ...fine, role: 'admin' }, 'unit level'], [{ ...fine, more: 1 }, 'more unknown'],
    [{ ...fine, role: 7 }, 'role type'], [{ login: 'A', name: '', role: 'x', unit: 'y' }, 'login pattern,name name,role code_value,unit code_value'], [{}, 'login required,name required,role required,unit required']];
  for (const [json, want] of bad) assert.equal(at(await admin.refused(400, 'input', 'POST', '/api/officers', { json })).join(), want);
  const { officer: made, first_password: first } = await admin.post('/api/officers', fine);
  assert.deepEqual(at(await admin.refused(409, 'conflict', 'POST', '/api/officers', { json: fine })), ['login unique']);
  const act = (what) => admin.post(`/api/officers/${made.id}/${what}`);
  const o = await enter({ login: fine.login, password: first });
  assert.equal((await act('disable')).officer.enabled, false);
  await o.refused(401, 'auth', 'GET', '/api/me');
  await nobody(demo).refused(401, 'auth', 'POST', '/api/login', { json: { login: fine.login, password: first } });
  assert.equal((await act('enable')).officer.enabled, true);
  const again = await enter({ login: fine.login, password: first });
  const { first_password: second } = await act('reset');
  await again.refused(401, 'auth', 'GET', '/api/me');
  await nobody(demo).refused(401, 'auth', 'POST', '/api/login', { json: { login: fine.login, password: first } });
  assert.equal((await enter({ login: fine.login, password: second })).me.must_change_password, true);
  const mine = (await admin.get('/api/officers')).officers.find((x) => x.login === 'hj_admin').id;
  for (const what of ['disable', 'enable', 'unlock', 'reset']) await admin.refused(403, 'denied', 'POST', `/api/officers/${mine}/${what}`);
  for (const bad2 of [`${made.id}/delete`, `${'0'.repeat(32)}/disable`, 'x/disable', `${made.id.toUpperCase()}/reset`]) await admin.refused(404, 'missing', 'POST', `/api/officers/${bad2}`);
  assert.deepEqual(audit('account', made.id).map((x) => x.result), ['disable', 'enable', 'reset']);
});

test('IMP-06 desk, list and changes: what waits for me, found by number, name and ID number; words that are none are named', async () => {
  const o = await enter('hj_officer9');
  const { seq } = await o.get('/api/changes?since=0');
  const { no, who, c } = await fresh(o);
  const { changed, counts } = await until(async () => { const x = await o.get(`/api/changes?since=${seq}`); return x.changed.some((y) => y.no === no) && x; }, 'told', 5, 50);
  assert.ok(changed.length && counts.claimable > 0 && (await o.get('/api/desk')).due.length > 0);
  for (const q of [no, no.slice(-6), who.name, who.id_no, `${who.id_no.slice(0, 6)} ${who.id_no.slice(6)}`]) {
    const { rows } = await o.get(`/api/cases?view=todo&q=${encodeURIComponent(q)}`);
    const row = rows.find((r) => r.no === no);
    assert.ok(row, q);
    assert.equal(row.id_no, `${who.id_no.slice(0, 3)}***********${who.id_no.slice(-4)}`, 'masked in a list');
  }
  for (const sort of ['clock', 'submitted', 'item', 'state']) assert.ok((await o.get(`/api/cases?view=todo&mine=claimable&item=HJ043&state=awaiting_review&sort=${sort}&page=1&size=1`)).total > 0);
  assert.equal((await o.get('/api/cases?view=todo&page=1000&size=100')).rows.length, 0);
  const bad = [['', 'view code_value'], ['?view=', 'view code_value'], ['?view=all', 'view code_value'], ['?view=todo&mine=all', 'mine code_value'], ['?view=todo&sort=name', 'sort code_value'],
    ['?view=todo&page=0', 'page number'], ['?view=todo&page=1001', 'page number'], ['?view=todo&size=101', 'size number'], ['?view=todo&size=x', 'size number'], [`?view=todo&q=${'1'.repeat(51)}`, 'q length']];
  for (const [q, want] of bad) assert.deepEqual(at(await o.refused(400, 'input', 'GET', `/api/cases${q}`)), [want], q);
  for (const [q, want] of [['', 'since required'], ['?since=-1', 'since number'], ['?since=x', 'since number']]) assert.deepEqual(at(await o.refused(400, 'input', 'GET', `/api/changes${q}`)), [want]);
  await o.refused(400, 'input', 'GET', '/api/cases?view=todo&view=done');
  await o.refused(400, 'input', 'GET', '/api/cases?view=todo&q=%ff');
  assert.equal(c.holder, '未领');
});

test('claim and release: one of two gets it, the other hears who and since when; next takes the most urgent', async () => {
  const o = await enter('hj_officer1'), other = await enter('hj_officer9'), aux = await enter('hj_aux1');
  const { no } = await fresh(o);
  const [a, b] = await Promise.all([o, other].map((x) => x.raw('POST', `/api/cases/${no}/claim`)));
  assert.deepEqual([a.status, b.status].sort(), [200, 409]);
  const [mine, late] = a.status === 200 ? [o, other] : [other, o];
  const holds = new RegExp(`^${mine.me.name} \\d\\d:\\d\\d 起在办`);
  for (const [method, url, options] of [['POST', 'claim'], ['POST', 'release'], ['POST', 'notes', { json: { field: 'employer_after', note: '说明' } }]])
    assert.match((await late.refused(409, 'conflict', method, `/api/cases/${no}/${url}`, options)).message, holds);
  assert.match((await late.refused(409, 'conflict', 'POST', `/api/cases/${no}/decide`, { json: { action: 'pass', version: (await late.case(no)).version } })).message, holds);
  assert.equal((await mine.post(`/api/cases/${no}/claim`)).held_by_me, true, 'taking it again changes nothing');
  assert.equal((await mine.get('/api/cases?view=doing')).rows.some((r) => r.no === no && r.holder === '我'), true);
  assert.equal((await mine.post(`/api/cases/${no}/release`)).holder, '未领');
  assert.equal((await late.post(`/api/cases/${no}/release`)).holder, '未领', 'nobody holds it any more');
  const { no: next } = await aux.post('/api/cases/next');
  assert.equal((await aux.case(next)).held_by_me, true);
  await aux.post(`/api/cases/${next}/release`);
  assert.match((await (await enter('hj_officer4')).refused(404, 'missing', 'POST', '/api/cases/next')).message, /没有可领取/);
});

test('notes: a difference is noted once its field is one of the form', async () => {
  const o = await enter('hj_officer1');
  const { no } = await fresh(o);
  const url = `/api/cases/${no}/notes`;
  const bad = [[{}, 'field required,note required'], [{ field: 'employer_after' }, 'note required'], [{ field: 'employer_after', note: '' }, 'note required'], [{ field: 'nonsense', note: '说明' }, 'field unknown'],
    [{ field: 'employer_after', note: '字'.repeat(201) }, 'note length'], [{ field: 'employer_after', note: 'a\u0007' }, 'note xml_char'], [{ field: 7, note: '说明' }, 'field type'], [{ field: 'employer_after', note: '说明', more: 1 }, 'more unknown']];
  for (const [json, want] of bad) assert.equal(at(await o.refused(400, 'input', 'POST', url, { json })).join(), want);
  assert.equal((await o.case(no)).holder, '未领', 'a refused note claims nothing');
  const c = await o.post(url, { field: 'employer_after', note: '字'.repeat(200) });
  assert.equal(c.held_by_me, true);
  assert.ok(c.sections.some((s) => s.rows.some((r) => r.field === 'employer_after' && r.note === '字'.repeat(200))));
});

test('MAT-17 pages: newly drawn JPEG, thumb and full, each sheet of a PDF; what is no sheet, size or verdict is named', async () => {
  const o = await enter('hj_officer1');
  const a = await apply(demo, ({ phone }) => cast.employer({ phone, who: free.pop() }), { 1: { type: 'application/pdf', bytes: pdf(2) }, 2: { type: 'image/jpeg', bytes: Buffer.from('\xff\xd8\xff\xe0 no picture', 'latin1') } });
  const c = await onDesk(o, a.no);
  const page = (material) => `/api/cases/${a.no}/pages/${c.materials.find((m) => m.no === material).pages[0].id}`;
  for (const url of [page(4), `${page(4)}?size=full`, `${page(4)}?size=thumb`, `${page(4)}?sheet=1`, `${page(1)}?sheet=1`, `${page(1)}?sheet=2&size=full`]) {
    const r = await o.raw('GET', url);
    assert.equal(r.headers.get('content-type'), 'image/jpeg');
    assert.equal(Buffer.from(await r.arrayBuffer()).readUInt16BE(0), 0xffd8);
  }
  assert.ok(!(Buffer.from(await (await o.raw('GET', page(4))).arrayBuffer())).equals(readFileSync(path.join(root, 'tests/fixtures/photo-small.jpg'))), 'never the original bytes');
  assert.equal((await o.case(a.no)).materials.find((m) => m.no === 1).pages[0].sheets, 2);
  const bad = [['?size=huge', 'size code_value'], ['?sheet=0', 'sheet number'], ['?sheet=201', 'sheet number'], ['?sheet=x', 'sheet number'], ['?sheet=2', 'sheet number']];
  for (const [q, want] of bad) assert.deepEqual(at(await o.refused(400, 'input', 'GET', page(4) + q)), [want], q);
  assert.deepEqual(at(await o.refused(400, 'input', 'GET', `${page(1)}?sheet=3`)), ['sheet number']);
  assert.match((await o.refused(400, 'input', 'GET', page(2))).message, /无法读取/);
  const shown = await o.case(a.no);
  assert.deepEqual([1, 2, 4].map((m) => shown.materials.find((x) => x.no === m).pages[0].state), ['here', 'unreadable', 'here']);
  assert.ok(shown.actions.find((x) => x.action === 'pass').why_not.includes('无法读取'));
  for (const verdict of ['good', 'blurred', 'incomplete', 'mismatch', 'expired', 'none']) {
    assert.equal((await o.raw('POST', page(4), { json: { seen: true, verdict } })).status, 204);
    assert.equal((await o.case(a.no)).materials.find((m) => m.no === 4).pages[0].verdict, verdict === 'none' ? '' : verdict);
  }
  for (const [json, want] of [[{}, 'seen required'], [{ seen: 1 }, 'seen type'], [{ seen: true, verdict: 'bad' }, 'verdict code_value'], [{ seen: true, verdict: '' }, 'verdict code_value'],
    [{ seen: true, verdict: 7 }, 'verdict type'], [{ seen: true, more: 1 }, 'more unknown'], [[], ' type']]) assert.deepEqual(at(await o.refused(400, 'input', 'POST', page(4), { json })), [want]);
  const later = { json: { action: 'pass', version: shown.version, unseen_ok: true } };
  assert.match((await o.refused(409, 'conflict', 'POST', `/api/cases/${a.no}/decide`, later)).message, /无法读取/);
});

test('REV-07 decisions: shape and needs are refused at their field, and the preview says the same and changes nothing', async () => {
  const o = await enter('hj_officer1');
  const { no, who, c } = await fresh(o);
  const { version } = c, { refusal } = await o.get('/api/reasons/HJ043');
  const back = { action: 'return_supplement', version, date: day(-7), reasons: [{ material: 2, text: '请补一份身份证' }] };
  const no_ = { action: 'refuse', version, rule: refusal[0].id, confirm_text: '不予办理', reasons: [{ text: '不符合条件' }] };
  const shape = [[{}, 'action required'], [{ action: 'pass' }, 'version required'], [{ action: 7, version }, 'action type'], [{ action: 'pass', version: '1' }, 'version type'], [{ action: 'pass', version: -1 }, 'version type'],
    [{ action: 'pass', version: 1.5 }, 'version type'], [{ action: 'pass', version, more: 1 }, 'more unknown'], [{ action: 'pass', version, unseen_ok: 'yes' }, 'unseen_ok type'],
    [{ action: 'pass', version, opinion: '字'.repeat(1001) }, 'opinion length'], [{ action: 'pass', version, sentence: 'a\u0007' }, 'sentence xml_char'], [{ ...back, reasons: {} }, 'reasons type'],
    [{ ...back, reasons: Array(61).fill({ text: '请补' }) }, 'reasons type'], [{ ...back, reasons: [{}] }, 'reasons required'], [{ ...back, reasons: [{ text: '字'.repeat(301) }] }, 'reasons required'],
    [{ ...back, reasons: [{ text: '请补', material: '2' }] }, 'reasons unknown'], [{ ...back, reasons: [{ text: '请补', more: 1 }] }, 'reasons unknown']];
  const needs = [[{ ...back, reasons: [] }, 'reasons required'], [{ ...back, reasons: [{ material: 77, text: '请补' }] }, 'reasons material_unknown'], [{ ...back, reasons: [{ field: 'x', text: '请改' }] }, 'reasons unknown'],
    [{ ...back, date: undefined }, 'date date'], [{ ...back, date: '2027-02-29' }, 'date date'], [{ ...back, date: day() }, 'date date_max'], [{ ...back, date: day(-300) }, 'date date_max'],
    [{ ...back, reasons: [{ text: `${who.name}的材料看不清` }] }, 'reasons'], [{ ...back, reasons: [{ text: `号码${who.id_no}不对` }] }, 'reasons'],
    [{ ...no_, rule: undefined }, 'rule required'], [{ ...no_, rule: 'x' }, 'rule required'], [{ ...no_, confirm_text: '好' }, 'confirm_text required'], [{ action: 'suspend', version, date: day(-3) }, 'opinion required']];
  for (const [json, want] of [...shape, ...needs]) {
    const refused = at(await o.refused(400, 'input', 'POST', `/api/cases/${no}/decide`, { json }));
    assert.ok(refused[0].startsWith(want), `${JSON.stringify(json).slice(0, 200)}: ${refused}`);
    const preview = await o.raw('POST', `/api/cases/${no}/preview`, { json });
    const said = await preview.json();
    if (shape.some(([x]) => x === json)) assert.deepEqual([preview.status, at(said.error)], [400, refused]);
    else assert.deepEqual([preview.status, at({ fields: said.findings })[0]], [200, refused[0]]);
  }
  for (const action of ['nonsense', 'supplement_arrived', 'finish', 'approve', 'resume']) {
    const e = await o.raw('POST', `/api/cases/${no}/decide`, { json: { action, version, unseen_ok: true } });
    assert.ok([403, 409].includes(e.status), `${action}: ${e.status}`);
    assert.equal((await o.raw('POST', `/api/cases/${no}/preview`, { json: { action, version } })).status, e.status);
  }
  const fine = await o.post(`/api/cases/${no}/preview`, back);
  assert.ok(fine.findings.length === 0 && fine.citizen.rows.length === 1 && /【户政网办】/.test(fine.sms));
  assert.equal((await o.case(no)).version, version);
});

test('REV-07 decisions: a stale version, a second one at once, undone in time by whoever took it, and not any more', async () => {
  const o = await enter('hj_officer1'), other = await enter('hj_officer9');
  const { no, c } = await fresh(o);
  const decide = (json) => ['POST', `/api/cases/${no}/decide`, { json: { action: 'pass', version: c.version, unseen_ok: true, ...json } }];
  const unseen = await o.refused(409, 'conflict', ...decide({ unseen_ok: false }));
  assert.deepEqual(at(unseen), ['unseen_ok unseen']);
  const stale = await o.refused(409, 'conflict', ...decide({ version: c.version + 1 }));
  assert.deepEqual([at(stale), stale.fields[0].want], [['version version'], String(c.version)]);
  await o.refused(409, 'conflict', 'POST', `/api/cases/${no}/undo`);
  const answers = await Promise.all([1, 2, 3, 4].map(() => o.raw(...decide())));
  assert.deepEqual(answers.map((r) => r.status).sort(), [200, 409, 409, 409]);
  const taken = await answers.find((r) => r.status === 200).json();
  assert.equal(taken.state, 'awaiting_originals');
  assert.ok(Date.parse(taken.undo_until) > Date.now());
  await other.refused(409, 'conflict', 'POST', `/api/cases/${no}/undo`);
  const back = await o.post(`/api/cases/${no}/undo`);
  assert.deepEqual([back.state, back.undo_until], ['awaiting_review', null]);
  await o.refused(409, 'conflict', 'POST', `/api/cases/${no}/undo`);
  await o.refused(409, 'conflict', ...decide());
  await o.call(...decide({ version: back.version }));
  await sleep(UNDO_S * 1000 + 100);
  assert.match((await o.refused(409, 'conflict', 'POST', `/api/cases/${no}/undo`)).message, /已经过了/);
  assert.equal((await o.case(no)).state, 'awaiting_originals');
});

test('WFL-902 WFL-903 REV-03 sent up: only the own sub-bureau decides, by its own actions; the register changes once, at the end, for good', async () => {
  const o = await enter('hj_officer1'), aux = await enter('hj_aux1'), chief = await enter('hj_approve1'), elsewhere = await enter('hj_approve3');
  const { no } = await apply(demo, ({ phone }) => cast.rename({ phone, newName: '蒋知远' }));
  await onDesk(o, no);
  const decide = async (who, json) => ['POST', `/api/cases/${no}/decide`, { json: { version: (await o.case(no)).version, unseen_ok: true, ...json } }];
  await o.post(`/api/cases/${no}/claim`);
  for (const [json, want] of [[{ action: 'submit_up', level: 'sub_bureau' }, 'opinion required'], [{ action: 'submit_up', opinion: '同意' }, 'level code_value'], [{ action: 'submit_up', opinion: '同意', level: 'city' }, 'level code_value']])
    assert.deepEqual(at(await o.refused(400, 'input', ...await decide(o, json))), [want]);
  await o.call(...await decide(o, { action: 'submit_up', opinion: '情况属实。', level: 'sub_bureau' }));
  await elsewhere.refused(404, 'missing', 'GET', `/api/cases/${no}`);
  for (const who of [o, aux]) {
    await who.refused(403, 'denied', ...await decide(who, { action: 'approve' }));
    await who.refused(403, 'denied', 'POST', `/api/cases/${no}/claim`);
  }
  await chief.refused(403, 'denied', ...await decide(chief, { action: 'recall_up', opinion: '收回' }));
  const seen = await chief.case(no);
  assert.ok(seen.summary.changes.length && seen.summary.opinions.length);
  await chief.call(...await decide(chief, { action: 'approve' }));
  await chief.refused(403, 'denied', ...await decide(chief, { action: 'originals_ok' }));
  await o.call(...await decide(o, { action: 'originals_ok' }));
  const effect = await o.get(`/api/cases/${no}/effect`);
  assert.ok(effect.changes.some((x) => x.after === '蒋知远'));
  assert.deepEqual(effect.obstacles, []);
  assert.deepEqual(effect.completion, []);
  assert.deepEqual((await o.post(`/api/cases/${no}/effect`, { completion: { done_item: 'x' } })).obstacles, [], 'what is not asked for changes nothing');
  await o.refused(400, 'input', 'POST', `/api/cases/${no}/effect`, { json: { completion: { new_name: '别名' } } });
  const done = await o.call(...await decide(o, { action: 'finish' }));
  assert.deepEqual([done.state, done.undo_until], ['completed', null]);
  for (const act of ['undo', 'claim']) await o.refused(409, 'conflict', 'POST', `/api/cases/${no}/${act}`);
  await o.refused(409, 'conflict', 'POST', `/api/cases/${no}/notes`, { json: { field: 'new_name', note: '说明' } });
  await o.refused(409, 'conflict', ...await decide(o, { action: 'finish' }));
  const { persons: [row] } = await o.get(`/api/register/persons?name=${encodeURIComponent('蒋知远')}`);
  assert.ok((await o.get(`/api/register/persons/${row.id}`)).history.some((h) => h.no === no && h.after.includes('蒋知远')));
  const reverse = (who, json) => ['POST', `/api/cases/${no}/reverse`, { json: { reason: '把同名的人改错了', confirm_text: '撤销办结', ...json } }];
  const second = await enter('hj_officer9');
  await o.refused(403, 'denied', ...reverse());
  assert.deepEqual(at(await second.refused(400, 'input', ...reverse(second, { confirm_text: '撤销' }))), ['confirm_text required']);
  assert.deepEqual((await second.case(no)).reversal, { offered: true, why_not: '', at: '' });
  const back = await second.call(...reverse());
  assert.equal(back.internal, '已办结（已撤销）');
  assert.ok(back.reversal.at);
  await second.refused(409, 'conflict', ...reverse());
  const file = await o.get(`/api/register/persons/${row.id}`);
  assert.ok(!file.person.some((r) => r.value === '蒋知远') && file.history.some((h) => h.no === no && h.undone), 'POP-61: the register as before, the history whole');
});

test('QRY-01 SEC-13 register: nothing without a condition, masked, of one\'s own area; each full value is logged with its purpose', async () => {
  const o = await enter('hj_officer1'), far = await enter('hj_officer4');
  const p = free[0];
  const find = (q) => o.get(`/api/register/persons?${new URLSearchParams(q)}`);
  for (const q of [{ id_no: p.id_no }, { name: p.name, birth_date: p.birth_date }, { id_no: ` ${p.id_no.slice(0, 6)} ${p.id_no.slice(6).toLowerCase()}` }, { birth_date: p.birth_date }]) {
    const row = (await find(q)).persons.find((x) => x.birth_date === p.birth_date && x.name === p.name);
    assert.equal(row.id_no, `${p.id_no.slice(0, 3)}***********${p.id_no.slice(-4)}`);
  }
  assert.equal((await find({ id_no: p.id_no, name: '别人' })).total, 0);
  for (const [q, want] of [[{}, ' required'], [{ id_no: '  ' }, ' required'], [{ name: '　 ' }, ' required'], [{ name: '王' }, 'name length'], [{ birth_date: '1990-02-30' }, 'birth_date date'],
    [{ birth_date: 'x' }, 'birth_date date'], [{ name: '字'.repeat(500) }, 'name length']])
    assert.deepEqual(at(await o.refused(400, 'input', 'GET', `/api/register/persons?${new URLSearchParams(q)}`)), [want]);
  const [{ id }] = (await find({ id_no: p.id_no })).persons;
  const file = await o.get(`/api/register/persons/${id}`);
  assert.ok(!JSON.stringify(file).includes(p.id_no));
  assert.equal((await far.get(`/api/register/persons?id_no=${p.id_no}`)).total, 0);
  for (const bad of [id.toUpperCase(), '0'.repeat(32), 'x', `${id}0`]) await o.refused(404, 'missing', 'GET', `/api/register/persons/${bad}`);
  await far.refused(404, 'missing', 'GET', `/api/register/persons/${id}`);
  await far.refused(404, 'missing', 'POST', '/api/reveal', { json: { person: id, field: 'id_no' } });
  assert.equal((await o.post('/api/reveal', { person: id, field: 'id_no', purpose: '核对原件' })).value, p.id_no);
  const { no, entries } = await fresh(o);
  assert.equal((await o.post('/api/reveal', { no, field: 'subject_id_no', purpose: '电话联系' })).value, entries.subject_id_no);
  assert.deepEqual(audit('reveal', id).map((x) => [x.login, x.result]), [['hj_officer1', 'id_no 核对原件']]);
  assert.deepEqual(audit('reveal', no).map((x) => x.result), ['subject_id_no 电话联系']);
  for (const [json, want] of [[{}, 'field required'], [{ field: 'id_no' }, 'no one_of'], [{ no, person: id, field: 'id_no' }, 'person one_of'], [{ no, field: 7 }, 'field type'], [{ no, field: 'id_no', more: 1 }, 'more unknown'],
    [{ no, field: 'id_no', purpose: '字'.repeat(101) }, 'purpose length'], [{ no: `${no}0`, field: 'id_no' }, 'no length'], [{ person: id, field: 'id_no', purpose: 'a\nb' }, 'purpose xml_char']])
    assert.deepEqual(at(await o.refused(400, 'input', 'POST', '/api/reveal', { json })), [want]);
  for (const json of [{ no, field: 'nonsense' }, { person: id, field: 'nonsense' }, { person: '0'.repeat(32), field: 'id_no' }]) await o.refused(404, 'missing', 'POST', '/api/reveal', { json });
  assert.equal(audit('reveal', id).length, 1, 'what was refused was not read');
});

test('SEC-14 register: more queries in a minute than a desk needs are refused, with the time to wait', async () => {
  const o = await enter('hj_officer6');
  for (let i = 0; i < 30; i++) await o.get('/api/register/persons?name=无名氏');
  const e = await o.refused(429, 'busy', 'GET', '/api/register/persons?name=无名氏');
  assert.equal(e.retry_s, 60);
});

test('WFL-202 WFL-206 an auxiliary\'s case: what is the officer\'s alone is refused to him, and the other way round', async () => {
  const aux = await enter('hj_aux1'), o = await enter('hj_officer1');
  const { no } = await fresh(aux);
  const decide = async (who, action, more = {}) => ['POST', `/api/cases/${no}/decide`, { json: { action, version: (await aux.case(no)).version, unseen_ok: true, ...more } }];
  await aux.post(`/api/cases/${no}/claim`);
  assert.match((await o.refused(409, 'conflict', 'POST', `/api/cases/${no}/claim`)).message, new RegExp(aux.me.name));
  assert.ok(!(await aux.case(no)).actions.some((a) => ['suspend', 'terminate', 'finish'].includes(a.action)));
  await aux.refused(409, 'conflict', ...await decide(aux, 'suspend', { opinion: '挂起', date: day(-3) }));
  await aux.refused(403, 'denied', ...await decide(aux, 'terminate', { opinion: '终止', confirm_text: '终止办理', reasons: [{ text: '不再符合条件' }] }));
  await aux.call(...await decide(aux, 'pass'));
  await aux.refused(403, 'denied', ...await decide(aux, 'originals_ok'));
  await o.call(...await decide(o, 'originals_ok'));
  await o.refused(403, 'denied', ...await decide(o, 'submit_completion'));
  await aux.call(...await decide(aux, 'submit_completion'));
  await aux.refused(403, 'denied', ...await decide(aux, 'finish'));
  assert.equal((await o.call(...await decide(o, 'finish'))).state, 'completed');
});

test('health: the service says no and why while its database takes no writes', async () => {
  const n = nobody(demo);
  assert.equal((await n.get('/healthz')).ok, true);
  const db = new DatabaseSync(path.join(demo.dir, 'intranet/data/intranet.db'));
  db.exec('PRAGMA busy_timeout = 5000; BEGIN IMMEDIATE');
  deaf = [rfc3339()];
  const r = await fetch(`${demo.direct.intranet}/healthz`);
  db.exec('ROLLBACK');
  deaf.push(rfc3339());
  db.close();
  const body = await r.json();
  contract.check('GET', '/healthz', r.status, body);
  assert.deepEqual([r.status, body.ok, body.problems], [503, false, ['database does not take writes']]);
  assert.equal((await n.get('/healthz')).ok, true);
});

test('SEC-20 an idle session is over', async () => {
  await sleep(Math.max(0, idle + (IDLE_S + 1) * 1000 - Date.now()));
  assert.match((await idler.refused(401, 'auth', 'GET', '/api/me')).message, /登录已过期/);
  await idler.refused(401, 'auth', 'POST', '/api/logout');
});

test('CIT-04 what citizens searched for and did not find arrives by words and counts, for administrators; the table to take away runs no formula', async () => {
  const admin = await enter('hj_admin'), citizen = new Citizen(demo, '');
  const carry = () => JSON.parse(execFileSync(path.join(root, 'build/bin/ferry'), ['searches', '--config', demo.ferry_conf, '--json'], { encoding: 'utf8' })).sent;
  const url = '/api/reports/searches';
  for (const query of ['披萨外卖', '披萨外卖', '=1+1 交水电费', '身份证34079919900101123X']) await citizen.post('/api/searches', { query });
  assert.equal(carry(), 3);
  await until(async () => (await admin.get(url)).total === 3, 'the report', 15, 100);
  await citizen.post('/api/searches', { query: '披萨外卖' });
  assert.equal(carry(), 1);
  const got = await until(async () => { const r = await admin.get(url); return r.times === 5 && r; }, 'the second record adds up', 15, 100);
  assert.deepEqual(got.searches.map((s) => [s.text, s.count, s.days]), [['披萨外卖', 3, 1], ['1 1 交水电费', 1, 1], ['身份证', 1, 1]]);
  assert.equal(got.searches[0].last, got.to);
  assert.equal((await admin.get(`${url}?from=2020-01-01&to=2020-01-31`)).total, 0);
  const csv = await admin.raw('GET', `${url}.csv`);
  assert.equal(csv.headers.get('content-type'), 'text/csv; charset=utf-8');
  const text = await csv.text();
  assert.ok(text.split('\r\n').slice(1).every((line) => line === '' || /^"[^=+@-]/.test(line)), text);
  assert.equal(contract.check('GET', `${url}.csv`, 200, text, 'text/csv'), undefined);
  for (const q of ['?from=2026-13-01', '?to=x', '?from=2026-02-02&to=2026-02-01']) await admin.refused(400, 'input', 'GET', url + q);
  await admin.refused(400, 'input', 'GET', `${url}.csv?from=x`);
  for (const who of ['hj_officer1', 'hj_aux1', 'hj_approve1']) for (const p of [url, `${url}.csv`]) await (await enter(who)).refused(403, 'denied', 'GET', p);
});

test('every path of the contract was walked, accepted and refused, and more was refused than accepted', () => {
  assert.deepEqual(contract.missing('accepted'), ['POST /api/cases/{no}/scans'], 'no item here asks for a scan: test_intranet_moves.mjs has one that does');
  assert.deepEqual(contract.missing('refused'), []);
  assert.ok(contract.count.refused >= contract.count.accepted, JSON.stringify(contract.count));
});

test('SEC-13 the log has no warning that nobody meant, and no personal data', () => {
  const text = readFileSync(demo.processes['intranet-side'].log, 'utf8');
  const lines = text.split('\n').filter(Boolean).map((l) => JSON.parse(l));
  assert.ok(lines.length > 100);
  const meant = (l) => l.case === held.first.no || l.case === held.second.no || (l.event === 'command' && l.verb === 'discard') || (l.t >= deaf[0] && l.t <= deaf[1]);
  assert.deepEqual(lines.filter((l) => ['warn', 'error'].includes(l.level) && !meant(l)).map((l) => JSON.stringify(l)), []);
  for (const { who, phone } of Object.values(held)) for (const secret of [who.name, who.id_no, phone]) assert.ok(!text.includes(secret), `log holds ${secret}`);
});
