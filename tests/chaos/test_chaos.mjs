// A short storm over the real services, and the gateway's own promises. The long one: make chaos (storm.mjs).
import assert from 'node:assert/strict';
import { lstatSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { Gateway, decide, harm, sha256, subject } from './gateway.mjs';
import { storm, table } from './storm.mjs';

// I10: the incarnation in a file's name is drawn anew in each run and must not move the decisions.
test('FRY-14 the same seed decides the same for each file, another seed otherwise, each fault about every fifth time', () => {
  const name = (run, n) => `b-internet-${sha256(run).slice(0, 16)}-${String(n).padStart(12, '0')}.xml`;
  const fates = (seed, run) => Array.from({ length: 3000 }, (_, n) => decide(seed, name(run, n), 1 + (n % 3)));
  assert.deepEqual(fates(1, 'first run'), fates(1, 'second run'));
  assert.notDeepEqual(fates(1, 'first run'), fates(2, 'first run'));
  assert.equal(subject(name('x', 12)), 'b internet 12');
  const all = fates(5, 'x'), copies = all.flatMap((f) => f.copies);
  const near = (what, n, of, want) => assert.ok(Math.abs(n / of - want) < 0.04, `${what}: ${n} of ${of}, want ${want}`);
  near('dropped', all.filter((f) => f.dropped).length, all.length, 0.2);
  near('repeated', all.filter((f) => f.copies.length > 1).length, all.filter((f) => !f.dropped).length, 0.2);
  near('cut', copies.filter((c) => c.damage?.how === 'cut').length, copies.length, 0.2);
  near('flipped', copies.filter((c) => c.damage?.how === 'flip').length, copies.filter((c) => c.damage?.how !== 'cut').length, 0.2);
});

test('FRY-14 the gateway never overwrites, harms exactly what it lists, and leaves junk of every kind', () => {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'hz-gateway-')), d = (x) => path.join(dir, x);
  for (const x of ['out', 'in']) mkdirSync(d(x));
  const g = new Gateway({ seed: 3, ways: [{ from: d('out'), to: d('in') }], work: d('work'), junk_every: 4 });
  g.later = (ms, go) => g.pending.push({ at: 0, go });
  const sent = new Set();
  for (let n = 0; n < 80; n++) {
    const body = Buffer.from(`file ${n} `.repeat(30));
    sent.add(sha256(body));
    writeFileSync(d(`out/b-internet-0123456789abcdef-${String(n % 40).padStart(12, '0')}.xml`), body);
    g.tick();
  }
  while (g.pending.length) g.tick();
  const there = readdirSync(d('in')), foreign = new Set(g.junk.map((j) => j.name));
  const shas = there.filter((f) => !foreign.has(f) && lstatSync(d(`in/${f}`)).isFile()).map((f) => sha256(readFileSync(d(`in/${f}`))));
  const harmed = new Set(g.damaged.map((x) => x.sha));
  assert.equal(shas.length, g.count.delivered + g.count.stale, 'each copy has a name of its own');
  assert.ok(shas.every((s) => sent.has(s) || harmed.has(s)));
  assert.ok(g.damaged.every((x) => shas.includes(x.sha) && !sent.has(x.sha)));
  assert.ok(new Set(g.junk.map((j) => j.kind)).size === 10, 'every kind of junk');
  assert.deepEqual(readdirSync(d('out')), []);
  const one = Buffer.from([0, 0, 0, 0]);
  assert.deepEqual([...harm(one, { how: 'flip', where: 0.5, bit: 3 })], [0, 0, 8, 0]);
  assert.equal(harm(one, { how: 'cut', where: 0.75 }).length, 3);
  rmSync(dir, { recursive: true });
});

// FRY-01 FRY-02 FRY-04 FRY-08 FRY-12 FRY-13 FRY-14 IMP-01 IMP-04 IMP-05 SEC-16 PRF-06: an independent ledger and the gateway's own list decide.
test('FRY-05 FRY-06 FRY-08 FRY-14 SEC-16 PRF-06 MAT-14 a storm of 20 % each way: all there once, every status once and in order, nothing readable, all damage in quarantine', { timeout: 170000 }, async () => {
  const seed = Number(process.env.CHAOS_SEED ?? Date.now() % 1e6), count = Number(process.env.CHAOS_N ?? 60);
  console.error(`chaos seed ${seed}`);
  const { figures, wrong } = await storm({ count, seed, decide: 5, short: true, calm_s: 90 });
  assert.deepEqual(wrong, [], `seed ${seed}\n${table(figures)}`);
  for (const what of ['dropped', 'duplicated', 'delayed', 'cut', 'flipped', 'slow', 'renamed', 'stale', 'junk', 'quarantined_damaged', 'quarantined_junk'])
    assert.ok(figures[what] > 0, `the storm had none of: ${what}\n${table(figures)}`);
  assert.equal(figures.crossed, count);
});
