// ferry doctor: what is wrong is named with what to type, on hosts of both sides or of one, with services running or not; --gateway names what a filter did.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { ends, ferry, sides, sleep, until } from '../support/ends.mjs';

const doctor = async (w, ...args) => {
  const r = await w.ferry(['doctor', '--json', ...args]);
  assert.ok(r.out, r.err);
  return { ...JSON.parse(r.out), code: r.code };
};
const of = (d, check) => d.checks.filter((c) => c.check === check);
const wrong = (d) => d.checks.filter((c) => c.word !== 'ok' && c.check !== 'clock' && c.check !== 'space');      // this machine's own clock and disk may well be so

let w;
before(async () => {
  w = ends('doctor');
  for (const p of ['internet', 'intranet', 'mover']) w.start[p]();
  await until('both sides hear each other', () => sides.every((s) => w.status(s).peer_protocol && w.status(s).word === 'fine'));
});
after(() => w.close());

// FRY-20 OPS-10: all is well: nothing but ok, every check there, in both languages.
test('FRY-20 doctor of a system that is well finds nothing, and says what it looked at', async () => {
  const d = await doctor(w);
  assert.deepEqual(wrong(d), []);
  for (const s of sides) for (const c of [`program ${s}`, `protocol ${s}`, `clock ${s}`, `data ${s}`, `keys ${s}`, `key ${s}`, `commands ${s}`, `${s}_outbox`, `${s}_inbox`, `lane ${s}`]) assert.equal(of(d, c)[0]?.word, 'ok', c);
  assert.equal(of(d, 'space').length >= 1, true);
  assert.equal(of(d, 'clock').length, 1);
  assert.equal(d.code, { ok: 0, warning: 1, fault: 2 }[d.word]);
  for (const f of sides.flatMap((s) => [`gateway/${s}-outbox`, `gateway/${s}-inbox`])) assert.deepEqual(readdirSync(w.at(f)).filter((n) => n.includes('doctor')), [], 'nothing is left behind');
  const zh = await w.ferry(['doctor'], 'zh_CN.UTF-8');
  assert.match(zh.out, /正常 +program internet +在运行，状态 \d 秒前/);
  assert.match(zh.out, /体检：/);
});

