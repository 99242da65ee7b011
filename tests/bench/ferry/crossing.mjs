// How long a record is under way, with the numbers of the ferry as they are installed: two ends (ferry_end), the real mover between them.
//   idle      one record a second and then some, nothing else under way           applied p50 / p99
//   images    the same while 1 GB of photographs is queued before it               applied p50 / p99
//   drain     100,000 records that waited while nobody carried                     until all are applied, until all are confirmed
//   loss      a gateway that loses one file in five, both ways                     confirmed p50 / p99 / p99.9
// Peak memory of every program over all of it. BENCH_QUICK=1: everything small, to see that it runs. BENCH_ONLY=idle,drain picks.
// An aim that is missed is a printed fact. Figures also go to build/bench-ferry-crossing.json.
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import { random, subject } from '../../chaos/gateway.mjs';
import { ends, root, sides, sleep } from '../../support/ends.mjs';

const quick = Boolean(process.env.BENCH_QUICK), only = process.env.BENCH_ONLY?.split(',');
const size = quick ? { idle: 5, gap_us: 200000, images: 24, drain: 2000, loss: 60, loss_gap_us: 50000 } : { idle: 100, gap_us: 730000, images: 256, drain: 100000, loss: 6000, loss_gap_us: 50000 };
const RECORD = 2000, IMAGE = 4 << 20;
const data = { quick, memory: {} };
const at = (v, p) => v[Math.min(v.length - 1, Math.ceil(v.length * p) - 1)];
const verdict = (ok) => (ok ? 'reached' : 'NOT reached');
const say = (x) => console.log(x);

class End {
  constructor(w, side) {
    Object.assign(this, { w, side, waiting: [] });
    this.child = spawn(path.join(root, 'build/release/bench/ferry_end'), [side, w.dir], { cwd: root, stdio: ['pipe', 'pipe', 'inherit'] });
    this.ended = new Promise((done) => { this.child.once('exit', (code) => { this.code = code ?? 'signal'; done(); for (const x of this.waiting) x.no(new Error(`ferry_end ${side} ended: ${code}`)); }); });
    readline.createInterface({ input: this.child.stdout }).on('line', (l) => { this.waiting.shift()?.yes(JSON.parse(l)); });
  }

  ask(line) {
    if (this.code !== undefined) throw new Error(`ferry_end ${this.side} ended: ${this.code}`);
    return new Promise((yes, no) => { this.waiting.push({ yes, no }); this.child.stdin.write(`${line}\n`); });
  }

  /** Milliseconds of the records since they were last forgotten, sorted. */
  async times() {
    const file = this.w.at(`${this.side}.times`);
    await this.ask(`times ${file}`);
    await this.ask('forget');
    return readFileSync(file, 'utf8').split('\n').filter(Boolean).map(Number).sort((a, b) => a - b);
  }

  async stop() { this.child.stdin.end(); await this.ended; if (this.code !== 0) throw new Error(`ferry_end ${this.side}: ${this.code}`); }
}

async function reach(end, what, n, seconds) {
  const began = Date.now();
  for (;;) {
    const c = await end.ask('count');
    if (c[what] >= n) return (Date.now() - began) / 1000;
    if (Date.now() - began > seconds * 1000) throw new Error(`${end.side}: ${what}: want ${n} within ${seconds} s, have ${c[what]}`);
    await sleep(20);
  }
}

