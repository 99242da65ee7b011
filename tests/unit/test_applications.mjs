// The generator of applications (tests/support/applications.mjs): it can fill in every form, and says which rule of which item it cannot satisfy.
import assert from 'node:assert/strict';
import test from 'node:test';
import { branches, makeValid } from '../support/applications.mjs';
import { items } from '../support/forms.mjs';
import { browserVerdict } from '../support/refusals.mjs';

// CAT-001 CIT-07 MAT-01 MAT-03: with the least that is asked, and with everything, every item's form can be filled in and its papers named.
test('every item has a valid application, bare and full', () => {
  const wrong = [];
  for (const { code } of items)
    for (const optional of ['none', 'all']) {
      try {
        const found = browserVerdict(makeValid(code, { seed: `unit ${optional}`, optional }));
        if (found.length) wrong.push(`${code}: ${found[0].field} ${found[0].rule}`);
      } catch (e) { wrong.push(e.message); }
    }
  assert.equal(items.length, 113);
  assert.deepEqual(wrong, []);
});

test('the same seed gives the same application, another seed another', () => {
  const made = (seed) => JSON.stringify(makeValid('HJ001', { seed }).clean);
  assert.equal(made('a'), made('a'));
  assert.notEqual(made('a'), made('b'));
});

test('what cannot be satisfied is named: item, rule and the answers that were wanted', () => {
  assert.throws(() => makeValid('HJ025', { seed: 'x', pins: { applicant_relation: ['nobody'] }, starts: 1, steps: 100 }), /^Error: HJ025: no answers satisfy \w+ at applicant_relation with/);
  assert.ok(branches('HJ083').some((b) => b.field === 'proof_kind'));
});