// One thing broken at a time; each says what to type, and it is a fault or a warning; mended it is gone.
const broken = [
  ['a database that others can read', 'data internet', 'fault', /mode 0600, have 0644/, /^chmod 0600 .*delivery\.db$|^chmod 0600 .*\.db$/,
    () => { const f = readdirSync(w.at('internet')).find((n) => n.endsWith('.db')); chmodSync(w.at('internet', f), 0o644); return () => chmodSync(w.at('internet', f), 0o600); }],
  ['a private key that others can read', 'keys intranet', 'fault', /mode 0600, have 0640/, /^chmod 0600 .*intranet\.key$/,
    () => { chmodSync(w.at('intranet/keys/intranet.key'), 0o640); return () => chmodSync(w.at('intranet/keys/intranet.key'), 0o600); }],
  ['a key folder that others can enter', 'keys intranet', 'fault', /mode 0700, have 0755/, /^chmod 0700 .*keys$/,
    () => { chmodSync(w.at('intranet/keys'), 0o755); return () => chmodSync(w.at('intranet/keys'), 0o700); }],
  ['a private key of another user', 'keys internet', 'fault', /want owner root, have nobody/, /^chown root .*internet\.key$/,
    () => { chownSync(w.at('internet/keys/internet.key'), 65534, 65534); return () => chownSync(w.at('internet/keys/internet.key'), 0, 0); }],
  ['a private key that is none', 'key internet', 'fault', /internet\.key/, /ferry key list/,
    () => { const f = w.at('internet/keys/internet.key'), was = readFileSync(f); writeFileSync(f, 'none'); return () => writeFileSync(f, was); }],
  ['a key of the peer that is not there', 'key internet', 'fault', /intranet\.pub|no key of the peer/, /ferry key list/,
    () => { const f = w.at('internet/keys/intranet.pub'); renameSync(f, `${f}.away`); return () => renameSync(`${f}.away`, f); }],
  ['a mover that does not know the key in use', 'lane intranet', 'fault', /does not know key [0-9a-f]{16}/, /ferry key trust/,
    () => { const f = w.at('gateway/keys/intranet.pub'), was = readFileSync(f); mkdirSync(w.at('else')); spawnSync(ferry, ['keygen', '--dir', w.at('else'), '--name', 'intranet']); copyFileSync(w.at('else/intranet.pub'), f); return () => { writeFileSync(f, was); rmSync(w.at('else'), { recursive: true }); }; }],
  ['the two public keys exchanged', 'lane internet', 'fault', /want a key of internet, have one of intranet/, /exchange/,
    () => { w.configure({ internet_key: w.conf.intranet_key, intranet_key: w.conf.internet_key }); return () => w.configure(); }],
  ['an outbox that is not there', 'intranet_outbox', 'fault', /No such file/, /^install -d .*nowhere$/,
    () => { w.configure({ intranet_outbox: w.at('gateway/nowhere') }); return () => w.configure(); }],
  ['a command folder that nobody reads', 'internet_commands', 'warning', /1 commands lie there unanswered/, /ferry status/,
    () => { mkdirSync(w.at('other-commands'), { mode: 0o700 }); const f = w.at('other-commands/1.ask'); writeFileSync(f, '{}', { mode: 0o600 }); utimesSync(f, 1, 1); w.configure({ internet_commands: w.at('other-commands') }); return () => { w.configure(); rmSync(w.at('other-commands'), { recursive: true }); }; }],
  ['a status that stood still', 'program intranet', 'fault', /stopped \d+ s ago/, /^systemctl start huzheng-intranet$/,
    () => { const f = w.at('old.json'); writeFileSync(f, JSON.stringify({ ...w.status('intranet'), at_ms: Date.now() - 60000 })); w.configure({ intranet_status: f }); return () => w.configure(); }],
  ['a status of the future', 'program intranet', 'fault', /clock was set back/, /timedatectl/,
    () => { const f = w.at('old.json'); writeFileSync(f, JSON.stringify({ ...w.status('intranet'), at_ms: Date.now() + 60000 })); w.configure({ intranet_status: f }); return () => w.configure(); }],
  ['a peer whose clock is ahead', 'clock intranet', 'fault', /300 s ahead of ours/, /timedatectl/,
    () => { const f = w.at('old.json'); writeFileSync(f, JSON.stringify({ ...w.status('intranet'), peer_clock_ms: 300000 })); w.configure({ intranet_status: f }); return () => w.configure(); }],
  ['a peer of another protocol', 'protocol internet', 'warning', /ours \d+, the peer's 1/, /update the older side/,
    () => { const f = w.at('old.json'); writeFileSync(f, JSON.stringify({ ...w.status('internet'), peer_protocol: 1 })); w.configure({ internet_status: f }); return () => w.configure(); }],
];
for (const [what, check, word, says, type, breakIt] of broken) {
  test(`FRY-20 doctor names ${what}`, { skip: /another user/.test(what) && process.getuid() !== 0 }, async () => {
    const mend = breakIt();
    try {
      const d = await doctor(w);
      const rows = wrong(d).filter((c) => c.check === check && says.test(c.says));
      assert.equal(rows.length, 1, JSON.stringify(wrong(d), null, 1));
      assert.equal(rows[0].word, word);
      assert.match(rows[0].type, type);
      assert.equal(d.code, word === 'fault' ? 2 : Math.max(1, d.code));
    } finally { mend(); }
    assert.deepEqual(wrong(await doctor(w)), []);
  });
}

// One side's host alone: the other side's folders and keys are none of its business.
test('FRY-20 doctor on one side alone, services stopped, looks at what is there', async () => {
  const away = Object.fromEntries(['status', 'commands', 'quarantine', 'data', 'keys'].map((k) => [`intranet_${k}`, undefined]));
  w.configure({ ...away, status_file: undefined, intranet_outbox: w.at('not/here/out'), intranet_inbox: w.at('not/here/in'), internet_status: w.at('never.json'), internet_data: w.at('internet/quarantine') });
  try {
    const d = await doctor(w);
    assert.deepEqual(wrong(d).map((c) => [c.check, c.word]), [['program internet', 'warning']]);
    assert.equal(d.checks.some((c) => / intranet$|^intranet_/.test(c.check) && c.check !== 'lane intranet'), false);
  } finally { w.configure(); }
  const bad = await w.ferry(['doctor', '--config', w.at('no.conf')]);
  assert.equal(bad.code, 3);
});

