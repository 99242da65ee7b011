// The same verdict thrice: what the browser's rules refuse, the citizens' service refuses for the same, and the intranet refuses it for the same when it
// comes in a sealed record past the citizens' service. Applications of every item, each spoiled in one thing (tests/support/refusals.mjs).
//
// Where the intranet by contract says less, it still refuses, with the reason named here (LESS); one thing a record cannot even say (a number where a text belongs).
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import test, { after, before } from 'node:test';
import { validOnes } from '../support/applications.mjs';
import { Citizen, newId, Officer } from '../support/client.mjs';
import { Demo, root, until } from '../support/demo.mjs';
import { items } from '../support/forms.mjs';
import { caseNo, hashes, importVerdicts, provider, recordOf } from '../support/records.mjs';
import { browserVerdict, invalidOnes } from '../support/refusals.mjs';
import { inventNumber } from '../support/town.mjs';

const build = path.join(root, 'build', process.env.VARIANT || 'release');
const photo = readFileSync(path.join(root, 'tests/fixtures/photo-small.jpg')).subarray(0, 3000);
const open = items.filter((i) => i.online_open);
const AT_ONCE = 12;
const say = (findings) => [...new Set(findings.map((x) => `${x.field} ${x.rule}`))].sort();
const name = (a) => `${a.code} ${a.field} ${a.rule}`;
const each = async (list, fn, width = AT_ONCE) => {
  let next = 0;
  await Promise.all(Array.from({ length: width }, async () => { while (next < list.length) await fn(list[next++]); }));
};
const differ = (list) => `${list.length} differ:\n${list.slice(0, 12).join('\n')}`;
const valid = [], spoiled = [];
let demo, dir;

/** Values that a record carries as text: whatever is a text there was one when it was sealed. */
const cannotSay = (a) => Object.entries(a.entries).some(([id, v]) => {
  const f = a.rules.family.fields.find((x) => x.id === id);
  return f && (f.type === 'boolean' ? v === 'true' || v === 'false' : typeof v !== 'string');
});
const illegal = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;
const texts = (a) => Object.values({ ...a.clean, ...a.entries }).map((v) => (typeof v === 'string' ? v : JSON.stringify(v)));
const sent = (a, id) => (Object.hasOwn(a.entries, id) ? a.entries[id] : a.clean[id]);

/** Where the intranet refuses before it comes to the form, and what it then says. */
const LESS = [
  { when: (a) => texts(a).some((t) => illegal.test(t)), why: /invalid Char|out of allowed range|not allowed/, what: 'a character that no XML may carry: no record' },
  { when: (a) => Object.keys(a.entries).some((k) => !/^[a-z][a-z0-9_]{0,47}$/.test(k)), why: /attribute 'field'/, what: 'a field of a name that the record\'s schema does not know' },
  { when: (a) => (a.rules.family.repeats ?? []).some((r) => r.id in a.entries && !Array.isArray(a.entries[r.id])), why: /is not a value/, what: 'a list that is none' },
  { when: (a) => a.slots.some((s) => s.pages > 40), why: /element is not expected/, what: 'more pages than the record\'s schema takes' },
  { when: (a) => sent(a, 'accept_unit') !== a.unit, why: /unit: not the one the form names/, what: 'the station, compared with the record\'s own' },
  { when: (a) => sent(a, 'applicant_name') !== a.identity.name || sent(a, 'applicant_id_no') !== a.identity.id_no, why: /identity: of another person/,
    what: 'name and number of the applicant, compared with the provider\'s statement' },
];

before(async () => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'hz-verdicts-'));
  demo = await Demo.start({ limits: 10000 });
});
after(async () => {
  await demo?.stop();
  if (dir) rmSync(dir, { recursive: true, force: true });
});

