// ferry status: every alarm that there is can be raised, says in both languages what is wrong and what to type, and has its figure for Prometheus.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { spawn, spawnSync } from 'node:child_process';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import { ends, ferry, root, sides, sleep, until } from '../support/ends.mjs';

let w, fine;
const now = () => Date.now();
const words = readFileSync(path.join(root, 'ferry/status_judge.c'), 'utf8').match(/alarm_words\[\] = \{([^}]*)\}/)[1].match(/[a-z-]+/g);

/** The state files of three programs that are well, changed; the command's answer in one of its forms. */
async function told(change, form = '--json', lang = 'C') {
  const s = { internet: { ...fine.internet, at_ms: now(), peer_beat_ms: now() }, intranet: { ...fine.intranet, at_ms: now(), peer_beat_ms: now() }, mover: { ...fine.mover, at_ms: now() } };
  s.internet.today = { ...fine.internet.today };
  change(s);
  for (const side of sides) writeFileSync(w.at(`${side}.json`), JSON.stringify(s[side]) ?? '{"half":');
  writeFileSync(w.at('m.json'), JSON.stringify(s.mover));
  const r = await w.ferry(['status', ...(form ? [form] : [])], lang);
  return form === '--json' ? { ...JSON.parse(r.out), code: r.code } : r;
}

before(async () => {
  w = ends('status');
  for (const p of ['internet', 'intranet', 'mover']) w.start[p](p === 'internet' ? 6 : 0);
  await until('both sides hear each other and six records are confirmed', () => sides.every((s) => w.status(s).peer_protocol && w.status(s).word === 'fine') && w.status('internet').today.records === 5);
  await until('the mover says what it carried', () => JSON.parse(readFileSync(w.at('mover.json'), 'utf8')).lanes.every((l) => l.carried > 0));
  fine = { internet: w.status('internet'), intranet: w.status('intranet'), mover: JSON.parse(readFileSync(w.at('mover.json'), 'utf8')) };
  for (const p of ['internet', 'intranet', 'mover']) await w.stop(p);
  for (const side of sides) for (const box of ['inbox', 'outbox']) for (const f of readdirSync(w.at(`gateway/${side}-${box}`))) rmSync(w.at(`gateway/${side}-${box}`, f));
  w.configure({ internet_status: w.at('internet.json'), intranet_status: w.at('intranet.json'), status_file: w.at('m.json'), internet_data: undefined, intranet_data: undefined });
});
after(() => w.close());

test('FRY-20 the screen tells the compliance of today, and the exit code is 0 when all is well', async () => {
  const en = await told(() => {}, ''), zh = await told((s) => { s.internet.today = { records: 200, within_5: 199, within_10: 200, late_5: 0, late_10: 0, slowest_ms: 312000 }; }, '', 'zh_CN.UTF-8');
  assert.equal(en.code, 0, en.out);
  assert.match(en.out, /today: \d records · within 5 min 100\.0 % · within 10 min 100\.0 % · slowest \d+ s · late and under way 0/);
  assert.match(en.out, /internet-to-intranet: \d+ files carried, the last \d+ s ago/);
  assert.match(zh.out, /今日：200 条 · 5 分钟内 99\.5% · 10 分钟内 100\.0% · 最慢 312 秒 · 超时在途 0/);
  assert.match((await told((s) => { s.internet.today.records = 0; }, '')).out, /today: no record confirmed yet/);
  assert.equal(en.out.split('\n').length < 25, true, 'one screen');
});

