// Two ends of the ferry (ferry_peer) and what lies between, killed with SIGKILL at random moments. An independent ledger (what the peer said
// after its commit) decides: nothing lost, nothing twice, the order of each case kept, everything purged after its confirmation.
// HZ_SEED=n repeats a run; HZ_LONG=1 makes it ten times longer.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';

const root = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '../..');
const build = path.join(root, 'build', process.env.VARIANT || 'release');
const peer = path.join(build, 'tests/ferry_peer');
const ferry = path.join(build, 'bin/ferry');
const long = process.env.HZ_LONG ? 10 : 1;
const sleep = (ms) => new Promise((r) => { setTimeout(r, ms); });

/** mulberry32: the same seed gives the same moments. */
function random(seed) {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const ledgerTables = `-- The test's own ledger beside the delivery tables.
CREATE TABLE made (id INTEGER PRIMARY KEY, n INTEGER NOT NULL UNIQUE, item_id TEXT NOT NULL UNIQUE, hash TEXT NOT NULL) STRICT;
CREATE TABLE applied (id INTEGER PRIMARY KEY AUTOINCREMENT, item_id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, case_no TEXT NOT NULL, case_seq INTEGER NOT NULL, hash TEXT NOT NULL, text TEXT NOT NULL) STRICT;
`;

function world() {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'hz-kill-'));
  for (const d of ['keys', 'migrations', 'internet', 'intranet', 'gateway/quarantine', 'gateway/internet-outbox', 'gateway/internet-inbox', 'gateway/intranet-outbox',
    'gateway/intranet-inbox']) mkdirSync(path.join(dir, d), { recursive: true, mode: 0o700 });
  const steps = readdirSync(path.join(root, 'schemas/migrations/delivery')).sort();
  for (const s of steps) copyFileSync(path.join(root, 'schemas/migrations/delivery', s), path.join(dir, 'migrations', s));
  writeFileSync(path.join(dir, `migrations/${String(steps.length + 1).padStart(4, '0')}_ledger.sql`), ledgerTables);
  for (const side of ['internet', 'intranet']) {
    const r = spawnSync(ferry, ['keygen', '--dir', path.join(dir, 'keys'), '--name', side], { encoding: 'utf8' });
    assert.equal(r.status, 0, r.stderr);
  }
  const g = (x) => path.join(dir, 'gateway', x);
  writeFileSync(path.join(dir, 'ferry.conf'), `internet_outbox = ${g('internet-outbox')}\nintranet_inbox = ${g('intranet-inbox')}
intranet_outbox = ${g('intranet-outbox')}\ninternet_inbox = ${g('internet-inbox')}\nquarantine = ${g('quarantine')}\nrescan_s = 1\nsettle_s = 3
internet_key = ${path.join(dir, 'keys/internet.pub')}\nintranet_key = ${path.join(dir, 'keys/intranet.pub')}\nstatus_file = ${path.join(dir, 'mover.json')}
internet_status = ${path.join(dir, 'internet/status.json')}\nintranet_status = ${path.join(dir, 'intranet/status.json')}\n`);
  return { dir, made: new Map(), log: '', running: {} };
}

/** Start one of the programs; its ledger lines and its log are kept. */
function start(w, name, program, args) {
  const p = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let rest = '';
  p.stdout.on('data', (d) => {
    const lines = (rest + d).split('\n');
    rest = lines.pop();
    for (const line of lines) {
      const m = /^made (\d+) ([0-9a-f]{32}) ([0-9a-f]{64})$/.exec(line);
      if (m) w.made.set(Number(m[1]), { id: m[2], hash: m[3] });
    }
  });
  p.stderr.on('data', (d) => { w.log += d; });
  p.ended = new Promise((done) => { p.on('close', (code, signal) => done(signal ?? code)); });
  w.running[name] = p;
}

const starts = (w, count) => ({
  internet: () => start(w, 'internet', peer, ['run', 'internet', w.dir, String(count)]),
  intranet: () => start(w, 'intranet', peer, ['run', 'intranet', w.dir, '0']),
  mover: () => start(w, 'mover', ferry, ['run', '--config', path.join(w.dir, 'ferry.conf')]),
});

async function kill(w, name) {
  w.running[name].kill('SIGKILL');
  await w.running[name].ended;
}

async function stopAll(w) {
  for (const p of Object.values(w.running)) p.kill('SIGTERM');
  for (const [name, p] of Object.entries(w.running)) assert.equal(await p.ended, 0, `${name} stops cleanly\n${w.log.slice(-3000)}`);
}