// CIT-06 CIT-07 MAT-01 MAT-03 MAT-04: a valid application exists for every item and for every answer that decides something; and each rule can be broken.
test('CIT-06 CIT-07 MAT-01 MAT-03 MAT-04 the forms alone are enough to fill in every item, and to break each of its rules', (t) => {
  const closed = [], unbroken = new Map();
  for (const { code } of open) {
    const { made, closed: shut } = validOnes(code);
    for (const a of made) assert.deepEqual(browserVerdict(a), [], `${code} ${JSON.stringify(a.want.pins ?? a.want.seed)}`);
    for (const x of shut) closed.push(`${code} ${x.field} = ${x.value}: ${x.why.rule} at ${x.why.field}`);
    const bad = invalidOnes(code, made, { most: open.length < 40 ? 12 : 1 });
    for (const x of bad.not) if (!/cannot hold|not shown/.test(x.why)) unbroken.set(x.rule, [...(unbroken.get(x.rule) ?? []), code]);
    valid.push(...made);
    spoiled.push(...bad.made);
  }
  for (const line of closed) t.diagnostic(`never possible: ${line}`);
  for (const [rule, codes] of unbroken) t.diagnostic(`covered by others before it: ${rule} (${codes.join(' ')})`);
  const rules = new Set(spoiled.map((a) => a.rule));
  t.diagnostic(`${open.length} items, ${valid.length} valid applications, ${spoiled.length} spoiled ones, ${rules.size} rules`);
  for (const rule of ['unknown', 'hidden', 'required', 'type', 'xml_char', 'invisible_char', 'private_char', 'combining_char', 'length', 'code_value', 'preset', 'id_length', 'id_fifteen', 'id_characters',
    'id_region', 'id_birth_date', 'id_check_digit', 'date', 'date_min', 'date_max', 'phone', 'address', 'pattern', 'pinyin', 'derived', 'material_required', 'material_unknown', 'material_hidden', 'material_pages',
    'material_repeated']) assert.ok(rules.has(rule), `nothing is refused for ${rule}`);
});

/** The answer of POST /api/applications to each: findings, or the word for what is no application at all. */
async function served(list) {
  const out = new Map();
  const workers = Array.from({ length: 4 }, (_, i) => new Citizen(demo, `1380000000${i + 1}`));
  const queues = workers.map((_, i) => list.filter((_a, k) => k % workers.length === i));
  await Promise.all(workers.map(async (c, i) => {
    await c.signIn();
    const { config_version } = await c.session();
    const draft = newId(), pages = new Map(), evidence = { of: '', id: '' };
    for (const a of queues[i].sort((x, y) => (`${x.identity.id_no}${x.identity.name}` < `${y.identity.id_no}${y.identity.name}` ? -1 : 1))) {
      const of = `${a.identity.name} ${a.identity.id_no}`;
      if (evidence.of !== of) {
        evidence.id = (await c.post('/api/identity/verify', { hash: '0'.repeat(64), name: a.identity.name, id_no: a.identity.id_no, sandbox_result: 'pass' })).evidence;
        evidence.of = of;
      }
      const materials = [];
      for (const s of a.slots) {
        const no = s.no === 99 ? 0 : s.no;
        if (!pages.has(no)) pages.set(no, await c.upload(draft, no, 'image/jpeg', photo));
        materials.push({ material: no, ...(s.alternative === undefined ? {} : { alternative: s.alternative }), pages: Array(s.pages).fill(pages.get(no)) });
      }
      const r = await c.raw('POST', '/api/applications', { json: { draft, item: a.code, config_version, entries: a.entries, materials, evidence: evidence.id }, headers: { 'idempotency-key': newId() } });
      out.set(a, { status: r.status, ...(await r.json()) });
    }
  }));
  return out;
}