// A small volume, nearly full: a real one.
test('FRY-20 doctor warns of a volume that is nearly full', async (t) => {
  const dir = w.at('small');
  mkdirSync(dir);
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=0700', 'tmpfs', dir]).status !== 0) return t.skip('no mount here');
  w.configure({ intranet_vault: dir });
  try {
    const space = async () => of(await doctor(w), 'space').find((c) => c.says.startsWith(dir));
    assert.equal((await space()).word, 'ok');
    writeFileSync(path.join(dir, 'a'), Buffer.alloc(980 * 1024), { mode: 0o600 });
    assert.equal((await space()).word, 'warning');
    writeFileSync(path.join(dir, 'b'), Buffer.alloc(28 * 1024), { mode: 0o600 });
    const full = await space();
    assert.equal(full.word, 'fault');
    assert.match(full.type, /^df -h /);
    unlinkSync(path.join(dir, 'a'));
    spawnSync('mount', ['-o', 'remount,ro', dir]);
    assert.match((await space()).says, /read-only/);
  } finally {
    w.configure();
    spawnSync('umount', [dir]);
  }
});

/* --- the probe --- */

const filters = {
  bom: (b) => Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), b]),
  crlf: (b) => Buffer.from(b.toString('utf8').replaceAll('\n', '\r\n')),
  blanks: (b) => Buffer.from(b.toString('utf8').replace(/^\s+/gm, '').replace(/[ \t]+$/gm, '')),
  charset: (b) => Buffer.from(b.toString('utf8').replace('户政', '??')),
  cut: (b) => b.subarray(0, 65536),
  added: (b) => Buffer.concat([b, Buffer.from('<!-- scanned -->\n')]),
  replaced: () => Buffer.from('Threat removed: this file was deleted by the virus scanner.\r\n'),
  rewritten: (b) => Buffer.from(b.toString('utf8').replaceAll("'", '"')),
  empty: () => Buffer.alloc(0),
  damaged: (b) => { const c = Buffer.from(b); c[4711] ^= 4; return c; },
};
const first = (a, b) => { let i = 0; while (i < a.length && i < b.length && a[i] === b[i]) i++; return i; };

/** A gateway that is not ours: every file of one direction goes through the filter, the other way as it is. old: it keeps some time of its own, so that
 *  nobody takes the file for one that is still being written. */
function gateway(filter, seen, old = false) {
  return setInterval(() => {
    for (const [from, to, f] of [['internet', 'intranet', filter], ['intranet', 'internet', (b) => b]]) {
      for (const name of readdirSync(w.at(`gateway/${from}-outbox`)).filter((n) => !n.startsWith('.'))) {
        try {
          const body = readFileSync(w.at(`gateway/${from}-outbox`, name)), out = name.startsWith('p-') ? f(body) : body;
          if (name.startsWith('p-internet')) Object.assign(seen, { body, out });
          writeFileSync(w.at(`gateway/${to}-inbox`, `.${name}.part`), out, { mode: 0o600 });
          if (old) utimesSync(w.at(`gateway/${to}-inbox`, `.${name}.part`), 1e9, 1e9);
          renameSync(w.at(`gateway/${to}-inbox`, `.${name}.part`), w.at(`gateway/${to}-inbox`, name));
          unlinkSync(w.at(`gateway/${from}-outbox`, name));
        } catch { /* its writer took it back */ }
      }
    }
  }, 50);
}

const asides = () => readdirSync(w.at('intranet/quarantine')).filter((n) => n.startsWith('p-') && !n.endsWith('.reason'));
const clear = (dir) => { for (const n of readdirSync(w.at(dir))) unlinkSync(w.at(dir, n)); };

