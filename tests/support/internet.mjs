// The citizens' service alone, with a sandbox peer and a stand-in for the intranet that says what the test tells it to.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { startPeer } from '../../ops/sandbox/peer.mjs';
import { freePort, root, sleep, until } from './demo.mjs';

const build = path.join(root, 'build', process.env.VARIANT || 'release');
export const rfc3339 = (ms = Date.now()) => `${new Date(ms).toISOString().slice(0, 19)}Z`;
const escapeXml = (s) => String(s).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
const attrs = (o) => Object.entries(o).filter(([, v]) => v !== undefined).map(([k, v]) => ` ${k}="${escapeXml(v)}"`).join('');
export const element = (name, o, ...inside) => `<${name}${attrs(o)}>${inside.join('')}</${name}>`;
export const record = (name, o, ...inside) => `<?xml version="1.0" encoding="UTF-8"?>\n${element(name, { xmlns: 'urn:hz:record:1', ...o }, ...inside)}`;
export const text = escapeXml;

export class Internet {
  static async start({ config = {}, serve = true } = {}) {
    const w = new Internet();
    w.dir = mkdtempSync(path.join(os.tmpdir(), 'hz-internet-'));
    w.items = [];
    w.extra = config;
    const d = (x) => path.join(w.dir, x);
    for (const x of ['internet/keys', 'internet/data', 'intranet/keys', 'gateway/in', 'gateway/out', 'intranet/quarantine', 'sandbox', 'mirror']) mkdirSync(d(x), { recursive: true, mode: 0o700 });
    for (const [name, other] of [['internet', 'intranet'], ['intranet', 'internet']]) {
      const r = spawnSync(path.join(build, 'bin/ferry'), ['keygen', '--dir', d(`${name}/keys`), '--name', name], { encoding: 'utf8' });
      assert.equal(r.status, 0, r.stderr);
      writeFileSync(d(`${other}/keys/${name}.pub`), readFileSync(d(`${name}/keys/${name}.pub`)));
    }
    symlinkSync(path.join(root, 'schemas'), d('intranet/schemas'));
    symlinkSync(d('gateway/in'), d('intranet/inbox'));
    symlinkSync(d('gateway/out'), d('intranet/outbox'));
    w.bundle(1, d('base.json'));
    w.sandbox = await startPeer(d('sandbox'), 0);
    w.port = await freePort();
    w.addresses = { internet: `http://127.0.0.1:${w.port}` };
    w.configure();
    if (serve) await w.up();
    return w;
  }

  configure(more = {}) {
    const d = (x) => path.join(this.dir, x);
    const sandbox = `http://127.0.0.1:${this.sandbox.address().port}`;
    const keys = {
      port: this.port, public_origin: this.addresses.internet, data_dir: d('internet/data'), schema_dir: path.join(root, 'schemas'),
      base_configuration: d('base.json'), outbox: d('gateway/in'), inbox: d('gateway/out'), quarantine: d('internet/data/quarantine'),
      own_key: d('internet/keys/internet.key'), peer_key: d('internet/keys/intranet.pub'), pepper: d('internet/keys/pepper'),
      mirror_dir: d('mirror'), parser: path.join(build, 'libexec/parser'), caller: path.join(build, 'libexec/caller'), identity_url: sandbox, sms_url: sandbox, sandbox: 'yes',
      status_file: d('internet/status.json'), rescan_s: 1, beat_s: 1, settle_s: 1, upkeep_s: 1, rate_scale: 100, hotline: '0562-8000100', ...this.extra, ...more,
    };
    writeFileSync(d('internet.conf'), Object.entries(keys).map(([k, v]) => `${k} = ${v}\n`).join(''));
  }

  bundle(version, file) {
    const r = spawnSync(path.join(build, 'tests/intranet_peer'), ['bundle', path.join(root, 'schemas'), String(version), file], { encoding: 'utf8' });
    assert.equal(r.status, 0, r.stderr);
  }