// name, word, English, Chinese, what to type, how it comes about
const raised = [
  ['stopped', 'critical', /stopped 60 s ago/, /已停止 60 秒/, /systemctl start huzheng-intranet/, (s) => { s.intranet.at_ms = now() - 60500; }],
  ['sending-stands', 'critical', /sending stands: the peer acknowledges numbers/, /发送已停：对侧确认过本库没有发过的编号/, /ferry resync --side internet/,
    (s) => { s.internet.stopped = 'the peer acknowledges numbers that this database never gave out: restored from a backup? ferry resync is needed'; }],
  ['journal', 'critical', /journals do not agree: our journal went back/, /两侧日志链不符：本侧日志链变短/, /ferry resync --side intranet/, (s) => { s.intranet.journal = 'our journal went back: the peer heard entry 9: restored?'; }],
  ['unacknowledged', 'warning', /unacknowledged for 100 s/, /最早一条已 100 秒未被对侧确认/, /ferry list files --side internet/, (s) => { s.internet.oldest_ms = now() - 100500; }],
  ['unacknowledged', 'critical', /unacknowledged for 151 s/, /最早一条已 151 秒/, /ferry list files --side internet/, (s) => { s.internet.oldest_ms = now() - 151500; }],
  ['peer-silent', 'warning', /peer silent for 61 s/, /对侧已 61 秒没有消息/, /ferry doctor --gateway/, (s) => { s.internet.peer_beat_ms = now() - 61500; }],
  ['peer-silent', 'critical', /peer silent for 200 s/, /对侧已 200 秒没有消息/, /ferry doctor --gateway/, (s) => { s.intranet.peer_beat_ms = now() - 200500; }],
  ['peer-silent', 'warning', /peer silent for 70 s/, /对侧已 70 秒没有消息/, /ferry doctor --gateway/, (s) => { s.internet.peer_beat_ms = 0; s.internet.started_ms = now() - 70500; }],
  ['trouble', 'warning', /sending fails: .*No space left/, /收发出错：磁盘已满/, /ferry doctor; journalctl -u huzheng-internet/, (s) => { s.internet.trouble = 'publish b-1: No space left on device'; }],
  ['trouble', 'critical', /carrying fails: /, /搬运出错：没有权限/, /ferry doctor/, (s) => { s.mover.trouble = 'internet-to-intranet: Permission denied'; }],
  ['overdue', 'warning', /3 records of over 5 minutes are still under way \(1 of over 10\)/, /3 条已超 5 分钟仍在途（其中 1 条超 10 分钟）/, /ferry list out --side internet/, (s) => { s.internet.today.late_5 = 3; s.internet.today.late_10 = 1; }],
  ['overdue', 'warning', /2 applications are not whole on the other side after 10 minutes/, /2 件超 10 分钟仍未全部入库/, /ferry list out --side internet/, (s) => { s.internet.today.late_10 = 2; }],
  ['trouble', 'warning', /sending fails: .*Too many open files/, /收发出错：打开的文件过多/, /ferry doctor; journalctl -u huzheng-internet/, (s) => { s.internet.trouble = 'open inbox: Too many open files'; }],
  ['held', 'warning', /2 records held/, /2 条暂存未处理/, /ferry list held --side intranet/, (s) => { s.intranet.held = 2; }],
  ['waiting', 'warning', /2 records wait for 90 s for an earlier one/, /2 条等前一条到达已 90 秒/, /ferry list open --side intranet/, (s) => { s.intranet.waiting = 2; s.intranet.waiting_ms = now() - 90500; }],
  ['gap', 'warning', /4 files of the peer's sequence missing for 90 s/, /对侧文件序号缺 4 个已 90 秒/, /ferry quarantine/, (s) => { s.intranet.gap = 4; s.intranet.gap_since_ms = now() - 90500; }],
  ['peer-new', 'warning', /began a new stream and did not resync/, /对侧换了新的批次序列/, /ferry resync/, (s) => { s.intranet.peer_new = true; }],
  ['differences', 'warning', /5 differences/, /有 5 条差异/, /ferry list differences --side internet/, (s) => { s.internet.differences = 5; }],
  ['quarantine', 'warning', /7 files in quarantine/, /隔离区有 7 个文件/, /ferry quarantine/, (s) => { s.internet.quarantined = 7; }],
  ['key-expiry', 'warning', /a key expires/, /密钥即将到期/, /ferry key list --side internet/, (s) => { s.internet.key_warning = 30; }],
  ['key-trouble', 'warning', /keys: key 12 is announced/, /密钥：key 12/, /ferry key list --side internet/, (s) => { s.internet.key_trouble = 'key 12 is announced and nobody here trusts it'; }],
  ['drained', 'warning', /drained: nothing new is accepted/, /已停止受理新件/, /ferry resume --side internet/, (s) => { s.internet.drained = true; }],
  ['configuration', 'warning', /configurations differ for 400 s: intranet v12, internet v11/, /两侧配置版本不一致已 400 秒：公安网 v12，互联网 v11/, /ferry list out --side intranet/,
    (s) => { Object.assign(s.intranet, { config: 12, peer_config: 11, since: { configuration: now() - 400500 } }); }],
  ['configuration', 'critical', /configurations differ for 3700 s/, /两侧配置版本不一致已 3700 秒/, /ferry list held --side internet/,
    (s) => { Object.assign(s.internet, { config: 11, peer_config: 12, since: { configuration: now() - 3700500 } }); }],
  ['configuration', 'critical', /the internet side names configuration v13, the intranet's is v12/, /互联网侧用的配置 v13 公安网没有（公安网 v12）/, /ferry doctor/,
    (s) => { Object.assign(s.intranet, { config: 12, peer_config: 13, since: { configuration: now() - 1000 } }); }],
  ['not-content', 'warning', /not content/, /服务自报异常/, /journalctl -u huzheng-internet/, (s) => { s.internet.word = 'warning'; }],
  ['no-status', 'unknown', /no status file/, /没有状态文件/, /ferry doctor/, (s) => { s.internet = undefined; }],
];
const code = { warning: 1, critical: 2, unknown: 3 };

for (const [alarm, word, en, zh, type, change] of raised) {
  test(`FRY-20 ${alarm} (${word}) is told with what to type, and nothing else is`, async () => {
    const j = await told(change);
    const all = Object.values(j.programs).flatMap((p) => p.alarms);
    assert.deepEqual(all.map((x) => [x.alarm, x.word]), [[alarm, word]], JSON.stringify(all));
    assert.match(all[0].says, en);
    assert.match(all[0].type, type);
    assert.deepEqual([j.word, j.code], [word, code[word]]);
    const screen = await told(change, '', 'zh_CN.UTF-8');
    assert.match(screen.out, zh);
    assert.match(screen.out, new RegExp(`-> .*${type.source}`));
    assert.equal(screen.code, code[word]);
    const p = await told(change, '--prometheus');
    const on = p.out.split('\n').filter((l) => l.startsWith('hz_ferry_alarm{') && !l.endsWith(' 0'));
    assert.deepEqual(on.map((l) => l.match(/alarm="([^"]*)"\} (\d)/).slice(1)), [[alarm, String(code[word])]]);
    assert.equal(p.code, code[word]);
  });
}

test('FRY-20 since when not: each fault that the status file dates is told with its date, never with the time of the last look', async () => {
  const began = now() - 3 * 3600 * 1000, beijing = new Date(began + 8 * 3600 * 1000).toISOString();
  const faults = { stopped: 'x', journal: 'x', trouble: 'x', held: 1, peer_new: true, differences: 1, quarantined: 1, key_warning: 7, key_trouble: 'x', drained: true };
  for (const [key, value] of Object.entries(faults)) {
    const change = (s) => { s.internet[key] = value; s.internet.since = { [key]: began }; };
    assert.deepEqual((await told(change)).programs['internet-side'].alarms.map((x) => x.since_ms), [began], key);
    assert.match((await told(change, '')).out, new RegExp(`^Ferry: (warning|critical) since ${beijing.slice(0, 10)} ${beijing.slice(11, 19)} `), key);
    assert.equal((await told((s) => { s.internet[key] = value; s.internet.since = {}; })).since_ms, 0, `${key}: what nobody dated has no date`);
  }
  assert.equal((await told((s) => { s.internet.today.late_5 = 1; s.internet.since = { overdue: began }; })).since_ms, began);
  assert.equal((await told((s) => { s.mover.trouble = 'x'; s.mover.since = { trouble: began }; })).since_ms, began);
});

test('FRY-20 since when not: a running service dates its faults, and a restart keeps the date', async () => {
  const v = ends('since');
  try {
    v.start.internet();
    await until('it writes its status', () => v.status('internet').running);
    assert.deepEqual(v.status('internet').since, {});
    assert.equal((await v.ferry(['drain', '--side', 'internet', '--wait', '0'])).code, 0);
    const began = await until('drained has a date', () => v.status('internet').since.drained);
    assert.ok(Math.abs(now() - began) < 5000);
    await v.stop('internet');
    v.start.internet();
    await until('it runs again', () => v.status('internet').running && v.status('internet').at_ms > began + 3000);
    assert.equal(v.status('internet').since.drained, began);
  } finally { await v.close(); }
});

test('FRY-04 FRY-05 FRY-20 two clocks: five minutes for a record that nobody acknowledged, ten for one that is not confirmed with all that belongs to it', async () => {
  const v = ends('clocks');
  try {
    v.start.internet(6);
    await until('its records are sealed', () => v.status('internet').unconfirmed >= 5);
    await v.stop('internet');
    const judged = async (change) => {
      const db = new DatabaseSync(v.at('internet/peer.db'));
      db.exec(`UPDATE out_item SET gmt_create = ${now()}; UPDATE out_item SET ${change} WHERE id = (SELECT min(id) FROM out_item WHERE retain = 1 AND bulk = 0)`);
      db.close();
      const from = now();
      v.start.internet();
      await until('it looked anew', () => v.status('internet').running && v.status('internet').at_ms > from);
      await v.stop('internet');
      const s = v.status('internet');
      return [s.today.late_5, s.today.late_10, s.word, Boolean(s.since.overdue)];
    };
    assert.deepEqual(await judged(`gmt_create = ${now() - 280e3}, acked_ms = ${now()}`), [0, 0, 'fine', false]);
    assert.deepEqual(await judged(`gmt_create = ${now() - 580e3}, acked_ms = ${now()}`), [0, 0, 'fine', false], 'its record is there: ten minutes for the rest');
    assert.deepEqual(await judged(`gmt_create = ${now() - 620e3}, acked_ms = ${now()}`), [0, 1, 'warning', true], 'only the images are late');
    assert.deepEqual(await judged(`gmt_create = ${now() - 320e3}, acked_ms = 0`), [1, 0, 'critical', true]);
  } finally { await v.close(); }
});

test('FRY-20 several alarms: the worst stands first, every one is there', async () => {
  const s = await told((x) => { x.internet.held = 1; x.internet.quarantined = 2; x.internet.oldest_ms = now() - 400000; x.internet.drained = true; }, '');
  const at = ['oldest record unacknowledged for 400 s', '1 records held', '2 files in quarantine', 'drained:'].map((t) => s.out.indexOf(t));
  assert.ok(at.every((x, i) => x > 0 && (i === 0 || x > at[i - 1])), s.out);
  assert.equal(s.code, 2);
});

test('FRY-20 files that nobody fetches, and a volume that is full, are alarms too', async (t) => {
  const f = w.at('gateway/internet-outbox/b-x.xml');
  writeFileSync(f, 'x');
  utimesSync(f, now() / 1000 - 100, now() / 1000 - 100);
  const lying = await told(() => {}, '--prometheus');
  assert.match(lying.out, /hz_ferry_folder_alarm\{folder="internet_outbox",alarm="folder"\} 1/);
  assert.equal(lying.code, 1);
  rmSync(f);
  const dir = mkdtempSync(w.at('small-'));
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', dir]).status !== 0) return t.skip('no mount here');
  try {
    w.configure({ internet_status: w.at('internet.json'), intranet_status: w.at('intranet.json'), status_file: w.at('m.json'), intranet_data: undefined, internet_data: dir });
    assert.equal((await told(() => {})).code, 0);
    writeFileSync(path.join(dir, 'a'), Buffer.alloc(1010 * 1024));
    const full = await told(() => {}, '');
    assert.match(full.out, /internet_data  critical: 1\.\d % of its volume free\n      -> ferry doctor/);
    assert.equal(full.code, 2);
    assert.match((await told(() => {}, '--prometheus')).out, /hz_ferry_volume_free_ratio\{folder="internet_data",alarm="disk"\} 0\.01/);
  } finally {
    spawnSync('umount', [dir]);
    w.configure({ internet_status: w.at('internet.json'), intranet_status: w.at('intranet.json'), status_file: w.at('m.json'), internet_data: undefined, intranet_data: undefined });
  }
});

// FRY-20: what stands in a state file reaches a terminal and the monitoring: no control byte, nothing cut within a character, no figure that overflows.
test('FRY-20 odd texts and figures of a state file neither move the cursor nor lose an alarm', async () => {
  const odd = (s) => { s.internet.trouble = 'a\u001b[2J\n' + '户'.repeat(90); s.internet.today.late_5 = Number.MAX_SAFE_INTEGER; s.mover.lanes[0].name = '\u0007lane'; };
  const screen = await told(odd, '', 'zh_CN.UTF-8'), json = await told(odd);
  assert.doesNotMatch(screen.out, /[^\n -~\u00a0-\uffff]/);
  assert.match(screen.out, /收发出错：a\?\[2J\?户/);
  assert.match(json.programs['internet-side'].alarms.find((a) => a.alarm === 'trouble').says, /^sending fails: a\?\[2J\?户+\?*$/);
});

test('every alarm word of the program was raised here', () => {
  assert.deepEqual([...new Set([...raised.map((r) => r[0]), 'folder', 'disk'])].sort(), [...words].sort());
});

// FRY-20: the exposition format: HELP and TYPE once before the samples of a name, no sample twice, every value a number.
test('FRY-20 what Prometheus reads is well formed, and has every figure of the screen', async () => {
  const p = await told((s) => { s.internet.oldest_ms = now() - 70500; }, '--prometheus');
  const names = new Map(), seen = new Set();
  let last = '';
  for (const line of p.out.trim().split('\n')) {
    const h = /^# (HELP|TYPE) (hz_ferry_[a-z0-9_]+) (.+)$/.exec(line), s = /^(hz_ferry_[a-z0-9_]+)(\{(?:[a-z]+="[^"\\]*",?)+\})? (-?\d+(?:\.\d+)?)$/.exec(line);
    assert.ok(h || s, line);
    if (h?.[1] === 'HELP') { assert.ok(!names.has(h[2]), `HELP twice: ${line}`); names.set(h[2], ''); last = h[2]; }
    if (h?.[1] === 'TYPE') { assert.equal(h[2], last); assert.match(h[3], /^(gauge|counter)$/); names.set(last, h[3]); }
    if (s) { assert.equal(s[1], last, `${line}: not below its own head`); assert.ok(!seen.has(s[1] + s[2]), `twice: ${line}`); seen.add(s[1] + s[2]); }
  }
  for (const [name, type] of names) assert.equal(type === 'counter', name.endsWith('_total'), name);
  const value = (x) => Number(p.out.split('\n').find((l) => l.startsWith(`${x} `))?.split(' ').pop());
  assert.equal(value('hz_ferry_today_records{program="internet-side"}'), fine.internet.today.records);
  assert.equal(value('hz_ferry_today_within_5{program="internet-side"}'), fine.internet.today.within_5);
  assert.equal(value('hz_ferry_oldest_seconds{program="internet-side"}'), 70);
  assert.equal(value('hz_ferry_state'), 1);
  assert.ok(Math.abs(value('hz_ferry_report_timestamp_seconds') - now() / 1000) < 5);
  for (const k of ['queued', 'unacked', 'unconfirmed', 'held', 'waiting', 'refused', 'quarantined', 'gap', 'differences']) assert.equal(value(`hz_ferry_${k}{program="intranet-side"}`), fine.intranet[k], k);
});

test('FRY-20 --watch repeats the screen every two seconds until it is interrupted', async () => {
  await told(() => {}, '');
  const p = spawn(ferry, ['status', '--watch', '--config', w.at('ferry.conf')], { env: { ...process.env, LC_ALL: 'C' }, stdio: ['ignore', 'pipe', 'ignore'] });
  let out = '';
  p.stdout.on('data', (b) => { out += b; });
  const ended = new Promise((done) => { p.on('close', (c, s) => done(s ?? c)); });
  await sleep(4600);
  p.kill('SIGINT');
  assert.equal(await ended, 'SIGINT');
  assert.equal(out.match(/^Ferry: /gm).length, 3);
  assert.doesNotMatch(out, /\u001b/, 'no screen control in a pipe');
});