test('FRY-07 the probe crosses our own mover both ways and leaves nothing behind', async () => {
  const d = await doctor(w, '--gateway', '--wait', '20');
  assert.deepEqual([d.code, d.checks.map((c) => [c.check, c.word])],
    [0, [['internet -> intranet', 'ok'], ['intranet -> internet', 'ok'], ['intranet -> internet', 'ok'], ['internet -> intranet', 'ok']]], JSON.stringify(d, null, 1));
  for (const f of sides.flatMap((s) => [`gateway/${s}-outbox`, `gateway/${s}-inbox`])) assert.deepEqual(readdirSync(w.at(f)).filter((n) => n.startsWith('p-')), [], f);
  for (const f of ['gateway/quarantine', 'intranet/quarantine', 'internet/quarantine']) assert.deepEqual(readdirSync(w.at(f)), [], f);
});

test('FRY-10 a gateway that filters: the other side answers which byte was changed first, and keeps the file', async () => {
  await w.stop('mover');
  try {
    for (const word of ['bom', 'cut']) {
      const seen = {}, timer = gateway(filters[word], seen, word === 'cut');
      const d = await doctor(w, '--gateway', '--side', 'internet', '--wait', '30');
      clearInterval(timer);
      const at = first(seen.body, seen.out), hex = (b) => b.subarray(at, at + 8).toString('hex') || 'end';
      assert.equal(d.code, 2, JSON.stringify(d));
      assert.equal(d.checks[0].check, 'internet -> intranet');
      assert.ok(d.checks[0].says.startsWith(`${word}: `) && d.checks[0].says.includes(`offset ${at}: want ${hex(seen.body)}, have ${hex(seen.out)}`), `${word}: ${d.checks[0].says}`);
      assert.deepEqual([d.checks[1].check, d.checks[1].word], ['intranet -> internet', 'ok']);
      await until('set aside with its reason', () => asides().length === 1);
      assert.match(readFileSync(w.at('intranet/quarantine', `${asides()[0]}.reason`), 'utf8'), new RegExp(`probe changed on the way \\(${word}\\): offset ${at}`));
      assert.deepEqual(readFileSync(w.at('intranet/quarantine', asides()[0])), seen.out);
      clear('intranet/quarantine');
    }
  } finally {
    w.start.mover();                     // it has read ferry.conf before the next test changes it
    await until('the mover runs again', () => JSON.parse(readFileSync(w.at('mover.json'), 'utf8')).pid === w.running.mover.pid);
  }
});

test('FRY-10 a filter before our mover: it carries no changed probe, and the command finds it set aside', async () => {
  const timer = setInterval(() => {
    for (const name of readdirSync(w.at('gateway/before')).filter((n) => !n.startsWith('.'))) {
      writeFileSync(w.at('gateway/internet-outbox', name), filters.crlf(readFileSync(w.at('gateway/before', name))));
      unlinkSync(w.at('gateway/before', name));
    }
  }, 50);
  mkdirSync(w.at('gateway/before'));
  w.configure({ internet_outbox: w.at('gateway/before') });
  try {
    const d = await doctor(w, '--gateway', '--side', 'internet', '--wait', '8');
    assert.match(d.checks[0].says, /^crlf: .*\(offset 38: want 0a3c50726f626520, have 0d0a3c50726f6265\); it lies in .*gateway\/quarantine\/p-internet-/);
    assert.equal(readdirSync(w.at('gateway/intranet-inbox')).some((n) => n.startsWith('p-')), false);
  } finally {
    clearInterval(timer);
    w.configure();
    clear('gateway/quarantine');
  }
});

