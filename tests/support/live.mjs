// Applications that can be finished: valid by the form, and the register has nothing against them. Each takes households of its own, so that many run at once.
import { makeValid } from './applications.mjs';
import { itemOf, today } from './forms.mjs';
import { completionFor, Reading } from './guards.mjs';
import { householdOf, people } from './town.mjs';

/** taken: ids of households that others have already. */
export function makeLive(code, { taken = new Set(), phone, seed = 'live', pins } = {}) {
  const item = itemOf(code);
  const town = people.filter((p) => !taken.has(p.household_id));
  const lives = (paper) => new Reading(item.form, { ...completionFor(item.form, paper.clean, { unit: paper.clean.accept_unit, date: today() }), ...paper.clean }).against();
  const a = makeValid(code, { seed, pins, phone, optional: 'some', town: town.filter((p) => p.status === 'normal'), everyone: town, people: town, lives, starts: 12 });
  for (const p of [...Object.values(a.who), people.find((x) => x.id_no === a.identity.id_no)]) if (p && householdOf(p)) taken.add(p.household_id);
  return a;
}
