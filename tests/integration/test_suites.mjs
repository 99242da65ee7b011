// SEC-03, SEC-04, FRY-08, FRY-14: the crossing in suite 2 (SM2, SM3, SM4) between two real ends (ferry_peer) and the mover, and the way from suite 1 to
// suite 2 with items under way, by the operator's own commands.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, test } from 'node:test';

const root = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '../..');
const build = path.join(root, 'build', process.env.VARIANT || 'release');
const ferry = path.join(build, 'bin/ferry');
const peer = path.join(build, 'tests/ferry_peer');
const sides = ['internet', 'intranet'];
const other = (side) => sides.find((s) => s !== side);
const sleep = (ms) => new Promise((r) => { setTimeout(r, ms); });
const ledgerTables = `CREATE TABLE made (id INTEGER PRIMARY KEY, n INTEGER NOT NULL UNIQUE, item_id TEXT NOT NULL UNIQUE, hash TEXT NOT NULL) STRICT;
CREATE TABLE applied (id INTEGER PRIMARY KEY AUTOINCREMENT, item_id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, case_no TEXT NOT NULL, case_seq INTEGER NOT NULL, hash TEXT NOT NULL, text TEXT NOT NULL) STRICT;
`;
const w = { running: {}, log: '', files: {} };
const at = (...x) => path.join(w.dir, ...x);
const run = (...args) => spawnSync(ferry, args, { encoding: 'utf8', env: { ...process.env, LANG: 'C', LC_ALL: 'C' } });

