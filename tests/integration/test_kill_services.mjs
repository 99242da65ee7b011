// 200 applications while the mover stands still, each service killed with SIGKILL ten times in between: none lost, none twice, order per case kept.
// An independent ledger of this client decides: what was answered must be there once, what was not answered at most once.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test, { after, before } from 'node:test';
import { cast, persons, unitOf } from '../support/cast.mjs';
import { Citizen, newId, Officer } from '../support/client.mjs';
import { Demo, root, sleep, until } from '../support/demo.mjs';

const APPLICATIONS = Number(process.env.HZ_APPLICATIONS ?? (process.env.HZ_LONG ? 1000 : 200));
const KILLS = 10;
const photo = readFileSync(path.join(root, 'tests/fixtures/photo-small.jpg'));
const people = persons.filter((p) => p.status === 'normal' && p.birth_date < '2000');
let demo;

before(async () => { demo = await Demo.start({ mover: false, limits: 1000 }); });
after(async () => { await demo?.stop(); });

/** Keep trying one application until it was answered; a session that died with the service is opened again under the same phone and key. */
async function applyUntilAnswered(n, ledger) {
  const phone = `138${String(10000000 + n)}`;
  const who = people[n % people.length];
  const key = newId();
  const entry = { n, phone, key, no: null, employer: `第${n}号测试单位` };
  ledger.push(entry);
  const c = cast.employer({ phone, who, employer: entry.employer });
  let body = null;
  let asked = false;                     // the submission itself was sent once: its answer may be lost, so the same key is asked again first
  for (let attempt = 0; !entry.no && attempt < 60; attempt++) {
    try {
      const citizen = new Citizen(demo, phone);
      await citizen.signIn();
      body ??= await citizen.draft(c.item, c.entries, Object.fromEntries(c.slots.map((no) => [no, { ...(no === 3 ? { alternative: 0 } : {}), pages: [photo] }])));
      await citizen.session();
      if (asked) {
        const again = await citizen.post('/api/applications', { ...body, evidence: newId() }, { 'idempotency-key': key }).catch((e) => e);
        if (again.no) { entry.no = again.no; break; }
        entry.last = String(again);
      }
      const { hash, findings } = await citizen.post('/api/applications/check', body);
      assert.ok(hash, JSON.stringify(findings));
      const { evidence } = await citizen.post('/api/identity/verify', { hash, name: who.name, id_no: who.id_no, sandbox_result: 'pass' });
      asked = true;
      entry.no = (await citizen.post('/api/applications', { ...body, evidence }, { 'idempotency-key': key })).no;
    } catch (e) {
      entry.last = String(e);
      if (!asked && (e.status === 409 || e.status === 404 || e.status === 400)) body = null;      // a page did not survive: send the pages again
      await sleep(e.status === 429 ? 500 : 100 + 40 * (n % 5));
    }
  }
  assert.ok(entry.no, `application ${n} was never answered: ${entry.last}`);
}

test('FRY-08 FRY-14 IMP-04 OPS-05: 200 applications, mover stopped, thirty SIGKILLs: none lost, none twice', { timeout: 580000 }, async () => {
  const ledger = [];
  let next = 0;
  let going = true;
  const workers = Array.from({ length: 8 }, async () => { while (next < APPLICATIONS) await applyUntilAnswered(next++, ledger); });
  const killer = (async () => {
    for (let k = 0; k < KILLS && going; k++) {
      for (const name of ['internet-side', 'intranet-side']) {
        await sleep(200 + Math.floor(Math.random() * 900));
        await demo.killAndRestart(name);
      }
    }
  })();
  await Promise.all(workers);
  await killer;
  going = false;
  assert.equal(new Set(ledger.map((x) => x.no)).size, APPLICATIONS, 'every application has a number of its own');

  demo.startMover();
  for (let k = 0; k < KILLS; k++) {
    await sleep(150 + Math.floor(Math.random() * 500));
    await demo.killAndRestart('mover', 50);
    if (k % 3 === 0) await demo.killAndRestart('intranet-side');
    if (k % 3 === 1) await demo.killAndRestart('internet-side');
  }

  const officers = new Map();
  const officerFor = async (unit) => {
    if (!officers.has(unit)) { const o = new Officer(demo, demo.account('officer', unit)); await until(() => o.signIn().then(() => true, () => false), 'officer signs in', 30, 300); officers.set(unit, o); }
    return officers.get(unit);
  };
  const numbers = new Set(ledger.map((x) => x.no));
  const listed = new Map();
  const units = new Set(people.map(unitOf));
  await until(async () => {
    listed.clear();
    for (const unit of units) {
      const o = await officerFor(unit);
      for (let page = 1; ; page++) {
        const r = await o.get(`/api/cases?view=todo&size=100&page=${page}`);
        for (const row of r.rows) listed.set(row.no, { ...row, times: (listed.get(row.no)?.times ?? 0) + 1 });
        if (r.rows.length < 100) break;
      }
    }
    return [...numbers].every((no) => listed.has(no) && listed.get(no).pages.done === listed.get(no).pages.total);
  }, 'every application on the desk with all its pages', 180, 1000);
  assert.equal(listed.size, APPLICATIONS, 'nothing on the desk that nobody submitted');
  assert.ok([...listed.values()].every((x) => x.times === 1), 'none twice');

  // I3: the public state of each arrived, and a later transition follows in order.
  const sample = ledger[0];
  const o = await officerFor(unitOf(people[0]));
  await o.decide(sample.no, 'terminate', { opinion: '测试', confirm_text: '终止办理', reasons: [{ text: '按申请人要求结束' }], unseen_ok: true });
  const citizen = new Citizen(demo, sample.phone);
  await until(() => citizen.signIn().then(() => true, () => false), 'sign in', 90, 2000);
  await citizen.post(`/api/applications/${sample.no}/unlock`, { last4: people[0].id_no.slice(-4) });
  await until(async () => (await citizen.case(sample.no)).state.key === 'terminated', 'the last state arrives', 60, 500);
  const times = (await citizen.case(sample.no)).events.map((x) => x.at);
  const rising = [...times].sort();
  assert.ok(times.join() === rising.join() || times.join() === rising.reverse().join(), 'the trail is in order');
});
