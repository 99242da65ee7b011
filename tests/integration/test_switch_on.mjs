// Services that are known and switched off, switched on by a city without a programmer: two persons release it in a running demonstration; seconds later
// people find them, apply, and the station takes the applications to their end. Shown with the three ways of moving out of the province.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { offered } from '../../internet-side/web-app/src/guide.ts';
import { makeSearch } from '../../internet-side/web-app/src/search.ts';
import { Citizen } from '../support/client.mjs';
import { Demo, root, until } from '../support/demo.mjs';
import { makeLive } from '../support/live.mjs';
import { Office } from '../support/office.mjs';
import { officer } from '../support/officers.mjs';
import { RegisterBook } from '../support/registerbook.mjs';
import { extras } from '../support/forms.mjs';
import { personBy } from '../support/town.mjs';

const OUT = ['HX023', 'HX024', 'HX025'];
const SHANGHAI = { region: '310101', text: '310101 上海市黄浦区南京东路100号' };
const photo = readFileSync(path.join(root, 'tests/fixtures/photo-small.jpg'));
let demo, office, book, one, two;
const get = async (p) => (await fetch(`${demo.addresses.internet}${p}`)).json();
const change = (item, p, value) => ({ region: '', item, path: p, value });

before(async () => {
  demo = await Demo.start({ limits: 1000 });
  office = new Office(demo);
  book = new RegisterBook(demo);
  [one, two] = [await officer(demo, 'hj_admin'), await officer(demo, 'hj_admin2')];
});
after(async () => { book?.close(); await demo?.stop(); });

/** Written by the first administrator, released by the second; in force on both sides when it returns. Gives the milliseconds from release to served. */
async function release(changes) {
  const s = await one.post('/api/configuration/changes', { changes });
  assert.deepEqual(s.findings ?? [], [], JSON.stringify(s.findings));
  const sent = await one.post(`/api/configuration/changes/${s.id}/submit`, { version: s.version, reason: '本市开通' });
  const from = Date.now();
  const out = await two.post(`/api/configuration/changes/${s.id}/release`, { version: sent.version, base: sent.base });
  await until(async () => (await get('/api/catalogue')).version === out.released, `version ${out.released} outside`, 20, 50);
  return Date.now() - from;
}

/** What a phone shows: the codes by the guide with the answers on the way, and by the search. */
async function onThePhone() {
  const index = await get('/api/catalogue'), codes = new Set(index.items.map((i) => i.code));
  const guide = offered(index.guide, codes), ways = new Map();
  const walk = (id, labels) => guide.nodes.find((n) => n.id === id).answers.forEach((a) => (a.next ? walk(a.next, [...labels, a.label]) : a.item && ways.set(a.item, [...labels, a.label])));
  for (const e of guide.events) walk(e.start, [e.title]);
  return { codes, ways, search: makeSearch(index.items, await get('/api/catalogue/search')) };
}

test('CIT-19 switched off: not in the catalogue, not asked about, not found, not to be applied for', async () => {
  const { codes, ways, search } = await onThePhone();
  assert.deepEqual([...codes].filter((c) => /^HX/.test(c)), []);
  assert.deepEqual([...ways.keys()].filter((c) => /^HX/.test(c)), []);
  assert.equal(ways.size, codes.size);
  assert.ok(search('户口迁到外省').every((h) => /^HJ/.test(h.item.code)));
  for (const c of OUT) assert.equal((await fetch(`${demo.addresses.internet}/api/catalogue/items/${c}`)).status, 404, c);
});

test('CIT-18 CIT-19 ADM-01 released by the second person, found within seconds in catalogue, guide and search', async (t) => {
  const ms = await release(OUT.flatMap((c) => [change(c, 'enabled', true), change(c, 'online_open', true), change(c, 'closed_note', null)]));
  t.diagnostic(`released to served: ${ms} ms`);
  assert.ok(ms < 10000, `${ms} ms`);
  const { codes, ways, search } = await onThePhone();
  assert.deepEqual([...codes].filter((c) => /^HX/.test(c)).sort(), OUT);
  assert.deepEqual(OUT.map((c) => ways.get(c)?.[0]), ['迁往外省', '迁往外省', '迁往外省']);
  for (const [words, c] of [['全家户口迁到外省', 'HX023'], ['户口迁到外地去', 'HX024'], ['户主要把户口迁走', 'HX025']])
    assert.ok(search(words).slice(0, 3).some((h) => h.item.code === c), `${words}: ${search(words).slice(0, 3).map((h) => h.item.code)}`);
  for (const c of OUT) {
    const { item } = await get(`/api/catalogue/items/${c}`);
    assert.deepEqual([item.online_open, item.closed_note], [true, null], c);
  }
});

