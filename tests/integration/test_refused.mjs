// What must be refused, against the whole demonstration with nginx in front: each refusal says field, rule and reason in words, and after each
// test both services are the same living processes and every application that was accepted before is still there, once.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { appendFileSync, copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import test, { after, afterEach, before } from 'node:test';
import zlib from 'node:zlib';
import { cast, persons, unitOf } from '../support/cast.mjs';
import { Citizen, newId, Officer, Refused } from '../support/client.mjs';
import { Demo, root, sleep, until } from '../support/demo.mjs';

const naughty = createRequire(path.join(root, 'tests/browser/package.json'))('big-list-of-naughty-strings');
const photo = readFileSync(path.join(root, 'tests/fixtures/photo-small.jpg'));
const build = path.join(root, 'build', process.env.VARIANT || 'release');
const IDLE_S = 60;
const count = { refused: 0, accepted: 0 };
const ledger = [];                       // {no, citizen, unit}: what the services said yes to
const officers = new Map();
let demo, pids, idler;
let phoneSerial = 0;
const nextPhone = () => `137${String(90000000 + (phoneSerial += 1))}`;

async function citizen() {
  const c = new Citizen(demo, nextPhone());
  await c.signIn();
  return c;
}

async function officerOf(unit) {
  if (!officers.has(unit)) {
    const o = new Officer(demo, demo.account('officer', unit));
    await o.signIn();
    officers.set(unit, o);
  }
  return officers.get(unit);
}

const han = /[\u4e00-\u9fff]{3}/;

/** The call is refused with status and code, in Chinese; with `field` and `rule` also at that field. Gives the error. */
async function refused(who, status, code, method, url, options = {}) {
  let error;
  try {
    await who.call(method, url, options);
  } catch (e) {
    if (!(e instanceof Refused)) throw e;
    error = e;
  }
  assert.ok(error, `${method} ${url} was accepted, want ${status} ${code}`);
  assert.equal(error.status, status, error.message);
  assert.equal(error.error.code, code, error.message);
  assert.match(error.error.message, han, error.message);
  assert.match(error.error.request ?? '', /^[0-9A-F]{6}$/, error.message);
  if (options.field) {
    const f = error.error.fields?.find((x) => x.field === options.field);
    assert.equal(f?.rule, options.rule, error.message);
    assert.match(f.message, han, error.message);
  }
  count.refused += 1;
  return error.error;
}

const raw = (text, type = 'application/json') => ({ body: text, headers: { 'content-type': type } });
const pagesFor = (c) => Object.fromEntries(c.slots.map((no) => [no, { ...(c.item === 'HJ043' && no === 3 ? { alternative: 0 } : {}), pages: [photo] }]));

/** Submit, and enter it into the ledger. */
async function apply(c, who, pages = pagesFor(who)) {
  const draft = await c.draft(who.item, who.entries, pages);
  const { no } = await c.submit(draft, who.who);
  ledger.push({ no, citizen: c, unit: who.unit });
  count.accepted += 1;
  return { no, draft };
}

const onDesk = async (unit, no, seconds = 30) => {
  const o = await officerOf(unit);
  return until(async () => {
    try { const c = await o.case(no); return c.pages.done === c.pages.total && c; } catch (e) { if (e.status === 404) return null; throw e; }
  }, `case ${no} on the desk with its pages`, seconds, 50);
};

/** A citizen's list; whose session ran out in a long test signs in again. */
async function listOf(c) {
  try {
    return await c.get('/api/applications');
  } catch (e) {
    if (e.status !== 401) throw e;
    c.jar.delete('hz');
    await c.signIn();
    return c.get('/api/applications');
  }
}

/** Everything that was accepted is on both sides, once; nobody died. */
async function allIsWell() {
  for (const side of ['internet', 'intranet']) {
    const name = `${side}-side`;
    assert.equal(demo.processes[name].pid, pids[name]);
    assert.ok(existsSync(`/proc/${pids[name]}`), `${name} died`);
    const r = await fetch(`${demo.addresses[side]}/healthz`);
    assert.equal(r.status, 200, `${side}: ${await r.text()}`);
  }
  const lists = new Map();
  for (const { no, citizen: c, unit } of ledger) {
    if (!lists.has(c)) lists.set(c, (await listOf(c)).cases.map((x) => x.no));
    assert.equal(lists.get(c).filter((x) => x === no).length, 1, `${no} in its citizen's list`);
    await onDesk(unit, no);
  }
}

before(async () => {
  demo = await Demo.start({ limits: 1000 });
  appendFileSync(path.join(demo.dir, 'internet/internet.conf'), `idle_s = ${IDLE_S}\n`);
  await demo.killAndRestart('internet-side');
  await until(async () => { try { return (await fetch(`${demo.addresses.internet}/healthz`)).status === 200; } catch { return false; } }, 'healthy', 20, 50);
  pids = Object.fromEntries(Object.entries(demo.processes).map(([name, p]) => [name, p.pid]));
  idler = await citizen();
  idler.upload = await idler.post('/api/uploads', { draft: newId(), material: 1, type: 'image/jpeg', size: photo.length });
  idler.last = Date.now();
  await apply(await citizen(), cast.rename({ phone: '13790000001' }));
  await onDesk(ledger[0].unit, ledger[0].no);
});
after(async () => { await demo?.stop(); });
afterEach(async () => { await allIsWell(); });