function ledger(w, side) {
  const r = spawnSync(peer, ['ledger', side, w.dir], { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 });
  assert.equal(r.status, 0, r.stderr);
  const rows = r.stdout.split('\n').filter(Boolean).map((l) => l.split('\t'));
  const of = (word) => rows.filter((x) => x[0] === word).map((x) => x.slice(1));
  const [unacked, retained, files, trash, applied, made] = of('state')[0].map(Number);
  return {
    made: of('made').map(([n, id, hash]) => ({ n: Number(n), id, hash })),
    applied: of('applied').map(([, kind, id, no, seq, hash, text]) => ({ kind, id, no, seq: Number(seq), hash, text })),
    open: of('open'), unacked, retained, files, trash, n: applied, highest: made,
  };
}

/** Markers in the clear or in base64 anywhere in the gateway's folders. */
const marker = Buffer.from('MARKER-OF-A-CITIZEN');
const needles = [marker, Buffer.from(marker.toString('hex')), ...[0, 1, 2].map((k) => {
  const b = Buffer.concat([Buffer.alloc(k), marker]).toString('base64');
  return Buffer.from(b.slice(k ? 4 : 0, -4));
})];
function scanGateway(w) {
  for (const f of ['internet-outbox', 'internet-inbox', 'intranet-outbox', 'intranet-inbox']) {
    for (const name of readdirSync(path.join(w.dir, 'gateway', f))) {
      let body;
      try { body = readFileSync(path.join(w.dir, 'gateway', f, name)); } catch { continue; }
      for (const n of needles) assert.ok(!body.includes(n), `${name}: content can be read`);
    }
  }
}

/** Until every record was made, applied, answered and purged. */
async function settled(w, count, seconds, meanwhile = () => {}) {
  const until = Date.now() + seconds * 1000;
  let a, b;
  do {
    await sleep(300);
    await meanwhile();
    a = ledger(w, 'internet');
    b = ledger(w, 'intranet');
    if (a.highest === count && a.retained === 0 && a.unacked === 0 && a.trash === 0 && b.unacked === 0 && b.n === count) return { a, b };
  } while (Date.now() < until);
  const short = ({ made, applied, ...rest }) => ({ ...rest, made: made.length, applied: applied.length });
  return assert.fail(`not settled: internet ${JSON.stringify(short(a))} intranet ${JSON.stringify(short(b))}\n${w.log.slice(-6000)}`);
}

function judge(w, count, a, b) {
  assert.equal(a.made.length, count);
  for (const [n, { id, hash }] of w.made) {           // what a citizen was told is what the database holds
    const row = a.made[n - 1];
    assert.deepEqual([row.n, row.id, row.hash], [n, id, hash]);
  }
  const arrived = new Map(b.applied.map((r) => [r.id, r]));
  assert.equal(arrived.size, b.applied.length, 'none twice');
  assert.equal(arrived.size, count, 'none lost, none invented');
  for (const m of a.made) assert.equal(arrived.get(m.id)?.hash, m.hash, `record ${m.n} is there with the same content`);
  for (const [who, rows] of [['intranet', b.applied], ['internet', a.applied]]) {
    const last = new Map();
    for (const r of rows) {
      if (!r.no || !r.seq) continue;
      assert.equal(r.seq, (last.get(r.no) ?? 0) + 1, `${who}: case ${r.no}: order of ${r.kind}`);
      last.set(r.no, r.seq);
    }
  }
  const answered = a.applied.filter((r) => r.kind === 'answer').map((r) => r.text).sort();
  assert.deepEqual(answered, a.made.map((m) => m.id).sort(), 'each confirmed once');
  const records = a.made.filter((m) => m.n % 4 !== 0);
  assert.equal(a.applied.filter((r) => r.kind === 'status').length, records.length, 'each status once');
  assert.deepEqual([a.open, b.open], [[], []], 'nothing held, waiting or refused');
  assert.ok(!w.log.includes('APPLIED TWICE'));
  assert.deepEqual(readdirSync(path.join(w.dir, 'internet/spool')), [], 'the spool is empty after the confirmations');
  assert.equal(readdirSync(path.join(w.dir, 'intranet/store')).filter((f) => !f.startsWith('.')).length, a.made.length - records.length, 'each slice is one file');
}

async function finish(w, count, seconds, meanwhile) {
  try {
    const { a, b } = await settled(w, count, seconds, meanwhile);
    judge(w, count, a, b);
  } finally {
    await stopAll(w);
  }
  for (const name of ['gateway/quarantine', 'internet/quarantine', 'intranet/quarantine']) assert.deepEqual(readdirSync(path.join(w.dir, name)), [], name);
  rmSync(w.dir, { recursive: true, force: true });
}

