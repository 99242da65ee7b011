// A running system of its own for one test file: ops/demo in a temporary folder on free ports, stopped at the end.
import { execFile, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const exec = promisify(execFile);
export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

export function freePort() {
  return new Promise((done, no) => {
    const s = net.createServer();
    s.on('error', no);
    s.listen(0, '127.0.0.1', () => { const { port } = s.address(); s.close(() => done(port)); });
  });
}

/** Wait until look() gives something true; the last value is in the error. */
export async function until(look, what, seconds = 20, every = 100) {
  const end = Date.now() + seconds * 1000;
  let last;
  for (;;) {
    last = await look();
    if (last) return last;
    if (Date.now() > end) throw new Error(`not within ${seconds} s: ${what}`);
    await sleep(every);
  }
}

export class Demo {
  static async start({ mover = true, keep = false, limits = 1 } = {}) {
    const d = new Demo();
    d.dir = mkdtempSync(path.join(os.tmpdir(), 'hz-demo-'));
    d.keep = keep;
    d.limits = limits;                      // multiplies the rate limits, for load
    d.ports = [await freePort(), await freePort()];
    await d.up(mover);
    return d;
  }

  async up(mover = true) {
    const args = ['--dir', this.dir, '--internet-port', String(this.ports[0]), '--intranet-port', String(this.ports[1])];
    if (!mover) args.push('--no-mover');
    await exec((process.env.HZ_DEMO ?? path.join(root, 'ops/demo')), args, { cwd: root, timeout: 300000, env: { ...process.env, HZ_RATE_SCALE: String(this.limits), HZ_TEST: '1' } });
    this.read();
  }

  read() {
    Object.assign(this, JSON.parse(readFileSync(path.join(this.dir, 'demo.json'), 'utf8')));
  }

  account(role, unit) {
    const a = this.accounts.find((x) => x.role === role && (!unit || x.unit === unit));
    if (!a) throw new Error(`no account with role ${role}${unit ? ` in unit ${unit}` : ''}`);
    return a;
  }

  /** Messages to a phone, oldest first. */
  sms(phone) {
    try { return JSON.parse(readFileSync(this.sms_inbox, 'utf8')).filter((m) => m.to === phone); } catch { return []; }
  }

  /** SIGKILL one program, by its id, and start the same command again. */
  async killAndRestart(name, pauseMs = 0) {
    const p = this.processes[name];
    const args = readFileSync(`/proc/${p.pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
    process.kill(p.pid, 'SIGKILL');
    await until(() => { try { return !readFileSync(`/proc/${p.pid}/stat`, 'utf8').match(/\) [^Z]/); } catch { return true; } }, `${name} is gone`, 5, 5);
    if (pauseMs) await sleep(pauseMs);
    const log = openSync(p.log, 'a');
    const child = spawn(args[0], args.slice(1), { cwd: root, detached: true, stdio: ['ignore', log, log] });
    closeSync(log);
    child.unref();
    p.pid = child.pid;
    writeFileSync(path.join(this.dir, 'demo.json'), JSON.stringify({ ...JSON.parse(readFileSync(path.join(this.dir, 'demo.json'), 'utf8')), processes: this.processes }, null, 2));
  }

  /** Start the mover of a demo that was started without one. */
  startMover() {
    const logFile = path.join(this.dir, 'logs/mover.log');
    const log = openSync(logFile, 'a');
    const child = spawn(path.join(root, 'build/bin/ferry'), ['run', '--config', this.ferry_conf], { cwd: root, detached: true, stdio: ['ignore', log, log] });
    closeSync(log);
    child.unref();
    this.processes.mover = { pid: child.pid, mark: this.ferry_conf, log: logFile };
    writeFileSync(path.join(this.dir, 'demo.json'), JSON.stringify({ ...JSON.parse(readFileSync(path.join(this.dir, 'demo.json'), 'utf8')), processes: this.processes }, null, 2));
  }

  async stop() {
    await exec((process.env.HZ_DEMO ?? path.join(root, 'ops/demo')), ['--stop', '--dir', this.dir], { cwd: root, timeout: 60000 });
    if (!this.keep && !process.env.HZ_KEEP) rmSync(this.dir, { recursive: true, force: true });
  }
}
