// SEC-04, SEC-05, FRY-14: the life of keys between two real ends of the ferry (ferry_peer) and the mover, under load, by the operator's own commands.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';

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

const w = { running: {}, log: '', made: 0 };
const at = (...x) => path.join(w.dir, ...x);

function setup() {
  w.dir = mkdtempSync(path.join(os.tmpdir(), 'hz-keys-'));
  for (const d of ['migrations', 'internet/keys', 'intranet/keys', 'gateway/keys', 'gateway/quarantine', ...sides.flatMap((s) => [`gateway/${s}-outbox`, `gateway/${s}-inbox`, `${s}/commands`, `${s}/quarantine`])]) {
    mkdirSync(at(d), { recursive: true, mode: 0o700 });
  }
  const steps = readdirSync(path.join(root, 'schemas/migrations/delivery')).sort();
  for (const s of steps) copyFileSync(path.join(root, 'schemas/migrations/delivery', s), at('migrations', s));
  writeFileSync(at('migrations', `${String(steps.length + 1).padStart(4, '0')}_ledger.sql`), ledgerTables);
  for (const s of sides) assert.equal(spawnSync(ferry, ['keygen', '--dir', at(s, 'keys'), '--name', s]).status, 0);
  for (const s of sides) for (const to of [at(other(s), 'keys'), at('gateway/keys')]) copyFileSync(at(s, 'keys', `${s}.pub`), path.join(to, `${s}.pub`));
  const g = (x) => at('gateway', x);
  writeFileSync(at('ferry.conf'), Object.entries({
    internet_outbox: g('internet-outbox'), intranet_inbox: g('intranet-inbox'), intranet_outbox: g('intranet-outbox'), internet_inbox: g('internet-inbox'), quarantine: g('quarantine'),
    internet_key: g('keys/internet.pub'), intranet_key: g('keys/intranet.pub'), rescan_s: 1, settle_s: 1, status_file: at('mover.json'),
    internet_status: at('internet/status.json'), intranet_status: at('intranet/status.json'), internet_commands: at('internet/commands'), intranet_commands: at('intranet/commands'),
  }).map(([k, v]) => `${k} = ${v}\n`).join(''));
}

function start(name, program, args) {
  const p = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  p.stdout.on('data', (b) => { w.made += String(b).split('\n').filter((l) => l.startsWith('made ')).length; });
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
  if (!p) return;
  delete w.running[name];
  p.kill('SIGTERM');
  assert.equal(await p.ended, 0, `${name} stops cleanly\n${w.log.slice(-2000)}`);
}

const key = (...args) => spawnSync(ferry, ['key', ...args, ...(args.includes('--keys') ? [] : ['--config', at('ferry.conf')])], { encoding: 'utf8', env: { ...process.env, LANG: 'C' } });
const list = (side) => { const r = key('list', '--side', side, '--json'); assert.equal(r.status, 0, r.stderr); return JSON.parse(r.stdout); };
const entry = (side, id) => list(side).find((k) => k.id === id);
const status = (side) => JSON.parse(readFileSync(at(side, 'status.json'), 'utf8'));

async function until(what, fn, seconds = 30) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const v = !w.down && await fn();      // what fn runs blocks this process: a service that was killed could not be started again
    if (v) return v;
    assert.ok(Date.now() < end, `${what}\n${w.log.split('\n').filter((l) => /"(warn|error)"/.test(l) && !/"command"|file_resent/.test(l)).slice(-12).join('\n')}`);
    await sleep(200);
  }
}

function ledger(side) {
  const r = spawnSync(peer, ['ledger', side, w.dir], { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 });
  assert.equal(r.status, 0, r.stderr);
  const rows = r.stdout.split('\n').filter(Boolean).map((l) => l.split('\t'));
  const of = (word) => rows.filter((x) => x[0] === word).map((x) => x.slice(1));
  const [unacked, retained] = of('state')[0].map(Number);
  return { made: of('made'), applied: of('applied'), open: of('open'), unacked, retained };
}

