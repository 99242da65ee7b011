// What must hold after the storm, read from both databases and folders as they are, held against the ledger and the gateway's own list.
import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { scan } from '../support/markers.mjs';
import { sha256 } from './gateway.mjs';
import { EMPLOYER_MARK, PAGE_MARK, page } from './load.mjs';

const database = (demo, side) => {
  const dir = path.join(demo.dir, side, 'data'), name = readdirSync(dir).find((f) => /\.(db|sqlite)$/.test(f));
  return new DatabaseSync(path.join(dir, name), { readOnly: true });
};
export const open = (demo) => ({ internet: database(demo, 'internet'), intranet: database(demo, 'intranet') });
const all = (db, sql) => db.prepare(sql).all();
const one = (db, sql) => Number(Object.values(db.prepare(sql).get())[0]);

export const progress = (db) => `on the desk ${one(db.intranet, 'SELECT count(*) FROM case_file')}, ` +
  `confirmed ${one(db.internet, "SELECT count(*) FROM outgoing_record WHERE word = 'confirmed'")}`;

const names = (dir) => readdirSync(dir).filter((f) => !f.startsWith('.'));

/** Nothing is under way any more; with tell: what still is. */
export function quiet(db, demo, ledger, gateway, tell = false) {
  const bad = new Set([...gateway.damaged, ...gateway.junk].map((x) => path.join(x.to, x.name)));
  const lies = (dir) => readdirSync(dir).filter((f) => !f.startsWith('beat-') || bad.has(path.join(dir, f))).length;
  const open_rows = {
    'internet: kept until confirmed': one(db.internet, 'SELECT count(*) FROM out_item WHERE retain = 1'),
    'internet: files': one(db.internet, 'SELECT count(*) FROM out_file'),
    'internet: spool to remove': one(db.internet, 'SELECT count(*) FROM spool_trash'),
    'internet: open items': one(db.internet, "SELECT count(*) FROM in_item WHERE state <> 'applied'"),
    'intranet: files': one(db.intranet, 'SELECT count(*) FROM out_file'),
    'intranet: queued': one(db.intranet, 'SELECT count(*) FROM out_item WHERE acked_ms = 0'),
    'intranet: open items': one(db.intranet, "SELECT count(*) FROM in_item WHERE state <> 'applied'"),
    'intranet: to be said': one(db.intranet, 'SELECT count(*) FROM effect_pending'),
    'cases missing': ledger.length - one(db.intranet, 'SELECT count(*) FROM case_file WHERE confirmed > 0'),
    'inboxes': lies(demo.gateway.intranet_inbox) + lies(demo.gateway.internet_inbox),
  };
  const left = Object.entries(open_rows).filter(([, n]) => n !== 0);
  return tell ? left.map(([k, n]) => `${k} ${n}`).join(', ') : left.length === 0;
}

/** I1: each accepted application once, the same content, every page byte for byte. */
function applications({ db, ledger, demo, wrong }) {
  const cases = new Map();
  for (const c of all(db.intranet, 'SELECT no, content, received, confirmed, pages_total, pages_done FROM case_file')) {
    if (cases.has(c.no)) wrong.push(`I1 ${c.no} is there twice`);
    cases.set(c.no, c);
  }
  const accepted = new Map(ledger.map((x) => [x.no, x]));
  if (accepted.size !== ledger.length) wrong.push('I1 a number was given to two applications');
  for (const no of cases.keys()) if (!accepted.has(no)) wrong.push(`I2 ${no} is on the desk, nobody was told so`);
  const desk = [], confirmation = [];
  const answered = new Map(all(db.internet, "SELECT case_no, answered_ms FROM outgoing_record WHERE kind = 'application' AND word = 'confirmed'").map((r) => [r.case_no, r.answered_ms]));
  for (const x of ledger) {
    const c = cases.get(x.no);
    if (!c) { wrong.push(`I1 ${x.no} was accepted and is lost`); continue; }
    if (c.content !== x.hash) wrong.push(`I1 ${x.no}: content ${c.content}, accepted ${x.hash}`);
    if (c.pages_done !== c.pages_total || c.pages_total !== x.slots.length) wrong.push(`I1 ${x.no}: ${c.pages_done} of ${c.pages_total} pages`);
    if (!answered.get(x.no)) { wrong.push(`I1 ${x.no} was never confirmed`); continue; }
    desk.push(Math.max(0, c.received - x.sent_ms));
    confirmation.push(Math.max(0, answered.get(x.no) - x.sent_ms));
  }
  pages(db, ledger.filter((_, i) => i % Math.ceil(ledger.length / 400) === 0), path.join(demo.dir, 'pages'), wrong);
  return { accepted: ledger.length, crossed: cases.size, confirmed: answered.size, desk, confirmation };
}