function setup(suite) {
  Object.assign(w, { dir: mkdtempSync(path.join(os.tmpdir(), 'hz-suites-')), log: '' });
  const g = (x) => at('gateway', x);
  for (const d of ['migrations', 'all', 'internet/keys', 'intranet/keys', 'gateway/keys', 'gateway/quarantine', ...sides.flatMap((s) => [`gateway/${s}-outbox`, `gateway/${s}-inbox`, `${s}/commands`, `${s}/quarantine`])]) {
    mkdirSync(at(d), { recursive: true, mode: 0o700 });
  }
  const steps = readdirSync(path.join(root, 'schemas/migrations/delivery')).sort();
  for (const s of steps) copyFileSync(path.join(root, 'schemas/migrations/delivery', s), at('migrations', s));
  writeFileSync(at('migrations', `${String(steps.length + 1).padStart(4, '0')}_ledger.sql`), ledgerTables);
  for (const s of sides) assert.equal(run('keygen', '--dir', at(s, 'keys'), '--name', s, '--suite', String(suite)).status, 0);
  for (const s of sides) for (const to of [at(other(s), 'keys'), at('gateway/keys'), at('all')]) copyFileSync(at(s, 'keys', `${s}.pub`), path.join(to, `${s}.pub`));
  writeFileSync(at('ferry.conf'), Object.entries({
    internet_outbox: g('internet-outbox'), intranet_inbox: g('intranet-inbox'), intranet_outbox: g('intranet-outbox'), internet_inbox: g('internet-inbox'), quarantine: g('quarantine'),
    internet_key: g('keys/internet.pub'), intranet_key: g('keys/intranet.pub'), rescan_s: 1, settle_s: 1, status_file: at('mover.json'),
    internet_status: at('internet/status.json'), intranet_status: at('intranet/status.json'), internet_commands: at('internet/commands'), intranet_commands: at('intranet/commands'),
  }).map(([k, v]) => `${k} = ${v}\n`).join(''));
}
function start(name, program, args) {
  const p = spawn(program, args, { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] });
  p.stderr.on('data', (b) => { w.log += b; });
  p.ended = new Promise((done) => { p.on('close', (code, signal) => done(signal ?? code)); });
  w.running[name] = p;
}
const starts = {
  internet: (n) => start('internet', peer, ['run', 'internet', w.dir, String(n)]),
  intranet: () => start('intranet', peer, ['run', 'intranet', w.dir, '0']),
  mover: () => start('mover', ferry, ['run', '--config', at('ferry.conf')]),
};
async function stop(name) {
  const p = w.running[name];
  delete w.running[name];
  p?.kill('SIGTERM');
  if (p) assert.equal(await p.ended, 0, `${name} stops cleanly\n${w.log.slice(-2000)}`);
}
afterEach(async () => {
  for (const n of Object.keys(w.running)) { w.running[n].kill('SIGKILL'); await w.running[n].ended; }
  w.running = {};
  if (w.dir && !process.env.HZ_KEEP) rmSync(w.dir, { recursive: true, force: true });
});
async function until(what, fn, seconds = 60) {
  for (const end = Date.now() + seconds * 1000; ;) {
    const v = await fn();
    if (v) return v;
    assert.ok(Date.now() < end, `${what} within ${seconds} s\n${w.log.split('\n').filter((l) => /"(warn|error)"/.test(l) && !/file_resent/.test(l)).slice(-12).join('\n')}`);
    await sleep(200);
  }
}
const key = (...args) => run('key', ...args, ...(args.includes('--keys') ? [] : ['--config', at('ferry.conf')]));
const list = (side) => { const r = key('list', '--side', side, '--json'); assert.equal(r.status, 0, r.stderr); return JSON.parse(r.stdout); };
const entry = (side, id) => list(side).find((k) => k.id === id);
const current = (side) => list(side).find((k) => k.owner === 'own' && k.state === 'current');
function ledger(side) {
  const r = spawnSync(peer, ['ledger', side, w.dir], { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 });
  assert.equal(r.status, 0, r.stderr);
  const rows = r.stdout.split('\n').filter(Boolean).map((l) => l.split('\t'));
  const of = (word) => rows.filter((x) => x[0] === word).map((x) => x.slice(1));
  const [unacked, retained] = of('state')[0].map(Number);
  return { made: of('made'), applied: of('applied'), open: of('open'), unacked, retained };
}
/** Everything made was applied at the other end once, with its hash, and confirmed; nothing is held, refused or set aside. */
async function settled(n) {
  await until(`${n} made, all confirmed`, () => { const a = ledger('internet'); return a.made.length >= n && a.retained === 0 && a.unacked === 0; }, 120);
  const a = ledger('internet'), b = ledger('intranet'), got = new Map(b.applied.map(([, , id, , , hash]) => [id, hash]));
  for (const [, id, hash] of a.made) assert.equal(got.get(id), hash, `record ${id}`);
  assert.equal(b.applied.length, a.made.length, 'each once');
  assert.deepEqual([a.open, b.open], [[], []]);
  assert.doesNotMatch(w.log, /APPLIED TWICE/);
  assert.deepEqual(['gateway/quarantine', 'internet/quarantine', 'intranet/quarantine'].flatMap((d) => readdirSync(at(d))), []);
}
function query(side, sql) {
  const db = new DatabaseSync(at(side, 'peer.db'), { readOnly: true });
  try { return db.prepare(sql).all(); } finally { db.close(); }
}
/** The suites that the trailers of a side's kept files say, and those of the items in them. */
function suitesIn(side, from) {
  const trailers = new Set(), items = new Set();
  for (const f of readdirSync(at(side, 'vault')).filter((x) => x.includes(`-${from}-`) && x.endsWith('.xml'))) {
    const text = readFileSync(at(side, 'vault', f), 'latin1');
    trailers.add(/<Trailer>HZT2 (\d\d) /.exec(text)[1]);
    for (const m of text.matchAll(/<Item [^>]*><Chunk>([A-Za-z0-9+/]{8})/g)) items.add(Buffer.from(m[1], 'base64')[3]);
  }
  return { trailers: [...trailers].sort(), items: [...items].sort() };
}