/** Everything made was applied at the other end once and confirmed; nothing is held, refused or set aside. */
async function settled(n, quarantined = 0) {
  await until(`${n} made, all confirmed`, () => { const a = ledger('internet'); return a.made.length >= n && a.retained === 0 && a.unacked === 0; }, 90);
  const a = ledger('internet'), b = ledger('intranet');
  const got = new Map(b.applied.map(([, kind, id, , , hash]) => [id, { kind, hash }]));
  for (const [, id, hash] of a.made) assert.equal(got.get(id)?.hash, hash, `record ${id}`);
  assert.equal(b.applied.length, a.made.length, 'each once');
  assert.deepEqual([a.open, b.open], [[], []]);
  assert.doesNotMatch(w.log, /APPLIED TWICE/);
  const aside = ['gateway/quarantine', 'internet/quarantine', 'intranet/quarantine'].flatMap((d) => readdirSync(at(d)).filter((f) => !f.endsWith('.reason')));
  assert.equal(aside.length, quarantined, aside.join(' '));
}

const current = (side) => list(side).find((k) => k.owner === 'own' && k.state === 'current').id;

/** A new key of a side, heard and trusted by the other and on the mover's host. */
async function newKey(side) {
  const r = key('generate', '--side', side);
  assert.equal(r.status, 0, r.stderr);
  const [id, fingerprint] = r.stdout.split('\n');
  await until('the peer hears of it', () => entry(other(side), id)?.state === 'announced');
  assert.equal(entry(other(side), id).trusted, false);
  const early = key('use', id, '--side', side);
  assert.equal(early.status, 1, 'nobody trusts it yet');
  assert.match(early.stderr, /the peer has not said that it trusts it/);
  const asked = key('trust', id, '--side', other(side));
  assert.equal(asked.status, 2, 'the fingerprint must be compared');
  assert.match(asked.stdout, new RegExp(fingerprint));
  assert.equal(key('trust', id, '--side', other(side), '--fingerprint', fingerprint.replace(/.$/, (c) => (c === '0' ? '1' : '0'))).status, 1, 'another fingerprint');
  assert.equal(entry(other(side), id).trusted, false);
  assert.equal(key('trust', id, '--side', other(side), '--fingerprint', fingerprint.toUpperCase().replaceAll('-', ' ')).status, 0);
  const pub = at(side, 'keys', `${side}-${id}.pub`);
  if (side === 'internet') assert.equal(key('trust', pub, '--keys', at('gateway/keys'), '--fingerprint', fingerprint).status, 0, 'the mover learns it');
  else {                                   // or it is copied there by hand, slowly
    const copy = at('gateway/keys', path.basename(pub));
    writeFileSync(copy, readFileSync(pub).subarray(0, 60));
    await sleep(1500);
    writeFileSync(copy, readFileSync(pub));
  }
  await until('its owner hears that it is trusted', () => entry(side, id).trusted);
  return id;
}

let count, firstFile, oldKeys;

before(async () => {
  setup();
  starts.intranet();
  starts.mover();
  starts.internet(100000);
  await until('both run', () => sides.every((s) => existsSync(at(s, 'status.json'))));
});
after(async () => {
  for (const name of Object.keys(w.running)) { w.running[name].kill('SIGKILL'); await w.running[name].ended; }
  if (!process.env.HZ_KEEP) rmSync(w.dir, { recursive: true, force: true });
});

test('SEC-04 both sides change their keys under load: nothing is lost, held or set aside', async () => {
  await until('records cross', () => ledger('intranet').applied.length > 5);
  const name = await until('a file of the old key', () => readdirSync(at('intranet/vault')).find((f) => f.startsWith('b-internet-')));
  copyFileSync(at('intranet/vault', name), at('first.xml'));
  firstFile = name;
  oldKeys = Object.fromEntries(sides.map((s) => [s, current(s)]));
  for (const side of sides) {
    const id = await newKey(side);
    const r = key('use', id, '--side', side);
    assert.equal(r.status, 0, r.stderr);
    assert.equal(current(side), id);
    assert.equal(entry(side, oldKeys[side]).state, 'accepting');
    await until('the peer follows', () => entry(other(side), id).state === 'current' && entry(other(side), oldKeys[side]).state === 'accepting');
    assert.equal(entry(other(side), oldKeys[side]).until, entry(side, id).from, 'both judge by the same number');
  }
  assert.equal(w.running.internet.exitCode, null);
});

