// SEC-03: suite 2 as a second implementation reads it: everything that crosses is made and read here by npm's sm-crypto alone, from the description in
// common/suite.h, suite2/gm.h and seal.h, and goes both ways.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { copyFileSync, chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import sm from 'sm-crypto';

const { sm2, sm3, sm4 } = sm;
const root = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '../..');
const build = path.join(root, 'build', process.env.VARIANT || 'release');
const dir = mkdtempSync(path.join(os.tmpdir(), 'hz-sm-'));
const at = (x) => path.join(dir, x);
const id = '0123456789abcdef0123456789abcdef';
const CHUNK = 65536;

const peer = (args, input = '') => spawnSync(path.join(build, 'tests/suite_peer'), args, { cwd: root, input, maxBuffer: 1 << 26 });
function well(args, input) {
  const r = peer(args, input);
  assert.equal(r.status, 0, `${args[0]}: ${r.stdout}${r.stderr}`);
  return r.stdout;
}
function key(file) {
  const text = readFileSync(file, 'utf8');
  return { sign: /^sign=(.*)$/m.exec(text)[1], box: /^box=(.*)$/m.exec(text)[1], head: text.split('\n')[0], name: /^name=(.*)$/m.exec(text)[1] };
}
const hash = (...parts) => Buffer.from(sm3([...Buffer.concat(parts)]), 'hex');
const hmac = (k, ...parts) => Buffer.from(sm3([...Buffer.concat(parts)], { key: [...k], mode: 'hmac' }), 'hex');
const u32 = (n) => { const b = Buffer.alloc(4); b.writeUInt32BE(n); return b; };
const u64 = (n) => { const b = Buffer.alloc(8); b.writeBigUInt64BE(BigInt(n)); return b; };
const text = (domain, body) => Buffer.concat([Buffer.from(`${domain}\0`), body]);

function kdf(z, n) {
  const out = [];
  for (let i = 1; out.length * 32 < n; i++) out.push(hash(z, u32(i)));
  return Buffer.concat(out).subarray(0, n);
}
/** Counter mode out of single blocks. */
function ctr(k, iv, data) {
  const blocks = Math.ceil(data.length / 16), counters = Buffer.alloc(blocks * 16);
  let c = BigInt(`0x${iv.toString('hex')}`);
  for (let i = 0; i < blocks; i++, c = (c + 1n) & ((1n << 128n) - 1n)) Buffer.from(c.toString(16).padStart(32, '0'), 'hex').copy(counters, i * 16);
  const pad = Buffer.from(sm4.encrypt([...counters], k.toString('hex'), { padding: 'none', output: 'array' }));
  return Buffer.from(data.map((b, i) => b ^ pad[i]));
}
const keyId = (pub) => hash(Buffer.from('hz-key-2'), Buffer.from(pub.sign + pub.box, 'hex')).subarray(0, 8);
const manifest = (m) => Object.entries(m).map(([k, v]) => `${k}=${v}\n`).join('');
const streamKeys = (contentKey, head) => { const k = kdf(Buffer.concat([contentKey, Buffer.from('hz-stream-2'), head]), 48); return [k.subarray(0, 16), k.subarray(16)]; };
const place = (i, last, n) => Buffer.concat([Buffer.from('hz-chunk-2'), u64(i), Buffer.from([last ? 1 : 0]), u32(n)]);

