// A database is lost or restored from an older backup, on either side; the operator says `ferry resync`, and both sides agree again: FRY-14, IMP-05.
// Also the other verbs of the operator's day, over a running demonstration.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { after, before } from 'node:test';
import { promisify } from 'node:util';
import { cast, day } from '../support/cast.mjs';
import { Citizen, newId, Officer, Refused } from '../support/client.mjs';
import { Demo, root, sleep, until } from '../support/demo.mjs';

const exec = promisify(execFile);
const photo = readFileSync(path.join(root, 'tests/fixtures/photo-1.jpg'));
let demo;
let phone = 13977000000;

before(async () => { demo = await Demo.start({ limits: 100 }); });
after(async () => { await demo?.stop(); });

/** The exit code and what was printed; never throws. */
async function ferry(verb, ...args) {
  try {
    const r = await exec(path.join(root, 'build/bin/ferry'), [...verb.split(' '), '--config', demo.ferry_conf, ...args], { env: { ...process.env, LANG: 'C', LC_ALL: '' } });
    return { code: 0, out: r.stdout, err: r.stderr };
  } catch (e) { return { code: e.code, out: e.stdout, err: e.stderr }; }
}
const rows = async (verb, side, ...more) => JSON.parse((await ferry(verb, '--side', side, '--json', ...more)).out).rows;

async function kill(name) {
  const p = demo.processes[name];
  process.kill(p.pid, 'SIGKILL');
  await until(() => { try { return !readFileSync(`/proc/${p.pid}/stat`, 'utf8').match(/\) [^Z]/); } catch { return true; } }, `${name} is gone`, 5, 5);
}