// IMP-04 SEC-18: browser and citizens' service, the running one, find the same.
test('IMP-04 CIT-06 the citizens\' service refuses each for what the browser refuses it for', async (t) => {
  const answers = await served(spoiled);
  const wrong = [];
  let same = 0, shape = 0;
  for (const a of spoiled) {
    const { status, error } = answers.get(a);
    const found = say(error?.fields ?? []);
    if (['material_pages', 'material_repeated'].includes(a.rule) && status === 400 && (error.fields ?? []).every((x) => x.rule === 'shape')) shape += 1;      // no request can say it
    else if (status === 400 && error.code === 'input' && found.join() === say(a.browser).join()) same += 1;
    else wrong.push(`${name(a)}: browser ${say(a.browser)}, service ${status} ${error?.code} ${found}`);
  }
  t.diagnostic(`${spoiled.length} spoiled applications: ${same} with the same findings, ${shape} that are no request (a slot twice, 41 pages), ${wrong.length} differ`);
  assert.equal(wrong.length, 0, differ(wrong));
});

/** One of each item with lists of people: as many rows as the form takes, each text as long as it may be. */
function longest(list) {
  const out = new Map();
  for (const a of list.filter((x) => !out.has(x.code)))
    for (const r of a.rules.family.repeats ?? []) {
      if (!a.clean[r.id]?.length) continue;
      const grown = a.clean[r.id][0], names = r.fields.filter((f) => f.pattern_name === 'person_name').map((f) => f.id);
      const rows = Array.from({ length: r.max ?? 20 }, (_, i) => (i === 0 ? grown : { ...grown, ...Object.fromEntries(names.map((id) => [id, '龘'.repeat(r.fields.find((f) => f.id === id).max_length)])),
        ...Object.fromEntries(r.fields.filter((f) => f.type === 'id_number' && f.id in grown).map((f) => [f.id, inventNumber(Math.random, grown[f.id].replace(/^.{6}(.{4})(.{2})(.{2}).*$/, '$1-$2-$3'), grown[f.id][16] % 2 ? '1' : '2')])) }));
      const b = { ...a, entries: { ...a.clean, [r.id]: rows } };
      if (!browserVerdict(b).length) out.set(a.code, b);
    }
  return [...out.values()];
}

// IMP-04 SEC-18: the import judges again, whatever the internet side let through.
test('IMP-04 SEC-18 the intranet refuses each in a sealed record for the same, or before it comes to the form, and takes every valid one', async (t) => {
  const signer = provider(), pub = path.join(dir, 'identity.pub');
  writeFileSync(pub, signer.pub);
  const judged = async (list) => {
    const records = list.map((a, i) => recordOf(a, caseNo(i + 1)));
    const sums = await hashes(records.map((r) => r.canonical));
    return importVerdicts(records.map((r, i) => ({ no: caseNo(i + 1), xml: r.finish(sums[i], signer) })), pub);
  };
  const taken = await judged(valid.map((a) => ({ ...a, entries: a.clean })));
  assert.deepEqual(taken.map((x, i) => (x.word === 'taken' ? '' : `${valid[i].code} ${JSON.stringify(valid[i].want.pins ?? valid[i].want.seed)}: ${x.why}`)).filter(Boolean), []);
  const long = longest(valid);
  if (open.some((i) => i.form === 'establish_family')) assert.ok(long.length > 5, `only ${long.length} with lists`);
  t.diagnostic(`${long.length} items with lists at their longest`);
  assert.deepEqual((await judged(long)).map((x, i) => (x.word === 'taken' ? '' : `${long[i].code} with its longest lists: ${x.why}`)).filter(Boolean), []);
  const said = spoiled.filter((a) => !cannotSay(a));
  const verdicts = await judged(said);
  const wrong = [], less = new Map();
  let same = 0;
  verdicts.forEach((x, i) => {
    const a = said[i], first = LESS.find((l) => l.when(a));
    if (x.word === 'refused' && first && first.why.test(x.why)) less.set(first.what, (less.get(first.what) ?? 0) + 1);
    else if (x.word === 'refused' && !first && say(x.findings).join() === say(a.browser).join()) same += 1;
    else wrong.push(`${name(a)}: browser ${say(a.browser)}, import ${x.word} ${x.why} ${say(x.findings)}`);
  });
  t.diagnostic(`${valid.length} valid ones taken; ${said.length} spoiled ones: ${same} with the same findings, ${wrong.length} differ; ${spoiled.length - said.length} that a record cannot say`);
  for (const [what, n] of less) t.diagnostic(`${n} refused before the form: ${what}`);
  t.diagnostic(`${same + [...less.values()].reduce((x, y) => x + y, 0)} invalid applications, 3 verdicts each, ${wrong.length} differ`);
  assert.equal(wrong.length, 0, differ(wrong));
  if (open.length > 100) assert.ok(said.length >= 1000, `only ${said.length} invalid applications`);
});