/** From the citizen's form to 已办结 on his phone. */
async function whole(code, n, variant, homes, pins) {
  const phone = `1371111000${n}`;
  const a = makeLive(code, { homes, phone, pins: { to_address: [SHANGHAI.text], reason: ['工作调动'], permit_by: ['上海市公安局黄浦分局'], ...pins } });
  const citizen = new Citizen(demo, phone);
  await citizen.signIn();
  const draft = await citizen.draft(code, a.clean, Object.fromEntries(a.slots.map((s) => [s.no, { pages: [photo], ...(s.alternative === undefined ? {} : { alternative: s.alternative }) }])));
  const { no } = await citizen.submit(draft, a.identity);
  const { way, case: ended } = await office.complete(no, a.clean.accept_unit, variant, a.done);
  const shown = await until(async () => { const c = await citizen.case(no); return c.finished && c; }, `${no} is 已办结 for the citizen`, 60, 200);
  assert.equal(ended.state, 'completed');
  assert.match(JSON.stringify(shown.state), /已办结/);
  assert.equal(book.case(no).workflow, `online-moveout-${variant}`);
  return { a, no, way: way.map((w) => w.action), from: way.map((w) => w.from), subject: personBy.get(a.clean.subject_id_no) };
}

/** Gone from the register, to where, and with which paper. */
function gone(x, person) {
  const p = book.person(person.person_id);
  assert.deepEqual([p.status, p.cancel_kind, p.cancel_reason, p.move_out_region, p.move_out_place], ['cancelled', 'moved_out', '工作调动', SHANGHAI.region, SHANGHAI.text.slice(7)]);
  assert.ok(p.cancel_date);
  assert.ok(book.papers(x.no).some((d) => d.kind === 'migration_certificate' && d.person === person.person_id), 'a migration certificate');
}

const homes = { lose: new Set(), take: new Set() };

test('CIT-18 POP-54 WFL-701 WFL-702 WFL-703 WFL-704 WFL-705 WFL-706 HX024: one of the family moves out, the head stays', async (t) => {
  const x = await whole('HX024', 1, 'officer', homes, { has_movers: [false] });
  t.diagnostic(`${x.way.join(' → ')} (${x.from.join(' ')})`);
  gone(x, x.subject);
  const h = book.household(x.subject.household_id);
  assert.equal(h.status, 'normal');
  assert.ok(book.members(h.uid).some((p) => p.uid === h.head), 'the head is at home');
});

test('CIT-18 POP-54 WFL-701 WFL-702 WFL-703 WFL-704 WFL-705 WFL-706 HX025: the head moves out, the household keeps a head', async (t) => {
  const x = await whole('HX025', 2, 'aux', homes, { has_movers: [false] });
  t.diagnostic(`${x.way.join(' → ')} (${x.from.join(' ')})`);
  const next = personBy.get(x.a.clean.new_head_id_no), h = book.household(x.subject.household_id);
  assert.equal(next.household_id, x.subject.household_id);
  gone(x, x.subject);
  assert.deepEqual([h.status, h.head, book.person(next.person_id).relation_to_head], ['normal', next.person_id, '02']);
});

test('CIT-18 POP-54 HX023: the whole family moves out, its household ends', async () => {
  const x = await whole('HX023', 3, 'officer', homes);
  for (const p of [...personBy.values()].filter((p) => p.household_id === x.subject.household_id && p.status === 'normal')) gone(x, p);
  assert.deepEqual([book.members(x.subject.household_id).length, book.household(x.subject.household_id).status === 'normal'], [0, false]);
  assert.deepEqual(Object.fromEntries(Object.entries(book.broken()).filter(([, rows]) => rows.length)), {});
});

test('CIT-19 all 37 switched on at once by configuration: each in catalogue, guide and search; switched off again, none is seen', async () => {
  await release(extras.map((i) => change(i.code, 'enabled', true)));
  const { codes, ways, search } = await onThePhone();
  for (const i of extras) {
    assert.ok(codes.has(i.code) && ways.has(i.code), i.code);
    assert.ok(ways.get(i.code).length <= 5, `${i.code}: at most four questions`);
    assert.ok(search(i.plain_name).slice(0, 3).some((h) => h.item.code === i.code), i.plain_name);
  }
  await release(extras.flatMap((i) => [change(i.code, 'enabled', false), change(i.code, 'online_open', false), ...(OUT.includes(i.code) ? [change(i.code, 'closed_note', i.closed_note)] : [])]));
  assert.deepEqual([...(await onThePhone()).codes].filter((c) => /^HX/.test(c)), []);
});
