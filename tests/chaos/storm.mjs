// One storm from beginning to end; `make chaos` runs this program with 10,000 applications, tests/chaos/test_chaos.mjs a short one.
//   CHAOS_N=10000 CHAOS_SEED=1 node tests/chaos/storm.mjs
import { spawn, spawnSync } from 'node:child_process';
import { appendFileSync, readFileSync, readdirSync, renameSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Demo, root, sleep, until } from '../support/demo.mjs';
import { encodings } from '../support/markers.mjs';
import { EMPLOYER_MARK, PAGE_MARK, officers, submitAll, watch } from './load.mjs';
import { judge, open, progress, quiet } from './judge.mjs';

const at = (sorted, p) => (sorted.length ? sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * p) - 1)] : 0);
const seconds = (ms) => `${(ms / 1000).toFixed(2)} s`;
const line = (times) => { const s = [...times].sort((a, b) => a - b); return [0.5, 0.99, 0.999].map((p) => seconds(at(s, p))).join(' / '); };

/** The bad gateway as a program of its own. */
class Carrier {
  constructor(demo, seed, rate) {
    const g = demo.gateway, file = path.join(demo.dir, 'gateway.json');
    this.ways = { intranet: g.intranet_inbox, internet: g.internet_inbox };
    writeFileSync(file, JSON.stringify({ seed, rate, work: path.join(demo.dir, 'gateway/chaos'),
      ways: [{ from: g.internet_outbox, to: g.intranet_inbox }, { from: g.intranet_outbox, to: g.internet_inbox }] }));
    this.child = spawn(process.execPath, [path.join(root, 'tests/chaos/gateway.mjs'), file], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.ended = new Promise((done) => { this.child.once('exit', (code) => { this.code = code; done(code); }); });
    this.waiting = [];
    readline.createInterface({ input: this.child.stdout }).on('line', (l) => { this.waiting.shift()?.(JSON.parse(l).gateway); });
  }

  ask(word) {
    if (this.code !== undefined) throw new Error(`the gateway ended with ${this.code}`);
    return new Promise((done, no) => {
      this.waiting.push(done);
      this.ended.then(() => no(new Error('the gateway ended')));
      this.child.stdin.write(`${word}\n`);
    });
  }

  /** Everything that is still under way comes through; then nobody carries. */
  async calm() {
    await this.ask('calm');
    await until(async () => (await this.ask('report')).pending === 0, 'the gateway has nothing left', 60, 200);
    const last = await this.ask('stop');
    await this.ended;
    return last;
  }
}

export function status(demo) {
  const r = spawnSync(path.join(root, 'build/bin/ferry'), ['status', '--config', demo.ferry_conf, '--json'], { encoding: 'utf8', env: { ...process.env, LANG: 'C' } });
  return { code: r.status, ...JSON.parse(r.stdout) };
}

/** A sample of what lies in the gateway's folders, in every encoding. */
async function spy(demo, markers, finished, found) {
  const needles = Object.entries(markers).flatMap(([what, m]) => encodings(m).map(([encoding, bytes]) => ({ what, encoding, bytes })));
  let files = 0;
  while (!finished()) {
    await sleep(700);
    for (const dir of Object.values(demo.gateway))
      for (const name of readdirSync(dir).slice(-3)) {
        let body;
        try { const f = path.join(dir, name), st = statSync(f); if (!st.isFile() || st.size > 2 << 20) continue; body = readFileSync(f); } catch { continue; }
        files++;
        for (const n of needles) if (body.includes(n.bytes)) found.push(`${dir}/${name}: ${n.what} in ${n.encoding}`);
        await sleep(1);
      }
  }
  return files;
}

/** The short storm judges damaged files sooner; the long one runs with what is installed. */
async function hurry(demo) {
  for (const side of ['intranet', 'internet']) {
    appendFileSync(path.join(demo.dir, side, `${side}.conf`), 'settle_s = 3\nrescan_s = 1\nbeat_s = 2\nresend_max_s = 4\nundo_s = 1\n'.split('\n')
      .filter((l) => side === 'intranet' || !l.startsWith('undo')).join('\n'));
    await demo.killAndRestart(`${side}-side`);
    await until(async () => fetch(`${demo.addresses[side]}/healthz`).then((r) => r.status === 200, () => false), `${side} is healthy`, 20, 50);
  }
}

/** Runs a storm and gives {figures, wrong}: what was measured, and every sentence about what must not be. */
export async function storm({ count, seed, width = 8, decide = 10, short = false, calm_s = 120, say = () => {} }) {
  const demo = await Demo.start({ mover: false, limits: 1000 });
  const ledger = [], citizens = new Map(), wrong = [], found = [], started = Date.now();
  let submitted = false, decided = false, over = false;
  let ticker;
  try {
    if (short) await hurry(demo);
    const db = open(demo), carrier = new Carrier(demo, seed, 0.2);
    ticker = setInterval(() => { say(`${Math.round((Date.now() - started) / 1000)} s: accepted ${ledger.length} of ${count}, ${progress(db)}, decided ${ledger.filter((x) => x.decided).length}`); }, short ? 10000 : 15000);
    const spying = spy(demo, { page: PAGE_MARK, employer: EMPLOYER_MARK, phone: '13820000000', id: '340799' }, () => over, found);
    const watching = watch(ledger, citizens, () => decided, wrong);
    const deciding = officers(demo, ledger, decide, () => submitted, short ? 2000 : 6000).finally(() => { decided = true; });
    await submitAll(demo, count, width, ledger, citizens);
    submitted = true;
    const load_s = (Date.now() - started) / 1000;
    const during = status(demo);
    if (during.code === 0) wrong.push(`ferry status is fine while it storms: ${JSON.stringify(during).slice(0, 300)}`);
    await deciding;
    await watching;
    say(`${Math.round((Date.now() - started) / 1000)} s: everything is handed in and decided, the gateway calms`);
    const gateway = await carrier.calm();
    demo.startMover();
    const calm = Date.now();
    await until(() => quiet(db, demo, ledger, gateway), 'quiet after the storm', calm_s, 500).catch((e) => wrong.push(`${e.message}: ${quiet(db, demo, ledger, gateway, true)}`));
    const calmed_s = (Date.now() - calm) / 1000;
    over = true;
    const scanned = await spying;
    wrong.push(...found.slice(0, 10));
    const figures = await judge({ db, demo, ledger, citizens, gateway, wrong, carrier });
    const memory = ['internet-side', 'intranet-side'].map((name) => peak(demo.processes[name].pid));
    await afterwards(demo, wrong);
    return { figures: { seed, count, scanned, memory, load_s, calmed_s, ...figures, ...gateway.count }, wrong };
  } finally {
    clearInterval(ticker);
    if (wrong.length && process.env.CHAOS_KEEP) demo.keep = true;
    await demo.stop();
  }
}

const peak = (pid) => Math.round(Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024);

/** Somebody looked at the quarantine and put it away: then everything is fine. The audit chain is checked at the start of the service. */
async function afterwards(demo, wrong) {
  for (const side of ['intranet', 'internet']) {
    const dir = path.join(demo.dir, side, 'data/quarantine');
    renameSync(dir, path.join(demo.dir, side, 'seen'));
    mkdirSync(dir, { mode: 0o700 });
  }
  await demo.killAndRestart('intranet-side');
  const log = () => readFileSync(path.join(demo.dir, 'logs/intranet-side.log'), 'utf8');
  await until(async () => fetch(`${demo.addresses.intranet}/healthz`).then((r) => r.status === 200, () => false), 'intranet is healthy', 60, 100);
  const chain = log().split('\n').filter((l) => l.includes('audit_chain_')).at(-1) ?? '';
  if (!chain.includes('audit_chain_whole')) wrong.push(`I8: ${chain || 'no word of the audit chain'}`);
  await until(() => status(demo).code === 0, 'fine', 40, 500).catch(() => wrong.push(`ferry status is not fine afterwards: ${JSON.stringify(status(demo)).slice(0, 1500)}`));
}

export function table(f) {
  const rows = [['seed', f.seed], ['accepted', f.accepted], ['crossed', f.crossed], ['confirmed', f.confirmed], ['statuses arrived', f.statuses],
    ['submit -> desk p50 / p99 / p99.9', line(f.desk)], ['confirmation p50 / p99 / p99.9', line(f.confirmation)],
    ['files carried', f.carried], ['dropped', f.dropped], ['duplicated', f.duplicated], ['stale repeats', f.stale], ['delayed', f.delayed], ['cut', f.cut], ['flipped', f.flipped],
    ['visible while written', f.slow], ['renamed', f.renamed], ['junk', f.junk], ['quarantined (damaged / junk)', `${f.quarantined_damaged} / ${f.quarantined_junk}`],
    ['peak memory internet / intranet', `${f.memory.join(' / ')} MiB`], ['gateway files read by the spy', f.scanned], ['load / until quiet', `${f.load_s.toFixed(0)} s / ${f.calmed_s.toFixed(0)} s`]];
  return rows.map(([k, v]) => `  ${k.padEnd(36)}${v}`).join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const seed = Number(process.env.CHAOS_SEED ?? Date.now() % 1e6), count = Number(process.env.CHAOS_N ?? 10000), short = Boolean(process.env.CHAOS_SHORT);
  console.log(`chaos: ${count} applications, seed ${seed}`);
  const { figures, wrong } = await storm({ count, seed, width: 12, decide: short ? 3 : 10, short, calm_s: 900, say: console.log });
  console.log(table(figures));
  for (const w of wrong.slice(0, 50)) console.log(`WRONG ${w}`);
  console.log(wrong.length ? `chaos: ${wrong.length} wrong` : 'chaos: nothing lost, nothing twice, nothing readable');
  process.exit(wrong.length ? 1 : 0);
}
