// What watches the crossing: the alert rules under promtool, the figures they name, the runbook behind each, the watcher of the timer, the systemd units.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import YAML from 'yaml';
import { ends, ferry, root, sides } from '../support/ends.mjs';

const monitoring = path.join(root, 'ops/monitoring'), units = path.join(root, 'ops/systemd');
const promtool = [path.join(root, 'build/tools/promtool'), '/usr/bin/promtool'].find((f) => existsSync(f)) ?? 'promtool';
const rules = YAML.parse(readFileSync(path.join(monitoring, 'huzheng.rules.yml'), 'utf8')).groups.flatMap((g) => g.rules);
const run = (program, args, options = {}) => spawnSync(program, args, { encoding: 'utf8', ...options });
let w;
const state = (side) => ({ program: `${side}-side`, at_ms: Date.now(), running: true, word: 'fine', warn_s: 60, critical_s: 150, peer_beat_ms: Date.now(), today: { records: 4, within_5: 4, within_10: 4 } });
const say = (side, change = {}) => writeFileSync(w.at(side, 'status.json'), JSON.stringify({ ...state(side), ...change }));
before(() => {
  w = ends('monitoring', { internet_data: undefined, intranet_data: undefined });
  writeFileSync(w.at('mover.json'), JSON.stringify({ program: 'mover', at_ms: Date.now() + 600000, running: true, word: 'fine', trouble: '', lanes: [{ name: 'internet-to-intranet', carried: 1, bytes: 2, quarantined: 0, last_ms: 1 }] }));
  for (const s of sides) say(s);
});
after(() => w.close());

test('FRY-20 the alert rules are well formed, and each fires when it must and not before', () => {
  const check = run(promtool, ['check', 'rules', 'huzheng.rules.yml'], { cwd: monitoring });
  assert.equal(check.status, 0, check.stdout + check.stderr);
  const r = run(promtool, ['test', 'rules', 'huzheng.test.yml'], { cwd: monitoring });
  assert.equal(r.status, 0, r.stdout + r.stderr);
  const expected = new Set(JSON.stringify(YAML.parse(readFileSync(path.join(monitoring, 'huzheng.test.yml'), 'utf8'))).match(/alertname=\\"(\w+)/g).map((m) => m.slice(12)));
  assert.deepEqual(rules.map((x) => x.alert).filter((a) => !expected.has(a)), [], 'alerts that no test makes fire');
});

test('the tests of the rules notice when a rule never fires, or always', () => {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'hz-rules-'));
  copyFileSync(path.join(monitoring, 'huzheng.test.yml'), path.join(dir, 'huzheng.test.yml'));
  for (const never of ['vector(0) > 1', 'vector(1)']) {
    writeFileSync(path.join(dir, 'huzheng.rules.yml'), YAML.stringify({ groups: [{ name: 'x', rules: rules.map((x) => ({ ...x, expr: never })) }] }));
    const r = run(promtool, ['test', 'rules', 'huzheng.test.yml'], { cwd: dir }), said = r.stdout + r.stderr;
    assert.notEqual(r.status, 0);
    for (const x of rules) assert.ok(said.includes(`alertname="${x.alert}"`), `${x.alert} with '${never}' was not noticed`);
  }
  rmSync(dir, { recursive: true });
});

test('FRY-20 every figure and alarm that a rule names is printed by ferry status --prometheus; every alarm has a rule', async () => {
  const out = (await w.ferry(['status', '--prometheus'])).out;
  const printed = new Set(out.match(/^hz_ferry_[a-z0-9_]+/gm)), alarms = new Set([...out.matchAll(/alarm="([a-z-]+)"/g)].map((m) => m[1]));
  const named = new Set(), on = new Set();
  for (const r of rules) {
    for (const m of r.expr.matchAll(/hz_ferry_[a-z0-9_]+/g)) named.add(m[0]);
    for (const m of r.expr.matchAll(/alarm="([a-z-]+)"/g)) on.add(m[1]);
  }
  assert.ok(named.size >= 15);
  assert.deepEqual([...named].filter((m) => !printed.has(m)), []);
  assert.deepEqual([...on].filter((a) => !alarms.has(a)), []);
  const sections = new Set(rules.map((r) => r.annotations.section));
  assert.deepEqual([...alarms].filter((a) => !sections.has(a)), [], 'alarms of the program without a rule');
});

