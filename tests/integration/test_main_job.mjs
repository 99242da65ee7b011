// One application after the other from the citizen's API to the register and back, against the real programs as ops/demo starts them.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test, { after, before } from 'node:test';
import { cast, day, parentOf, persons, unitOf } from '../support/cast.mjs';
import { Citizen, newId, Officer, Refused } from '../support/client.mjs';
import { Demo, root, sleep, until } from '../support/demo.mjs';
import { scan } from '../support/markers.mjs';

const photos = [1, 2, 3].map((n) => readFileSync(path.join(root, `tests/fixtures/photo-${n}.jpg`)));
let demo;
let phoneSerial = 0;
const nextPhone = () => `139${String(90000000 + (phoneSerial += 1)).slice(0, 8)}`;

before(async () => { demo = await Demo.start({ limits: 100 }); });
after(async () => { await demo?.stop(); });

const slotsOf = (c) => Object.fromEntries(c.slots.map((no, i) => [no, { ...(c.item === 'HJ043' && no === 3 ? { alternative: 0 } : {}), pages: [photos[i % 3]] }]));

async function apply(citizen, c) {
  const receipt = await citizen.submit(await citizen.draft(c.item, c.entries, slotsOf(c)), c.who);
  return receipt.no;
}

async function officerOf(role, unit) {
  const o = new Officer(demo, demo.account(role, unit));
  await o.signIn();
  return o;
}

async function arrived(officer, no, seconds = 20) {
  return until(async () => {
    try { const c = await officer.case(no); return c.pages.done === c.pages.total && c; } catch (e) { if (e.status === 404) return null; throw e; }
  }, `case ${no} on the desk with all its pages`, seconds, 50);
}

const publicState = async (citizen, no, key, seconds = 20) => until(async () => {
  const c = await citizen.case(no);
  return c.state.key === key && c;
}, `public state ${key} of ${no}`, seconds);

async function seeAll(officer, no) {
  const c = await officer.case(no);
  for (const m of c.materials)
    for (const p of m.pages) await officer.post(`/api/cases/${no}/pages/${p.id}`, { seen: true, verdict: 'good' });
}

async function finishFrom(officer, no) {
  const c = await officer.case(no);
  if (c.state === 'awaiting_originals') await officer.decide(no, 'originals_ok');
  await officer.decide(no, 'finish', { unseen_ok: true });
}

test('CIT-08 FRY-04 FRY-16 IMP-03 IMP-06 WFL-101..106 HJ001: submitted, on the desk in seconds, 补正, passed, finished; the child stands in the register', async () => {
  const citizen = new Citizen(demo, nextPhone());
  await citizen.signIn();
  const c = cast.birth({ phone: citizen.phone });
  const t0 = Date.now();
  const no = await apply(citizen, c);
  assert.match(no, /^3407\d{12}$/);
  const officer = await officerOf('officer', c.unit);
  const first = await arrived(officer, no);
  assert.ok(Date.now() - t0 < 10000, 'on the desk within 10 s');
  assert.equal(first.state, 'awaiting_review');
  assert.ok(first.sections.some((s) => s.rows.some((r) => r.value === '陈小满')));
  await publicState(citizen, no, 'reviewing');
  const status = execFileSync(path.join(root, 'build/bin/ferry'), ['status', '--config', demo.ferry_conf, '--json'], { encoding: 'utf8' });
  assert.equal(JSON.parse(status).word, 'fine');

  await officer.decide(no, 'return_supplement', { reasons: [{ material: 2, kind: 'unclear', text: '《出生医学证明》第 1 页编号看不清，请在亮处重拍整页' }], date: day(-7) });
  const asked = await publicState(citizen, no, 'supplement');
  assert.equal(asked.supplement.slots[0].material, 2);
  assert.match(asked.supplement.slots[0].reason, /看不清/);
  assert.equal(asked.turn, 'citizen');
  await assert.rejects(citizen.post(`/api/applications/${no}/supplement`, { draft: newId(), entries: { child_name: '换名' }, materials: [] }, { 'idempotency-key': newId() }),
    (e) => e instanceof Refused && e.status === 400);
  const draft = newId();
  const page = await citizen.upload(draft, 2, 'image/jpeg', photos[1]);
  await citizen.post(`/api/applications/${no}/supplement`, { draft, entries: {}, materials: [{ material: 2, pages: [page] }] }, { 'idempotency-key': newId() });
  await publicState(citizen, no, 'reviewing');
  await arrived(officer, no);
  const image = await officer.raw('GET', `/api/cases/${no}/pages/${(await officer.case(no)).materials.find((m) => m.no === 2).pages.at(-1).id}?size=full`);
  assert.equal(image.status, 200);
  assert.equal(image.headers.get('content-type'), 'image/jpeg');

  await seeAll(officer, no);
  await officer.decide(no, 'pass', { opinion: '材料齐全，符合规定，同意办理。', unseen_ok: true });
  await publicState(citizen, no, 'passed_originals');
  await finishFrom(officer, no);
  const done = await publicState(citizen, no, 'completed');
  assert.equal(done.finished, true);
  const found = await officer.get(`/api/register/persons?name=${encodeURIComponent('陈小满')}&birth_date=${c.entries.child_birth_date}`);
  assert.equal(found.persons.length, 1);
  assert.match(found.persons[0].status, /正常/);
  assert.ok(demo.sms(citizen.phone).some((m) => m.text.includes(no.slice(-4))), 'NTF-04 an SMS names the tail of the number');
  assert.ok(demo.sms(citizen.phone).every((m) => !m.text.includes(c.who.name) && !m.text.includes('陈小满')), 'no SMS names a person');
});