test('SEC-18 bodies: what is no JSON, too deep, too long or of another kind is refused on both sides; a body too large is 413 in JSON behind nginx too', async () => {
  const c = await citizen();
  const o = await officerOf(ledger[0].unit);
  const posts = [[c, '/api/applications/check'], [c, '/api/uploads'], [o, `/api/cases/${ledger[0].no}/decide`]];
  const broken = ['', '{', '{}x', '{"a":1,"a":2}', '{"a":"\\u0000"}', '{"a":"\\ud800"}', '{"a":1e999}', '{"a":123456789012345678901234567890}', Buffer.from('{"a":"\xff"}', 'latin1'), 'null', '1', 'NaN',
    '<?xml version="1.0"?><a/>', 'a=1&b=2'];
  for (const [who, url] of posts) {
    for (const body of broken) await refused(who, 400, 'input', 'POST', url, raw(body));
    for (const n of [33, 1500]) await refused(who, 400, 'input', 'POST', url, raw('['.repeat(n)));
    for (const json of [[], {}, { a: 1 }]) await refused(who, 400, 'input', 'POST', url, { json });
    await refused(who, 400, 'input', 'POST', url, raw('--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nno end', 'multipart/form-data; boundary=x'));
    await refused(who, 400, 'input', 'POST', url, raw('--', 'multipart/form-data'));
    for (const size of [300e3, 600e3, 1.9e6, 10e6]) {
      for (let i = 0; i < 5; i++) await refused(who, 413, 'too_large', 'POST', url, { json: { draft: newId(), more: 'x'.repeat(size) } });
    }
  }
  await refused(c, 400, 'input', 'POST', '/api/applications/check', raw('['.repeat(200000)));
  await refused(c, 400, 'input', 'POST', '/api/applications/check', raw('{"a":'.repeat(40000)));
  const nobody = new Citizen(demo, '');
  await refused(nobody, 400, 'input', 'POST', '/api/login/code', raw('['.repeat(4000)));
});

test('SEC-18 requests: other methods, odd paths, long headers and repeated arguments are refused, behind nginx in the same form', async () => {
  const c = await citizen();
  for (const [method, url] of [['DELETE', '/api/session'], ['PUT', '/api/applications'], ['PATCH', '/api/uploads'], ['GET', '/api/login']]) await refused(c, 405, 'input', method, url);
  await refused(c, 404, 'missing', 'GET', '/api/nothing');
  await refused(c, 400, 'input', 'GET', '/api/session%00');
  await refused(c, 400, 'input', 'GET', '/api/catalogue/tables?id=a&id=b');
  await refused(c, 400, 'input', 'GET', '/api/catalogue/tables?id=%zz');
  await refused(c, 400, 'input', 'GET', '/api/session', { headers: { 'x-long': 'a'.repeat(20000) } });
  for (const url of ['/..%2f..%2fetc/passwd', '/%2e%2e%2f%2e%2e%2fetc%2fpasswd', '/assets/..%5c..%5cx']) {
    const r = await c.raw('GET', url);
    const text = await r.text();
    assert.ok(!text.includes('root:') && (r.status >= 400 || text.startsWith('<!doctype html>')), `${url}: ${r.status}`);
  }
});

test('CIT-06 unknown fields: each is named and refused, wherever it stands', async () => {
  const c = await citizen();
  const who = cast.death({ phone: c.phone });
  const draft = await c.draft(who.item, who.entries, pagesFor(who));
  const post = (json, field, rule = 'shape', url = '/api/applications/check') => refused(c, 400, 'input', 'POST', url, { json, field, rule });
  await post({ ...draft, more: 1 }, 'more');
  await post({ ...draft, evidence: newId() }, 'evidence');
  await post({ ...draft, materials: [{ material: 1, pages: [], more: 1 }] }, 'more');
  await post({ ...draft, untypeable: [{ field: 'subject_name', pinyin: 'a', page: newId(), more: 1 }] }, 'more');
  await post({ ...draft, entries: [] }, 'entries');
  await post({ ...draft, item: 'HJ0831' }, 'item');
  await post({ ...draft, config_version: -1 }, 'config_version');
  await post({ ...draft, draft: draft.draft.toUpperCase() + 'x' }, 'draft');
  await post({ draft: newId(), material: 1, type: 'image/jpeg', size: 9, path: '/etc/passwd' }, 'path', 'unknown', '/api/uploads');
  await post({ phone: c.phone, more: 1 }, 'more', 'unknown', '/api/login/code');
  for (const name of ['more', '__proto__', 'constructor', 'applicant_name ', 'APPLICANT_NAME', 'subject.name', 'child_name', '姓名', '\u0001', 'x'.repeat(5000)]) {
    const { ok, findings } = await c.post('/api/applications/check', JSON.parse(JSON.stringify(draft).replace('"is_head"', `${JSON.stringify(name)}:"a","is_head"`)));
    assert.equal(ok, false, name);
    assert.ok(findings.some((f) => f.rule === 'unknown' && han.test(f.message)), `${name}: ${JSON.stringify(findings).slice(0, 300)}`);
    count.refused += 1;
  }
  assert.equal((await c.post('/api/applications/check', draft)).ok, true, 'without them it is fine');
});