function pages(db, entries, dir, wrong) {
  mkdirSync(dir, { recursive: true });
  const want = new Map(entries.flatMap((x) => x.slots.map((slot) => [`${x.no}-${slot}`, page(x.n, slot)])));
  for (const [k, body] of want) writeFileSync(path.join(dir, k), body);
  const sums = execFileSync('b2sum', ['-l', '256', ...want.keys()], { cwd: dir, encoding: 'utf8', maxBuffer: 1 << 26 });
  const get = db.intranet.prepare('SELECT p.hash FROM part p JOIN page g ON p.page = g.uid WHERE g.case_no = ? AND g.material = ?');
  for (const l of sums.split('\n').filter(Boolean)) {
    const [sum, key] = l.split(/\s+/), [no, slot] = key.split('-'), rows = get.all(no, Number(slot));
    if (rows.length !== 1 || rows[0].hash !== sum) wrong.push(`I1 ${no} page of slot ${slot}: want ${sum}, have ${JSON.stringify(rows)}`);
  }
  rmSync(dir, { recursive: true });
}

/** What a citizen reads, by what the officers did; station and day are blanked. The pages' own line comes only where the record crossed before them. */
const START = ['已提交', '已送达@', '@已收到，照片还在传 %', '民警正在审核，最晚 #答复'];
const TRAIL = {
  none: START, pass: [...START, '请带上原件到@核对'], terminate: [...START, '@在 #终止了这次办理：按申请人要求结束'],
  finish: [...START, '请带上原件到@核对', '原件都核验过了，不用交，民警正在办理', '可到@领取'],
};
const plain = (text) => text.replace(/(?<=^|到|送达)[^到达\d，]{2,8}派出所/, '@').replace(/\d+月\d+日/, '#').replace(/[0-3]\/4$/, '%');
const fits = (texts, want) => [want, want.filter((t) => !t.includes('照片还在传'))].some((w) => w.join(' > ') === texts);

/** I3: the records of each case came once, all, in order; what citizens read is the same for the same history and never goes back. */
function statuses({ db, ledger, wrong }) {
  const said = new Map(all(db.intranet, "SELECT item_id, kind, case_no, case_seq FROM out_item WHERE case_no <> ''").map((r) => [r.item_id, r]));
  const heard = all(db.internet, "SELECT item_id, kind, case_no, case_seq, state FROM in_item WHERE case_no <> ''");
  for (const r of heard) {
    const s = said.get(r.item_id);
    if (!s) wrong.push(`I3 ${r.kind} ${r.item_id} was never said`);
    else if (s.case_no !== r.case_no || s.case_seq !== r.case_seq || s.kind !== r.kind) wrong.push(`I3 ${r.item_id} is another`);
    if (r.state !== 'applied') wrong.push(`I3 ${r.kind} ${r.item_id} is ${r.state}`);
  }
  if (heard.length !== said.size) wrong.push(`I3 ${said.size} records were said, ${heard.length} heard`);
  const events = new Map();
  for (const r of all(db.internet, 'SELECT case_no, at_ms, stage, text FROM tracking_event ORDER BY id')) events.set(r.case_no, [...(events.get(r.case_no) ?? []), r]);
  const shapes = {};
  for (const x of ledger) {
    if (x.failed) { wrong.push(`officer, ${x.no}: ${x.failed}`); continue; }
    const list = events.get(x.no) ?? [], text = list.map((r) => plain(r.text)).join(' > '), way = x.way ?? 'none';
    (shapes[way] ??= new Map()).set(text, [...(shapes[way].get(text) ?? []), x.no]);
    for (let i = 1; i < list.length; i++)
      if (list[i].stage < list[i - 1].stage) wrong.push(`I3 ${x.no} goes back: ${list[i - 1].text} > ${list[i].text}`);
  }
  if (process.env.CHAOS_SHAPES) console.log(JSON.stringify(Object.fromEntries(Object.entries(shapes).map(([k, m]) => [k, [...m].map(([t, l]) => [t, l.length])])), null, 1));
  for (const [way, m] of Object.entries(shapes))
    for (const [text, list] of m) if (!fits(text, TRAIL[way])) wrong.push(`I3 after ${way} ${list.length} citizens read "${text}", e.g. ${list[0]}`);
  return { statuses: heard.filter((r) => r.kind === 'status').length };
}

