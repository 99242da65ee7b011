// Two real ends of the ferry (ferry_peer) with the operator's folders and a ferry.conf, for tests of the ferry's commands.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

export const root = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '../..');
const build = path.join(root, 'build', process.env.VARIANT || 'release');
export const ferry = path.join(build, 'bin/ferry');
const peer = path.join(build, 'tests/ferry_peer');
export const sides = ['internet', 'intranet'];
export const other = (side) => sides.find((s) => s !== side);
export const sleep = (ms) => new Promise((r) => { setTimeout(r, ms); });
const ledger = `CREATE TABLE made (id INTEGER PRIMARY KEY, n INTEGER NOT NULL UNIQUE, item_id TEXT NOT NULL UNIQUE, hash TEXT NOT NULL) STRICT;
CREATE TABLE applied (id INTEGER PRIMARY KEY AUTOINCREMENT, item_id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, case_no TEXT NOT NULL, case_seq INTEGER NOT NULL, hash TEXT NOT NULL, text TEXT NOT NULL) STRICT;
`;

/** Folders, keys, migrations and ferry.conf; nothing runs yet. extra: more lines of ferry.conf; undefined takes one away. */
export function ends(name, extra = {}) {
  const dir = mkdtempSync(path.join(os.tmpdir(), `hz-${name}-`));
  const at = (...x) => path.join(dir, ...x);
  for (const d of ['migrations', 'gateway/keys', 'gateway/quarantine', ...sides.flatMap((s) => [`${s}/keys`, `${s}/commands`, `${s}/quarantine`, `gateway/${s}-outbox`, `gateway/${s}-inbox`])]) {
    mkdirSync(at(d), { recursive: true, mode: 0o700 });
  }
  const steps = readdirSync(path.join(root, 'schemas/migrations/delivery')).sort();
  for (const s of steps) copyFileSync(path.join(root, 'schemas/migrations/delivery', s), at('migrations', s));
  writeFileSync(at('migrations', `${String(steps.length + 1).padStart(4, '0')}_ledger.sql`), ledger);
  for (const s of sides) assert.equal(spawnSync(ferry, ['keygen', '--dir', at(s, 'keys'), '--name', s]).status, 0);
  for (const s of sides) for (const to of [at(other(s), 'keys'), at('gateway/keys')]) copyFileSync(at(s, 'keys', `${s}.pub`), path.join(to, `${s}.pub`));
  const conf = {
    quarantine: at('gateway/quarantine'), rescan_s: 1, settle_s: 1, status_file: at('mover.json'),
    ...Object.fromEntries(sides.flatMap((s) => [
      [`${s}_outbox`, at(`gateway/${s}-outbox`)], [`${s}_inbox`, at(`gateway/${s}-inbox`)], [`${s}_key`, at(`gateway/keys/${s}.pub`)], [`${s}_status`, at(s, 'status.json')],
      [`${s}_commands`, at(s, 'commands')], [`${s}_quarantine`, at(s, 'quarantine')], [`${s}_data`, at(s)], [`${s}_keys`, at(s, 'keys')],
    ])), ...extra,
  };
  const w = { dir, at, conf, running: {}, log: '' };
  w.configure = (change = {}) => writeFileSync(at('ferry.conf'), Object.entries({ ...conf, ...change }).filter(([, v]) => v !== undefined).map(([k, v]) => `${k} = ${v}\n`).join(''));
  w.configure();
  const run = (what, program, args) => {
    const p = spawn(program, args, { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] });
    p.stderr.on('data', (b) => { w.log += b; });
    p.ended = new Promise((done) => { p.on('close', (code, signal) => done(signal ?? code)); });
    w.running[what] = p;
  };
  w.start = {
    internet: (count = 0) => run('internet', peer, ['run', 'internet', dir, String(count)]),
    intranet: () => run('intranet', peer, ['run', 'intranet', dir, '0']),
    mover: () => run('mover', ferry, ['run', '--config', at('ferry.conf')]),
  };
  w.stop = async (what) => {
    const p = w.running[what];
    delete w.running[what];
    p.kill('SIGTERM');
    assert.equal(await p.ended, 0, `${what} stops cleanly\n${w.log.slice(-2000)}`);
  };
  w.close = async () => {
    for (const what of Object.keys(w.running)) await w.stop(what);
    rmSync(dir, { recursive: true, force: true });
  };
  /** Run the ferry program to its end without stopping this process: what happens meanwhile goes on. */
  w.ferry = (args, lang = 'C') => new Promise((done) => {
    const p = spawn(ferry, [...args, '--config', at('ferry.conf')], { env: { ...process.env, LC_ALL: lang }, stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '', err = '';
    p.stdout.on('data', (b) => { out += b; });
    p.stderr.on('data', (b) => { err += b; });
    p.on('close', (code) => done({ code, out, err }));
  });
  w.status = (side) => JSON.parse(readFileSync(at(side, 'status.json'), 'utf8'));
  return w;
}

export async function until(what, fn, seconds = 30) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    let v;
    try { v = await fn(); } catch { v = null; }
    if (v) return v;
    assert.ok(Date.now() < end, what);
    await sleep(100);
  }
}
