// The crossing under faults: the sweep (sweep.mjs), kills at random moments under load, and conditions that a host really meets: full disk, folders
// that turn read-only or vanish, too few descriptors, a locked database, a clock that jumps. README.md tells how to repeat one case.
// HZ_LONG=1 (make faults): every call instead of some, 500 kills instead of 30. HZ_SEED=n repeats the kills. FAULTS_ONLY='mover sync' narrows the sweep.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, renameSync, statfsSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { nameOf, sweepOne, variants } from './sweep.mjs';
import { World, classes, random, roles, sleep, template } from './world.mjs';

const long = Boolean(process.env.HZ_LONG);
const keys = template();
const width = os.availableParallelism() * 2;
const only = (process.env.FAULTS_ONLY ?? '').split(/\s+/).filter(Boolean);

/** Some twenty calls of each class, chosen anew with each seed; the long run takes every one, of the many allocations and reads every few. */
const shortCalls = { alloc: 6, read: 4, write: 5, sync: 5, open: 5, close: 3 };
const longStride = { alloc: 61, read: 3 };
const counted = { internet: { alloc: 38000, read: 290, write: 430, sync: 68, open: 80, close: 50 }, intranet: { alloc: 36000, read: 250, write: 380, sync: 60, open: 75, close: 50 },
  mover: { alloc: 115, read: 28, write: 13, sync: 37, open: 67, close: 36 } };

const seed = Number(process.env.HZ_SEED ?? Date.now() % 1e6);
console.error(`seed ${seed}`);

/** Which variants of a class the short run tries: one error and one kill, other ones with another seed. */
function chosen(call, next) {
  if (long) return variants[call];
  const errors = variants[call].filter((v) => !['before', 'after'].includes(v[0])), kills = variants[call].filter((v) => ['before', 'after'].includes(v[0]));
  return [errors, kills].map((some) => some[Math.floor(next() * some.length)]);
}

// FRY-01 FRY-02 FRY-04 FRY-08 FRY-12 FRY-13 FRY-14 IMP-01 IMP-04 IMP-05: old state or new state, never a mixture; nothing lost, nothing twice, purged only when confirmed.
for (const call of classes)
  test(`FRY-08 I1 I4 I7 I9 every ${call}: failed, told as failed, cut short, or the last thing the program does`, async () => {
    const next = random(seed + classes.indexOf(call));
    const sum = { calls: 0, kills: 0, restarts: 0, findings: [] };
    for (const role of roles) {
      if (only.length && !only.every((word) => word === role || word === call)) continue;
      for (const [how, errno, ever] of chosen(call, next)) {
        const most = shortCalls[call] ?? 4, calls = counted[role][call] ?? 12;
        const stride = long ? (role === 'mover' ? 1 : longStride[call] ?? 1) : Math.max(1, Math.ceil(calls / most));
        const t = await sweepOne(keys, { role, call, how, errno, ever: Boolean(ever) }, { stride, offset: 1 + Math.floor(next() * stride), most: long ? Infinity : most, width });
        sum[how === 'before' || how === 'after' ? 'kills' : 'calls'] += t.calls;
        sum.restarts += t.restarts;
        sum.findings.push(...t.findings.map((f) => `${nameOf(f)} --n ${f.n}\n  at ${f.where}\n  ${f.problems.join('\n  ')}`));
      }
    }
    console.error(`${call}: ${sum.calls} calls failed, ${sum.kills} kills, ${sum.restarts} restarts, ${sum.findings.length} findings`);
    assert.equal(sum.findings.length, 0, sum.findings.slice(0, 20).join('\n'));
    assert.ok(only.length || sum.calls + sum.kills > 0, 'something was struck');
  });

async function finish(w, ms = 60000) {
  for (const end = Date.now() + ms; !w.settled && Date.now() < end;) {
    if (roles.some((r) => w.running[r].exit !== null)) w.revive();
    await w.heard(50);
  }
  const settled = w.settled;
  await w.stop();
  if (settled) w.judgeEnd(); else w.problem('does not settle');
  const last = roles.map((r) => `${r}: ${w.errors(r).slice(-3).join(' | ')}`).join('\n').slice(0, 3000);
  assert.deepEqual(w.problems, [], last);
  assert.deepEqual(w.temps(), [], 'no temporary file is left');
}