/** Stopped, its data changed, started again. */
async function between(name, change) {
  const p = demo.processes[name];
  p.args ??= readFileSync(`/proc/${p.pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  await kill(name);
  await change();
  const { spawn } = await import('node:child_process');
  const { openSync, closeSync } = await import('node:fs');
  const log = openSync(p.log, 'a');
  const child = spawn(p.args[0], p.args.slice(1), { cwd: root, detached: true, stdio: ['ignore', log, log] });
  closeSync(log);
  child.unref();
  p.pid = child.pid;
  writeFileSync(path.join(demo.dir, 'demo.json'), JSON.stringify({ ...JSON.parse(readFileSync(path.join(demo.dir, 'demo.json'), 'utf8')), processes: demo.processes }, null, 2));
  const url = demo.direct[name.replace('-side', '')];
  await until(async () => { try { return (await fetch(`${url}/healthz`)).status < 600; } catch { return false; } }, `${name} answers`, 20, 50);
}

const db = (side) => path.join(demo.dir, side, 'data', `${side}.db`);
const backups = (side, to) => { for (const tail of ['', '-wal', '-shm']) if (existsSync(db(side) + tail)) cpSync(db(side) + tail, to + tail); };
const restore = (side, from) => { for (const tail of ['', '-wal', '-shm']) { rmSync(db(side) + tail, { force: true }); if (existsSync(from + tail)) cpSync(from + tail, db(side) + tail); } };

async function applicant() {
  const c = new Citizen(demo, String(phone += 1));
  await c.signIn();
  return c;
}

async function submit(c) {
  const who = cast.rename({ phone: c.phone });
  const r = await c.submit(await c.draft(who.item, who.entries, Object.fromEntries(who.slots.map((s) => [s, { pages: [photo] }]))), who.who);
  return { no: r.no, who };
}

async function officer(unit) {
  const o = new Officer(demo, demo.account('officer', unit));
  await o.signIn();
  return o;
}

const shows = (c, no, key, seconds = 30) => until(async () => { try { const x = await c.case(no); return x.state.key === key && x; } catch (e) { if (e.status === 404) return null; throw e; } }, `${no} shows ${key}`, seconds);
/** On a new device a case is seen only after the applicant's last four characters; it is there once it was told. */
const unlocked = (c, no, who) => until(async () => {
  try { await c.post(`/api/applications/${no}/unlock`, { last4: who.who.id_no.slice(-4) }); return true; } catch (e) { if (e.status === 404) return null; throw e; }
}, `${no} is known again`, 30, 500);
const confirmed = (no) => until(async () => (await rows(`show ${no}`, 'internet').catch(() => [])).every((r) => r.direction !== 'out'), `${no} confirmed and purged`, 20);
const fine = () => until(async () => (await ferry('status')).code === 0, 'ferry status is fine', 60, 500);

test('FRY-14 an emptied internet side is refilled: the citizen finds the case, its state and what is asked of him', async () => {
  const c = await applicant();
  const { no, who } = await submit(c);
  await shows(c, no, 'reviewing');
  const o = await officer(who.unit);
  await until(async () => { const x = await o.case(no); return x.pages.done === x.pages.total; }, 'pages', 20);
  await o.decide(no, 'return_supplement', { reasons: [{ material: who.slots[0], kind: 'unclear', text: '第 1 页看不清，请重拍' }], date: day(-7) });
  await shows(c, no, 'supplement');
  await confirmed(no);

  await between('internet-side', () => { for (const tail of ['', '-wal', '-shm']) rmSync(db('internet') + tail, { force: true }); });
  const again = new Citizen(demo, c.phone);
  await again.signIn();
  assert.deepEqual((await again.get('/api/applications')).cases, []);
  await until(async () => { const s = JSON.parse((await ferry('status', '--json')).out); return s.programs['intranet-side'].status.peer_new === true; }, 'the intranet notices the new stream', 20);
  assert.notEqual((await ferry('status')).code, 0);
  const r = await ferry('resync', '--side', 'internet', '--wait', '60');
  assert.equal(r.code, 0, r.err);
  await unlocked(again, no, who);
  await shows(again, no, 'supplement');
  const whole = await again.case(no);
  assert.match(whole.supplement.slots[0].reason, /看不清/);
  await fine();

  // And it goes on: the supplement is handed in, a new application gets a number of its own.
  const draft = newId();
  const page = await again.upload(draft, who.slots[0], 'image/jpeg', photo);
  await again.post(`/api/applications/${no}/supplement`, { draft, entries: {}, materials: [{ material: who.slots[0], pages: [page] }] }, { 'idempotency-key': newId() });
  await shows(again, no, 'reviewing');
  const next = await submit(await applicant());
  assert.notEqual(next.no, no);
  await until(async () => { try { return (await o.case(next.no)).no === next.no; } catch (e) { if (e.status === 404) return null; throw e; } }, 'the next one is on the desk', 20);
});

test('FRY-14 IMP-05 the intranet restored from an older backup: the vault brings back what came since, statuses are said anew', async () => {
  const c = await applicant();
  const first = await submit(c);
  await shows(c, first.no, 'reviewing');
  await confirmed(first.no);
  const copy = path.join(demo.dir, 'backup-intranet.db');
  await between('intranet-side', () => backups('intranet', copy));
  const o = await officer(first.who.unit);
  await until(async () => { const x = await o.case(first.no); return x.pages.done === x.pages.total; }, 'pages', 20);
  await o.decide(first.no, 'return_supplement', { reasons: [{ material: first.who.slots[0], kind: 'unclear', text: '第 1 页看不清，请重拍' }], date: day(-7) });
  await shows(c, first.no, 'supplement');
  const d = await applicant();
  const second = await submit(d);
  await shows(d, second.no, 'reviewing');
  await confirmed(second.no);

  await between('intranet-side', () => restore('intranet', copy));
  await until(async () => { const s = JSON.parse((await ferry('status', '--json')).out); return /restored from a backup/.test(s.programs['intranet-side'].status.stopped); }, 'the intranet stops sending', 30);
  assert.equal((await ferry('status')).code, 2);
  const r = await ferry('resync', '--side', 'intranet', '--wait', '60');
  assert.equal(r.code, 0, r.err);
  const p = await officer(second.who.unit);
  await until(async () => { try { const x = await p.case(second.no); return x.pages.done === x.pages.total && x.pages.total > 0; } catch (e) { if (e.status === 404) return null; throw e; } }, 'the second case is back, with its pages', 30);
  // The decision was lost with the database; the citizen is told what holds now.
  await shows(c, first.no, 'reviewing');
  await shows(d, second.no, 'reviewing');
  assert.equal((await rows('list open', 'intranet')).length, 0);
  await fine();
  await p.decide(second.no, 'return_supplement', { reasons: [{ material: second.who.slots[0], kind: 'unclear', text: '第 1 页看不清，请重拍' }], date: day(-7) });
  await shows(d, second.no, 'supplement');
});

test('FRY-14 the internet side restored from an older backup: nothing is doubled, what it forgot is told, numbers are not given twice', async () => {
  const c = await applicant();
  const first = await submit(c);
  await shows(c, first.no, 'reviewing');
  await confirmed(first.no);
  const copy = path.join(demo.dir, 'backup-internet.db');
  await between('internet-side', () => backups('internet', copy));
  const d = await applicant();
  const second = await submit(d);
  await shows(d, second.no, 'reviewing');
  const o = await officer(first.who.unit);
  await o.decide(first.no, 'return_supplement', { reasons: [{ material: first.who.slots[0], kind: 'unclear', text: '第 1 页看不清，请重拍' }], date: day(-7) });
  const e = new Citizen(demo, c.phone);      // a restart ends the sessions
  await e.signIn();
  await unlocked(e, first.no, first.who);
  await shows(e, first.no, 'supplement');

  await between('internet-side', () => restore('internet', copy));
  await until(async () => { const s = JSON.parse((await ferry('status', '--json')).out); return /restored from a backup/.test(s.programs['internet-side'].status.stopped); }, 'the internet side stops sending', 30);
  const late = await applicant();
  await assert.rejects(submit(late), (e) => e instanceof Refused && e.status >= 500 && /暂停受理/.test(e.error.message));
  const r = await ferry('resync', '--side', 'internet', '--wait', '60');
  assert.equal(r.code, 0, r.err);
  for (const [who, one, key] of [[c, first, 'supplement'], [d, second, 'reviewing']]) {
    const t = new Citizen(demo, who.phone);
    await t.signIn();
    await unlocked(t, one.no, one.who);
    await shows(t, one.no, key);
  }
  const third = await submit(late);
  assert.ok(![first.no, second.no].includes(third.no));
  await until(async () => { const x = await officer(third.who.unit); try { return (await x.case(third.no)).no === third.no; } catch (e) { if (e.status === 404) return null; throw e; } }, 'it arrives', 20, 500);
  await fine();
});

test('ADM-16 FRY-10 FRY-20 list and show tell where an item is; drain refuses the new, sends the rest; resume accepts again', async () => {
  await kill('mover');
  const c = await applicant();
  const { no } = await submit(c);
  const own = await until(async () => { const r = await rows(`show ${no}`, 'internet'); return r.some((x) => x.state === 'sent') && r; }, 'sent', 10);
  assert.ok(own.every((x) => x.case === no && x.direction === 'out' && !x.overdue));
  assert.ok((await rows('list out', 'internet')).some((x) => x.case === no));
  const box = path.join(demo.dir, 'gateway/internet-outbox');
  const files = await until(async () => { const all = await rows('list files', 'internet'); return all.length && all.every((x) => x.state === 'sent') && all; }, 'what lies in our outbox is sent, nobody fetched it', 10, 50);
  const fetched = readdirSync(box).filter((n) => /^[bs]-/.test(n));
  assert.ok(fetched.length >= files.length, 'each of them lies there');
  for (const n of fetched) rmSync(path.join(box, n));
  await until(async () => (await rows(`show ${no}`, 'internet')).some((x) => x.state === 'crossing'), 'fetched and not acknowledged: crossing', 10, 50);
  await until(async () => (await rows('list files', 'internet')).every((x) => x.state === 'sent'), 'sent again', 60);
  const drained = await ferry('drain', '--side', 'internet', '--wait', '1');
  assert.equal(drained.code, 1);
  await until(async () => JSON.parse((await ferry('status', '--json')).out).programs['internet-side'].status.drained === true, 'the service took the word', 20);
  await assert.rejects(submit(await applicant()), (e) => e instanceof Refused && /暂停受理/.test(e.error.message));
  demo.startMover();
  assert.equal((await ferry('drain', '--side', 'internet', '--wait', '30')).code, 0);
  assert.equal((await ferry('resume', '--side', 'internet')).code, 0);
  await until(async () => { try { return await submit(await applicant()); } catch (e) { if (e instanceof Refused && e.status >= 500) return null; throw e; } }, 'accepts again', 10, 500);
  assert.equal((await ferry('show nothing-of-that-name', '--side', 'internet')).code, 1);
  const wrong = await ferry('list everything', '--side', 'internet');
  assert.equal(wrong.code, 1);
  assert.match(wrong.err, /want open, held, out, files or differences/);
  assert.equal((await ferry('list')).code, 2, 'both sides on this host: one must be named');
});

test('FRY-05 the gateway is down for a day: export and import on a medium carry both ways', async () => {
  await kill('mover');
  const medium = path.join(demo.dir, 'medium');
  const unmounted = await ferry(`export ${medium}`, '--side', 'internet');
  assert.deepEqual([unmounted.code, existsSync(medium)], [1, false], 'a medium that is not there is not made up');
  assert.match(unmounted.err, /want the folder of a medium that is mounted/);
  mkdirSync(medium, { recursive: true });
  const cases = [];
  for (let i = 0; i < 3; i += 1) { const c = await applicant(); cases.push({ c, ...await submit(c) }); }
  const out = await ferry(`export ${medium}`, '--side', 'internet');
  assert.equal(out.code, 0, out.err);
  const there = readdirSync(path.join(medium, 'to-intranet'));
  assert.ok(there.some((n) => n.startsWith('b-')) && there.some((n) => n.startsWith('s-')), there.join());
  // Read before the others: neither a name nor a size that is none of ours stops them.
  const junk = [`a${'n'.repeat(250)}`, 'a-large.bin', 'b-forged.xml'];
  for (const [i, text] of ['x', Buffer.alloc(8 << 20), '<Envelope/>'].entries()) writeFileSync(path.join(medium, 'to-intranet', junk[i]), text);
  const into = await ferry(`import ${medium}`, '--side', 'intranet');
  assert.equal(into.code, 1, 'a file that does not verify is told');
  assert.match(into.err, /b-forged/);
  assert.deepEqual(readdirSync(path.join(medium, 'to-intranet')).sort(), junk.sort(), 'and left');
  const o = await officer(cases[0].who.unit);
  for (const x of cases) await until(async () => { try { const v = await o.case(x.no); return v.pages.done === v.pages.total; } catch (e) { if (e.status === 404) return null; throw e; } }, 'on the desk', 30);
  assert.equal((await ferry(`export ${medium}`, '--side', 'intranet')).code, 0);
  assert.equal((await ferry(`import ${medium}`, '--side', 'internet')).code, 0);
  for (const x of cases) await shows(x.c, x.no, 'reviewing');
  demo.startMover();
  await fine();
});

test('ADM-16 IMP-02 a held record is listed with its reason, retried after the cause is gone, or refused for good', async () => {
  // The identity provider's key is taken away: applications are held, not refused.
  const key = path.join(demo.dir, 'intranet/keys/identity.pub');
  const saved = readFileSync(key);
  const conf = path.join(demo.dir, 'intranet/intranet.conf');
  const text = readFileSync(conf, 'utf8');
  await between('intranet-side', () => writeFileSync(conf, text.replace(/^identity_key.*\n/m, '')));
  const c = await applicant();
  const one = await submit(c), two = await submit(await applicant());
  const held = await until(async () => { const r = await rows('list held', 'intranet'); return r.length === 2 && r; }, 'held', 20);
  assert.ok(held.every((r) => r.state === 'held' && r.reason.length > 10));
  await shows(c, one.no, 'held');
  await until(async () => (await ferry('status')).code === 1, 'status calls for a hand', 20);
  assert.equal((await ferry(`retry ${held[0].id}`, '--side', 'intranet')).code, 0);
  assert.equal((await rows('list held', 'intranet')).length, 2, 'the cause is still there');
  assert.equal((await ferry(`discard ${held[1].id}`, '--side', 'intranet')).code, 2, 'a reason is wanted');
  await between('intranet-side', () => { writeFileSync(conf, text); writeFileSync(key, saved); });
  const gone = held.find((r) => r.case === two.no), kept = held.find((r) => r.case === one.no);
  assert.equal((await ferry(`discard ${gone.id}`, '--side', 'intranet', '--reason', 'sent twice by mistake')).code, 0);
  assert.equal((await ferry('retry all', '--side', 'intranet')).code, 0);
  await shows(c, one.no, 'reviewing');
  assert.equal((await rows(`show ${kept.id}`, 'intranet'))[0].state, 'applied');
  assert.equal((await rows(`show ${gone.id}`, 'intranet'))[0].state, 'refused');
  assert.equal((await ferry(`discard ${gone.id}`, '--side', 'intranet', '--reason', 'again')).code, 1);
  await sleep(10);
});
