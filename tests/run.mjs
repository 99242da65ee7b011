// Runs groups of tests, counts them, and writes which requirement which test proved: node tests/run.mjs GROUP...
//   unit         every tests/unit/test_*.c (built by make into build/<variant>/tests) and, in the release variant, tests/unit/*.mjs
//   fuzz         every tests/fuzz/fuzz_*.c replays tests/fuzz/corpus/<name>/
//   integration, browser, chaos, model, faults   tests/<group>/*.mjs
// A program that crashes, prints no result, or has no tests counts as failed. build/requirements.tsv gets one line
// "ID <tab> file: test <tab> result" for each ID that stands in a test's name or in the comment right above it.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const variant = process.env.VARIANT || 'release';
const build = path.join('build', variant);
const deadline_s = Number(process.env.TEST_DEADLINE_S || (process.env.HZ_LONG ? 1800 : 600));
const prefixes = new Set(('ADM APT ARC BAT CAT CIT CNV CRT CWD EXP FRY IDV IMP INT ISS MAT MON MSG NTF OPS PAR POP PRF PRT QRY REV SEC ' +
  'STA SUP TEC VER WFL WIN').split(' '));

const list = (dir, pattern) => (existsSync(dir) ? readdirSync(dir).filter((f) => pattern.test(f)).sort().map((f) => path.join(dir, f)) : []);

if (variant === 'tsan') process.env.TSAN_OPTIONS ??= `suppressions=${path.resolve('tests/tsan.supp')}`;

/** Run a program to its end; never rejects. A late one is killed. */
function run(program, args, env = {}) {
  return new Promise((done) => {
    const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '', err = '';
    const timer = setTimeout(() => { err += `\nkilled after ${deadline_s} s`; child.kill('SIGKILL'); }, deadline_s * 1000);
    child.stdout.on('data', (d) => { out += d; });
    child.stderr.on('data', (d) => { err = (err + d).slice(-200000); });
    child.on('error', (e) => { clearTimeout(timer); done({ code: -1, out, err: String(e) }); });
    child.on('close', (code, signal) => { clearTimeout(timer); done({ code: signal ? `signal ${signal}` : code, out, err }); });
  });
}

const failure = (source, name, why) => ({ source, name, ok: false, skip: false, why });