/** Every process of the pair, its helpers too: the most that it ever held. */
function remember(w) {
  const pids = { mover: w.running.mover?.pid, internet: w.end.internet.child.pid, intranet: w.end.intranet.child.pid };
  for (const [name, pid] of Object.entries(pids)) {
    if (!pid) continue;
    const children = readdirSync(`/proc/${pid}/task`).flatMap((t) => readFileSync(`/proc/${pid}/task/${t}/children`, 'utf8').trim().split(' ').filter(Boolean));
    for (const [what, p] of [[name, pid], ...children.map((c) => [`${name}'s ${readFileSync(`/proc/${c}/comm`, 'utf8').trim()}`, c])]) {
      const mib = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${p}/status`, 'utf8'))?.[1] ?? 0) / 1024;
      data.memory[what] = Math.max(data.memory[what] ?? 0, mib);
    }
  }
}

async function pair(name, work, { mover = true } = {}) {
  if (only && !only.includes(name)) return;
  const w = ends(`bench-${name}`, { rescan_s: undefined, settle_s: undefined });
  w.end = Object.fromEntries(sides.map((s) => [s, new End(w, s)]));
  try {
    for (const s of sides) await w.end[s].ask('count');
    if (mover) w.start.mover();
    await work(w, w.end.internet, w.end.intranet);
    remember(w);
  } finally {
    for (const s of sides) await w.end[s].stop().catch((e) => { console.error(e.message); process.exitCode = 1; });
    await w.close();
  }
}

/** One record crosses and is confirmed: both ends know each other. */
async function met(internet, intranet) {
  await internet.ask(`records 1 0 ${RECORD}`);
  await reach(internet, 'confirmed', 1, 120);
  for (const e of [internet, intranet]) await e.ask('forget');
}

function delay(what, times, p50, aim_ms) {
  data[what] = { n: times.length, p50: at(times, 0.5), p99: at(times, 0.99), max: times.at(-1) };
  say(`${p50}: ${times.length} records, made -> applied p50 ${data[what].p50.toFixed(0)} ms, p99 ${data[what].p99.toFixed(0)} ms, longest ${data[what].max.toFixed(0)} ms (aim p99 ${aim_ms} ms): ${verdict(data[what].p99 <= aim_ms)}`);
}

await pair('idle', async (w, internet, intranet) => {
  await met(internet, intranet);
  await internet.ask(`records ${size.idle} ${size.gap_us} ${RECORD}`);
  await reach(intranet, 'records', 1 + size.idle, 60);
  delay('idle', await intranet.times(), 'crossing, idle', 1000);
});

await pair('images', async (w, internet, intranet) => {
  await met(internet, intranet);
  await w.stop('mover');
  await internet.ask(`slices ${size.images} ${IMAGE}`);
  const began = Date.now(), records = quick ? 5 : 40;
  w.start.mover();
  await internet.ask(`records ${records} ${quick ? 50000 : 300000} ${RECORD}`);
  const meanwhile = (await intranet.ask('count')).slices;
  await reach(intranet, 'records', 1 + records, 120);
  delay('images', await intranet.times(), `crossing, ${(size.images * IMAGE / 1e9).toFixed(1)} GB of photographs before it (${meanwhile} of ${size.images} had crossed at the last record)`, 5000);
  await reach(intranet, 'slices', size.images, 900);
  data.images.mb_s = size.images * IMAGE / 1e6 / ((Date.now() - began) / 1000);
  say(`photographs: ${(size.images * IMAGE / 1e6).toFixed(0)} MB crossed and applied at ${data.images.mb_s.toFixed(1)} MB/s`);
});

await pair('drain', async (w, internet, intranet) => {
  await internet.ask(`records ${size.drain} 0 ${RECORD}`);
  w.start.mover();
  const applied = await reach(intranet, 'records', size.drain, 900), confirmed = applied + await reach(internet, 'confirmed', size.drain, 900);
  data.drain = { n: size.drain, applied, confirmed };
  say(`drain: ${size.drain} records that waited: applied after ${applied.toFixed(1)} s, confirmed after ${confirmed.toFixed(1)} s (aim ${quick ? 'at full size ' : ''}60 s): ${verdict(confirmed <= 60)}`);
}, { mover: false });

/** Carries between the folders and loses one file in five; what becomes of the nth coming of a file follows from the seed. */
function lossy(w, seed) {
  const ways = [['internet', 'intranet'], ['intranet', 'internet']].map(([a, b]) => [w.at(`gateway/${a}-outbox`), w.at(`gateway/${b}-inbox`)]);
  const seen = new Map(), count = { carried: 0, lost: 0 };
  const timer = setInterval(() => {
    for (const [from, to] of ways)
      for (const name of readdirSync(from).filter((f) => !f.startsWith('.'))) {
        const key = subject(name), nth = (seen.get(key) ?? 0) + 1;
        seen.set(key, nth);
        count.carried++;
        if (random(`${seed} ${key} ${nth}`)() < 0.2) { count.lost++; unlinkSync(path.join(from, name)); } else renameSync(path.join(from, name), path.join(to, name));
      }
  }, 20);
  return { count, stop: () => clearInterval(timer) };
}

await pair('loss', async (w, internet) => {
  const gateway = lossy(w, 7);
  try {
    await internet.ask(`records ${size.loss} ${size.loss_gap_us} ${RECORD}`);
    await reach(internet, 'confirmed', size.loss, 900);
  } finally { gateway.stop(); }
  const t = await internet.times();
  data.loss = { n: t.length, p50: at(t, 0.5), p99: at(t, 0.99), p999: at(t, 0.999), max: t.at(-1), ...gateway.count };
  say(`loss: ${gateway.count.lost} of ${gateway.count.carried} files lost; ${t.length} records, made -> confirmed p50 ${(data.loss.p50 / 1e3).toFixed(1)} s, p99 ${(data.loss.p99 / 1e3).toFixed(1)} s, p99.9 ${(data.loss.p999 / 1e3).toFixed(1)} s (aim p99.9 300 s): ${verdict(data.loss.p999 <= 300e3)}`);
}, { mover: false });

for (const [name, mib] of Object.entries(data.memory)) say(`peak memory ${name}: ${mib.toFixed(1)} MiB (aim 96): ${verdict(mib <= 96)}`);
mkdirSync(path.join(root, 'build'), { recursive: true });
writeFileSync(path.join(root, 'build/bench-ferry-crossing.json'), `${JSON.stringify(data, null, 1)}\n`);
