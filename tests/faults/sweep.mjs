// The sweep: every call of every class, of each of the three programs, fails once, fails for a while, happens but is told as failed, is cut short,
// or is the last thing its program does. After each the crossing must come to the same end. One line a class; README.md says how to read it.
//   node tests/faults/sweep.mjs [--role R] [--call C] [--how H] [--errno E] [--ever] [--n N] [--stride S] [--offset O] [--width W] [--bounded] [--verbose]
import os from 'node:os';
import { parseArgs } from 'node:util';
import { World, classes, roles, sleep, symbols, template } from './world.mjs';

/** What each class is made to do. The first three letters say which kind it is in the table. */
export const variants = {
  open: [['fail', 'EIO'], ['fail', 'EMFILE'], ['fail', 'EINTR'], ['fail', 'EMFILE', 'ever'], ['before']],
  read: [['fail', 'EIO'], ['fail', 'EINTR'], ['short'], ['fail', 'EIO', 'ever'], ['before']],
  write: [['fail', 'EIO'], ['fail', 'ENOSPC'], ['fail', 'EINTR'], ['short'], ['fail', 'ENOSPC', 'ever'], ['before'], ['after']],
  sync: [['fail', 'EIO'], ['fail', 'ENOSPC'], ['fail', 'EINTR'], ['fail', 'EIO', 'ever'], ['before'], ['after']],
  rename: [['fail', 'EIO'], ['fail', 'ENOSPC'], ['done', 'EIO'], ['fail', 'EIO', 'ever'], ['before'], ['after']],
  link: [['fail', 'EIO'], ['fail', 'ENOSPC'], ['done', 'EIO'], ['fail', 'EIO', 'ever'], ['before'], ['after']],
  unlink: [['fail', 'EIO'], ['done', 'EIO'], ['fail', 'EIO', 'ever'], ['before'], ['after']],
  close: [['fail', 'EIO'], ['fail', 'EINTR'], ['before'], ['after']],
  alloc: [['fail', 'ENOMEM'], ['fail', 'ENOMEM', 'ever'], ['before']],
  truncate: [['fail', 'EIO'], ['fail', 'ENOSPC', 'ever'], ['before'], ['after']],
  map: [['fail', 'ENOMEM'], ['fail', 'ENOMEM', 'ever'], ['before']],
  talk: [['fail', 'ECONNRESET'], ['fail', 'EINTR'], ['short'], ['before'], ['after']],
};

const HOLD_MS = 250;                     // how long "for ever" lasts: 2.5 s of the crossing's time

/** Runs one case to its end: {hit, problems, where, said, ...}. */
export async function runCase(keys, c) {
  const w = new World(keys);
  const killing = c.how === 'before' || c.how === 'after';
  const control = w.control[c.role];
  if (c.call === 'link') control.put(9, 1);
  let hit = 0;
  try {
    w.startAll(c);
    const struck = () => w.running[c.role].exit !== null || control.hits > 0;
    const first = () => w.settled || struck() || roles.some((r) => w.running[r].exit !== null);
    if (!await w.until(first, 60000)) w.problem('neither struck nor settled after a minute');
    if (c.ever && control.hits) {
      await w.until(() => w.running[c.role].exit !== null, HOLD_MS);
      control.lift();
    }
    for (const end = Date.now() + 60000; ;) {
      if (roles.some((r) => w.running[r].exit !== null)) {
        w.judgeEnded();
        control.lift();
        w.revive(killing && control.hits > 0);
      }
      if (w.settled) break;
      if (Date.now() > end || w.starts > 8) { w.problem(w.starts > 8 ? 'does not stay up' : 'does not settle'); break; }
      await w.heard(50);
    }
    hit = control.hits;
    const struckLate = await w.stop(killing);
    if (!w.problems.length && (struckLate || w.temps().length)) await again(w);
    if (!w.problems.length) w.judgeEnd();
    const said = w.errors(c.role);
    const where = hit && (w.problems.length || !said.length || process.env.FAULT_WHERE) ? control.where : '';
    if (w.problems.length) for (const r of roles) w.problems.push(`${r}: ${w.errors(r).slice(-3).join(' | ').slice(0, 900)}`);
    return { ...c, hit, problems: w.problems, said: said.length, where, quarantined: w.quarantined(), counts: control.counts(), restarts: w.starts - 3 };
  } finally {
    await w.clear();
  }
}

/** Temporary names may stay where removing them failed, until the next start. */
async function again(w) {
  for (const r of roles) w.control[r].lift();
  w.startAll();
  if (!await w.until(() => w.settled, 60000)) w.problem('does not settle after a restart');
  await w.stop();
  const left = w.temps();
  if (left.length) w.problem(`I9 temporary files stay after a restart: ${left}`);
}

