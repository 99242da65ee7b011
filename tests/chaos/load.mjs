// The load and the independent ledger: citizens who apply with images, officers who decide a part, and what each of them was told.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { cast, persons, unitOf } from '../support/cast.mjs';
import { Citizen, newId, Officer, Refused } from '../support/client.mjs';
import { root, sleep } from '../support/demo.mjs';

const photo = readFileSync(path.join(root, 'tests/fixtures/photo-small.jpg'));
const people = persons.filter((p) => p.status === 'normal' && p.birth_date < '2000');
const PER_SESSION = 25;                    // applications that one signed-in citizen hands in
export const PAGE_MARK = 'CHAOS-MARK-OF-A-PHOTOGRAPH';
export const EMPLOYER_MARK = '风浪里的测试单位';

/** Each page is an image of its own: the mark stands behind the picture's end. */
export const page = (n, slot) => Buffer.concat([photo, Buffer.from(`${PAGE_MARK} ${n} ${slot}\n`)]);

/** What is done with the nth application; the path decides what its citizen must read. */
export const PATHS = ['none', 'terminate', 'pass', 'finish'];
export const pathOf = (n, every) => (n % every === 0 ? PATHS[1 + (n / every) % 3] : 'none');

async function patiently(what, seconds = 120) {
  for (const end = Date.now() + seconds * 1000; ;) {
    try { return await what(); } catch (e) {
      const passing = e instanceof Refused ? [429, 500, 503, 507].includes(e.status) : /fetch failed|terminated|aborted|timeout|not within/i.test(`${e.message} ${e.name}`);
      if (!passing || Date.now() > end) throw e;
      await sleep(200);
    }
  }
}

async function apply(citizen, n, ledger) {
  const who = people[n % people.length], entry = { n, phone: citizen.phone, who, key: newId(), no: null };
  const c = cast.employer({ phone: citizen.phone, who, employer: `第${n}号${EMPLOYER_MARK}` });
  const pages = Object.fromEntries(c.slots.map((no) => [no, { ...(no === 3 ? { alternative: 0 } : {}), pages: [page(n, no)] }]));
  const draft = await patiently(() => citizen.draft(c.item, c.entries, pages));
  const verdict = await patiently(() => citizen.post('/api/applications/check', draft));
  assert.ok(verdict.ok, JSON.stringify(verdict.findings));
  const { evidence } = await patiently(() => citizen.post('/api/identity/verify', { hash: verdict.hash, name: who.name, id_no: who.id_no, sandbox_result: 'pass' }));
  Object.assign(entry, { hash: verdict.hash, unit: c.unit, slots: c.slots, sent_ms: Date.now() });
  entry.no = (await patiently(() => citizen.post('/api/applications', { ...draft, evidence }, { 'idempotency-key': entry.key }))).no;
  entry.accepted_ms = Date.now();
  ledger.push(entry);
}

/** count applications by `width` citizens at a time; the ledger has an entry for each that was accepted. */
export async function submitAll(demo, count, width, ledger, citizens) {
  let next = 0;
  await Promise.all(Array.from({ length: width }, async () => {
    while (next < count) {
      const from = next, to = Math.min(count, next += Math.max(1, Math.min(PER_SESSION, Math.ceil(count / width))));
      const citizen = new Citizen(demo, `138${String(20000000 + from)}`);
      await patiently(() => citizen.signIn());
      citizens.set(citizen.phone, citizen);
      for (let n = from; n < to; n++) await apply(citizen, n, ledger);
    }
  }));
}

async function walk(officer, entry, way, undo_ms) {
  if (way === 'terminate') return officer.decide(entry.no, 'terminate', { opinion: '测试', confirm_text: '终止办理', reasons: [{ text: '按申请人要求结束' }], unseen_ok: true });
  await officer.decide(entry.no, 'pass', { opinion: '材料齐全，同意办理。', unseen_ok: true });
  if (way === 'pass') return null;
  await sleep(undo_ms);                                      // the decision may be taken back so long; then it is said
  await officer.decide(entry.no, 'originals_ok');
  return officer.decide(entry.no, 'finish', { unseen_ok: true });
}

/** Officers decide what reached their desk with all its pages, each case once; entry.way tells what was done. */
export async function officers(demo, ledger, every, finished, undo_ms) {
  const desks = new Map(), busy = new Set(), started = new Set();
  const desk = async (unit) => {
    if (!desks.has(unit)) desks.set(unit, (async () => { const o = new Officer(demo, demo.account('officer', unit)); await patiently(() => o.signIn()); return o; })());
    return desks.get(unit);
  };
  const one = async (entry) => {
    const officer = await desk(entry.unit);
    const c = await officer.case(entry.no).catch((e) => { if (e.status === 404) return null; throw e; });
    if (!c || c.pages.done !== c.pages.total) return started.delete(entry.no);
    entry.way = pathOf(entry.n, every);
    await walk(officer, entry, entry.way, undo_ms);
    entry.decided = true;
    return true;
  };
  for (;;) {
    const todo = ledger.filter((x) => pathOf(x.n, every) !== 'none' && !started.has(x.no)).slice(0, 20);
    if (!todo.length && finished() && !busy.size) return;
    for (const entry of todo) {
      if (busy.size >= 8) break;
      started.add(entry.no);
      const work = one(entry).catch((e) => { entry.failed = String(e); }).finally(() => busy.delete(work));
      busy.add(work);
    }
    await sleep(400);
  }
}

/** What citizens see while it storms: the stage of their case never goes back. */
export async function watch(ledger, citizens, finished, backwards) {
  const stages = new Map();
  for (let i = 0; !finished(); i++) {
    await sleep(150);
    const entry = ledger[(i * 7919) % Math.max(1, ledger.length)];
    if (!entry) continue;
    try {
      const c = await citizens.get(entry.phone).case(entry.no), before = stages.get(entry.no) ?? [], now = c.events.map((x) => `${x.at} ${x.text}`).sort();
      const lost = before.filter((x) => !now.includes(x));
      if (lost.length) backwards.push(`${entry.no}: was told ${lost.join(', ')}, now not`);
      stages.set(entry.no, now);
    } catch (e) { if (![429, 503].includes(e.status) && !/fetch failed|timeout/i.test(String(e))) backwards.push(`${entry.no}: ${e}`); }
  }
}