test('SEC-03, FRY-08 both sides in suite 2: records and slices cross, are confirmed, and anyone with the public keys verifies it', async () => {
  setup(2);
  starts.mover();
  starts.intranet();
  starts.internet(24);
  await until('both run', () => sides.every((x) => existsSync(at(x, 'status.json'))));
  await settled(24);
  assert.ok(ledger('intranet').applied.some(([, kind]) => kind === 'slice') && ledger('intranet').applied.some(([, kind]) => kind === 'application'), 'both kinds');
  assert.deepEqual(suitesIn('intranet', 'internet'), { trailers: ['02'], items: [2] });
  for (const s of sides) for (const k of list(s)) assert.equal(k.suite, 2);
  await until('everything vouched for', () => sides.every((s) => query(s, 'SELECT count(*) AS n FROM out_file')[0].n === 0
    && query(s, 'SELECT (SELECT max(id) FROM journal) = (SELECT our_size FROM journal_peer ORDER BY id DESC LIMIT 1) AS same')[0].same === 1));
  const no = query('internet', "SELECT case_no FROM journal WHERE what = 'confirmed' AND case_no <> '' LIMIT 1")[0].case_no;
  for (const s of sides) {
    const r = run('evidence', no, '--out', at(`${s}.json`), '--side', s, '--config', at('ferry.conf'));
    assert.equal(r.status, 0, r.stderr);
  }
  const both = run('verify', at('internet.json'), at('intranet.json'), '--keys', at('all'));
  assert.equal(both.status, 0, both.stdout + both.stderr);
  assert.match(both.stdout, /every step holds/);
  const file = JSON.parse(readFileSync(at('internet.json'), 'utf8'));
  file.signature = file.signature.replace(/^./, (c) => (c === '0' ? '1' : '0'));
  writeFileSync(at('bad.json'), JSON.stringify(file));
  assert.equal(run('verify', at('bad.json'), '--keys', at('all')).status, 1, 'another signature');
});

test('SEC-04, FRY-14 from suite 1 to suite 2 with items under way: nothing is lost, and there is no way back', async () => {
  setup(1);
  starts.intranet();
  starts.mover();
  starts.internet(100000);
  await until('records cross', () => sides.every((s) => existsSync(at(s, 'status.json'))) && ledger('intranet').applied.length > 5);
  const file = readdirSync(at('intranet/vault')).find((f) => f.startsWith('b-internet-'));
  const old = {}, ids = {};
  for (const side of sides) {
    old[side] = current(side).id;
    const made = key('generate', '--side', side, '--suite', '2');
    assert.equal(made.status, 0, made.stderr);
    const [id, fingerprint] = made.stdout.split('\n');
    ids[side] = id;
    await until('the peer hears of it', () => entry(other(side), id)?.suite === 2);
    assert.match(key('list', '--side', side).stdout, /suite 2 \(SM2\/SM3\/SM4\)/);
    assert.equal(key('trust', id, '--side', other(side), '--fingerprint', fingerprint).status, 0);
    assert.equal(key('trust', at(side, 'keys', `${side}-${id}.pub`), '--keys', at('gateway/keys'), '--fingerprint', fingerprint).status, 0);
    await until('its owner hears that it is trusted', () => entry(side, id).trusted);
    const n = ledger('internet').made.length;
    assert.equal(key('use', id, '--side', side).status, 0);
    await until('the peer follows', () => entry(other(side), id).state === 'current');
    await until('records of the new key', () => ledger('intranet').applied.length > n + 5);
  }
  await stop('internet');
  const count = ledger('internet').made.length + 20;
  starts.internet(count);
  await settled(count);
  assert.deepEqual(suitesIn('intranet', 'internet'), { trailers: ['01', '02'], items: [1, 2] });
  for (const side of sides) assert.deepEqual([current(side).id, current(side).suite, entry(side, old[side]).state], [ids[side], 2, 'accepting']);
  const back = key('generate', '--side', 'internet', '--suite', '1');
  assert.equal(back.status, 1);
  assert.match(back.stderr, /our current one is of suite 2: one of suite 1 would be a downgrade/);
  for (const side of sides) assert.equal(key('retire', old[side], '--side', side, '--wait', '60').status, 0);
  await downgraded(file, ids.internet);
});

/** An old file whose trailer names the new key, and a new one whose trailer says the old suite: refused by that name. */
async function downgraded(first, id) {
  const renamed = readFileSync(at('intranet/vault', first), 'latin1').replace(/(<Trailer>HZT2 01 )[0-9a-f]{16}/, `$1${id}`);
  const last = readdirSync(at('intranet/vault')).filter((f) => f.startsWith('b-internet-') && /HZT2 02 /.test(readFileSync(at('intranet/vault', f), 'latin1'))).at(-1);
  const lowered = readFileSync(at('intranet/vault', last), 'latin1').replace('<Trailer>HZT2 02 ', '<Trailer>HZT2 01 ');
  for (const [name, body] of [['renamed.xml', renamed], ['lowered.xml', lowered]]) {
    writeFileSync(at('gateway', name), body, 'latin1');
    renameSync(at('gateway', name), at('gateway/intranet-inbox', name));
    const reason = await until(name, () => existsSync(at('intranet/quarantine', `${name}.reason`)) && readFileSync(at('intranet/quarantine', `${name}.reason`), 'utf8'));
    assert.match(reason, /says suite 01, but key [0-9a-f]{16} is of suite 02: changed, or a downgrade/);
  }
}