/** Runs `body` on a world, which is judged at its end and always cleared away. */
async function on(options, body) {
  const w = new World(keys, options);
  try { await body(w); await finish(w); } finally { await w.clear(); }
}

// FRY-08 FRY-14: not at a chosen call but at any moment, with work under way, and again before the last kill was mended.
test(`FRY-08 I1 I3 I4 I9 ${long ? 500 : 30} kills at random moments under load`, { timeout: 900000 }, async () => {
  const next = random(seed), kills = long ? 500 : 30, each = 50;
  const times = Object.fromEntries(roles.map((r) => [r, 0]));
  for (let done = 0; done < kills; done += each)
    await on({ count: 120 }, async (w) => {
      w.startAll();
      for (let i = 0; i < Math.min(each, kills - done); i++) {
        await sleep(10 + next() * 90);
        const both = next() < 0.2, role = roles[Math.floor(next() * 3)];
        for (const r of both ? roles : [role]) {
          w.running[r].kill('SIGKILL');
          await w.running[r].ended;
          times[r]++;
        }
        w.judgeEnded();
        w.revive('kill');
      }
    });
  console.error(`random kills, seed ${seed}: ${JSON.stringify(times)}`);
});

/** A small volume of its own below the world's folder; a machine that does not allow it fails the test and says so. */
function volume(w, folder, options) {
  const at = path.join(w.dir, folder);
  mkdirSync(at, { recursive: true, mode: 0o700 });
  const r = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', at], { encoding: 'utf8' });
  assert.equal(r.status, 0, `mounting a volume needs root: ${r.stderr}`);
  return { at, remount: (o) => assert.equal(spawnSync('mount', ['-o', `remount,${o}`, at]).status, 0), free: () => spawnSync('umount', ['-l', at]) };
}

async function withVolume(folder, body) {
  const w = new World(keys, { count: 12 });
  let v = null;
  try {
    v = volume(w, folder, 'size=4m,mode=700');
    await body(w, v);
    await finish(w);
  } finally { await w.clear().catch(() => {}); v?.free(); await w.clear().catch(() => {}); }
}

// FRY-08: a disk that is full takes nothing new and loses nothing; when there is room again everything goes on.
for (const folder of ['internet', 'intranet', 'gateway/internet-outbox', 'gateway/intranet-inbox', 'intranet/vault'])
  test(`FRY-08 I1 I4 full disk under ${folder}: said, nothing lost, goes on when there is room`, async () => {
    await withVolume(folder, async (w, v) => {
      w.startAll();
      await w.until(() => w.made.size >= 3, 10000);
      let n = 0;
      try { for (; n < 64; n++) writeFileSync(path.join(v.at, `.ballast-${n}`), Buffer.alloc(65536)); } catch (e) { assert.equal(e.code, 'ENOSPC'); }
      assert.ok(statfsSync(v.at).bavail < 32, 'the volume is full');
      await sleep(400);
      const said = roles.some((r) => w.errors(r).some((l) => /No space|full/.test(l)));
      assert.ok(said || w.settled, 'somebody said that the disk is full');
      for (const f of readdirSync(v.at).filter((x) => x.startsWith('.ballast'))) spawnSync('rm', [path.join(v.at, f)]);
    });
  });

// FRY-08: mounted read-only by the kernel after an error, and mended.
for (const folder of ['gateway/internet-outbox', 'gateway/intranet-inbox', 'intranet/vault'])
  test(`FRY-08 I1 I7 ${folder} turns read-only and back: said, nothing lost`, async () => {
    await withVolume(folder, async (w, v) => {
      w.startAll();
      await w.until(() => w.made.size >= 2, 10000);
      v.remount('ro');
      await sleep(500);
      assert.ok(w.settled || roles.some((r) => w.errors(r).some((l) => l.includes('Read-only'))), 'somebody said that it is read-only');
      v.remount('rw');
    });
  });