test('SEC-09 SEC-20 I1 foreign case numbers: another citizen, another station and invented numbers find nothing, and all the same nothing', async () => {
  const stranger = await citizen();
  const { no } = ledger[0];
  const other = String(Number(no.slice(-1)) === 9 ? 0 : Number(no.slice(-1)) + 1);
  const words = new Set();
  for (const n of [no, no.slice(0, 15) + other, '3407261199999990', '0000000000000000', 'abc']) {
    words.add((await refused(stranger, 404, 'missing', 'GET', `/api/applications/${n}`)).message.replace(n, ''));
    await refused(stranger, 404, 'missing', 'POST', `/api/applications/${n}/withdraw`, { json: {} });
    await refused(stranger, 404, 'missing', 'POST', `/api/applications/${n}/unlock`, { json: { last4: '1234' } });
    await refused(stranger, 404, 'missing', 'POST', `/api/applications/${n}/supplement`, { json: { draft: newId(), entries: {}, materials: [] }, headers: { 'idempotency-key': newId() } });
  }
  assert.equal(words.size, 1, [...words].join(' | '));
  await refused(stranger, 404, 'missing', 'GET', "/api/applications/1'or'1");
  await refused(stranger, 404, 'missing', 'GET', `/api/uploads/${idler.upload.id}`);
  await refused(stranger, 404, 'missing', 'PUT', `/api/uploads/${idler.upload.id}?offset=0`, { body: photo });
  await refused(stranger, 404, 'missing', 'DELETE', `/api/uploads/${idler.upload.id}`);
  const far = await officerOf(demo.accounts.find((a) => a.role === 'officer' && a.unit !== ledger[0].unit).unit);
  for (const [method, url, json] of [['GET', ''], ['POST', '/claim'], ['POST', '/decide', { action: 'pass', version: 1, opinion: '同意', unseen_ok: true }]])
    await refused(far, 404, 'missing', method, `/api/cases/${no}${url}`, json && { json });
});

test('SEC-11 SEC-20 sessions: none, invented, ended, without or with another\'s CSRF token', async () => {
  const c = await citizen();
  const nobody = new Citizen(demo, '');
  const json = { draft: newId(), material: 1, type: 'image/jpeg', size: 100 };
  await refused(nobody, 401, 'auth', 'GET', '/api/applications');
  await refused(nobody, 401, 'auth', 'POST', '/api/uploads', { json, headers: { 'x-csrf-token': c.csrf } });
  nobody.jar.set('hz', 'a'.repeat(64));
  await refused(nobody, 401, 'auth', 'GET', '/api/applications');
  await refused(c, 403, 'denied', 'POST', '/api/uploads', { json, headers: { 'x-csrf-token': '' } });
  await refused(c, 403, 'denied', 'POST', '/api/uploads', { json, headers: { 'x-csrf-token': (await citizen()).csrf } });
  await refused(new Citizen(demo, ''), 403, 'denied', 'POST', '/api/login/code', { json: { phone: nextPhone() }, headers: { 'x-requested-with': '' } });
  const old = new Citizen(demo, '');
  old.jar = new Map(c.jar);
  old.csrf = c.csrf;
  await c.call('POST', '/api/logout');
  await refused(old, 401, 'auth', 'GET', '/api/applications');
  await refused(old, 401, 'auth', 'POST', '/api/uploads', { json });
  const o = await officerOf(ledger[0].unit);
  await refused(o, 403, 'denied', 'POST', `/api/cases/${ledger[0].no}/claim`, { json: {}, headers: { 'x-csrf-token': '' } });
  await refused(o, 403, 'denied', 'POST', `/api/cases/${ledger[0].no}/decide`, { json: {}, headers: { 'x-csrf-token': 'b'.repeat(64) } });
  await refused(new Officer(demo, {}), 401, 'auth', 'GET', `/api/cases/${ledger[0].no}`);
  await refused(new Officer(demo, {}), 401, 'auth', 'POST', '/api/login', { json: { login: "hj_officer1' or '1'='1", password: "' or ''='" } });
});

function png(width, height, rows, text = '') {
  const chunk = (type, data) => {
    const b = Buffer.alloc(12 + data.length);
    b.writeUInt32BE(data.length);
    b.write(type, 4, 'latin1');
    data.copy(b, 8);
    b.writeUInt32BE(zlib.crc32(b.subarray(4, 8 + data.length)), 8 + data.length);
    return b;
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width);
  head.writeUInt32BE(height, 4);
  head.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), chunk('IHDR', head), ...(text ? [chunk('zTXt', Buffer.concat([Buffer.from('a\0\0'), zlib.deflateSync(text)]))] : []),
    chunk('IDAT', zlib.deflateSync(rows)), chunk('IEND', Buffer.alloc(0))]);
}

