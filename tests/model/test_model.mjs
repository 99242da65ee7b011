// The model of the delivery protocol is searched exhaustively, and must fail when a defect is seeded: a model that cannot fail proves nothing.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const delivery = path.resolve(import.meta.dirname, 'delivery.pml'), restore = path.resolve(import.meta.dirname, 'restore.pml');

/** Errors that spin finds, with the assertion violated; fails when the search was cut short. fair: does it all get there (liveness, weak fairness). */
function search(defect, fair = false, model = delivery) {
  const cwd = mkdtempSync(path.join(os.tmpdir(), 'model-'));
  try {
    execFileSync('spin', [...defect.split(' ').filter(Boolean).map((d) => `-D${d}`), ...(fair ? ['-DFAIR'] : []), '-a', model], { cwd });
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

for (const [how, what] of [['', 'either side, or both'], ['DRILL', 'the sender, to before a resync']])
  test(`I1 FRY-14 a database is put back (${what}): nothing is let go that was not applied, the operator is told, all is there after the resync`, () => {
    const r = search(how, false, restore);
    assert.equal(r.errors, 0, r.out);
    assert.match(r.out, /Full statespace search/);
  });
for (const [defect, what] of [
  ['BUG_NO_RUNS', 'an acknowledgement that names numbers and no starts'],
  ['BUG_NO_VAULT_LOOK', 'a start that does not look into the vault'],
  ['BUG_VAULT_BY_NUMBER', 'a vault that is read again by numbers alone'],
  ['DRILL BUG_NO_LEFT', 'a stream that was left by a resync and speaks again'],
])
  test(`I1 FRY-14: the model finds the seeded defect: ${what}`, () => {
    const r = search(defect, false, restore);
    assert.equal(r.errors, 1, r.out);
    assert.match(r.why, /assertion violated/);
  });
