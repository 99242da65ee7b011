// A small crossing to break: both ends (fault_peer) and the mover (ferry run), each under shim.c, in a folder of its own, time passing ten times
// faster. What it did is judged from outside: the two databases, the folders, what each program said. README.md tells how to break one by hand.
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, cpSync, existsSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, readFileSync, readSync, readdirSync, rmSync, symlinkSync, writeFileSync, writeSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

process.removeAllListeners('warning');                     // node:sqlite calls itself experimental
const { DatabaseSync } = await import('node:sqlite');

export const root = path.resolve(import.meta.dirname, '../..');
const build = path.join(root, 'build/release');            // the shim's own malloc and a sanitizer's do not go together
const shim = path.join(build, 'tests/fault_shim.so');
const peer = path.join(build, 'tests/fault_peer');
const ferry = path.join(build, 'bin/ferry');
export const roles = ['internet', 'mover', 'intranet'];
export const classes = ['open', 'read', 'write', 'sync', 'rename', 'link', 'unlink', 'close', 'alloc', 'truncate', 'map', 'talk'];
export const hows = { fail: 1, done: 2, short: 3, before: 4, after: 5 };   // `done`: it happened, and is told as failed
const SCALE = 10;

export const sleep = (ms) => new Promise((r) => { setTimeout(r, ms); });
export const scratch = existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir();

