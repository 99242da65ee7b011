// The citizens' service as a program: new rules while it runs, outside systems away, a full disk, kills and restarts, its options.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Checked, contract, drafted, nextPhone, submitted, talkTo } from '../support/citizens.mjs';
import { newId } from '../support/client.mjs';
import { root } from '../support/demo.mjs';
import { Internet, until } from '../support/internet.mjs';

let w;
const files = (dir) => readdirSync(dir, { recursive: true, withFileTypes: true }).filter((f) => f.isFile()).map((f) => path.join(f.parentPath ?? f.path, f.name));

before(async () => { w = await Internet.start(); talkTo(w); w.connect(); });
after(async () => { await w?.stop(); });

test('configuration: a newer one switches on whole, an older one is left, drafts of the one before still count', async () => {
  const { c, who, draft } = await drafted();
  const publish = (version, change = (s) => s) => {
    const file = path.join(w.dir, `bundle-${version}.json`);
    w.bundle(version, file);
    const bytes = readFileSync(file);
    const hash = spawnSync('b2sum', ['-l', '256', file], { encoding: 'utf8' }).stdout.split(' ')[0];
    w.send('configuration', '-', change(`<?xml version="1.0" encoding="UTF-8"?>\n<configuration xmlns="urn:hz:record:1" version="${version}" hash="${hash}" published="2026-11-23T00:00:00Z"><bundle>${bytes.toString('base64')}</bundle></configuration>`));
  };
  const version = async () => (await c.session()).config_version;
  publish(3, (s) => s.replace(/hash="../, 'hash="00'));
  publish(2);
  await until(async () => (await version()) === 2, 'switched to 2', 20, 50);
  const r = await c.submit(draft, who);
  assert.match(r.no, /^\d{16}$/);
  publish(1);
  publish(4);
  await until(async () => (await version()) === 4, 'switched to 4', 20, 50);
  await c.refused(409, 'conflict', 'POST', '/api/applications/check', { json: { ...draft, config_version: 1 } });
  assert.equal((await (await c.raw('GET', '/healthz')).json()).config_version, 4);
});

test('outside systems away: said in words within 6 s, nothing is lost', async () => {
  const { c, who, draft } = await drafted('rename', {});
  const { hash } = await c.post('/api/applications/check', draft);
  const nobody = new Checked(w, nextPhone());
  await nobody.session();
  await w.down();
  w.configure({ identity_url: 'http://127.0.0.1:9', sms_url: 'http://127.0.0.1:9' });
  await w.up();
  await c.refused(401, 'auth', 'GET', '/api/applications');
  const began = Date.now();
  await nobody.refused(503, 'unavailable', 'POST', '/api/login/code', { json: { phone: nobody.phone } });
  assert.ok(Date.now() - began < 6000);
  await w.down();
  w.configure({ identity_url: 'http://127.0.0.1:9' });
  await w.up();
  await c.signIn();
  const e = await c.refused(503, 'unavailable', 'POST', '/api/identity/verify', { json: { hash, name: who.name, id_no: who.id_no } });
  assert.match(e.message, /填好的内容保留/);
  await w.down();
  w.configure();
  await w.up();
  await c.signIn();
  assert.equal((await c.get('/api/session')).config_version, 4, 'the published configuration survived');
  const { config_version } = await c.session();
  assert.ok((await c.submit({ ...draft, config_version }, who)).no, 'pages that were up before three restarts still count');
});

test('a full disk stops accepting in words and says so in its health', async () => {
  const { c, who, draft } = await drafted();
  const key = newId();
  await w.down();
  w.configure({ min_free_mb: 1000000 });
  w.up().catch(() => {});
  await until(async () => { try { return (await fetch(`${w.addresses.internet}/healthz`)).status === 503; } catch { return false; } }, 'unhealthy', 10, 50);
  contract.check('GET', '/healthz', 503, await (await fetch(`${w.addresses.internet}/healthz`)).json());
  await c.signIn();
  const { hash } = await c.post('/api/applications/check', { ...draft, config_version: 4 });
  const { evidence: v } = await c.post('/api/identity/verify', { hash, name: who.name, id_no: who.id_no, sandbox_result: 'pass' });
  await c.refused(507, 'full', 'POST', '/api/uploads', { json: { draft: newId(), material: 1, type: 'image/jpeg', size: 5 } });
  await c.refused(507, 'full', 'POST', '/api/applications', { json: { ...draft, config_version: 4, evidence: v }, headers: { 'idempotency-key': key } });
  assert.equal(await w.down(), 0, 'SIGTERM ends cleanly');
  w.configure();
  await w.up();
});

test('restart: files that nobody speaks of go after an hour, those of a case under way stay', async () => {
  const { c, no, rec, slices } = await submitted();
  const spool = path.join(w.dir, 'internet/data/spool');
  const orphan = path.join(spool, newId()), fresh = path.join(spool, newId());
  for (const f of [orphan, fresh]) writeFileSync(f, 'x', { mode: 0o600 });
  await w.down('SIGKILL');
  const old = (Date.now() - 2 * 3600e3) / 1000;
  for (const f of [...files(spool), ...files(path.join(w.dir, 'mirror'))].filter((x) => x !== fresh)) utimesSync(f, old, old);
  await w.up();
  assert.ok(!existsSync(orphan) && existsSync(fresh));
  for (const s of slices) assert.ok(existsSync(path.join(spool, s.id)) && existsSync(path.join(w.dir, 'mirror', s.id)));
  assert.ok(existsSync(path.join(w.dir, 'mirror', rec.id)));
  await c.refused(401, 'auth', 'GET', `/api/applications/${no}`);
  await c.signIn();
  assert.equal((await c.case(no)).no, no, 'the case is still there after a kill');
});

test('the program: options, an unknown key, a wrong key file', async () => {
  const program = path.join(root, 'build', process.env.VARIANT || 'release', 'bin/internet-side');
  const run = (...args) => spawnSync(program, args, { encoding: 'utf8' });
  assert.match(run('--version').stdout, /^internet-side /);
  assert.match(run('--help').stdout, /public_origin/);
  assert.equal(run().status, 2);
  const conf = path.join(w.dir, 'internet.conf');
  assert.equal(run('--config', conf, '--check-config').status, 0);
  w.configure({ unknown_key: 1 });
  const r = run('--config', conf, '--check-config');
  assert.equal(r.status, 1);
  assert.match(r.stderr, /unknown_key/);
  w.configure({ own_key: path.join(w.dir, 'intranet/keys/intranet.key'), port: 0 });
  assert.match(run('--config', conf).stderr, /keys: want own internet/);
  w.configure();
});

test('the log has no warning that nobody meant', () => {
  const meant = ['request', 'item', 'request_error', 'disk_full', 'orphan_files'];
  const lines = w.log.split('\n').filter(Boolean).map((l) => JSON.parse(l));
  assert.deepEqual([...new Set(lines.filter((l) => ['warn', 'error'].includes(l.level) && !meant.includes(l.event)).map((l) => JSON.stringify(l)))], []);
});
