// The measurements themselves, at small size: what `make bench-ferry` prints is printed, and each figure can be missed. Aims are judged by people, at full size.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { root } from '../support/ends.mjs';

function run(script, env) {
  const r = spawnSync(process.execPath, [path.join(root, 'tests/bench/ferry', script)], { cwd: root, encoding: 'utf8', timeout: 150000, env: { ...process.env, BENCH_QUICK: '1', ...env } });
  assert.equal(r.status, 0, r.stdout + r.stderr);
  return r.stdout;
}
const number = (out, what) => { const m = what.exec(out); assert.ok(m, `${what} in\n${out}`); assert.ok(Number(m[1]) > 0, m[0]); };

test('FRY-08 PRF-06 PRF-08 the bench of the crossing runs: idle, behind photographs, drained, with loss, and the memory of every program', { timeout: 170000 }, () => {
  const out = run('crossing.mjs');
  number(out, /crossing, idle: 5 records, made -> applied p50 (\d+) ms, p99 \d+ ms, .*: (?:NOT )?reached/);
  number(out, /photographs before it .*: 5 records, made -> applied p50 (\d+) ms/);
  number(out, /photographs: \d+ MB crossed and applied at ([\d.]+) MB\/s/);
  number(out, /drain: 2000 records that waited: applied after [\d.]+ s, confirmed after ([\d.]+) s/);
  number(out, /loss: (\d+) of \d+ files lost; 60 records, .* p99.9 [\d.]+ s .*: (?:NOT )?reached/);
  for (const program of ['mover', 'internet', "internet's parser", 'intranet', "intranet's parser"]) number(out, new RegExp(`peak memory ${program}: ([\\d.]+) MiB`));
});

test('PRF-06 the bench of sealing and opening runs, beside its parts and whatever peers are installed', { timeout: 170000 }, () => {
  const out = run('run.mjs', { BENCH_MIB: '8', BENCH_ROUNDS: '1' });
  for (const what of ['seal', 'open']) {
    number(out, new RegExp(`${what}: sum of the parts / ours: min [\\d.]+ median ([\\d.]+)`));
    number(out, new RegExp(`${what}: cp \\+ sync: (\\d+) MB/s`));
  }
});