test('SEC-05 a key cannot retire while something under it is open, here or there', async () => {
  const id = oldKeys.internet;
  await stop('mover');
  await stop('internet');
  count = ledger('internet').made.length + 40;
  starts.internet(count);
  await newKeyWithoutMover();
  starts.mover();
  await settled(count);
  for (const side of sides) {
    const r = key('retire', oldKeys[side], '--side', side, '--wait', '60');
    assert.equal(r.status, 0, r.stderr);
    assert.equal(entry(side, oldKeys[side]).state, 'retired');
    await until('the peer retires it, too', () => entry(other(side), oldKeys[side]).state === 'retired');
  }
  assert.match(key('retire', id, '--side', 'internet').stderr, /only an accepting key/);
  assert.match(key('retire', current('internet'), '--side', 'internet').stderr, /only an accepting key/);
});

/** With the road closed what is made stays unconfirmed: the second change leaves items under the key that was just in use. */
async function newKeyWithoutMover() {
  const mine = current('internet');
  await until('records wait', () => ledger('internet').retained > 3);
  const r = key('generate', '--side', 'internet');
  const id = r.stdout.split('\n')[0];
  assert.equal(key('use', id, '--side', 'internet', '--confirmed').status, 0, 'the other operator confirmed by telephone');
  const refused = key('retire', mine, '--side', 'internet');
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /not retired: \d+ open under it here/);
  assert.match(refused.stderr, /application|slice|file/);
  const fingerprint = r.stdout.split('\n')[1];
  const pub = at('internet/keys', `internet-${id}.pub`);
  assert.equal(key('trust', pub, '--side', 'intranet', '--fingerprint', fingerprint).status, 0, 'by file');
  assert.equal(key('trust', pub, '--keys', at('gateway/keys'), '--fingerprint', fingerprint).status, 0);
}

test('FRY-14 a file signed by a retired key is refused in words, also under a new name', async () => {
  copyFileSync(at('first.xml'), at('gateway/intranet-inbox/.again.tmp'));
  renameSync(at('gateway/intranet-inbox/.again.tmp'), at('gateway/intranet-inbox/again.xml'));        // whole from its first moment
  const reason = await until('quarantine', () => existsSync(at('intranet/quarantine/again.xml')) && readFileSync(at('intranet/quarantine/again.xml.reason'), 'utf8'));
  assert.match(reason, /is retired: nothing signed by it is accepted/);
  assert.ok(firstFile);
  rmSync(at('intranet/quarantine/again.xml'));
  rmSync(at('intranet/quarantine/again.xml.reason'));
});

test('SEC-05 revoked in mid-flight: a new stream, new envelopes, nothing lost, and its cases are known', async () => {
  const mine = current('internet');
  const before = status('internet').incarnation;
  assert.match(key('revoke', mine, '--side', 'internet').stderr, /first a successor that is trusted/);
  assert.equal(entry('internet', mine).state, 'current');
  const next = await newKey('internet');
  await stop('internet');
  starts.internet(count + 60);
  await until('records under way', () => ledger('internet').made.length > count + 10);
  await stop('mover');
  await until('records wait', () => ledger('internet').retained > 3);
  const r = key('revoke', mine, '--side', 'internet');
  assert.equal(r.status, 0, r.stderr);
  assert.equal(current('internet'), next);
  starts.mover();
  await until('the peer knows', () => entry('intranet', mine).state === 'revoked' && entry('intranet', next).state === 'current');
  await until('a new stream', () => status('internet').incarnation !== before);
  await until('everything confirmed', () => { const a = ledger('internet'); return a.made.length >= count + 60 && a.retained === 0 && a.unacked === 0; }, 90);
  const a = ledger('internet'), b = ledger('intranet');
  const got = new Set(b.applied.map(([, , id]) => id));
  for (const [, id] of a.made) assert.ok(got.has(id), `record ${id}`);
  assert.equal(b.applied.length, a.made.length);
  assert.deepEqual(b.open, []);
  const { DatabaseSync } = await import('node:sqlite').catch(() => ({}));
  if (DatabaseSync) {
    const db = new DatabaseSync(at('intranet/peer.db'), { readOnly: true });
    const marked = db.prepare('SELECT count(DISTINCT k.case_no) n FROM key_case k JOIN key_revoked r ON r.key_id = k.key_id').get().n;
    const all = db.prepare('SELECT count(DISTINCT case_no) n FROM key_case').get().n;
    db.close();
    assert.ok(marked > 0 && marked < all, `${marked} of ${all} cases are marked`);
  }
  for (const f of readdirSync(at('intranet/quarantine')).filter((x) => x.endsWith('.reason'))) assert.match(readFileSync(at('intranet/quarantine', f), 'utf8'), /revoked/);
});

