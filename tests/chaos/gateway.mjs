// A gateway as bad as one can be, between the four folders: it drops, repeats (at once, and stale files much later), delays, reorders, cuts at a random byte
// and flips a random bit, 20 % each, both ways; shows files while it writes them, changes the case of names, and leaves foreign junk behind.
//   node tests/chaos/gateway.mjs SETTINGS.json      a program of its own; says {gateway: …} lines, obeys "calm", "report", "stop" on standard input
// What happens to a file is drawn from the seed, the file's way, kind, number and how often it came, never from the moment: a seed repeats its decisions.
// It never overwrites: what it puts into an inbox stays what it put, so its list of damaged files can be held against the quarantine file by file.
import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { linkSync, mkdirSync, openSync, closeSync, readFileSync, readdirSync, symlinkSync, unlinkSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import { fileURLToPath } from 'node:url';

export const sha256 = (b) => createHash('sha256').update(b).digest('hex');

/** sfc32, seeded by the hash of a text. */
export function random(text) {
  const h = createHash('sha256').update(text).digest();
  let [a, b, c, d] = [0, 4, 8, 12].map((i) => h.readUInt32LE(i));
  return () => {
    const t = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + t) | 0;
    return (t >>> 0) / 4294967296;
  };
}

/** The incarnation is drawn anew in each run: what stays the same is kind, way and number. */
export function subject(name) {
  const m = /^(b|s|beat)-([a-z]+)-[0-9a-f]{16}-(\d+)\.xml$/.exec(name);
  return m ? `${m[1]} ${m[2]} ${Number(m[3])}` : name;
}

/** What becomes of the nth coming of a file: dropped, or copies, each with its delay, damage, name and way of being written. */
export function decide(seed, name, nth, rate = 0.2) {
  const next = random(`${seed} ${subject(name)} ${nth}`), maybe = (p) => next() < p;
  const copy = (late) => ({
    delay_ms: (maybe(rate) ? Math.floor(next() * 3000) : 0) + late,
    damage: maybe(rate) ? { how: 'cut', where: next() } : maybe(rate) ? { how: 'flip', where: next(), bit: Math.floor(next() * 8) } : null,
    slow: maybe(rate) ? 100 + Math.floor(next() * 900) : 0,
    renamed: maybe(rate / 2) ? 'upper' : maybe(rate / 2) ? 'mixed' : '',
  });
  if (maybe(rate)) return { dropped: true, copies: [] };
  const copies = [copy(0)];
  if (maybe(rate)) copies.push(copy(maybe(0.5) ? 0 : 2000 + Math.floor(next() * 20000)));
  return { dropped: false, copies };
}

export function harm(body, damage) {
  if (!damage) return body;
  const at = Math.floor(damage.where * body.length);
  if (damage.how === 'cut') return body.subarray(0, at);
  const out = Buffer.from(body);
  out[at] ^= 1 << damage.bit;
  return out;
}

const alternate = (name) => [...name].map((c, i) => (i % 2 ? c.toUpperCase() : c)).join('');
const named = (name, how) => (how === 'upper' ? name.toUpperCase() : how === 'mixed' ? alternate(name) : name);

export class Gateway {
  /** ways: [{from: folder, to: folder}], work: folder on the same file system. */
  constructor({ seed, ways, work, rate = 0.2, junk_every = 40 }) {
    Object.assign(this, { seed, ways, work, rate, junk_every, chaos: true, pending: [], seen: new Map(), damaged: [], junk: [], old: [], n: 0 });
    this.count = { carried: 0, delivered: 0, dropped: 0, duplicated: 0, delayed: 0, cut: 0, flipped: 0, slow: 0, renamed: 0, stale: 0, junk: 0 };
    mkdirSync(work, { recursive: true });
  }

  /** Under a name that is free; nothing that lies there is touched. Gives the name. */
  put(to, name, body, slow) {
    for (let i = 0; ; i++) {
      const target = path.join(to, i ? name.replace(/(\.xml)?$/i, `~${i}$1`) : name);
      try {
        if (slow) {                                               // visible from its first byte
          const fd = openSync(target, 'wx', 0o600);
          writeSync(fd, body, 0, Math.floor(body.length / 2));
          this.later(slow, () => { writeSync(fd, body, Math.floor(body.length / 2)); closeSync(fd); });
        } else {
          const tmp = path.join(this.work, `t${this.n++}`);
          writeFileSync(tmp, body, { mode: 0o600 });
          try { linkSync(tmp, target); } finally { unlinkSync(tmp); }
        }
        return path.basename(target);
      } catch (e) { if (e.code !== 'EEXIST' || i > 1000) throw e; }
    }
  }

  later(ms, go) { this.pending.push({ at: Date.now() + ms, go }); }