// FRY-01 FRY-02 FRY-04 FRY-08 FRY-12 FRY-13 FRY-14 IMP-01 IMP-04 IMP-05
test('FRY-08 each of both sides and the mover killed ten times: none lost, none twice, order kept, all purged', async () => {
  const seed = Number(process.env.HZ_SEED ?? Date.now() % 1e6), next = random(seed), count = 200 * long;
  const w = world(), go = starts(w, count);
  console.error(`seed ${seed}`);
  for (const name of Object.keys(go)) go[name]();
  const order = Object.keys(go).flatMap((name) => Array(10 * long).fill(name)).sort(() => next() - 0.5);
  for (const name of order) {
    await sleep(50 + next() * 350);
    await kill(w, name);
    scanGateway(w);
    await sleep(next() * 100);
    go[name]();
  }
  await finish(w, count, 60 * long);
});

/** A gateway that loses, delays, repeats, reorders and shows files while it writes them. Seeded. */
function badGateway(w, next) {
  const kept = { internet: [], intranet: [] }, late = [];
  const put = (to, name, body) => {
    const target = path.join(w.dir, 'gateway', `${to}-inbox`, name);
    if (next() < 0.2) {                                // visible while it is written
      writeFileSync(target, body.subarray(0, Math.floor(body.length * next())));
      late.push({ at: Date.now() + 200, go: () => writeFileSync(target, body) });
    } else {
      writeFileSync(`${target}.part~`.replace(/([^/]+)$/, '.$1'), body);
      renameSync(`${target}.part~`.replace(/([^/]+)$/, '.$1'), target);
    }
  };
  return () => {
    for (const [from, to] of [['internet', 'intranet'], ['intranet', 'internet']]) {
      const box = path.join(w.dir, 'gateway', `${from}-outbox`);
      for (const name of readdirSync(box).filter((f) => !f.startsWith('.')).sort(() => next() - 0.5)) {
        let body;
        try { body = readFileSync(path.join(box, name)); unlinkSync(path.join(box, name)); } catch { continue; }
        kept[to].push({ name, body });
        const x = next();
        if (x < 0.2) continue;                         // lost
        if (x < 0.4) late.push({ at: Date.now() + next() * 3000, go: () => put(to, name, body) });
        else put(to, name, body);
        if (x > 0.85) {                                // something old again, under another name
          const old = kept[to][Math.floor(next() * kept[to].length)];
          put(to, `again-${Math.floor(next() * 1e9)}.xml`, old.body);
        }
      }
    }
    for (const l of late.splice(0)) if (l.at <= Date.now()) l.go(); else late.push(l);
  };
}

// FRY-08 FRY-14 IMP-04
test('FRY-14 a gateway that loses 20 %, delays, repeats, reorders and shows half files: none lost, none twice, order kept', async () => {
  const seed = Number(process.env.HZ_SEED ?? Date.now() % 1e6), next = random(seed), count = 120 * long;
  const w = world(), go = starts(w, count), gateway = badGateway(w, next);
  console.error(`seed ${seed}`);
  go.internet();
  go.intranet();
  const timer = setInterval(gateway, 20);
  try {
    for (let i = 0; i < 4; i++) {
      await sleep(500 + next() * 500);
      const name = next() < 0.5 ? 'internet' : 'intranet';
      await kill(w, name);
      go[name]();
    }
    await finish(w, count, 90 * long);
  } finally {
    clearInterval(timer);
  }
});

// FRY-08: what was accepted while one way stood for long arrives when it opens; status says so before.
test('FRY-08 mover stopped while records are made: status warns, all arrive when it runs again', async () => {
  const w = world(), go = starts(w, 40);
  go.internet();
  go.intranet();
  await sleep(2500);
  assert.equal(ledger(w, 'intranet').n, 0);
  const r = spawnSync(ferry, ['status', '--config', path.join(w.dir, 'ferry.conf'), '--json'], { encoding: 'utf8', env: { ...process.env, LANG: 'C' } });
  assert.ok(r.status >= 1 && r.status <= 3, `not fine while the mover is down: exit ${r.status} ${r.stdout} ${r.stderr}`);
  JSON.parse(r.stdout);
  assert.ok(existsSync(path.join(w.dir, 'internet/status.json')) && statSync(path.join(w.dir, 'internet/status.json')).size > 0);
  go.mover();
  await finish(w, 40, 30);
});