/** I6 I7: everything damaged or foreign lies in quarantine with its reason, and nothing else does. */
function quarantine({ demo, gateway, carrier, wrong }) {
  const figures = { quarantined_damaged: 0, quarantined_junk: 0 };
  for (const side of ['intranet', 'internet']) {
    const dir = path.join(demo.dir, side, 'data/quarantine'), to = carrier.ways[side];
    const damaged = new Map(gateway.damaged.filter((d) => d.to === to).map((d) => [d.sha, d])), junk = new Map(gateway.junk.filter((j) => j.to === to).map((j) => [j.name, j]));
    const lying = existsSync(dir) ? readdirSync(dir) : [], seen = new Set(), odd = new Set();
    for (const name of lying.filter((f) => !f.endsWith('.reason'))) {
      const note = path.join(dir, `${name}.reason`), st = lstatSync(path.join(dir, name)), origin = junk.get(name.replace(/\.junk$/, ''));
      if (!existsSync(note) || !/^\S+Z \d+ bytes: .{3,}\n$/.test(readFileSync(note, 'utf8'))) wrong.push(`I7 ${side}: ${name} has no reason`);
      const sha = st.isFile() ? sha256(readFileSync(path.join(dir, name))) : '';
      if (damaged.has(sha)) seen.add(sha);
      else if (origin || name.startsWith('长')) odd.add(name);
      else wrong.push(`I7 ${side}: ${name} lies in quarantine, nobody damaged it: ${existsSync(note) ? readFileSync(note, 'utf8').trim() : ''}`);
    }
    for (const note of lying.filter((f) => f.endsWith('.reason'))) if (!lying.includes(note.slice(0, -7))) wrong.push(`I7 ${side}: ${note} without its file`);
    for (const [sha, d] of damaged) if (!seen.has(sha)) wrong.push(`I7 ${side}: ${d.name} (${d.how}, ${d.size} bytes) was damaged and is not in quarantine`);
    if (odd.size !== [...junk.values()].filter((j) => j.kind !== 'empty' || !seen.has(sha256(''))).length) wrong.push(`I7 ${side}: ${junk.size} foreign things, ${odd.size} in quarantine`);
    figures.quarantined_damaged += seen.size;
    figures.quarantined_junk += odd.size;
  }
  return figures;
}

/** I9: both databases whole, no file without a row, no row without a file. */
function whole({ db, demo, wrong }) {
  for (const [side, d] of Object.entries(db)) {
    const rows = all(d, 'PRAGMA integrity_check').map((r) => r.integrity_check).join();
    if (rows !== 'ok') wrong.push(`I9 ${side}: ${rows.slice(0, 200)}`);
    const orphans = all(d, 'PRAGMA foreign_key_check').length;
    if (orphans) wrong.push(`I9 ${side}: ${orphans} rows without their parent`);
  }
  const data = path.join(demo.dir, 'internet/data'), left = existsSync(path.join(data, 'spool')) ? names(path.join(data, 'spool')) : [];
  if (left.length) wrong.push(`I9 spool: ${left.length} orphans, e.g. ${left[0]}`);
  for (const f of Object.values(demo.gateway)) for (const n of readdirSync(f)) if (n.endsWith('.tmp')) wrong.push(`I9 ${f}: ${n} was left behind`);
}

/** I4 I5: of what was confirmed the internet side keeps nothing that can be read. */
function markers({ demo, ledger, wrong }) {
  const some = ledger.filter((_, i) => i % Math.ceil(ledger.length / 4) === 0);
  const what = { page: PAGE_MARK, employer: EMPLOYER_MARK, ...Object.fromEntries(some.flatMap((x, i) => [[`id ${i}`, x.who.id_no], [`name ${i}`, x.who.name], [`phone ${i}`, x.phone]])) };
  const base = path.join(demo.dir, 'internet');
  const folders = [...readdirSync(base).filter((f) => lstatSync(path.join(base, f)).isDirectory()).map((f) => path.join(base, f)), path.join(demo.dir, 'logs'), ...Object.values(demo.gateway)];
  wrong.push(...scan(folders, what).slice(0, 20).map((h) => `I5 ${h}`));
}

export async function judge(all_of_it) {
  const figures = { ...applications(all_of_it), ...statuses(all_of_it), ...quarantine(all_of_it) };
  whole(all_of_it);
  markers(all_of_it);
  return figures;
}