test('SEC-04 both sides killed again and again while a key changes: it changes once, nothing is lost', async () => {
  await stop('internet');
  count = ledger('internet').made.length + 150;
  starts.internet(count);
  let go = true;
  const killer = (async () => {
    for (let n = 0; go; n++) {
      await sleep(700 + ((n * 613) % 900));
      const side = sides[n % 2];
      w.down = true;
      w.running[side].kill('SIGKILL');
      await w.running[side].ended;
      starts[side](side === 'internet' ? count : 0);
      w.down = false;
    }
  })();
  const mine = current('intranet');
  const id = await until('both run', () => newKey('intranet'));
  await until('used', () => key('use', id, '--side', 'intranet').status === 0 || entry('intranet', id).state === 'current');
  await until('the peer follows', () => entry('internet', id).state === 'current', 60);
  go = false;
  await killer;
  await until('everything confirmed', () => { const a = ledger('internet'); return a.made.length >= count && a.retained === 0 && a.unacked === 0; }, 90);
  assert.equal(entry('intranet', mine).until, entry('intranet', id).from);
  const a = ledger('internet'), b = ledger('intranet');
  const got = new Set(b.applied.map(([, , item]) => item));
  for (const [, item] of a.made) assert.ok(got.has(item), `record ${item}`);
  assert.equal(b.applied.length, a.made.length);
  assert.deepEqual([a.open, b.open], [[], []]);
  assert.equal(key('retire', mine, '--side', 'intranet', '--wait', '60').status, 0);
});

test('SEC-05 warnings before a key expires are in the status file and in ferry status; an expired key goes on working', async () => {
  const file = at('internet/keys/keyring.json');
  const set = (days) => {
    const ring = JSON.parse(readFileSync(file, 'utf8'));
    for (const k of ring.keys) if (k.state === 'current' && k.owner === 'own') k.expires_ms = Date.now() + days * 86400000 - 3600000;
    writeFileSync(`${file}.new`, JSON.stringify(ring), { mode: 0o600 });
    spawnSync('mv', [`${file}.new`, file]);
  };
  for (const [days, want] of [[55, 60], [20, 30], [3, 7], [-2, 1]]) {
    set(days);
    await until(`warning ${want}`, () => status('internet').key_warning === want);
    assert.notEqual(status('internet').word, 'fine');
    const r = spawnSync(ferry, ['status', '--config', at('ferry.conf')], { encoding: 'utf8', env: { ...process.env, LANG: 'C' } });
    assert.match(r.stdout, days > 0 ? /key [0-9a-f]{16} expires in \d+ days/ : /key [0-9a-f]{16} expired/);
  }
  set(700);
  await until('silence', () => status('internet').key_warning === 0);
});

test('SEC-05 a key or ring that others can read is refused: at the start altogether, while running the keys in use stay', async () => {
  const ring = at('intranet/keys/keyring.json');
  assert.equal(statSync(ring).mode & 0o777, 0o600);
  for (const f of readdirSync(at('intranet/keys')).filter((x) => x.endsWith('.key'))) assert.equal(statSync(at('intranet/keys', f)).mode & 0o777, 0o600, f);
  chmodSync(ring, 0o644);
  await until('trouble in the status', () => /want a file of mode 0600/.test(status('intranet').key_trouble));
  assert.equal(w.running.intranet.exitCode, null);
  await stop('intranet');
  const r = spawnSync(peer, ['run', 'intranet', w.dir, '0'], { cwd: root, encoding: 'utf8' });
  assert.notEqual(r.status, 0);
  assert.match(r.stderr, /mode 0600/);
  chmodSync(ring, 0o600);
});