/** A cmocka program: TAP on standard output; what precedes a line belongs to it. */
async function cmocka(source) {
  const program = path.join(build, 'tests', path.basename(source, '.c'));
  const r = await run(program, [], { CMOCKA_MESSAGE_OUTPUT: 'TAP' });
  const results = [];
  for (const line of r.out.split('\n')) {
    const m = /^(not )?ok \d+ - (\S+)\s*(#\s*skip)?/i.exec(line);
    if (m) results.push({ source, name: m[2], ok: !m[1], skip: Boolean(m[3]), why: '' });
    else if (line.startsWith('#') && results.length && !results.at(-1).ok) results.at(-1).why += `${line}\n`;
  }
  const planned = [...r.out.matchAll(/^1\.\.(\d+)/gm)].reduce((sum, m) => sum + Number(m[1]), 0);
  if (!planned) results.push(failure(source, 'program', `no tests ran (exit ${r.code})\n${r.err.slice(-4000)}`));
  else if (results.length < planned) results.push(failure(source, 'program', `${results.length} of ${planned} tests ended (exit ${r.code})\n${r.err.slice(-4000)}`));
  else if (r.code !== 0 && results.every((t) => t.ok)) results.push(failure(source, 'program', `exit ${r.code} after all tests passed\n${r.err.slice(-4000)}`));
  return results;
}

async function nodeTests(source) {
  const r = await run(process.execPath, ['--test', `--test-reporter=${path.resolve('tests/reporter.mjs')}`, source]);
  const results = [];
  for (const line of r.out.split('\n').filter(Boolean)) {
    try {
      const t = JSON.parse(line);
      if (t.note) console.log(`    ${path.basename(source)}: ${t.note}`);
      else if (path.resolve(t.name) === path.resolve(source)) results.push(failure(source, 'file', t.ok ? 'no tests in it' : t.why));
      else results.push({ source, ...t });
    } catch { /* a test's own output */ }
  }
  if (!results.length || (r.code !== 0 && results.every((t) => t.ok))) results.push(failure(source, 'file', `exit ${r.code}\n${r.err.slice(-4000)}`));
  return results;
}

async function replay(source) {
  const program = path.join(build, 'fuzz', path.basename(source, '.c'));
  const name = path.basename(source, '.c').slice('fuzz_'.length);
  const corpus = path.join('tests/fuzz/corpus', name);
  if (!list(corpus, /./).length) return [failure(source, `corpus_${name}`, `${corpus} is empty`)];
  const r = await run(program, [corpus]);
  return [{ source, name: `corpus_${name}`, ok: r.code === 0, skip: false, why: r.code === 0 ? '' : `exit ${r.code}\n${r.err.slice(-4000)}` }];
}

const jobs = {
  unit: () => [
    ...list('tests/unit', /^test_.*\.c$/).map((f) => () => cmocka(f)),
    ...(variant === 'release' ? list('tests/unit', /\.mjs$/).filter((f) => readFileSync(f, 'utf8').includes('node:test')).map((f) => () => nodeTests(f)) : []),
  ],
  fuzz: () => list('tests/fuzz', /^fuzz_.*\.c$/).map((f) => () => replay(f)),
};
for (const group of ['integration', 'browser', 'chaos', 'model', 'faults'])
  jobs[group] = () => list(`tests/${group}`, /\.mjs$/).filter((f) => readFileSync(f, 'utf8').includes('node:test')).map((f) => () => nodeTests(f));

/** Results in the order of the jobs, `width` at a time. */
async function pool(all, width) {
  const results = Array(all.length);
  let next = 0;
  await Promise.all(Array.from({ length: width }, async () => {
    for (let i; (i = next++) < all.length;) results[i] = await all[i]();
  }));
  return results.flat();
}

/** IDs in a test's name and in the comment that ends right above its definition. */
function requirements(test) {
  const lines = readFileSync(test.source, 'utf8').split('\n');
  const at = lines.findIndex((l) => (test.source.endsWith('.c') ? new RegExp(`\\b${test.name}\\s*\\(`).test(l) : l.includes(test.name)));
  let text = test.name;
  if (at >= 0) {
    text += ` ${lines[at]}`;
    for (let i = at - 1; i >= 0 && /^\s*(\/\*|\*|\/\/)|\*\/\s*$/.test(lines[i]); i--) text += ` ${lines[i]}`;
  }
  const ids = new Set();
  for (const m of text.matchAll(/(?<![A-Za-z])([A-Z]{3})-(\d{1,3})(?!\d)/g)) if (prefixes.has(m[1])) ids.add(m[0]);
  for (const m of test.name.toUpperCase().matchAll(/(?<![A-Z])([A-Z]{3})_(\d{2,3})(?!\d)/g)) if (prefixes.has(m[1])) ids.add(`${m[1]}-${m[2]}`);
  return ids;
}

const groups = process.argv.slice(2);
const unknown = groups.find((g) => !jobs[g]);
if (!groups.length || unknown) {
  console.error(`tests/run: group: want one of ${Object.keys(jobs).join(', ')}, have ${unknown ?? 'nothing'}`);
  process.exit(2);
}
const all = [], proved = [];
for (const group of groups) {
  const serial = group !== 'unit' && group !== 'fuzz';
  const results = await pool(jobs[group](), serial ? 1 : Math.min(2, os.cpus().length));
  const bad = results.filter((t) => !t.ok), skipped = results.filter((t) => t.skip);
  for (const t of bad) console.log(`FAILED ${t.source}: ${t.name}\n${t.why.replace(/^/gm, '    ')}`);
  for (const t of skipped) console.log(`skipped ${t.source}: ${t.name}`);
  console.log(`${group} (${variant}): ${results.filter((t) => t.ok && !t.skip).length} passed, ${bad.length} failed, ${skipped.length} skipped`);
  for (const t of results) for (const id of requirements(t)) proved.push(`${id}\t${t.source}: ${t.name}\t${t.skip ? 'skipped' : t.ok ? 'passed' : 'failed'}`);
  all.push(...results);
}
const ran = all.filter((t) => !t.skip), failed = ran.filter((t) => !t.ok).length;
mkdirSync('build', { recursive: true });
if (variant === 'release') {
  writeFileSync(`build/requirements-${groups.join('-')}.tsv`, [...proved.sort(), ''].join('\n'));
  const parts = list('build', /^requirements-.*\.tsv$/).flatMap((f) => readFileSync(f, 'utf8').split('\n').filter(Boolean));
  writeFileSync('build/requirements.tsv', [...new Set(parts)].sort().concat('').join('\n'));
}
if (!ran.length) console.log('no tests ran');
console.log(`${ran.length - failed} passed, ${failed} failed`);
process.exit(failed || !ran.length ? 1 : 0);
