// The model of the delivery protocol is searched exhaustively, and must fail when a defect is seeded: a model that cannot fail proves nothing.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const model = path.resolve(import.meta.dirname, 'delivery.pml');

/** Errors that spin finds, with the assertion violated; fails when the search was cut short. fair: does it all get there (liveness, weak fairness). */
function search(defect, fair = false) {
  const cwd = mkdtempSync(path.join(os.tmpdir(), 'model-'));
  try {
    execFileSync('spin', [...(defect ? [`-D${defect}`] : []), ...(fair ? ['-DFAIR'] : []), '-a', model], { cwd });
    execFileSync('gcc', ['-w', '-O2', fair ? '-DNFAIR=4' : '-DSAFETY', '-o', 'pan', 'pan.c'], { cwd });
    const out = spawnSync('./pan', fair ? ['-a', '-f', '-m5000000'] : ['-m500000'], { cwd, encoding: 'utf8', timeout: 60000 }).stdout;
    assert.doesNotMatch(out, /max search depth too small|out of memory/);
    return { errors: Number(/errors: (\d+)/.exec(out)?.[1] ?? NaN), why: /pan:1: (.*) \(at/.exec(out)?.[1] ?? '', out };
  } finally { rmSync(cwd, { recursive: true, force: true }); }
}

test('FRY-08 FRY-13 FRY-14: nothing acknowledged is lost, nothing applied twice or out of order, purged only when applied', () => {
  const r = search('');
  assert.equal(r.errors, 0, r.out);
  assert.match(r.out, /Full statespace search/);
});
test('FRY-08 FRY-14: once the gateway harms no more, every item is confirmed at last', () => {
  const r = search('', true);
  assert.equal(r.errors, 0, r.out);
  assert.match(r.out, /acceptance\s+cycles\s+\+ \(fairness enabled\)/);
});
for (const [defect, what] of [['BUG_NO_RESEND', 'sent once and never again'], ['BUG_NO_DRAIN', 'waiting, and not taken up when the predecessor comes']])
  test(`FRY-14: the model finds that it stands still: ${what}`, () => {
    const r = search(defect, true);
    assert.equal(r.errors, 1, r.out);
    assert.match(r.why, /acceptance cycle/);
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