test('MAT-06 hostile uploads: wrong kinds, empty files, lies about size and offset are refused at the part', async () => {
  const c = await citizen();
  const begin = (more, status, rule, field = Object.keys(more)[0]) =>
    refused(c, status, status === 413 ? 'too_large' : 'input', 'POST', '/api/uploads', { json: { draft: newId(), material: 1, type: 'image/jpeg', size: 1000, ...more }, field, rule });
  for (const type of ['image/svg+xml', 'text/html', 'image/gif', 'application/zip', 'image/JPEG ', '../../x', '']) await begin({ type }, 400, 'code_value');
  for (const size of [0, -1, -(2 ** 53)]) await begin({ size }, 400, 'range');
  for (const size of [20 * 2 ** 20 + 1, 2 ** 53]) await begin({ size }, 413, 'range');
  for (const material of [-1, 100, 2 ** 31 - 1]) await begin({ material }, 400, 'range');
  for (const size of ['1000', 1.5, null, true, []]) await begin({ size }, 400, undefined, '');
  const open = (type, size) => c.post('/api/uploads', { draft: newId(), material: 1, type, size });
  const put = async (type, bytes, status, rule, { size = bytes.length, offset = 0, field = 'body' } = {}) =>
    refused(c, status, { 400: 'input', 409: 'conflict', 413: 'too_large' }[status], 'PUT', `/api/uploads/${(await open(type, size)).id}?offset=${offset}`, { body: bytes, field, rule });
  const wrong = ['<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', '<!doctype html><script>alert(1)</script>', 'GIF89a........', 'MZ\x90\0', 'PK\x03\x04', '\x7fELF', '#!/bin/sh\n', ' %PDF-1.7',
    '\0\xff\xd8\xff', '\x89PNG\n\x1a\n', '\xff\xd8', 'RIFF....WEBP'];
  for (const w of wrong) await put('image/jpeg', Buffer.from(w, 'latin1'), 400, 'type');
  await put('image/png', photo, 400, 'type', { field: 'type' });
  await put('image/jpeg', png(1, 1, Buffer.alloc(4)), 400, 'type', { field: 'type' });
  await put('application/pdf', photo, 400, 'type', { field: 'type' });
  await put('image/jpeg', photo.subarray(0, 999), 400, 'size', { size: 1000 });
  await put('image/jpeg', photo.subarray(0, 1001), 400, 'size', { size: 1000 });
  await put('image/jpeg', Buffer.alloc(0), 400, 'size', { size: 1000 });
  await put('image/jpeg', Buffer.concat([photo, Buffer.alloc(600000)]), 413, undefined, { field: '' });
  await put('image/jpeg', photo, 409, 'order', { offset: 100, field: 'offset' });
  await put('image/jpeg', photo, 409, 'order', { offset: photo.length, field: 'offset' });
  for (const offset of ['-1', 'abc', '1e3', '0x0', '99999999999999999999', '20971521', ' 0', '+1', ''])
    await put('image/jpeg', photo, 400, 'range', { offset: encodeURIComponent(offset), field: 'offset' });
  const u = await open('image/jpeg', photo.length);
  await c.call('PUT', `/api/uploads/${u.id}?offset=0`, { body: photo });
  const bent = Buffer.from(photo);
  bent[5000] ^= 1;
  await refused(c, 409, 'conflict', 'PUT', `/api/uploads/${u.id}?offset=0`, { body: bent, field: 'offset', rule: 'order' });
  assert.equal((await c.get(`/api/uploads/${u.id}`)).complete, true, 'the first one stays');
  const who = cast.death({ phone: c.phone });
  const half = await open('image/jpeg', 600000);
  const { ok, findings } = await c.post('/api/applications/check', { ...await c.draft(who.item, who.entries, {}), materials: [{ material: 1, pages: [half.id] }] });
  assert.ok(!ok && findings.some((f) => f.field.startsWith('material') && han.test(f.message)), 'a page that is not whole is not taken');
});