/** Sections of a runbook: "### word" or "### word: title". */
const sectionsOf = (file) => new Set([...readFileSync(path.join(root, 'docs', file), 'utf8').matchAll(/^### `?([a-z-]+)`?/gm)].map((m) => m[1]));

for (const file of ['operators.md', 'operators.zh.md']) {
  const text = () => readFileSync(path.join(root, 'docs', file), 'utf8');
  test(`OPS-10 ${file} has a section for every alarm of the program and of the rules, each with something to type`, async () => {
    const sections = sectionsOf(file), out = (await w.ferry(['status', '--prometheus'])).out;
    const alarms = new Set([...out.matchAll(/alarm="([a-z-]+)"/g)].map((m) => m[1]).concat(rules.map((r) => r.annotations.section)));
    assert.ok(alarms.size >= 20);
    assert.deepEqual([...alarms].filter((a) => !sections.has(a)), [], 'without a section');
    for (const r of rules) assert.match(r.annotations.summary_zh, /[\u4e00-\u9fff]/, r.alert);
    for (const part of text().split(/^### /m).slice(1)) {
      const name = part.match(/^`?([a-z-]+)/)?.[1];
      if (alarms.has(name)) assert.match(part.split(/^## /m)[0], /`[^`]+`/, `${name}: nothing to type`);
    }
  });
  test(`OPS-10 ${file} names every verb of the program with an example`, () => {
    const verbs = [...run(ferry, ['--help']).stdout.matchAll(/^ {2}ferry ([a-z]+)/gm)].map((m) => m[1]);
    assert.ok(verbs.length >= 19 && verbs.includes('doctor') && verbs.includes('resync'));
    const examples = new Set([...text().matchAll(/ferry ([a-z]+)/g)].map((m) => m[1]));
    assert.deepEqual(verbs.filter((v) => !examples.has(v)), []);
    const words = run(ferry, ['key', 'nonsense', '--keys', '/nowhere'], { env: { ...process.env, LC_ALL: 'C' } }).stderr.match(/\b(list|generate|trust|use|retire|revoke|backup|restore|drill)\b/g) ?? [];
    for (const word of words) assert.ok(text().includes(`ferry key ${word}`), `ferry key ${word}`);
  });
}

/* --- the watcher --- */

const watch = (args = [], env = {}) => run(path.join(monitoring, 'watch'), ['--config', w.at('ferry.conf'), '--ferry', ferry, '--state', w.at('watch-state'), '--textfile', w.at('prom/huzheng.prom'), ...args],
  { env: { ...process.env, LC_ALL: 'C', OUT: w.at('alarms'), ...env } });
const alarms = () => (existsSync(w.at('alarms')) ? readFileSync(w.at('alarms'), 'utf8').split('====\n').filter(Boolean) : []);

test('FRY-20 the watcher writes the figures whole, alarms at each change and again after a while, and says so when it cannot', () => {
  mkdirSync(w.at('prom'));
  writeFileSync(w.at('alarm'), '#!/bin/sh\n{ echo "$HUZHENG_STATE $HUZHENG_PRIORITY"; cat; echo ====; } >>"$OUT"\n');
  writeFileSync(w.at('broken'), '#!/bin/sh\nexit 7\n');
  for (const f of ['alarm', 'broken']) chmodSync(w.at(f), 0o755);
  const go = (change, ...args) => { for (const s of sides) say(s, change); const r = watch(['--alarm', w.at('alarm'), ...args]); assert.equal(r.status, 0, r.stderr); };
  go({});
  assert.deepEqual(alarms(), [], 'fine from the start: nothing to say');
  const figures = readFileSync(w.at('prom/huzheng.prom'), 'utf8');
  assert.match(figures, /^hz_ferry_state 0$/m);
  assert.deepEqual(readdirSync(w.at('prom')), ['huzheng.prom'], 'no half file is left');
  go({ held: 2 });
  assert.equal(alarms().length, 1);
  assert.match(alarms()[0], /^warning warning\nFerry: warning\n[^]*2 records held[^]*-> ferry list held/);
  go({ held: 2 });
  assert.equal(alarms().length, 1, 'not every 30 seconds');
  go({ held: 2 }, '--repeat', '0');
  assert.equal(alarms().length, 2, 'but again after a while');
  go({ stopped: 'x' });
  assert.match(alarms()[2], /^critical crit\n/);
  go({});
  assert.match(alarms()[3], /^fine info\nFerry: fine/, 'and that it is over');
  for (const s of sides) say(s, { held: 1 });
  const bad = watch(['--alarm', w.at('broken')]);
  assert.equal(bad.status, 1);
  assert.match(bad.stderr, /the alarm \(warning\) could not be given by/);
  assert.equal(readFileSync(w.at('watch-state'), 'utf8').split(' ')[0], 'fine', 'tried again next time');
  go({ held: 1 });
  assert.equal(alarms().length, 5);
  assert.match(readFileSync(w.at('prom/huzheng.prom'), 'utf8'), /^hz_ferry_state 1$/m);
  assert.equal(watch(['--textfile', w.at('nowhere/x.prom'), '--alarm', w.at('alarm')]).status, 0, 'no collector on this host');
  const gone = watch(['--ferry', '/nonexistent', '--alarm', w.at('alarm')]);
  assert.equal(gone.status, 1);
  assert.match(alarms()[5], /^unknown err\n/);
  assert.match(readFileSync(w.at('prom/huzheng.prom'), 'utf8'), /^hz_ferry_state 1$/m, 'the old figures stay, and grow stale');
});

/* --- systemd --- */

test('OPS-09 the units are valid, and each gives its program little', { skip: !existsSync('/usr/bin/systemd-analyze') }, () => {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'hz-units-'));
  const all = readdirSync(units).filter((f) => /\.(service|timer)$/.test(f));
  assert.ok(all.includes('huzheng-watch.timer') && all.includes('huzheng-watch.service'));
  for (const f of all) {                   // the programs as they were built here
    writeFileSync(path.join(dir, f), readFileSync(path.join(units, f), 'utf8')
      .replace(/^ExecStart=\/usr\/lib\/huzheng\/watch/m, `ExecStart=${monitoring}/watch`).replace(/^ExecStart=\/usr\/bin\//m, `ExecStart=${path.dirname(ferry)}/`));
  }
  const v = run('systemd-analyze', ['verify', '--man=no', ...all.map((f) => path.join(dir, f))], { env: { ...process.env, SYSTEMD_UNIT_PATH: `${dir}:` } });
  assert.deepEqual([v.status, v.stderr.split('\n').filter((l) => /huzheng/.test(l))], [0, []]);
  for (const f of all.filter((x) => x.endsWith('.service'))) {
    const s = run('systemd-analyze', ['security', '--offline=true', '--no-pager', '--threshold=35', path.join(dir, f)]);
    assert.equal(s.status, 0, `${f}: ${s.stdout.trim().split('\n').pop()} ${s.stderr}`);
  }
  const timer = readFileSync(path.join(units, 'huzheng-watch.timer'), 'utf8');
  assert.match(timer, /^OnUnitActiveSec=30$/m);
  rmSync(dir, { recursive: true });
});
