// Applications that can be finished: valid by the form, and the register has nothing against them. Each takes households of its own, so that many run at once.
import { makeValid } from './applications.mjs';
import { effectsOf, itemOf, org, residents } from './forms.mjs';
import { Reading } from './guards.mjs';

/** homes: {lose, take}, sets of households that earlier applications change or move people into; this one's are added. where: of whose household the form speaks: city, province,
 * outside (of the 12 flows each asks for its own). */
export function makeLive(code, { homes = { lose: new Set(), take: new Set() }, phone, seed = 'live', pins, optional = 'some', where } = {}) {
  const item = itemOf(code);
  const read = (paper) => new Reading(item.form, { ...paper.done, ...paper.clean });
  const lives = (paper) => {
    const r = read(paper), mine = r.homes();
    const clash = [...mine.lose].some((h) => homes.lose.has(h) || homes.take.has(h)) || [...mine.take].some((h) => homes.lose.has(h));
    const elsewhere = where && where !== 'city' && r.entries['@where'] !== where;
    if (elsewhere) return { rule: `household: not in ${where}`, related: [], fix: { where, province: org.province_region.slice(0, 2), city: org.city_region.slice(0, 4) } };
    return r.against() ?? (clash ? { rule: 'household: another application has it', fix: 'elsewhere', related: (r.rule?.ops ?? []).flatMap((o) => [...r.fieldsOf(o.person), ...r.fieldsOf(o.household)]) } : null);
  };
  const books = effectsOf(item.form)?.completion?.some((c) => c.id === 'done_book_no')
    && ((clean) => residents.households.filter((h) => h.status !== 'cancelled' && !Number(h.frozen ?? 0) && (['20', '21', '22'].includes(clean.target_kind) ? h.kind !== '10' : true)));
  const a = makeValid(code, { seed, pins, phone, optional, lives, books, strangers: where && where !== 'city', starts: 20, steps: 600 });
  const { done_book_no: book, ...rest } = a.done;                 // named on the way, and not needed in the end
  if (book && !new Reading(item.form, { ...rest, ...a.clean }).against()) a.done = rest;
  const mine = new Reading(item.form, { ...a.done, ...a.clean }).homes();
  for (const h of mine.lose) homes.lose.add(h);
  for (const h of mine.take) homes.take.add(h);
  return a;
}
