// The model of the delivery protocol is searched exhaustively, and must fail when a defect is seeded: a model that cannot fail proves nothing.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const model = path.resolve(import.meta.dirname, 'delivery.pml');

/** Errors that spin finds, with the assertion violated; fails when the search was cut short. */
function search(defect) {
  const cwd = mkdtempSync(path.join(os.tmpdir(), 'model-'));
  try {
    execFileSync('spin', [...(defect ? [`-D${defect}`] : []), '-a', model], { cwd });
    execFileSync('gcc', ['-w', '-O2', '-DSAFETY', '-o', 'pan', 'pan.c'], { cwd });
    const out = spawnSync('./pan', ['-m500000'], { cwd, encoding: 'utf8', timeout: 60000 }).stdout;
    assert.doesNotMatch(out, /max search depth too small|out of memory/);
    return { errors: Number(/errors: (\d+)/.exec(out)?.[1] ?? NaN), why: /pan:1: (.*) \(at/.exec(out)?.[1] ?? '', out };
  } finally { rmSync(cwd, { recursive: true, force: true }); }
}

test('FRY-08 FRY-13 FRY-14: nothing acknowledged is lost, nothing applied twice or out of order, purged only when applied', () => {
  const r = search('');
  assert.equal(r.errors, 0, r.out);
  assert.match(r.out, /Full statespace search/);
});
for (const [defect, id, what] of [
  ['BUG_ACK_EARLY', 'FRY-08', 'acknowledged before the commit'],
  ['BUG_PURGE_ON_ACK', 'FRY-13', 'purged on the acknowledgement'],
  ['BUG_NO_KNOWN', 'FRY-14', 'applied without asking whether it is known'],
  ['BUG_NO_ORDER', 'FRY-14', 'applied without waiting for the predecessor'],
])
  test(`${id}: the model finds the seeded defect: ${what}`, () => {
    const r = search(defect);
    assert.equal(r.errors, 1, r.out);
    assert.match(r.why, /assertion violated/);
  });