/** mulberry32: the same seed gives the same numbers. */
export function random(seed) {
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

/** Programs, keys and migrations, made once for all worlds of a process. */
export function template() {
  const dir = mkdtempSync(path.join(scratch, 'hz-fault-keys-'));
  const from = path.join(root, 'schemas/migrations/delivery');
  mkdirSync(path.join(dir, 'keys'), { mode: 0o700 });
  cpSync(from, path.join(dir, 'migrations'), { recursive: true });
  const last = readdirSync(from).map((f) => Number(f.slice(0, 4))).sort((a, b) => a - b).at(-1);
  writeFileSync(path.join(dir, 'migrations', `${String(last + 1).padStart(4, '0')}_ledger.sql`), ledgerTables);
  for (const side of ['internet', 'intranet']) {
    const r = spawnSync(ferry, ['keygen', '--dir', path.join(dir, 'keys'), '--name', side], { encoding: 'utf8' });
    if (r.status !== 0) throw new Error(r.stderr);
  }
  for (const program of [shim, peer, ferry]) cpSync(program, path.join(dir, path.basename(program)));      // a build meanwhile is none of our faults
  process.on('exit', () => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** The page that shim.c maps. */
class Control {
  constructor(file, epoch) {
    this.file = file;
    this.fd = openSync(file, 'w+');
    ftruncateSync(this.fd, 4096);
    this.put(8, SCALE);
    this.putMs(40, epoch);
  }
  put(word, value) { const b = Buffer.alloc(4); b.writeUInt32LE(value); writeSync(this.fd, b, 0, 4, word * 4); }
  putMs(at, ms) { const b = Buffer.alloc(8); b.writeBigInt64LE(BigInt(ms)); writeSync(this.fd, b, 0, 8, at); }
  get(word) { const b = Buffer.alloc(4); readSync(this.fd, b, 0, 4, word * 4); return b.readUInt32LE(); }
  /** {call, n, how, errno, ever}; nothing: only count. */
  plan(p) {
    this.put(5, 0);
    this.put(7, 0);
    this.put(2, p.n);
    this.put(1, classes.indexOf(p.call));
    this.put(4, p.errno ? os.constants.errno[p.errno] : 0);
    this.put(5, p.ever ? 1 : 0);
    this.put(6, 0);
    this.put(3, hows[p.how]);
    this.put(0, 1);
  }
  lift() { this.put(6, 1); }
  jump(ms) { this.putMs(56, Date.now()); this.putMs(48, ms); }
  get hits() { return this.get(7); }
  counts() { return Object.fromEntries(classes.map((c, i) => [c, this.get(16 + i)])); }
  get where() { const b = readFileSync(this.file).subarray(128, 128 + 2048); return b.subarray(0, b.indexOf(0)).toString(); }
  close() { closeSync(this.fd); }
}

/** Addresses in our own programs as functions and lines, innermost first. */
export function symbols(where) {
  return where.replace(/(\S+)\+(0x[0-9a-f]+)/g, (all, module, off) => {
    const file = { fault_peer: peer, ferry }[module];
    if (!file) return module.startsWith('lib') ? module.split('.')[0] : '';
    const r = spawnSync('addr2line', ['-fse', file, (BigInt(off) - 1n).toString(16)], { encoding: 'utf8' });
    const [name, line] = r.stdout.split('\n');
    return `${name}(${line})`;
  });
}

export class World {
  constructor(keys, { count = 4, place = scratch } = {}) {
    this.dir = mkdtempSync(path.join(place, 'hz-fault-'));
    this.keys = keys;
    this.count = count;
    this.made = new Map();
    this.problems = [];
    this.running = {};
    this.said = { internet: '', mover: '', intranet: '' };
    this.control = {};
    this.starts = 0;
    const g = (x) => path.join(this.dir, 'gateway', x);
    for (const d of ['internet', 'intranet', 'mover', 'gateway/internet-outbox', 'gateway/internet-inbox', 'gateway/intranet-outbox', 'gateway/intranet-inbox'])
      mkdirSync(path.join(this.dir, d), { recursive: true, mode: 0o700 });
    symlinkSync(path.join(keys, 'keys'), path.join(this.dir, 'keys'));
    symlinkSync(path.join(keys, 'migrations'), path.join(this.dir, 'migrations'));
    writeFileSync(path.join(this.dir, 'ferry.conf'), `internet_outbox = ${g('internet-outbox')}\nintranet_inbox = ${g('intranet-inbox')}
intranet_outbox = ${g('intranet-outbox')}\ninternet_inbox = ${g('internet-inbox')}\nquarantine = ${g('quarantine')}\nrescan_s = 1\nsettle_s = 10
internet_key = ${path.join(keys, 'keys/internet.pub')}\nintranet_key = ${path.join(keys, 'keys/intranet.pub')}\nstatus_file = ${path.join(this.dir, 'mover/status.json')}\n`);
    const epoch = Date.now();
    for (const role of roles) this.control[role] = new Control(path.join(this.dir, `${role}.control`), epoch);
  }

  problem(text) { this.problems.push(text); }

  start(role, wrap = []) {
    const [program, ...args] = [...wrap, ...(role === 'mover' ? [path.join(this.keys, 'ferry'), 'run', '--config', path.join(this.dir, 'ferry.conf')] : [path.join(this.keys, 'fault_peer'), role, this.dir, String(this.count)])];
    const env = { PATH: process.env.PATH, LD_PRELOAD: path.join(this.keys, 'fault_shim.so'), FAULT_CONTROL: this.control[role].file };
    const p = spawn(program, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.starts++;
    let rest = '';
    p.done = false;
    p.stdout.on('data', (d) => {
      const lines = (rest + d).split('\n');
      rest = lines.pop();
      for (const line of lines) {
        const m = /^made (\d+) ([0-9a-f]{32}) ([0-9a-f]{64})$/.exec(line);
        if (m) this.made.set(Number(m[1]), { id: m[2], hash: m[3] });
        if (line === 'ready') p.ready = true;
        if (line === 'done' || line === 'open') p.done = line === 'done';
      }
      this.wake?.();
    });
    p.said = '';
    p.stderr.on('data', (d) => { p.said += d; this.said[role] += d; });
    p.exit = null;
    p.ended = new Promise((done) => { p.on('close', (code, signal) => { p.exit = signal ?? code; done(p.exit); this.wake?.(); }); });
    this.running[role] = p;
    return p;
  }

  startAll(planned) {
    if (planned) this.control[planned.role].plan(planned);
    for (const role of roles) this.start(role);
  }

  /** Until something is said or ends, at most ms. */
  async heard(ms) {
    await new Promise((r) => { const t = setTimeout(r, ms); this.wake = () => { clearTimeout(t); r(); }; });
    this.wake = null;
  }

  async until(what, ms) {
    for (const end = Date.now() + ms; !what();) {
      if (Date.now() > end) return false;
      await this.heard(Math.min(50, ms));
    }
    return true;
  }

  get settled() { return this.running.internet.done && this.running.intranet.done; }

  /** Who ended by itself: with words and exit code 1, or it is a problem. They are started again. */
  revive(expectKill = false) {
    for (const role of roles) {
      const p = this.running[role];
      if (p.exit === null) continue;
      const killed = expectKill && p.exit === 'SIGKILL';
      if (!killed && !((p.exit === 1 || p.exit === 2) && p.said.trim())) this.problem(`${role} ended with ${p.exit}: ${p.said.slice(-300)}`);
      this.start(role);
    }
  }

  /** Ends all. A program that is struck while it stops may end with 1 and words, or by the kill that was ordered: that is answered, true. */
  async stop(killing = false) {
    let struck = false;
    for (const p of Object.values(this.running)) if (p.exit === null) p.kill('SIGTERM');
    for (const [role, p] of Object.entries(this.running)) {
      const t = setTimeout(() => { this.problem(`${role} does not stop`); p.kill('SIGKILL'); }, 60000);
      const exit = await p.ended;
      clearTimeout(t);
      if (exit === 0) continue;
      struck = true;
      if (exit === 'SIGTERM' && !p.ready && !p.said.includes('"started"')) continue;      // it had not come to hear signals
      if (!this.control[role].hits || !((killing && exit === 'SIGKILL') || ((exit === 1 || exit === 2) && this.errors(role).length))) this.problem(`${role} stops with ${exit}: ${p.said.slice(-300)}`);
    }
    return struck;
  }

  /** Look at a copy: opening the database itself would recover and checkpoint it in the product's place. */
  look(side) {
    const copy = mkdtempSync(path.join(scratch, 'hz-fault-look-'));
    try {
      for (const end of ['', '-wal']) {
        const f = path.join(this.dir, side, `peer.db${end}`);
        if (existsSync(f)) cpSync(f, path.join(copy, `peer.db${end}`));
      }
      if (!existsSync(path.join(copy, 'peer.db'))) return null;
      const db = new DatabaseSync(path.join(copy, 'peer.db'));
      try {
        if (db.prepare('PRAGMA user_version').get().user_version < readdirSync(path.join(this.dir, 'migrations')).length) return { check: db.prepare('PRAGMA integrity_check').get().integrity_check, new: true };
        const all = (sql) => db.prepare(sql).all();
        return {
          check: all('PRAGMA integrity_check').map((r) => r.integrity_check).join(),
          made: all('SELECT n, item_id AS id, hash FROM made ORDER BY n'),
          applied: all('SELECT kind, item_id AS id, case_no AS no, case_seq AS seq, hash, text FROM applied ORDER BY applied.id'),
          out: all('SELECT item_id AS id, kind, retain, acked_ms AS acked, spool, size, hash FROM out_item'),
          items: all("SELECT item_id AS id, kind, state, case_no AS no, case_seq AS seq, reason FROM in_item WHERE kind <> 'reconciliation' ORDER BY in_item.id"),
          compared: all('SELECT coalesce(sum(compared), 0) AS n FROM reconcile_day')[0].n,
          differences: all('SELECT subject, peer, own FROM reconcile_difference'),
          files: all('SELECT id FROM out_file').length, trash: all('SELECT name FROM spool_trash'),
        };
      } finally { db.close(); }
    } finally { rmSync(copy, { recursive: true, force: true }); }
  }

  names(folder) { const d = path.join(this.dir, folder); return existsSync(d) ? readdirSync(d) : []; }

  /** At any moment (I4): what was made and is not confirmed is still there, every byte of it; what was told to a citizen stands in the database. */
  judgeUnconfirmed() {
    const a = this.look('internet');
    if (!a) { if (this.made.size) this.problem('I1 the database is gone'); return; }
    if (a.check !== 'ok') this.problem(`I9 internet: integrity_check: ${a.check}`);
    if (a.new) return;
    const confirmed = new Set(a.applied.filter((r) => r.kind === 'answer').map((r) => r.text)), kept = new Map(a.out.filter((r) => r.retain).map((r) => [r.id, r]));
    const spool = new Set(this.names('internet/spool'));
    for (const m of a.made) {
      const row = kept.get(m.id);
      if (!confirmed.has(m.id) && !row) this.problem(`I4 record ${m.n} was purged before its confirmation`);
      if (confirmed.has(m.id) && row) this.problem(`I4 record ${m.n} was confirmed and is still there: half a transaction`);
      if (row?.spool && !spool.has(row.spool)) this.problem(`I4 record ${m.n}: its spool file is gone before its confirmation`);
    }
    for (const [n, m] of this.made) if (a.made[n - 1]?.id !== m.id) this.problem(`I1 record ${n} was told to a citizen and is lost`);
  }

  judgeIntranet() {
    const b = this.look('intranet');
    if (b && b.check !== 'ok') this.problem(`I9 intranet: integrity_check: ${b.check}`);
    if (!b || b.new) return;
    const applied = new Set(b.applied.map((r) => r.id));
    for (const i of b.items) if ((i.state === 'applied') !== applied.has(i.id)) this.problem(`I9 item ${i.id} is ${i.state} but ${applied.has(i.id) ? '' : 'not '}in the ledger: half a transaction`);
  }

  /** Of sides that stand still; a copy of one at work would be torn. */
  judgeEnded() {
    if (this.running.internet.exit !== null) this.judgeUnconfirmed();
    if (this.running.intranet.exit !== null) this.judgeIntranet();
  }

  temps() {
    const found = [];
    const walk = (d) => { for (const f of readdirSync(path.join(this.dir, d), { withFileTypes: true })) {
      if (f.isDirectory()) walk(path.join(d, f.name));
      else if (/^\..*\.tmp$|-journal$/.test(f.name)) found.push(path.join(d, f.name));
    } };
    for (const d of ['internet', 'intranet', 'gateway', 'mover']) walk(d);
    return found;
  }

  order(who, rows) {
    const last = new Map();
    for (const r of rows.filter((x) => x.no && x.seq)) {
      if (r.seq !== (last.get(r.no) ?? 0) + 1) this.problem(`${who}: case ${r.no}: place ${r.seq} after ${last.get(r.no) ?? 0}`);
      last.set(r.no, r.seq);
    }
  }

  /** When all is settled and stopped. */
  judgeEnd() {
    const a = this.look('internet'), b = this.look('intranet'), count = this.count;
    if (!a || !b || a.new || b.new) return this.problem('I1 a database is missing');
    this.judgeUnconfirmed();
    this.judgeIntranet();
    const items = new Map(b.items.map((r) => [r.id, r])), stored = new Map(b.applied.map((r) => [r.id, r]));
    if (a.made.length !== count || b.items.length !== count) this.problem(`I1 ${count} made, ${a.made.length} kept, ${b.items.length} arrived`);
    for (const m of a.made) {
      const want = m.n % 4 === 3 ? 'refused' : 'applied';
      if (items.get(m.id)?.state !== want) this.problem(`I1 record ${m.n}: want ${want}, have ${items.get(m.id)?.state} ${items.get(m.id)?.reason}`);
      if (want === 'applied' && stored.get(m.id)?.hash !== m.hash) this.problem(`I1 record ${m.n} arrived with other content`);
    }
    this.order('internet', a.applied);
    this.order('intranet', b.applied);
    const answers = a.applied.filter((r) => r.kind === 'answer').map((r) => r.text).sort();
    if (answers.join() !== a.made.map((m) => m.id).sort().join()) this.problem(`I3 ${answers.length} confirmations for ${a.made.length} records`);
    const statuses = a.applied.filter((r) => r.kind === 'status').length, want = a.made.filter((m) => m.n % 4 === 1 || m.n % 4 === 2).length;
    if (statuses !== want) this.problem(`I3 want ${want} statuses, have ${statuses}`);
    if (a.out.length || a.trash.length || a.files || b.files || b.trash.length) this.problem(`I9 left: out_item ${a.out.length} out_file ${a.files} ${b.files} spool_trash ${a.trash.length} ${b.trash.length}`);
    for (const f of ['internet/spool', 'internet/mirror']) if (this.names(f).length) this.problem(`I9 ${f} is not empty: ${this.names(f)}`);
    const slices = a.made.filter((m) => m.n % 4 === 0).map((m) => m.id).sort();
    if (this.names('intranet/store').filter((f) => !f.startsWith('.')).sort().join() !== slices.join()) this.problem(`I9 slices: want ${slices}, have ${this.names('intranet/store')}`);
    for (const [side, d] of [...a.differences.map((x) => ['internet', x]), ...b.differences.map((x) => ['intranet', x])])
      this.problem(`FRY-08 ${side}: the daily lists differ: ${d.subject}: the peer has ${d.peer}, we ${d.own}`);
    this.compared = a.compared + b.compared;
    if (Object.values(this.said).some((s) => s.includes('APPLIED TWICE'))) this.problem('I1 applied twice');
    return undefined;
  }

  quarantined() { return ['internet/quarantine', 'intranet/quarantine', 'gateway/quarantine'].flatMap((d) => this.names(d).map((f) => `${d}/${f}`)); }

  errors(role) { return this.said[role].split('\n').filter((l) => /"level":"error"|"error":"/.test(l) || (l && !l.startsWith('{') && !l.startsWith('ERROR'))); }

  async clear() {
    for (const p of Object.values(this.running)) if (p.exit === null) p.kill('SIGKILL');
    for (const p of Object.values(this.running)) await p.ended;
    for (const c of Object.values(this.control)) c.close();
    rmSync(this.dir, { recursive: true, force: true });
  }
}