const wireName = (field) => field.toLowerCase().replace(/[^a-z0-9]/g, '_');

/** Some of each rule, spread over the items. */
function sample(list, most) {
  const by = new Map();
  for (const a of list) by.set(a.rule, [...(by.get(a.rule) ?? []), a]);
  const out = [];
  for (let k = 0; out.length < most; k++) {
    const before = out.length;
    [...by.values()].forEach((of, i) => { if (of.length > k && out.length < most) out.push(of[(k + i * 7) % of.length]); });
    if (out.length === before) break;
  }
  return [...new Set(out)];
}

// IMP-04: through the real mover and the real intranet, sealed with the internet side's own key, and the answer comes back.
test('IMP-04 sent with the internet side\'s own key and database: refused with the same findings, nothing on the desk', async (t) => {
  const chosen = sample(spoiled.filter((a) => !cannotSay(a) && a.browser.length <= 60 && !LESS.some((l) => l.when(a))), 80);
  const signer = provider(readFileSync(path.join(demo.dir, 'sandbox/identity-key.pem')));
  process.kill(demo.processes['internet-side'].pid, 'SIGTERM');
  await until(() => { try { process.kill(demo.processes['internet-side'].pid, 0); return false; } catch { return true; } }, 'the citizens\' service has ended', 20, 20);
  const peer = spawn(path.join(build, 'tests/internet_peer'), [demo.dir], { stdio: ['pipe', 'pipe', 'inherit'] });
  const answers = new Map();
  readline.createInterface({ input: peer.stdout }).on('line', (l) => {
    const { kind, case: no, content } = JSON.parse(l);
    if (kind === 'answer') answers.set(no, Buffer.from(content, 'base64').toString());
  });
  const records = chosen.map((a, i) => ({ a, no: caseNo(9000000 + i), record: recordOf(a, caseNo(9000000 + i)) }));
  const sums = await hashes(records.map((r) => r.record.canonical));
  records.forEach((r, i) => {
    const file = path.join(dir, `${r.no}.xml`);
    writeFileSync(file, r.record.finish(sums[i], signer));
    peer.stdin.write(`application ${r.no} ${file}\n`);
  });
  await until(() => records.every((r) => answers.has(r.no)), 'an answer to each', 60, 50);
  peer.stdin.end();
  await new Promise((done) => { peer.on('close', done); });
  const wrong = [];
  for (const { a, no } of records) {
    const xml = answers.get(no);
    const found = [...new Set([...xml.matchAll(/<finding field="([^"]+)" rule="([^"]+)"/g)].map((m) => `${m[1]} ${m[2]}`))].sort();
    const want = [...new Set(a.browser.map((x) => `${wireName(x.field)} ${x.rule}`))].sort();
    if (!/word="refused"/.test(xml) || found.join() !== want.join()) wrong.push(`${name(a)}: browser ${want}, answer ${found}`);
  }
  const officer = new Officer(demo, demo.account('officer'));
  await officer.signIn();
  await each(records, async ({ no }) => assert.equal((await officer.raw('GET', `/api/cases/${no}`)).status, 404), 4);
  t.diagnostic(`${records.length} sealed applications through mover and import, ${new Set(chosen.map((a) => a.code)).size} items, ${new Set(chosen.map((a) => a.rule)).size} rules, ${wrong.length} differ`);
  assert.equal(wrong.length, 0, differ(wrong));
  assert.ok(records.length >= 60, `only ${records.length}`);
});