/** Without ids and numbers, so that the same finding is told once. */
const plain = (text) => text.replace(/\{.*/s, '').replace(/[0-9a-f]{8,}/g, '#');
const functions = (where) => [...where.matchAll(/(\w+)\(([\w.]+):\d+/g)].slice(0, 4).map((m) => m[1]).join(' < ') || where.split(' ').filter((x) => !x.includes('/')).slice(0, 4).join(' < ');
const handOf = (c) => `node tests/faults/sweep.mjs --role ${c.role} --call ${c.call} --how ${c.how}${c.errno ? ` --errno ${c.errno}` : ''}${c.ever ? ' --ever' : ''} --n ${c.n}`;

export const nameOf = (c) => `${c.role} ${c.call} ${c.how}${c.errno ? ` ${c.errno}` : ''}${c.ever ? ' for ever' : ''}`;

/** n = 1, 1 + stride, … until a run was not struck. Several at a time; the first miss ends it. */
export async function sweepOne(keys, c, { stride = 1, offset = 1, width = 2, most = Infinity, onFinding = () => {} } = {}) {
  const total = { ...c, calls: 0, findings: [], silent: new Map(), quarantined: 0, restarts: 0 };
  let n = offset, ended = false;
  const lane = async () => {
    while (!ended && n < offset + stride * most) {
      const at = n;
      n += stride;
      const r = await runCase(keys, { ...c, n: at });
      if (!r.hit) ended = true;
      if (!r.hit && !r.problems.length) break;
      total.calls++;
      total.restarts += r.restarts;
      total.quarantined += r.quarantined.length > 0;
      if (r.problems.length) { const f = { ...r, where: symbols(r.where) }; total.findings.push(f); onFinding(f); }
      else if (!r.said && r.where && c.how === 'fail') { const where = functions(symbols(r.where)); total.silent.set(where, (total.silent.get(where) ?? 0) + 1); }
    }
  };
  await Promise.all(Array.from({ length: width }, lane));
  return total;
}

const isMain = process.argv[1] && import.meta.filename === process.argv[1];
if (isMain) {
  const { values: v } = parseArgs({ options: Object.fromEntries([...['role', 'call', 'how', 'errno', 'n', 'stride', 'offset', 'width', 'most'].map((k) => [k, { type: 'string' }]),
    ...['ever', 'verbose'].map((k) => [k, { type: 'boolean' }])]) });
  const keys = template(), width = Number(v.width ?? os.availableParallelism() * 2);
  if (v.n) {
    process.env.FAULT_WHERE = '1';
    const r = await runCase(keys, { role: v.role, call: v.call, how: v.how ?? 'fail', errno: v.errno, ever: v.ever, n: Number(v.n) });
    console.log(JSON.stringify({ ...r, where: symbols(r.where) }, null, 2));
    process.exit(r.problems.length ? 1 : 0);
  }
  const sum = { runs: 0, restarts: 0 }, found = new Map(), silent = new Map();
  const add = (map, key) => map.set(key, { k: (map.get(key)?.k ?? 0) + 1 });
  for (const call of v.call ? v.call.split(',') : classes)
    for (const role of v.role ? v.role.split(',') : roles)
      for (const [how, errno, ever] of variants[call]) {
        if ((v.how && v.how !== how) || (v.errno && v.errno !== errno) || (v.ever && !ever)) continue;
        const start = Date.now();
        const t = await sweepOne(keys, { role, call, how, errno, ever: Boolean(ever) }, { stride: Number(v.stride ?? 1), offset: Number(v.offset ?? 1), most: Number(v.most ?? Infinity), width });
        sum.runs += t.calls;
        sum.restarts += t.restarts;
        console.log(`${nameOf(t)}: ${t.calls} calls, ${t.restarts} restarts, ${t.quarantined} quarantined, ${t.findings.length} findings, ${((Date.now() - start) / 1000).toFixed(1)} s`);
        for (const f of t.findings) {
          const key = `${plain(f.problems[0])} at ${functions(f.where)}`;
          if (!found.has(key)) console.log(`FINDING ${key}\n   ${handOf(f)}\n   at ${f.where}\n   ${f.problems.join('\n   ')}`);
          add(found, key);
        }
        for (const [where, k] of t.silent) for (let i = 0; i < k; i++) add(silent, `${call} ${how}: ${where}`);
      }
  for (const [key, f] of found) console.log(`found ${f.k} times: ${key}`);
  if (v.verbose) for (const [key, f] of silent) console.log(`nothing said ${f.k} times: ${key}`);
  console.log(`${sum.runs} runs, ${sum.restarts} restarts, ${found.size} different findings`);
  process.exit(found.size ? 1 : 0);
}
