// The outside systems of demonstrations and tests in one small program: an identity provider and an SMS gateway.
//   node ops/sandbox/peer.mjs --port N --dir DIR
// It speaks the protocol the real ones are adapted to, so the services take the same way. Nobody's identity is known here: a name of
// the right form and a valid number pass, unless the request says "fail".
//   POST /identity/verify {name, id_no, hash, face?, sandbox_result?}  -> {result, statement, signature}   (both base64)
//   POST /sms {to, text, at, id}                                       -> {ok: true}; the same id twice is one message
//   GET  /healthz
// DIR/identity.pub: its public key as the services read it. DIR/sms-inbox.json: every message, newest last.
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const DOMAIN = Buffer.from('hz-identity-1\0');
const VALID_MS = 30 * 60 * 1000;
const BODY_MAX = 1024 * 1024;
const INBOX_MAX = 5000;

/** Check character of GB 11643 for 17 digits. */
export function checkDigit(first17) {
  const weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
  const sum = weights.reduce((s, w, i) => s + w * Number(first17[i]), 0);
  return '10X98765432'[sum % 11];
}

export function idNumberValid(s) {
  if (!/^[0-9]{17}[0-9X]$/.test(s) || checkDigit(s) !== s[17]) return false;
  const [y, m, d] = [s.slice(6, 10), s.slice(10, 12), s.slice(12, 14)].map(Number);
  const day = new Date(Date.UTC(y, m - 1, d));
  return y >= 1850 && day.getUTCMonth() === m - 1 && day.getUTCDate() === d && day.getTime() <= Date.now();
}

function put(file, text, mode = 0o600) {
  writeFileSync(`${file}.tmp`, text, { mode });
  renameSync(`${file}.tmp`, file);
}

const rawHex = (key) => Buffer.from(key.export({ format: 'jwk' }).x, 'base64url').toString('hex');

/** The signing key of DIR, made at the first start together with its public half in the services' key format. */
function loadKey(dir) {
  const secret = path.join(dir, 'identity-key.pem');
  const open = path.join(dir, 'identity.pub');
  if (!existsSync(secret)) put(secret, generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const key = createPrivateKey(readFileSync(secret));
  if (!existsSync(open)) {
    const box = generateKeyPairSync('x25519').publicKey;      // the format has both halves; nothing is ever sealed to a provider
    put(open, `hz-key 1 public\nname=identity\nsign=${rawHex(createPublicKey(key))}\nbox=${rawHex(box)}\n`, 0o644);
  }
  return key;
}

const rfc3339 = (ms) => `${new Date(ms).toISOString().slice(0, 19)}Z`;

function verify(key, q) {
  for (const k of ['name', 'id_no', 'hash']) if (typeof q[k] !== 'string') return [400, { error: `${k}: want text` }];
  if (!/^[0-9a-f]{64}$/.test(q.hash)) return [400, { error: 'hash: want 64 hex digits' }];
  const fine = q.name.length > 0 && idNumberValid(q.id_no) && q.sandbox_result !== 'fail';
  const now = Date.now();
  const statement = Buffer.from(JSON.stringify({
    provider: 'sandbox', name: q.name, id_no: q.id_no, result: fine ? 'pass' : 'fail', bound: q.hash, at: rfc3339(now),
    expires: rfc3339(now + VALID_MS), nonce: randomBytes(16).toString('hex'),
  }));
  const signature = sign(null, Buffer.concat([DOMAIN, statement]), key);
  return [200, { result: fine ? 'pass' : 'fail', statement: statement.toString('base64'), signature: signature.toString('base64') }];
}

class Inbox {
  constructor(file) {
    this.file = file;
    this.messages = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : [];
    this.ids = new Set(this.messages.map((m) => m.id));
    if (!existsSync(file)) this.save();
  }

  save() { put(this.file, `${JSON.stringify(this.messages, null, 1)}\n`); }

  add(q) {
    for (const k of ['to', 'text', 'at', 'id']) if (typeof q[k] !== 'string' || !q[k]) return [400, { error: `${k}: want text` }];
    if (!/^1[3-9][0-9]{9}$/.test(q.to)) return [400, { error: 'to: want a mobile number' }];
    if (!this.ids.has(q.id)) {
      this.messages.push({ to: q.to, text: q.text, at: q.at, id: q.id });
      this.ids.add(q.id);
      if (this.messages.length > INBOX_MAX) this.ids.delete(this.messages.shift().id);
      this.save();
    }
    return [200, { ok: true }];
  }
}

function readBody(rq) {
  return new Promise((done, no) => {
    const parts = [];
    let n = 0;
    rq.on('data', (b) => { n += b.length; if (n > BODY_MAX) rq.destroy(); else parts.push(b); });
    rq.on('end', () => done(Buffer.concat(parts)));
    rq.on('error', no);
    rq.on('close', () => no(new Error('closed')));
  });
}

/** Start on a port (0: any); returns the server. */
export function startPeer(dir, port) {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const key = loadKey(dir);
  const inbox = new Inbox(path.join(dir, 'sms-inbox.json'));
  const routes = {
    'POST /identity/verify': (q) => verify(key, q),
    'POST /sms': (q) => inbox.add(q),
  };
  const server = http.createServer(async (rq, rs) => {
    const answer = (status, body) => { rs.writeHead(status, { 'content-type': 'application/json' }); rs.end(JSON.stringify(body)); };
    try {
      if (rq.method === 'GET' && rq.url === '/healthz') return answer(200, { ok: true });
      const route = routes[`${rq.method} ${rq.url}`];
      if (!route) return answer(404, { error: 'no such path' });
      const body = JSON.parse(await readBody(rq));
      return answer(...(body && typeof body === 'object' ? route(body) : [400, { error: 'want an object' }]));
    } catch {
      return rs.headersSent || rs.destroyed ? undefined : answer(400, { error: 'want JSON' });
    }
  });
  return new Promise((done) => { server.listen(port, '127.0.0.1', () => done(server)); });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const args = Object.fromEntries(process.argv.slice(2).flatMap((a, i, all) => (a.startsWith('--') ? [[a.slice(2), all[i + 1]]] : [])));
  const port = Number(args.port);
  if (!args.dir || !Number.isInteger(port) || port < 0 || port > 65535) {
    process.stderr.write('usage: peer.mjs --port N --dir DIR\n');
    process.exit(2);
  }
  const server = await startPeer(path.resolve(args.dir), port);
  process.stdout.write(`sandbox peer on 127.0.0.1:${server.address().port}\n`);
  const stop = () => { server.close(() => process.exit(0)); server.closeAllConnections(); };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}