test('MAT-06 SEC-18 polyglots, bombs and stumps look like photographs: they cross sealed, the officer sees newly drawn pixels or words, never their bytes', async () => {
  const c = await citizen();
  const who = cast.death({ phone: c.phone });
  const evil = '<script>alert("MARKER")</script>';
  const comment = Buffer.concat([photo.subarray(0, 2), Buffer.from([0xff, 0xfe, 0, evil.length + 2]), Buffer.from(evil), photo.subarray(2)]);
  const pages = {
    1: { pages: [comment, Buffer.concat([photo, Buffer.from(`<html>${evil}PK\x03\x04`)]), photo.subarray(0, 3000), photo.subarray(0, 20), Buffer.from('\xff\xd8\xff', 'latin1')] },
    2: { pages: [photo] }, 3: { pages: [photo] },
  };
  const draft = await c.draft(who.item, who.entries, pages);
  const add = async (type, bytes) => draft.materials[0].pages.push(await c.upload(draft.draft, 1, type, bytes));
  await add('image/png', png(65000, 65000, Buffer.alloc(64)));
  await add('image/png', png(60000, 300, Buffer.alloc((60000 * 3 + 1) * 300)));
  await add('image/png', png(8, 8, Buffer.alloc(25 * 8, 0x80), 'a'.repeat(20e6)));
  await add('application/pdf', Buffer.from(`%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript/JS(app.alert("MARKER"))>>>>endobj\n${evil}`));
  const { no } = await c.submit(draft, who.who);
  ledger.push({ no, citizen: c, unit: who.unit });
  count.accepted += 1;
  const o = await officerOf(who.unit);
  const seen = { drawn: 0, words: 0 };
  for (const m of (await onDesk(who.unit, no)).materials)
    for (const p of m.pages) {
      const r = await o.raw('GET', `/api/cases/${no}/pages/${p.id}?size=full`);
      const body = Buffer.from(await r.arrayBuffer());
      assert.ok(!body.includes('MARKER') && !body.includes('<script'), `${m.no} ${p.n} shows what was hidden in it`);
      assert.equal(r.headers.get('x-content-type-options'), 'nosniff');
      if (r.status === 200) {
        assert.equal(r.headers.get('content-type'), 'image/jpeg');
        assert.deepEqual([...body.subarray(0, 3)], [0xff, 0xd8, 0xff]);
        seen.drawn += 1;
      } else {
        assert.equal(r.status, 400, `${m.no} ${p.n}: ${body}`);
        assert.match(JSON.parse(body).error.message, han);
        seen.words += 1;
        count.refused += 1;
      }
    }
  assert.ok(seen.drawn >= 4 && seen.words >= 4, JSON.stringify(seen));
});

test('CIT-28 I2 fifty at once under one key: one case, one number, on both sides; under fifty keys still one', async () => {
  for (const keys of [1, 50]) {
    const c = await citizen();
    const who = cast.death({ phone: c.phone });
    const draft = await c.draft(who.item, who.entries, pagesFor(who));
    const { hash } = await c.post('/api/applications/check', draft);
    const { evidence } = await c.post('/api/identity/verify', { hash, name: who.who.name, id_no: who.who.id_no, sandbox_result: 'pass' });
    const names = Array.from({ length: keys }, newId);
    const winner = (list) => names[list.findIndex((a) => !(a instanceof Error)) % keys];
    const answers = await Promise.all(Array.from({ length: 50 }, (_, i) =>
      c.post('/api/applications', { ...draft, evidence }, { 'idempotency-key': names[i % keys] }).catch((e) => e)));
    const yes = answers.filter((a) => !(a instanceof Error)), no = answers.filter((a) => a instanceof Error);
    const numbers = new Set(yes.map((a) => a.no));
    assert.equal(numbers.size, 1);
    if (keys === 1) assert.equal(no.length, 0);
    // 403: the winner has used the evidence up; 400: its pages.
    for (const e of no) assert.ok(([403, 409].includes(e.status) || e.error.fields.every((f) => f.rule === 'page_used')) && han.test(e.error.message), e.message);
    count.accepted += 1;
    count.refused += no.length;
    const [number] = numbers;
    ledger.push({ no: number, citizen: c, unit: who.unit });
    assert.equal((await c.get('/api/applications')).cases.length, 1);
    await onDesk(who.unit, number);
    const other = { ...draft, entries: { ...draft.entries, proof_by: '别处' }, evidence };
    await refused(c, 409, 'conflict', 'POST', '/api/applications', { json: other, headers: { 'idempotency-key': winner(answers) } });
    for (const key of ['', 'x', 'a'.repeat(500)])
      await refused(c, 400, 'input', 'POST', '/api/applications', { json: { ...draft, evidence }, headers: { 'idempotency-key': key }, field: 'Idempotency-Key', rule: 'pattern' });
  }
});

const plainFields = { death_cause: 100, proof_by: 100, proof_no: 60 };
const addressFields = { applicant_address: 100, subject_address: 100, death_place: 100 };
const strictFields = ['applicant_name', 'applicant_id_no', 'applicant_phone', 'subject_name', 'subject_id_no', 'death_time'];
const region = '340799 ';

/** What a form keeps of a plain text, said independently of the code: no blanks at the ends, breaks inside one blank each run. */
const kept = (s) => s.trim().replace(/[\t\n\v\f\r\u0085\u2028\u2029]+/g, ' ');
/** Of an address: letters and digits of full width in half width, runs of blanks one. */
const keptAddress = (s) => kept(s).replace(/[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a]/g, (x) => String.fromCharCode(x.charCodeAt(0) - 0xfee0)).replace(/\s+/g, ' ');

/** The verdict on one text in every text field of the form at once: {field: finding or undefined}. */
async function verdict(c, base, text) {
  const entries = { ...base.entries };
  for (const f of [...strictFields, ...Object.keys(plainFields)]) entries[f] = text;
  for (const f of Object.keys(addressFields)) entries[f] = region + text;
  const { findings } = await c.post('/api/applications/check', { ...base, entries });
  for (const f of findings) {
    assert.match(f.rule, /^[a-z_]+$/);
    assert.match(f.message, han, `${f.field} ${f.rule}`);
  }
  count.refused += findings.length;
  return Object.fromEntries([...strictFields, ...Object.keys(plainFields), ...Object.keys(addressFields)].map((f) => [f, findings.find((x) => x.field === f)]));
}

