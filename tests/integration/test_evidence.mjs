// SEC-12, SEC-13, FRY-14, MON-03: evidence of the crossing between two real ends (ferry_peer) and the mover, by the operator's own commands.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';

const root = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '../..');
const build = path.join(root, 'build', process.env.VARIANT || 'release');
const ferry = path.join(build, 'bin/ferry');
const peer = path.join(build, 'tests/ferry_peer');
const sides = ['internet', 'intranet'];
const ledgerTables = `CREATE TABLE made (id INTEGER PRIMARY KEY, n INTEGER NOT NULL UNIQUE, item_id TEXT NOT NULL UNIQUE, hash TEXT NOT NULL) STRICT;
CREATE TABLE applied (id INTEGER PRIMARY KEY AUTOINCREMENT, item_id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, case_no TEXT NOT NULL, case_seq INTEGER NOT NULL, hash TEXT NOT NULL, text TEXT NOT NULL) STRICT;
`;
const w = { running: {}, log: '' };
const at = (...x) => path.join(w.dir, ...x);

before(() => {
  w.dir = mkdtempSync(path.join(os.tmpdir(), 'hz-evidence-'));
  const g = (x) => at('gateway', x);
  for (const d of ['migrations', 'keys', 'internet/keys', 'intranet/keys', 'gateway/quarantine', ...sides.flatMap((s) => [`gateway/${s}-outbox`, `gateway/${s}-inbox`, `${s}/commands`, `${s}/quarantine`])]) {
    mkdirSync(at(d), { recursive: true, mode: 0o700 });
  }
  const steps = readdirSync(path.join(root, 'schemas/migrations/delivery')).sort();
  for (const s of steps) copyFileSync(path.join(root, 'schemas/migrations/delivery', s), at('migrations', s));
  writeFileSync(at('migrations', `${String(steps.length + 1).padStart(4, '0')}_ledger.sql`), ledgerTables);
  for (const s of sides) assert.equal(spawnSync(ferry, ['keygen', '--dir', at(s, 'keys'), '--name', s]).status, 0);
  for (const [s, to] of [['internet', 'intranet/keys'], ['intranet', 'internet/keys'], ['internet', 'keys'], ['intranet', 'keys']]) copyFileSync(at(s, 'keys', `${s}.pub`), at(to, `${s}.pub`));
  writeFileSync(at('ferry.conf'), Object.entries({
    internet_outbox: g('internet-outbox'), intranet_inbox: g('intranet-inbox'), intranet_outbox: g('intranet-outbox'), internet_inbox: g('internet-inbox'), quarantine: g('quarantine'),
    internet_key: at('keys/internet.pub'), intranet_key: at('keys/intranet.pub'), rescan_s: 1, settle_s: 1, status_file: at('mover.json'),
    internet_status: at('internet/status.json'), intranet_status: at('intranet/status.json'), internet_commands: at('internet/commands'), intranet_commands: at('intranet/commands'),
  }).map(([k, v]) => `${k} = ${v}\n`).join(''));
});

function start(name, program, args) {
  const p = spawn(program, args, { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] });
  p.stderr.on('data', (b) => { w.log += b; });
  p.ended = new Promise((done) => { p.on('close', (code, signal) => done(signal ?? code)); });
  w.running[name] = p;
}
const starts = {
  internet: (n = 9) => start('internet', peer, ['run', 'internet', w.dir, String(n)]),
  intranet: () => start('intranet', peer, ['run', 'intranet', w.dir, '0']),
  mover: () => start('mover', ferry, ['run', '--config', at('ferry.conf')]),
};
async function stop(name) {
  const p = w.running[name];
  delete w.running[name];
  p?.kill('SIGTERM');
  if (p) assert.equal(await p.ended, 0, `${name} stops cleanly\n${w.log.slice(-2000)}`);
}
after(async () => {
  for (const n of Object.keys(w.running)) await stop(n);
  rmSync(w.dir, { recursive: true, force: true });
});

async function until(what, fn, seconds = 40) {
  for (const end = Date.now() + seconds * 1000; ;) {
    let v;
    try { v = fn(); } catch { v = null; }
    if (v) return v;
    assert.ok(Date.now() < end, `${what} within ${seconds} s\n${w.log.slice(-3000)}`);
    await new Promise((r) => { setTimeout(r, 200); });
  }
}
function query(side, sql) {
  const db = new DatabaseSync(at(side, 'peer.db'), { readOnly: true });
  try { return db.prepare(sql).all(); } finally { db.close(); }
}
function tamper(side, sql) {
  const db = new DatabaseSync(at(side, 'peer.db'));
  try { db.exec(sql); } finally { db.close(); }
}
const status = (side) => JSON.parse(readFileSync(at(side, 'status.json'), 'utf8'));
const run = (args, lang = 'C') => spawnSync(ferry, args, { encoding: 'utf8', env: { ...process.env, LANG: lang, LC_ALL: lang } });
const ask = (verb, side, ...args) => run([verb, ...args, '--side', side, '--config', at('ferry.conf')]);
const verify = (files, lang) => run(['verify', ...files, '--keys', at('keys')], lang);

