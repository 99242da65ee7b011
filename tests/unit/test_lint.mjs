// The layers hold (TEC-01), and the script that proves it would find an offender.
import test from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const lint = fileURLToPath(new URL('../lint', import.meta.url));
const run = (...args) => spawnSync(lint, args, { encoding: 'utf8' });

test('every rule of lint finds its offender', () => {
  const r = run('--self');
  assert.equal(r.status, 0, r.stdout + r.stderr);
});
// TEC-01
test('the tree keeps the rules of lint', () => {
  const r = run();
  assert.equal(r.status, 0, r.stdout + r.stderr);
});