// FRY-08: a limit that is far too low stops a program with words or lets it limp; with the usual limit all arrives.
test('FRY-08 I1 twenty descriptors are too few: words, and all arrives under the usual limit', async () => {
  for (const role of roles)
    await on({ count: 8 }, async (w) => {
      for (const r of roles) w.start(r, r === role ? ['prlimit', '--nofile=20:20'] : []);
      await w.until(() => w.settled || w.running[role].exit !== null, 3000);
      if (w.running[role].exit === null) { w.running[role].kill('SIGKILL'); await w.running[role].ended; w.start(role); }
      else assert.match(w.running[role].said, /Too many open files|unable to open|no memory/i);
    });
});

// FRY-08: somebody cleans up too much; whoever makes the folder anew finds us at work in it.
for (const box of ['internet-outbox', 'intranet-inbox', 'intranet-outbox', 'internet-inbox'])
  test(`FRY-08 I1 the gateway's ${box} is removed and made anew: all arrives`, async () => {
    await on({ count: 12 }, async (w) => {
      const at = path.join(w.dir, 'gateway', box);
      w.startAll();
      await w.until(() => w.made.size >= 3, 10000);
      renameSync(at, `${at}.gone`);
      await sleep(300);
      assert.ok(w.settled || roles.some((r) => w.errors(r).length), 'somebody missed the folder');
      mkdirSync(at, { mode: 0o700, recursive: true });      // who starts late may have made it already
    });
  });

// FRY-08: a backup tool holds the database for ten seconds (of the crossing's time).
test('FRY-08 I1 I9 a database locked for ten seconds by another program: said, then all arrives', async () => {
  for (const side of ['internet', 'intranet'])
    await on({ count: 12 }, async (w) => {
      w.startAll();
      await w.until(() => w.made.size >= 3, 10000);
      const hold = `const {DatabaseSync}=require('node:sqlite');const d=new DatabaseSync(process.argv[1]);d.exec('PRAGMA busy_timeout=5000;BEGIN IMMEDIATE');console.log('held');setTimeout(()=>{d.exec('COMMIT');d.close()},1000)`;
      const p = spawn(process.execPath, ['--no-warnings', '-e', hold, path.join(w.dir, side, 'peer.db')], { stdio: ['ignore', 'pipe', 'inherit'] });
      const code = await new Promise((r) => { p.on('close', r); });
      assert.equal(code, 0, 'it was held');
      assert.ok(w.errors(side).some((l) => l.includes('locked')) || w.settled, `${side} said that it is locked`);
    });
});

// FRY-08 FRY-14: the wall clock is set, in the middle of the work and of any program.
const day = 24 * 3600 * 1000;
for (const [name, ms] of [['a day back', -day], ['a day ahead', day], ['ten seconds back', -10000]])
  test(`FRY-08 I1 I7 the clock goes ${name}: all arrives, nothing is taken for junk`, async () => {
    for (const role of [...roles, null])
      await on({ count: 12 }, async (w) => {
        w.startAll();
        await w.until(() => w.made.size >= 3, 10000);
        for (const r of role ? [role] : roles) w.control[r].jump(ms);
        await sleep(200);
        await w.until(() => w.settled, 15000);
        assert.deepEqual(w.quarantined(), [], 'no file was set aside');
        for (const r of roles) assert.doesNotMatch(w.said[r], /"event":"journal"/, `${r}: the clock is no reason to doubt a journal`);
        if (ms < day) return;
        // A day that begins early: its list goes out while the rest is under way, is compared, and nothing of it differs (judged at the end).
        if (role === 'internet' || !role) assert.ok(await w.until(() => w.said.intranet.includes('reconciliation_compared'), 15000), 'the list of the day was compared');
        await sleep(1000);
        await w.until(() => w.settled, 15000);
      });
  });