function open(item, us, usPub, from) {
  assert.equal(item.subarray(0, 4).toString('latin1'), 'HZ1\x02');
  assert.deepEqual([item.subarray(4, 12), item.subarray(12, 20)], [keyId(usPub), keyId(from)]);
  const contentKey = Buffer.from(sm2.doDecrypt(item.subarray(20, 148).toString('hex'), us.box, 1, { output: 'array' }));
  assert.equal(contentKey.length, 32, 'sm-crypto opens the content key');
  const head = item.subarray(148, 164), [enc, mac] = streamKeys(contentKey, head), plain = [];
  let counter = BigInt(`0x${head.toString('hex')}`);
  for (let p = 164, i = 0; p < item.length; i++) {
    const n = Math.min(CHUNK, item.length - p - 32), body = item.subarray(p, p + n), last = p + n + 32 === item.length;
    assert.deepEqual(item.subarray(p + n, p + n + 32), hmac(mac, place(i, last, n), body), `tag of chunk ${i}`);
    plain.push(ctr(enc, Buffer.from((counter & ((1n << 128n) - 1n)).toString(16).padStart(32, '0'), 'hex'), body));
    counter += BigInt(n / 16 | 0);
    p += n + 32;
  }
  const all = Buffer.concat(plain), len = all.readUInt32BE(0), said = all.subarray(4, 4 + len), sig = all.subarray(4 + len, 68 + len), content = all.subarray(68 + len);
  assert.ok(sm2.doVerifySignature([...text('hz-manifest-1', said)], sig.toString('hex'), `04${from.sign}`, { hash: true }), 'the signature of the manifest');
  const m = Object.fromEntries(said.toString().trim().split('\n').map((l) => l.split('=')));
  assert.equal(m.hash, hash(content).toString('hex'));
  assert.equal(m.key, hash(contentKey).toString('hex'));
  assert.equal(Number(m.size), content.length);
  return { m, content };
}

function seal(content, from, fromPub, to) {
  const contentKey = randomBytes(32), head = randomBytes(16), [enc, mac] = streamKeys(contentKey, head);
  const said = Buffer.from(manifest({ sender: 'internet', recipient: 'intranet', kind: 'status', id, size: content.length, hash: hash(content).toString('hex'), key: hash(contentKey).toString('hex'), config: 7, protocol: 1 }));
  const sig = Buffer.from(sm2.doSignature([...text('hz-manifest-1', said)], from.sign, { hash: true, publicKey: `04${fromPub.sign}` }), 'hex');
  const plain = Buffer.concat([u32(said.length), said, sig, content]), stream = ctr(enc, head, plain), chunks = [];
  for (let p = 0, i = 0; p < stream.length; p += CHUNK, i++) {
    const body = stream.subarray(p, p + CHUNK);
    chunks.push(body, hmac(mac, place(i, p + body.length === stream.length, body.length), body));
  }
  const wrapped = Buffer.from(sm2.doEncrypt([...contentKey], `04${to.box}`, 1), 'hex');
  assert.equal(wrapped.length, 128);
  return Buffer.concat([Buffer.from('HZ1\x02', 'latin1'), keyId(to), keyId(fromPub), wrapped, head, ...chunks]);
}

let k;
before(() => {
  for (const name of ['internet', 'intranet']) assert.equal(spawnSync(path.join(build, 'bin/ferry'), ['keygen', '--dir', dir, '--name', name, '--suite', '2']).status, 0);
  k = Object.fromEntries(['internet', 'intranet'].map((n) => [n, { key: key(at(`${n}.key`)), pub: key(at(`${n}.pub`)) }]));
});
after(() => rmSync(dir, { recursive: true, force: true }));

test('SEC-04 a key file of suite 2 is two SM2 pairs; its id and fingerprint are SM3 over both points', () => {
  for (const n of ['internet', 'intranet']) {
    assert.equal(k[n].key.head, 'hz-key 2 private');
    assert.equal(k[n].pub.head, 'hz-key 2 public');
    for (const half of ['sign', 'box']) assert.equal(sm2.getPublicKeyFromPrivateKey(k[n].key[half]), `04${k[n].pub[half]}`);
    const print = hash(Buffer.from('hz-fingerprint-2'), Buffer.from(k[n].pub.sign + k[n].pub.box, 'hex')).subarray(0, 16).toString('hex').replace(/(....)(?=.)/g, '$1-');
    assert.equal(well(['name', at(`${n}.pub`)]).toString(), `${keyId(k[n].pub).toString('hex')} ${print}\n`);
  }
  assert.notEqual(k.internet.key.sign, k.internet.key.box);
});