test('SEC-05 shares: any two give the key in use, one alone or a changed one does not', async () => {
  const keys = at('intranet/keys');
  const r = key('backup', '--keys', keys, '--out', at('shares'));
  assert.equal(r.status, 0, r.stderr);
  const shares = r.stdout.trim().split('\n');
  assert.equal(shares.length, 3);
  for (const s of shares) assert.equal(statSync(s).mode & 0o777, 0o600);
  assert.equal(key('drill', '--keys', keys, ...shares.flatMap((s) => ['--share', s])).status, 0);
  assert.equal(key('drill', '--keys', keys, '--share', shares[0]).status, 2, 'one alone');
  for (const [a, b] of [[0, 1], [1, 2], [2, 0]]) {
    const out = at(`restored-${a}${b}.key`);
    assert.equal(key('restore', '--share', shares[a], '--share', shares[b], '--out', out, '--keys', keys).status, 0);
    assert.equal(statSync(out).mode & 0o777, 0o600);
    const id = JSON.parse(key('list', '--keys', keys, '--json').stdout).find((k) => k.owner === 'own' && k.state === 'current').id;
    const inUse = readFileSync(existsSync(path.join(keys, `intranet-${id}.key`)) ? path.join(keys, `intranet-${id}.key`) : path.join(keys, 'intranet.key'));
    assert.ok(readFileSync(out).equals(inUse));
    assert.equal(key('restore', '--share', shares[a], '--share', shares[b], '--out', out, '--keys', keys).status, 1, 'never over another');
  }
  const text = readFileSync(shares[1], 'utf8');
  writeFileSync(at('changed'), text.replace(/share=(.)/, (m, c) => `share=${c === '0' ? '1' : '0'}`));
  const bad = key('drill', '--keys', keys, '--share', shares[0], '--share', at('changed'));
  assert.equal(bad.status, 1);
  assert.match(bad.stderr, /check does not fit/);
  const secret = /^sign=([0-9a-f]+)/m.exec(readFileSync(at('restored-01.key'), 'utf8'))[1];
  for (const s of shares) assert.ok(!readFileSync(s, 'utf8').includes(secret.slice(0, 16)));
});

test('SEC-05 no private key is in a log, a status, an answer, a database or the gateway: not in hex, not in base64, not raw', () => {
  const needles = [];
  for (const s of sides) {
    for (const f of readdirSync(at(s, 'keys')).filter((x) => x.endsWith('.key'))) {
      for (const m of readFileSync(at(s, 'keys', f), 'utf8').matchAll(/^(?:sign|box)=([0-9a-f]{64})/gm)) {
        const raw = Buffer.from(m[1], 'hex');
        needles.push(raw.subarray(4, 28), Buffer.from(m[1].slice(8, 56)), ...[0, 1, 2].map((k) => {
          const b = Buffer.concat([Buffer.alloc(k), raw]).toString('base64');
          return Buffer.from(b.slice(k ? 4 : 0, -4));
        }));
      }
    }
  }
  assert.ok(needles.length >= 40);
  const walk = (d) => readdirSync(d, { withFileTypes: true }).flatMap((f) => (f.isDirectory() ? walk(path.join(d, f.name)) : [path.join(d, f.name)]));
  const files = walk(w.dir).filter((f) => !f.endsWith('.key') && !/\/shares\/|\/restored-/.test(f));
  assert.ok(files.length > 50);
  for (const f of files) {
    const body = readFileSync(f);
    for (const n of needles) assert.ok(!body.includes(n), `${f} holds key bytes`);
  }
  for (const n of needles) assert.ok(!w.log.includes(n.toString('latin1')), 'the log holds key bytes');
});