  async up() {
    this.log ??= '';
    this.service = spawn(path.join(build, 'bin/internet-side'), ['--config', path.join(this.dir, 'internet.conf')], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.service.stderr.on('data', (b) => { this.log += b; });
    await until(async () => {
      if (this.service.exitCode !== null) throw new Error(`internet-side ended: ${this.log}`);
      try { return (await fetch(`${this.addresses.internet}/healthz`)).status === 200; } catch { return false; }
    }, 'healthy', 20, 50);
  }

  async down(signal = 'SIGTERM') {
    if (!this.service || this.service.exitCode !== null) return this.service?.exitCode;
    const ended = new Promise((done) => { this.service.once('exit', done); });
    this.service.kill(signal);
    return ended;
  }

  /** The stand-in for the intranet; what arrives is kept in items. */
  connect() {
    this.peer = spawn(path.join(build, 'tests/intranet_peer'), ['serve', path.join(this.dir, 'intranet')], { stdio: ['pipe', 'pipe', 'pipe'] });
    let rest = '';
    this.peerLog = '';
    this.peer.stderr.on('data', (b) => { this.peerLog += b; });
    this.peer.stdout.on('data', (b) => {
      const lines = (rest + b).split('\n');
      rest = lines.pop();
      for (const l of lines) this.items.push(JSON.parse(l));
    });
  }

  async disconnect() {
    if (!this.peer) return;
    const ended = new Promise((done) => { this.peer.once('exit', done); });
    this.peer.stdin.end();
    await ended;
    this.peer = null;
  }

  /** The newest record of a kind of a case, as it arrived. */
  arrived(no, kind, n = 1) {
    return until(() => this.items.filter((i) => i.case === no && i.kind === kind)[n - 1], `${kind} ${n} of ${no}; ${this.peerLog}`, 20, 20);
  }

  /** Every slice of a case that a record names. */
  async slices(no, rec) {
    const ids = [...Buffer.from(rec.content, 'base64').toString('utf8').matchAll(/<part id="([0-9a-f]{32})"/g)].map((m) => m[1]);
    await until(() => ids.every((id) => this.items.some((i) => i.id === id)), `slices of ${no}`, 20, 20);
    return ids.map((id) => this.items.find((i) => i.id === id));
  }

  send(kind, no, xml) {
    const file = path.join(this.dir, `say-${kind}-${Math.random().toString(16).slice(2)}.xml`);
    writeFileSync(file, xml);
    this.peer.stdin.write(`send ${kind} ${no} ${file}\n`);
  }

  answer(no, rec, word, { items, reason, done, total } = {}) {
    const list = (items ?? [rec]).map((i) => element('item', { id: i.id, hash: i.hash }));
    this.send('answer', no, record('answer', { case: no, seq: '@SEQ@', to: rec.kind, record: rec.id, word, pages_done: done, pages_total: total, at: rfc3339() },
      ...list, ...(reason ? [element('reason', {}, text(reason))] : [])));
  }

  status(no, state, { stage = 2, final = false, deadline, values = {}, event = '民警开始审核', at } = {}) {
    this.send('status', no, record('status', { case: no, seq: '@SEQ@', state, stage, final, deadline, at: at ?? rfc3339() },
      ...Object.entries(values).map(([k, v]) => element('value', { field: k }, text(v))), element('event', {}, text(event))));
  }

  request(no, round, deadline, slots, fields = {}, sentence = '请补一份材料') {
    this.send('supplement-request', no, record('supplement-request', { case: no, seq: '@SEQ@', round, deadline, at: rfc3339() }, element('sentence', {}, text(sentence)),
      ...Object.entries(slots).map(([k, v]) => element('slot', { material: k }, text(v))), ...Object.entries(fields).map(([k, v]) => element('field', { field: k }, text(v)))));
  }

  sms(phone) {
    return JSON.parse(readFileSync(path.join(this.dir, 'sandbox/sms-inbox.json'), 'utf8')).filter((m) => m.to === phone);
  }

  async stop() {
    await this.down();
    await this.disconnect();
    this.sandbox.closeAllConnections();
    this.sandbox.close();
    if (!process.env.HZ_KEEP) rmSync(this.dir, { recursive: true, force: true });
  }
}

export { sleep, until };