test('WFL-902 WFL-903 REV-03 HJ025: sent up, refused by the sub-bureau with rule and remedy; the register stays', async () => {
  const citizen = new Citizen(demo, nextPhone());
  await citizen.signIn();
  const c = cast.rename({ phone: citizen.phone });
  const no = await apply(citizen, c);
  const officer = await officerOf('officer', c.unit);
  await arrived(officer, no);
  await seeAll(officer, no);
  await officer.decide(no, 'submit_up', { opinion: '情况属实，报分局审批。', level: 'sub_bureau', unseen_ok: true });
  await publicState(citizen, no, 'sub_bureau');
  const approver = await officerOf('sub_bureau', parentOf(c.unit));
  const seen = await approver.case(no);
  assert.ok(seen.summary.changes.length > 0, 'REV-06 the approver sees before and after');
  const { refusal } = await approver.get('/api/reasons/HJ025');
  await approver.decide(no, 'disapprove_refuse', {
    rule: refusal[0].id, remedy: refusal[0].remedy, confirm_text: '不予办理', reasons: [{ text: '申请的理由不属于可以变更姓名的情形。' }], unseen_ok: true,
  });
  const refused = await publicState(citizen, no, 'refused');
  assert.match(refused.state.sentence, /行政复议|行政诉讼/);
  assert.equal(refused.finished, true);
  const { persons: rows } = await officer.get(`/api/register/persons?id_no=${c.who.id_no}`);
  assert.equal(rows[0].name, c.who.name);
});

test('CIT-28 FRY-16 HJ083: withdrawal asked and agreed; the dead person is still in the register', async () => {
  const citizen = new Citizen(demo, nextPhone());
  await citizen.signIn();
  const c = cast.death({ phone: citizen.phone });
  const no = await apply(citizen, c);
  const officer = await officerOf('officer', c.unit);
  await arrived(officer, no);
  await publicState(citizen, no, 'reviewing');
  await citizen.post(`/api/applications/${no}/withdraw`, { reason: '材料要重新开具' });
  await until(async () => (await officer.case(no)).state === 'withdraw_asked', 'withdrawal on the desk');
  await publicState(citizen, no, 'withdraw_asked');
  await officer.decide(no, 'withdraw_confirm');
  await publicState(citizen, no, 'withdrawn');
  const { persons: rows } = await officer.get(`/api/register/persons?id_no=${c.entries.subject_id_no}`);
  assert.match(rows[0].status, /正常/);
});

test('WFL-201..206 MAT-13 HJ043 by the aux flow: aux reviews, officer checks originals, aux submits, officer finishes; employer changed, history kept', async () => {
  const citizen = new Citizen(demo, nextPhone());
  await citizen.signIn();
  const c = cast.employer({ phone: citizen.phone });
  const no = await apply(citizen, c);
  const aux = await officerOf('aux', c.unit);
  const officer = await officerOf('officer', c.unit);
  await arrived(aux, no);
  await seeAll(aux, no);
  await aux.decide(no, 'pass', { opinion: '材料齐全。', unseen_ok: true });
  await publicState(citizen, no, 'passed_originals');
  await officer.decide(no, 'originals_ok');
  await until(async () => (await aux.case(no)).actions.some((a) => a.action === 'submit_completion'), 'aux may fill in and submit');
  await aux.decide(no, 'submit_completion');
  await officer.decide(no, 'finish', { unseen_ok: true });
  await publicState(citizen, no, 'completed');
  const { persons: rows } = await officer.get(`/api/register/persons?id_no=${c.who.id_no}`);
  const { person, history } = await officer.get(`/api/register/persons/${rows[0].id}`);
  assert.ok(person.some((r) => r.value === '江州市图书馆'));
  assert.ok(history.some((h) => (h.after ?? '').includes('江州市图书馆')));
});