test('SEC-04 without the module keys of suite 2 are held in words, suite 1 works on; with it what was held goes its way', async () => {
  setup(1);
  for (const d of ['bin', 'libexec']) mkdirSync(at('prefix', d), { recursive: true });
  for (const [from, to] of [[ferry, 'bin/ferry'], [peer, 'bin/ferry_peer'], [path.join(build, 'libexec/parser'), 'libexec/parser']]) copyFileSync(from, at('prefix', to));
  const bare = (...args) => spawnSync(at('prefix/bin/ferry'), args, { encoding: 'utf8', env: { ...process.env, LANG: 'C' } });
  assert.equal(bare('keygen', '--dir', at('one'), '--name', 'internet').status, 0);
  const none = bare('keygen', '--dir', at('two'), '--name', 'internet', '--suite', '2');
  assert.equal(none.status, 1);
  assert.match(none.stderr, /suite 2 \(SM2, SM3, SM4\) is not usable here: libexec\/suite2\.so is not beside the programs/);
  assert.ok(!existsSync(at('two/internet.key')));
  assert.match(bare('keygen', '--dir', at('two'), '--name', 'internet', '--suite', '3').stderr, /--suite/);

  start('intranet', at('prefix/bin/ferry_peer'), ['run', 'intranet', w.dir, '0']);
  starts.mover();
  starts.internet(100000);
  await until('records cross', () => sides.every((s) => existsSync(at(s, 'status.json'))) && ledger('intranet').applied.length > 2);
  const id = key('generate', '--side', 'internet', '--suite', '2').stdout.split('\n')[0];
  const held = await until('the word is held', () => query('intranet', "SELECT item_id, reason FROM in_item WHERE state = 'held'")[0]);
  assert.match(held.reason, /suite 2 .* is not usable here/);
  const n = ledger('intranet').applied.length;
  await until('records go on', () => ledger('intranet').applied.length > n + 3);
  writeFileSync(at('prefix/libexec/suite2.so'), 'no module');
  assert.match(bare('keygen', '--dir', at('two'), '--name', 'internet', '--suite', '2').stderr, /not usable here: .*suite2\.so: /);
  rmSync(at('prefix/libexec/suite2.so'));
  copyFileSync(path.join(build, 'libexec/suite2.so'), at('prefix/libexec/suite2.so'));
  assert.equal(run('retry', held.item_id, '--side', 'intranet', '--config', at('ferry.conf')).status, 0);
  await until('it is heard of', () => entry('intranet', id)?.suite === 2);
});

test('SEC-05 a key of suite 2 is 0600, two of its three shares give it back, its ring is refused when others can read it', () => {
  setup(2);
  const keys = at('intranet/keys');
  for (const f of readdirSync(keys).filter((x) => x.endsWith('.key'))) assert.equal(statSync(path.join(keys, f)).mode & 0o777, 0o600);
  const shares = key('backup', '--keys', keys, '--out', at('shares')).stdout.trim().split('\n');
  assert.equal(shares.length, 3);
  assert.equal(key('drill', '--keys', keys, ...shares.flatMap((s) => ['--share', s])).status, 0);
  const r = key('restore', '--share', shares[0], '--share', shares[2], '--out', at('restored.key'), '--keys', keys);
  assert.equal(r.status, 0, r.stderr);
  assert.ok(readFileSync(at('restored.key')).equals(readFileSync(path.join(keys, 'intranet.key'))));
  for (const m of readFileSync(at('restored.key'), 'utf8').matchAll(/^(?:sign|box)=([0-9a-f]{64})$/gm)) for (const s of shares) assert.ok(!readFileSync(s, 'utf8').includes(m[1].slice(0, 16)));
  chmodSync(path.join(keys, 'intranet.key'), 0o640);
  assert.match(key('list', '--keys', keys).stderr, /mode 0600/);
});