  deliver(way, name, body, copy) {
    const bytes = harm(body, copy.damage), as = named(name, copy.renamed);
    const put = this.put(way.to, as, bytes, copy.slow && bytes.length > 1 ? copy.slow : 0);
    this.count.delivered++;
    if (copy.slow) this.count.slow++;
    if (copy.renamed) this.count.renamed++;
    if (copy.damage) {
      this.count[copy.damage.how === 'cut' ? 'cut' : 'flipped']++;
      this.damaged.push({ to: way.to, name: put, sha: sha256(bytes), size: bytes.length, how: copy.damage.how });
    }
  }

  take(way, name) {
    const file = path.join(way.from, name);
    let body;
    try { body = readFileSync(file); unlinkSync(file); } catch { return; }
    const key = subject(name), nth = (this.seen.get(key) ?? 0) + 1;
    this.seen.set(key, nth);
    this.count.carried++;
    if (!this.chaos) { this.put(way.to, name, body, 0); this.count.delivered++; return; }
    const fate = decide(this.seed, name, nth, this.rate);
    this.remember(way, name, body);
    if (fate.dropped) this.count.dropped++;
    if (fate.copies.length > 1) this.count.duplicated++;
    for (const copy of fate.copies) {
      if (!copy.delay_ms) { this.deliver(way, name, body, copy); continue; }
      this.count.delayed++;
      this.later(copy.delay_ms, () => this.deliver(way, name, body, copy));
    }
    if (this.count.carried % this.junk_every === 0) this.litter(this.count.carried / this.junk_every);
  }

  /** Some of what passes is kept to come again much later; on disk, since a slice file is large. */
  remember(way, name, body) {
    if (this.count.carried % 3) return;
    const slot = Math.floor(this.count.carried / 3) % 200, file = path.join(this.work, `old-${slot}`);
    writeFileSync(file, body, { mode: 0o600 });
    this.old[slot] = { way, name, file };
  }

  /** Foreign things of every kind, one after the other, and something old under another name. */
  litter(k) {
    const next = random(`${this.seed} junk ${k}`), way = this.ways[k % this.ways.length];
    const kinds = ['text', 'link', 'fifo', 'folder', 'empty', 'reason', 'dangling', 'binary', 'huge-name', 'xml'];
    const kind = kinds[Math.floor(k / this.ways.length) % kinds.length];
    const name = kind === 'huge-name' ? `${'长'.repeat(70)}${k}.xml` : kind === 'reason' ? `note-${k}.reason` : `junk-${kind}-${k}.xml`;
    const target = path.join(way.to, name);
    const bodies = { text: `第 ${k} 份无关文件\n`, empty: '', reason: 'not a reason', binary: Buffer.from(Array.from({ length: 4096 }, () => Math.floor(next() * 256))),
      'huge-name': `x${k}`, xml: `<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><Envelope>&b;</Envelope><!-- ${k} -->` };
    if (kind in bodies) writeFileSync(target, bodies[kind]);
    else if (kind === 'link') symlinkSync('/etc/passwd', target);
    else if (kind === 'dangling') symlinkSync('/nowhere/at/all', target);
    else if (kind === 'folder') { mkdirSync(target); writeFileSync(path.join(target, 'inside'), 'x'); }
    else spawnSync('mkfifo', [target]);
    this.count.junk++;
    this.junk.push({ to: way.to, name, kind });
    const stale = this.old[Math.floor(next() * this.old.length)];
    if (stale) { this.put(stale.way.to, `again-${k}-${stale.name}`, readFileSync(stale.file), 0); this.count.stale++; }
  }

  tick() {
    const now = Date.now(), due = this.pending.filter((p) => p.at <= now);
    this.pending = this.pending.filter((p) => p.at > now);
    for (const p of due) p.go();
    for (const way of this.ways) {
      const names = readdirSync(way.from).filter((f) => !f.startsWith('.')).sort();
      if (this.chaos) names.sort((a, b) => random(`${this.seed} order ${subject(a)}`)() - random(`${this.seed} order ${subject(b)}`)());
      for (const name of names) this.take(way, name);
    }
  }

  report() { return { count: this.count, damaged: this.damaged, junk: this.junk, pending: this.pending.length }; }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const g = new Gateway(JSON.parse(readFileSync(process.argv[2], 'utf8')));
  const timer = setInterval(() => g.tick(), 20);
  const say = (o) => process.stdout.write(`${JSON.stringify({ gateway: o })}\n`);
  readline.createInterface({ input: process.stdin }).on('line', (line) => {
    if (line === 'calm') g.chaos = false;
    if (line === 'report' || line === 'calm') say(g.report());
    if (line === 'stop') { clearInterval(timer); say(g.report()); process.stdin.destroy(); }
  }).on('close', () => clearInterval(timer));
}