test('CIT-28 one key gives one case: double tap, retry and fifty at once', async () => {
  const citizen = new Citizen(demo, nextPhone());
  await citizen.signIn();
  const c = cast.employer({ phone: citizen.phone, who: persons.find((p) => p.status === 'normal' && p.birth_date < '1995' && unitOf(p)), employer: '江州市气象台' });
  const draft = await citizen.draft(c.item, c.entries, slotsOf(c));
  const key = newId();
  const { hash } = await citizen.post('/api/applications/check', draft);
  const { evidence } = await citizen.post('/api/identity/verify', { hash, name: c.who.name, id_no: c.who.id_no, sandbox_result: 'pass' });
  const answers = await Promise.all(Array.from({ length: 50 }, () => citizen.post('/api/applications', { ...draft, evidence }, { 'idempotency-key': key })));
  assert.equal(new Set(answers.map((a) => a.no)).size, 1);
  assert.equal((await citizen.get('/api/applications')).cases.filter((x) => x.no === answers[0].no).length, 1);
  await assert.rejects(citizen.post('/api/applications', { ...draft, entries: { ...draft.entries, employer_after: '别处' }, evidence }, { 'idempotency-key': key }),
    (e) => e.status === 409);
});

test('CIT-09 IDOR: a stranger sees no case of another, a new device must know the last four', async () => {
  const phone = nextPhone();
  const citizen = new Citizen(demo, phone);
  await citizen.signIn();
  const c = cast.employer({ phone, employer: '江州市档案馆', who: persons.find((p) => p.status === 'normal' && p.birth_date > '1980' && p.birth_date < '1990') });
  const no = await apply(citizen, c);
  const stranger = new Citizen(demo, nextPhone());
  await stranger.signIn();
  await assert.rejects(stranger.case(no), (e) => e.status === 404);
  await assert.rejects(stranger.post(`/api/applications/${no}/withdraw`, {}), (e) => e.status === 404);
  const device = new Citizen(demo, phone);
  await sleep(1000);
  await device.signIn();
  const locked = await device.case(no);
  assert.equal(locked.locked, true);
  assert.equal(locked.state, undefined);
  const wrong = c.who.id_no.slice(-4) === '0000' ? '0001' : '0000';
  await assert.rejects(device.post(`/api/applications/${no}/unlock`, { last4: wrong }), (e) => e.status === 403 && e.error.tries_left === 4);
  const open = await device.post(`/api/applications/${no}/unlock`, { last4: c.who.id_no.slice(-4) });
  assert.equal(open.locked, false);
});

test('FRY-06 FRY-08 FRY-13 SEC-05 after confirmation nothing of a submitted case can be read on the internet side, and never in the gateway', async () => {
  const gateway = Object.values(demo.gateway);
  const citizen = new Citizen(demo, nextPhone());
  await citizen.signIn();
  const who = persons.find((p) => p.status === 'normal' && p.birth_date > '1990' && p.birth_date < '1996' && p.name.length === 3);
  const c = cast.employer({ phone: citizen.phone, who, employer: '江州市钟表眼镜总店' });
  const markers = { name: who.name, id: who.id_no, phone: citizen.phone, employer: '钟表眼镜总店', image: photos[0].subarray(4000, 4060) };
  const draft = await citizen.draft(c.item, c.entries, slotsOf(c));
  let watching = true;
  const seen = [];
  const watch = (async () => { while (watching) { seen.push(...scan(gateway, markers)); await sleep(5); } })();
  const { no } = await citizen.submit(draft, who);
  const officer = await officerOf('officer', c.unit);
  await arrived(officer, no);
  await until(async () => (await citizen.case(no)).confirmed, 'confirmed', 60);
  await sleep(3000);
  watching = false;
  await watch;
  assert.deepEqual(seen, [], 'the gateway');
  assert.deepEqual(scan([path.join(demo.dir, 'internet'), path.join(demo.dir, 'logs'), ...gateway], markers), [], 'the internet side and the logs');
  assert.ok(scan([path.join(demo.dir, 'sandbox')], { phone: citizen.phone }).length > 0, 'the scanner finds what is there');
});