test('SEC-13 each side exports a case, and anyone with the public keys verifies one file or both offline', async () => {
  starts.mover();
  starts.intranet();
  starts.internet();
  await until('every record confirmed', () => query('internet', "SELECT count(*) AS n FROM journal WHERE what = 'confirmed'")[0].n >= 9);
  await until('everything acknowledged and vouched for', () => sides.every((s) => query(s, 'SELECT count(*) AS n FROM out_file')[0].n === 0
    && query(s, 'SELECT (SELECT max(id) FROM journal) = (SELECT our_size FROM journal_peer ORDER BY id DESC LIMIT 1) AS same')[0].same === 1));
  w.case = query('internet', "SELECT case_no FROM journal WHERE what = 'confirmed' LIMIT 1")[0].case_no;
  for (const s of sides) {
    const r = ask('evidence', s, w.case, '--out', at(`${s}.json`));
    assert.equal(r.status, 0, r.stderr);
    const text = readFileSync(at(`${s}.json`), 'utf8');
    assert.ok(!text.includes('MARKER-OF-A-CITIZEN'));
    const v = verify([at(`${s}.json`)]);
    assert.equal(v.status, 0, v.stdout + v.stderr);
    assert.match(v.stdout, /every step holds/);
    assert.match(v.stdout, /signed by the other side \d{4}-\d\d-\d\d/);
  }
  const both = verify([at('internet.json'), at('intranet.json')], 'zh_CN.UTF-8');
  assert.equal(both.status, 0, both.stdout);
  assert.match(both.stdout, /两侧对照/);
  assert.match(both.stdout, /各步均成立/);
  assert.ok(!/不成立/.test(both.stdout));
});

test('SEC-13 a changed file names the step that does not hold; what is no evidence is unreadable', () => {
  const file = JSON.parse(readFileSync(at('internet.json'), 'utf8'));
  file.entries.find((x) => x.what === 'sealed').hash = '0'.repeat(64);
  writeFileSync(at('changed.json'), JSON.stringify(file));
  const v = verify([at('changed.json')]);
  assert.equal(v.status, 1);
  assert.match(v.stdout, /FAILS {2}internet {2}signature of the file/);
  assert.match(v.stdout, /FAILS {2}internet {2}sealed/);
  assert.match(v.stdout, /want: .*found: /);
  writeFileSync(at('junk.json'), '{"format":');
  assert.equal(verify([at('junk.json')]).status, 3);
  assert.equal(verify([at('missing.json')]).status, 3);
  assert.equal(run(['verify', at('internet.json')]).status, 2);
  assert.equal(ask('evidence', 'internet', '3407000000000000').status, 1);
});

test('MON-03 lists of a day agree; a difference is told, listed and settled', async () => {
  const day = new Date(Date.now() + 8 * 3600e3).toISOString().slice(0, 10);
  for (const s of sides) assert.equal(ask('reconcile', s, day).status, 0);
  for (const s of sides) await until(`${s} compared`, () => query(s, 'SELECT compared FROM reconcile_day WHERE heard_ms > 0')[0].compared > 0);
  for (const s of sides) assert.deepEqual(query(s, 'SELECT * FROM reconcile_difference'), []);
  await stop('intranet');
  tamper('intranet', `UPDATE journal SET item_id = '${'f'.repeat(32)}' WHERE what = 'applied' AND kind <> 'reconciliation' AND id = (SELECT max(id) FROM journal WHERE what = 'applied' AND case_no <> '')`);
  starts.intranet();
  assert.equal(ask('reconcile', 'internet', day).status, 0);
  await until('a difference', () => status('intranet').differences === 1);
  assert.match(ask('list', 'intranet', 'differences').stdout, /difference 1 .*\n {4}other side: (acked|confirmed) [0-9a-f]{64}\n {4}this side: nothing/);
  assert.match(run(['status', '--config', at('ferry.conf')]).stdout, /differences between the two sides' lists|not content/);
  assert.equal(ask('reconcile', 'intranet', '--settle', 'all', '--reason', 'looked into').status, 0);
  await until('settled', () => status('intranet').differences === 0);
});

test('SEC-13 SEC-12 a journal rewritten behind its service is critical on both sides, and has no evidence', async () => {
  await stop('internet');
  tamper('internet', `UPDATE journal SET hash = '${'0'.repeat(64)}' WHERE case_no = '${w.case}'; UPDATE journal SET own = zeroblob(32), nodes = zeroblob(length(nodes))`);
  starts.internet();
  await until('the intranet notices', () => /journal/.test(status('intranet').journal) && status('intranet').word === 'critical');
  await until('the internet side notices', () => /restored or rewritten/.test(status('internet').journal));
  const s = run(['status', '--config', at('ferry.conf')]);
  assert.equal(s.status, 2);
  assert.match(s.stdout, /journals do not agree/);
  assert.equal(ask('evidence', 'internet', w.case, '--out', at('rewritten.json')).status, 0);
  assert.equal(verify([at('rewritten.json')]).status, 1);
});