// I6: a probe is no way in: of the wrong lane it is not carried, brought back it is set aside, a flood is answered a few times, then once a second, and leaves nothing.
test('FRY-08 probes that nobody sent: wrong lane, brought back, a flood, an answer that nobody waits for', async () => {
  await w.stop('mover');
  const caught = {}, timer = setInterval(() => {
    for (const name of readdirSync(w.at('gateway/internet-outbox')).filter((n) => n.startsWith('p-'))) {
      Object.assign(caught, { name, body: readFileSync(w.at('gateway/internet-outbox', name)) });
      unlinkSync(w.at('gateway/internet-outbox', name));
    }
  }, 50);
  await doctor(w, '--gateway', '--side', 'internet', '--wait', '1');
  clearInterval(timer);
  const put = (box, name) => { writeFileSync(w.at('gateway', box, `.${name}.part`), caught.body, { mode: 0o600 }); renameSync(w.at('gateway', box, `.${name}.part`), w.at('gateway', box, name)); };
  const answers = new Set(), back = setInterval(() => readdirSync(w.at('gateway/intranet-outbox')).filter((n) => n.startsWith('p-')).forEach((n) => { answers.add(n); unlinkSync(w.at('gateway/intranet-outbox', n)); }), 10);
  const start = Date.now();
  let answered = 0;
  for (let i = 0; i < 60; i++) {
    put('intranet-inbox', caught.name);
    await until('taken', () => !readdirSync(w.at('gateway/intranet-inbox')).includes(caught.name));
    answered += answers.size;
    answers.clear();
  }
  clearInterval(back);
  assert.ok(answered >= 1 && answered <= 9 + (Date.now() - start) / 1000, `${answered} answers`);
  put('internet-inbox', caught.name);
  await until('our own is set aside', () => readdirSync(w.at('internet/quarantine')).includes(`${caught.name}.reason`));
  assert.match(readFileSync(w.at('internet/quarantine', `${caught.name}.reason`), 'utf8'), /brings our own files back/);
  clear('internet/quarantine');
  const stray = `p-intranet-${'5'.repeat(16)}-fine-0-end-end-960391.xml`;
  put('internet-inbox', stray);
  await sleep(1500);
  assert.ok(existsSync(w.at('gateway/internet-inbox', stray)), 'a command may wait for it');
  utimesSync(w.at('gateway/internet-inbox', stray), 1e9, 1e9);
  await sleep(1500);
  assert.ok(existsSync(w.at('gateway/internet-inbox', stray)), 'whatever time its sender gave it');
  unlinkSync(w.at('gateway/internet-inbox', stray));
  put('intranet-outbox', caught.name);
  w.start.mover();
  await until('the mover sets it aside', () => readdirSync(w.at('gateway/quarantine')).includes(`${caught.name}.reason`));
  assert.match(readFileSync(w.at('gateway/quarantine', `${caught.name}.reason`), 'utf8'), /want one of lane intranet-to-internet, have one of internet/);
  clear('gateway/quarantine');
  assert.deepEqual(asides(), []);
});

test('FRY-10 with the services stopped the command judges what lies in the other inbox: every kind of filter', async () => {
  await w.stop('mover');
  await w.stop('intranet');
  await w.stop('internet');
  for (const [word, filter] of Object.entries(filters)) {
    const seen = {}, timer = gateway(filter, seen, word !== 'crlf');
    const d = await doctor(w, '--gateway', '--side', 'internet', '--wait', '20');
    clearInterval(timer);
    const at = first(seen.body, seen.out), hex = (b) => b.subarray(at, at + 8).toString('hex') || 'end';
    assert.ok(d.checks[0].says.startsWith(`${word}: `) && d.checks[0].says.includes(`offset ${at}: want ${hex(seen.body)}, have ${hex(seen.out)}`), `${word}: ${d.checks[0].says}`);
    assert.deepEqual([d.code, d.checks[1].word], [2, 'warning']);
    clear('gateway/intranet-inbox');
  }
  const nobody = await doctor(w, '--gateway', '--side', 'internet', '--wait', '1');
  assert.match(nobody.checks[0].says, /lay in the outbox for 1 s/);
  assert.deepEqual(readdirSync(w.at('gateway/internet-outbox')).filter((n) => n.startsWith('p-')), [], 'taken back');
  const timer = setInterval(() => clear('gateway/internet-outbox'), 50);
  const lost = await doctor(w, '--gateway', '--side', 'internet', '--wait', '2');
  clearInterval(timer);
  assert.match(lost.checks[0].says, /taken from the outbox, and nothing of p-internet-[0-9a-f]{16}\.xml in 2 s/);
  assert.ok(existsSync(w.at('ferry.conf')));
});