test('SEC-18 IMP-04 naughty strings in every text field: refused by a rule at the field, or on the officer\'s page byte for byte', async () => {
  const c = await citizen();
  const who = cast.death({ phone: c.phone });
  const base = await c.draft(who.item, who.entries, pagesFor(who));
  const names = [...Object.keys(plainFields), ...Object.keys(addressFields)];
  const carried = Object.fromEntries(names.map((f) => [f, []]));
  const step = process.env.HZ_LONG ? 1 : 4;          // 1: every text through every field that takes it; 4: every text through one or two of them
  let taken = 0;
  for (const [n, s] of naughty.entries()) {
    const found = await verdict(c, base, s);
    for (const f of strictFields)                    // strings that happen to be a name are the only ones these take
      assert.ok(found[f] || (/_name$/.test(f) && /^[\p{L}\u00b7 .'-]+$/u.test(s)), `${f} took ${JSON.stringify(s)}`);
    const takers = names.filter((f) => !found[f]);
    const chosen = takers.filter((f) => (n + names.indexOf(f)) % step === 0);
    for (const f of chosen.length ? chosen : takers.slice(0, 1)) carried[f].push(s);
    taken += takers.length ? 1 : 0;
  }
  assert.ok(taken > naughty.length / 2 && taken < naughty.length, `plain fields take most of them: ${taken}`);
  for (let i = 0; names.some((f) => i < carried[f].length); i++) {
    const one = await citizen();
    const here = cast.death({ phone: one.phone });
    const texts = names.filter((f) => i < carried[f].length).map((f) => [f, carried[f][i]]);
    for (const [f, s] of texts) here.entries[f] = f in addressFields ? region + s : s;
    const { no } = await apply(one, here);
    const rows = (await onDesk(here.unit, no)).sections.flatMap((x) => x.rows);
    for (const [f, s] of texts)
      assert.equal(Buffer.from(rows.find((r) => r.field === f).value).toString('hex'), Buffer.from(f in addressFields ? keptAddress(s) : kept(s)).toString('hex'), `${f} of ${no}: ${JSON.stringify(s)}`);
  }
});

test('SEC-18 IMP-04 characters that XML or a page cannot carry faithfully are refused at the form with words; rare characters cross unharmed', async () => {
  const c = await citizen();
  const who = cast.death({ phone: c.phone });
  const base = await c.draft(who.item, who.entries, pagesFor(who));
  const range = (a, b) => Array.from({ length: b - a + 1 }, (_, i) => a + i);
  const blanks = new Set([9, 10, 11, 12, 13, 0x85]);
  const control = [...range(1, 0x1f), ...range(0x7f, 0x9f)].filter((x) => !blanks.has(x));
  const bad = { xml_char: [...control, 0xfffe, 0xffff, 0xfffd, 0x1fffe, 0x10ffff], private_char: [0xe000, 0xf8ff, 0xf0000],
    invisible_char: [0x200b, 0x200d, 0x202e, 0x2066, 0x2069, 0x061c, 0xfe0f, 0xe0041, 0xe0100], combining_char: [0x0308, 0x20dd] };
  for (const [rule, list] of Object.entries(bad))
    for (const x of list) {
      const found = await verdict(c, base, `北${String.fromCodePoint(x)}京`);
      for (const f of [...Object.keys(plainFields), ...Object.keys(addressFields), 'subject_name']) assert.equal(found[f]?.rule, rule, `U+${x.toString(16)} in ${f}`);
    }
  await refused(c, 400, 'input', 'POST', '/api/applications/check', raw(JSON.stringify(base).replace('江州市第一', '江\\u0000州')));
  for (const s of ['𠮷野家', '㐀𠀀𪜀𫝀𫠠𬺰𰀀', '朱镕基﨑塚', '<>&"\'', ']]>', '&amp;&#0;&lt;', '𝒳😀', "';DROP TABLE case_file;--", '=cmd|\'/c calc\'!A1', '%s%n%p', '../../../etc/passwd', '{{7*7}}${7*7}']) {
    const one = await citizen();
    const here = cast.death({ phone: one.phone });
    here.entries.proof_by = s;
    here.entries.death_place = region + s;
    const { no } = await apply(one, here);
    const rows = (await onDesk(here.unit, no)).sections.flatMap((x) => x.rows);
    for (const f of ['proof_by', 'death_place']) assert.equal(rows.find((r) => r.field === f).value, s);
  }
});

const forge = (kind, number) => execFileSync(path.join(build, 'tests/ferry_forge'),
  [kind, path.join(demo.dir, 'internet/keys/internet.key'), path.join(demo.dir, 'internet/keys/intranet.pub'), String(number)], { maxBuffer: 1 << 24 });
const status = (...more) => spawnSync(path.join(root, 'build/bin/ferry'), ['status', '--config', demo.ferry_conf, ...more], { encoding: 'utf8', env: { ...process.env, LANG: 'C', LC_ALL: 'C' } });
const quarantines = () => ({ mover: path.join(demo.dir, 'gateway/quarantine'), intranet: path.join(demo.dir, 'intranet/data/quarantine'), internet: path.join(demo.dir, 'internet/data/quarantine') });
const list = (dir) => (existsSync(dir) ? readdirSync(dir).filter((f) => !f.startsWith('.')) : []);
const vault = () => path.join(demo.dir, 'intranet/vault');

/** Appears whole, and old enough that nobody waits for its end. */
function drop(folder, name, bytes) {
  const tmp = path.join(demo.dir, `drop-${name}`);
  writeFileSync(tmp, bytes);
  utimesSync(tmp, new Date(Date.now() - 60000), new Date(Date.now() - 60000));
  renameSync(tmp, path.join(folder, name));
}

/** The reason beside the file, in the quarantine named. */
const reasonOf = async (who, name) => until(() => {
  const file = path.join(quarantines()[who], `${name}.reason`);
  return existsSync(path.join(quarantines()[who], name)) && existsSync(file) && readFileSync(file, 'utf8');
}, `${name} in the quarantine of ${who}`, 15, 50);

test('FRY-09 FRY-14 IMP-02 I6 I7 ferry: forged, cut, bent and misdirected files are put aside with their reason at every door, status says so, and an application still crosses', async () => {
  const g = demo.gateway;
  const good = readFileSync(path.join(vault(), list(vault()).find((f) => f.startsWith('b-internet-'))));
  const bent = Buffer.from(good);
  bent[Math.floor(good.length / 2)] ^= 1;
  const before = status('--json');
  assert.equal(JSON.parse(before.stdout).word, 'fine', before.stdout);
  const bytes = { doctype: forge('doctype', 1), stranger: forge('stranger', 2), 'to-self': forge('to-self', 3), bent, cut: good.subarray(0, good.length - 100), head: good.subarray(300), empty: Buffer.alloc(0), 'not-ours': Buffer.from('<html></html>') };
  const inside = { doctype: /DOCTYPE|DTD|declaration|parser|XML/i, stranger: /key .* is not one that we trust/, 'to-self': /want internet to intranet, have internet to internet/, bent: /signature|base64|trailer/, cut: /trailer/,
    head: /offset|trailer/, empty: /want .* bytes/, 'not-ours': /want .* bytes|trailer/ };
  const carried = new Set(['doctype', 'to-self']);               // signed well: the mover, who parses nothing, lets the reader decide
  for (const [kind, body] of Object.entries(bytes)) {
    drop(g.internet_outbox, `out-${kind}.xml`, body);
    drop(g.intranet_inbox, `in-${kind}.xml`, body);
    drop(g.intranet_outbox, `back-${kind}.xml`, body);           // nobody but the intranet may speak on this way
    drop(g.internet_inbox, `near-${kind}.xml`, body);
  }
  drop(g.internet_inbox, 'echo.xml', good);
  symlinkSync('/etc/passwd', path.join(g.intranet_inbox, 'link.xml'));
  mkdirSync(path.join(g.intranet_inbox, 'folder.xml'));
  execFileSync('mkfifo', [path.join(g.intranet_inbox, 'pipe.xml')]);
  for (const kind of Object.keys(bytes)) {
    assert.match(await reasonOf('intranet', `in-${kind}.xml`), inside[kind]);
    assert.match(await reasonOf(carried.has(kind) ? 'intranet' : 'mover', `out-${kind}.xml`), inside[kind]);
    assert.match(await reasonOf('mover', `back-${kind}.xml`), /trust|trailer|bytes|offset/);
    assert.match(await reasonOf('internet', `near-${kind}.xml`), /trust|trailer|bytes|offset/);
    count.refused += 4;
  }
  assert.match(await reasonOf('internet', 'echo.xml'), /is not one that we trust/);
  const said = await until(() => { const s = status('--json'); return /quarantine/.test(s.stdout) && JSON.parse(s.stdout).word === 'warning' && s; }, 'status says so', 15, 500);
  assert.equal(said.status, 1);
  const report = JSON.parse(said.stdout);
  assert.ok(report.folders.quarantine.files >= 14, said.stdout);
  assert.match(status().stdout, /files in quarantine: read their \.reason/);
  const c = await citizen();
  const { no } = await apply(c, cast.death({ phone: c.phone }));
  assert.equal((await onDesk(cast.death({ phone: '' }).unit, no)).state, 'awaiting_review');
  await until(async () => (await c.case(no)).confirmed, 'confirmed to the citizen', 30, 200);
  for (const left of Object.values(g)) await until(() => !list(left).some((f) => /^(in|out|back|near)-/.test(f)), `${left} is free of them`, 10, 100);
  assert.ok(['link.xml', 'folder.xml', 'pipe.xml'].every((f) => list(quarantines().intranet).includes(f) || list(g.intranet_inbox).includes(f)), 'I7 nothing vanished');
});

test('FRY-14 I3 I6 ferry: what is well signed but no application is refused or held with its reason; a repeat changes nothing', async () => {
  const admin = new Officer(demo, demo.account('admin'));
  await admin.signIn();
  const had = (await admin.get('/api/exceptions')).exceptions.length;
  const kinds = ['rewrapped', 'garbage', 'other', 'unbound', 'good'];
  for (const [i, kind] of kinds.entries()) drop(demo.gateway.internet_outbox, `item-${kind}.xml`, forge(kind, 100 + i));
  const rows = await until(async () => { const { exceptions } = await admin.get('/api/exceptions'); return exceptions.length >= had + kinds.length && exceptions; }, 'five exceptions', 15, 200);
  assert.ok(rows.every((x) => x.reason.length > 3 && ['held', 'refused'].includes(x.word)), JSON.stringify(rows));
  count.refused += kinds.length;
  const { no, citizen: c, unit } = ledger.at(-1);
  const o = await officerOf(unit);
  const seen = await o.case(no), told = await c.case(no);
  for (const f of list(vault()).filter((x) => x.startsWith('b-internet-'))) {
    copyFileSync(path.join(vault(), f), path.join(demo.dir, 'again.xml'));
    renameSync(path.join(demo.dir, 'again.xml'), path.join(demo.gateway.intranet_inbox, `again-${f}`));
  }
  await until(() => !list(demo.gateway.intranet_inbox).some((f) => f.startsWith('again-')), 'repeats are taken away', 15, 100);
  assert.ok(!list(quarantines().intranet).some((f) => f.startsWith('again-')), 'a repeat is no fault');
  await sleep(1500);
  assert.equal((await admin.get('/api/exceptions')).exceptions.length, rows.length, 'a repeat is not judged again');
  assert.deepEqual(await o.case(no).then((x) => [x.version, x.state, x.pages]), [seen.version, seen.state, seen.pages]);
  assert.deepEqual((await c.case(no)).state, told.state);
});

test('FRY-08 I3 ferry: files in the wrong order wait for their predecessor and are applied in order', async () => {
  process.kill(demo.processes.mover.pid, 'SIGTERM');
  await until(() => { try { return !readFileSync(`/proc/${demo.processes.mover.pid}/stat`, 'utf8').match(/\) [^Z]/); } catch { return true; } }, 'the mover stands', 10, 50);
  const out = demo.gateway.internet_outbox, into = demo.gateway.intranet_inbox;
  const batches = () => list(out).filter((f) => f.startsWith('b-'));
  const c = await citizen();
  const who = cast.death({ phone: c.phone });
  const o = await officerOf(who.unit);
  const old = new Set(batches());
  const { no } = await apply(c, who);
  const [first] = await until(() => { const n = batches().filter((f) => !old.has(f)); return n.length && n; }, 'the application in the outbox', 10, 50);
  await c.post(`/api/applications/${no}/withdraw`, { reason: '先后颠倒' });
  const [second] = await until(() => { const n = batches().filter((f) => !old.has(f) && f !== first); return n.length && n; }, 'the withdrawal in the outbox', 10, 50);
  renameSync(path.join(out, second), path.join(into, 'later.xml'));
  await until(() => !list(into).includes('later.xml'), 'the later one is taken in', 10, 50);
  await assert.rejects(o.case(no), (e) => e.status === 404, 'nothing is on the desk before its predecessor');
  renameSync(path.join(out, first), path.join(into, 'earlier.xml'));
  await until(async () => { try { return (await o.case(no)).state === 'withdraw_asked'; } catch (e) { if (e.status === 404) return false; throw e; } }, 'application, then withdrawal', 15, 100);
  demo.startMover();
  pids.mover = demo.processes.mover.pid;
  await until(async () => (await c.case(no)).state.key === 'withdraw_asked', 'the citizen is told', 30, 200);
});

test('SEC-20 an idle session expires: refused with words, what was uploaded is still there after signing in again', async () => {
  await sleep(Math.max(0, idler.last + (IDLE_S + 2) * 1000 - Date.now()));
  await refused(idler, 401, 'auth', 'GET', `/api/uploads/${idler.upload.id}`);
  await refused(idler, 401, 'auth', 'PUT', `/api/uploads/${idler.upload.id}?offset=0`, { body: photo });
  idler.jar.delete('hz');
  await idler.signIn();
  assert.equal((await idler.get(`/api/uploads/${idler.upload.id}`)).offset, 0);
  await idler.call('PUT', `/api/uploads/${idler.upload.id}?offset=0`, { body: photo });
});

test('I9 after all of this the databases are whole, no program complained of itself, and more was refused than accepted', async () => {
  for (const file of ['internet', 'intranet'].flatMap((side) => readdirSync(path.join(demo.dir, side, 'data')).filter((f) => f.endsWith('.db')).map((f) => path.join(demo.dir, side, 'data', f)))) {
    const db = new DatabaseSync(file, { readOnly: true });
    assert.equal(db.prepare('PRAGMA integrity_check').get().integrity_check, 'ok', file);
    db.close();
  }
  for (const name of ['internet-side', 'intranet-side', 'mover']) {
    const errors = readFileSync(demo.processes[name].log, 'utf8').split('\n').filter((l) => /"level":"error"|Sanitizer|answered_twice/.test(l));
    assert.deepEqual(errors, [], name);
  }
  assert.ok(count.refused >= count.accepted && count.accepted > 20, JSON.stringify(count));
  assert.equal(new Set(ledger.map((x) => x.no)).size, ledger.length);
});