test('SEC-03 signatures: ours verify with sm-crypto and its with ours; a changed body, domain or key does not', () => {
  for (let i = 0; i < 12; i++) {
    const body = randomBytes(i * 37), ours = well(['sign', at('internet.key'), 'hz-envelope-1'], body).toString().trim();
    assert.ok(sm2.doVerifySignature([...text('hz-envelope-1', body)], ours, `04${k.internet.pub.sign}`, { hash: true }));
    assert.ok(!sm2.doVerifySignature([...text('hz-envelope-2', body)], ours, `04${k.internet.pub.sign}`, { hash: true }));
    const theirs = sm2.doSignature([...text('hz-envelope-1', body)], k.intranet.key.sign, { hash: true, publicKey: `04${k.intranet.pub.sign}` });
    assert.equal(well(['check', at('intranet.pub'), 'hz-envelope-1', theirs], body).toString(), 'good\n');
    for (const [file, domain, what] of [['internet.pub', 'hz-envelope-1', body], ['intranet.pub', 'hz-manifest-1', body], ['intranet.pub', 'hz-envelope-1', Buffer.concat([body, Buffer.from('x')])]]) {
      const r = peer(['check', at(file), domain, theirs], what);
      assert.equal(r.status, 1);
      assert.match(r.stdout.toString(), /^corrupt: .*signature is not/);
    }
    assert.equal(well(['sign', at('internet.key'), 'hz-envelope-1'], body).toString().trim(), ours, 'the same text, the same signature');
  }
});

test('FRY-08 items that we seal open with sm-crypto: content key, every chunk, manifest and its signature', () => {
  for (const n of [0, 1, 33, 1000, CHUNK, 2 * CHUNK + 5]) {
    const content = randomBytes(n);
    const item = Buffer.from(well(['seal', at('internet.key'), at('intranet.pub'), 'slice', id], content).toString(), 'base64');
    const { m, content: back } = open(item, k.intranet.key, k.intranet.pub, k.internet.pub);
    assert.deepEqual(back, content);
    assert.deepEqual([m.sender, m.recipient, m.kind, m.id, m.config, m.protocol], ['internet', 'intranet', 'slice', id, '7', '1']);
  }
});

test('FRY-08 items that sm-crypto seals open here; one bit more or less, or another recipient, does not', () => {
  for (const n of [0, 1, 33, 1000, CHUNK, 2 * CHUNK + 5]) {
    const content = randomBytes(n), item = seal(content, k.internet.key, k.internet.pub, k.intranet.pub);
    const out = well(['open', at('intranet.key'), at('internet.pub')], item.toString('base64'));
    const line = out.subarray(0, out.indexOf('\n')).toString();
    assert.equal(line, `status ${id} ${hash(content).toString('hex')}`);
    assert.deepEqual(out.subarray(line.length + 1), content);
    for (const p of [25, 150, 170, item.length - 1]) {
      const bad = Buffer.from(item);
      bad[p] ^= 1;
      const r = peer(['open', at('intranet.key'), at('internet.pub')], bad.toString('base64'));
      assert.equal(r.status, 1);
      assert.match(r.stdout.toString(), /^corrupt: sealed item/);
    }
  }
  const r = peer(['open', at('internet.key'), at('intranet.pub')], seal(Buffer.from('x'), k.internet.key, k.internet.pub, k.intranet.pub).toString('base64'));
  assert.match(r.stdout.toString(), /^held: .*key id/);
});

test('FRY-08 the item that was kept when the suite was new opens with sm-crypto, too', () => {
  const kept = (x) => path.join(root, 'tests/fixtures/suite2', x);
  copyFileSync(kept('intranet.key'), at('kept.key'));
  chmodSync(at('kept.key'), 0o600);
  const item = Buffer.from(readFileSync(kept('item.b64'), 'utf8'), 'base64');
  assert.equal(open(item, key(kept('intranet.key')), key(kept('intranet.pub')), key(kept('internet.pub'))).content.toString(), 'an item of the first day');
  assert.match(well(['open', at('kept.key'), kept('internet.pub')], readFileSync(kept('item.b64'), 'utf8').trim()).toString(), /an item of the first day$/);
});
