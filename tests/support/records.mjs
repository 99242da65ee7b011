// Applications as records of the border (schemas/xsd/application.xsd), made without the internet side's check: what a stolen key could send.
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { root } from './demo.mjs';

const build = path.join(root, 'build', process.env.VARIANT || 'release');
const judge = path.join(build, 'tests/import_judge');
const rfc3339 = (ms) => `${new Date(ms).toISOString().slice(0, 19)}Z`;
const hex = (n) => randomBytes(n).toString('hex');
const DOMAIN = Buffer.from('hz-identity-1\0');

/** Lines in, lines out. */
export function through(program, args, lines) {
  return new Promise((done, no) => {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    let out = '';
    child.stdout.setEncoding('utf8');
    child.stdout.on('data', (d) => { out += d; });
    child.on('error', no);
    child.on('close', (code) => {
      const got = out.split('\n').slice(0, -1);
      if (code !== 0 || got.length !== lines.length) no(new Error(`${path.basename(program)}: exit ${code}, ${got.length} of ${lines.length} lines`));
      else done(got);
    });
    child.stdin.on('error', () => {});
    child.stdin.end(`${lines.join('\n')}\n`);
  });
}

/** An identity provider of our own: signs as ops/sandbox does; pub is the text of its public key file. */
export function provider(pem) {
  const key = pem ? createPrivateKey(pem) : generateKeyPairSync('ed25519').privateKey;
  const raw = (k) => Buffer.from(k.export({ format: 'jwk' }).x, 'base64url').toString('hex');
  return {
    pub: `hz-key 1 public\nname=identity\nsign=${raw(createPublicKey(key))}\nbox=${raw(generateKeyPairSync('x25519').publicKey)}\n`,
    sign: (statement) => sign(null, Buffer.concat([DOMAIN, statement]), key).toString('base64'),
  };
}

/** A case number with its check digit. */
export function caseNo(serial) {
  const first = `34072611${String(serial).padStart(7, '0')}`;
  const sum = Array.from(first, Number).reduce((s, d, i) => s + (i % 2 ? d : d * 2 > 9 ? d * 2 - 9 : d * 2), 0);
  return first + String((10 - (sum % 10)) % 10);
}

const escape = (s) => s.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;').replace(/\r/g, '&#13;');
const attributes = (o) => Object.entries(o).map(([k, v]) => ` ${k}="${escape(String(v))}"`).join('');
const sorted = (v) => (Array.isArray(v) ? v.map(sorted) : v && typeof v === 'object'
  ? Object.fromEntries(Object.keys(v).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))).map((k) => [k, sorted(v[k])])) : v);
export const canonical = (v) => JSON.stringify(sorted(v));
const textOf = (v) => (typeof v === 'string' ? v : typeof v === 'boolean' ? String(v) : canonical(v));

/** What the intranet takes a text for: booleans and lists get their type back from the form. */
function typed(rules, id, text) {
  const f = rules.family.fields.find((x) => x.id === id);
  if (f?.type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  if ((rules.family.repeats ?? []).some((r) => r.id === id)) { try { return JSON.parse(text); } catch { return undefined; } }
  return text;
}

/** A record to be signed: a (entries, clean, identity, slots, code, rules), its case number. Afterwards finish() needs the hash of .canonical. */
export function recordOf(a, no, { config = 1, phone = '13800000001', now = Date.now() } = {}) {
  const names = new Set([...Object.keys(a.clean), ...Object.keys(a.entries)]);
  const entries = [...names].map((id) => [id, textOf(Object.prototype.hasOwnProperty.call(a.entries, id) ? a.entries[id] : a.clean[id])]);
  const materials = a.slots.map((s) => ({ no: s.no === 99 ? 0 : s.no, alternative: s.alternative, pages: Array.from({ length: s.pages }, () => ({ id: hex(16), part: hex(16), hash: hex(32) })) }));
  const read = {};
  for (const [id, text] of entries) Object.defineProperty(read, id, { value: typed(a.rules, id, text), enumerable: true });
  // Pages are told apart by their material's number alone: a slot that stands there twice has all of them twice.
  const pagesOf = (no) => materials.filter((m) => m.no === no).flatMap((m) => m.pages);
  const content = { config, entries: read, item: a.code, untypeable: [], materials: materials.map((m) => ({ alternative: m.alternative ?? null, no: m.no, pages: pagesOf(m.no).map((p) => [p.hash]) })) };
  const unit = a.unit ?? (/^\d{12}$/.test(read.accept_unit) ? read.accept_unit : a.clean.accept_unit);
  return {
    canonical: canonical(content),
    finish(hash, signer) {
      const statement = Buffer.from(JSON.stringify({ provider: 'sandbox', name: a.identity.name, id_no: a.identity.id_no, result: 'pass', bound: hash, at: rfc3339(now - 1000), expires: rfc3339(now + 600e3), nonce: hex(16) }));
      const head = { xmlns: 'urn:hz:record:1', case: no, seq: 1, item: a.code, config, unit, channel: 'wechat', submitted: rfc3339(now), content: hash, phone };
      return `<?xml version="1.0" encoding="UTF-8"?>\n<application${attributes(head)}>${entries.map(([id, text]) => `<entry field="${escape(id)}">${escape(text)}</entry>`).join('')}${
        materials.map((m) => `<material${attributes({ no: m.no, ...(m.alternative === undefined ? {} : { alternative: m.alternative }) })}>${m.pages.map((p) =>
          `<page id="${p.id}" type="image/jpeg" size="64"><part id="${p.part}" size="64" hash="${p.hash}"/></page>`).join('')}</material>`).join('')}<identity><statement>${
        statement.toString('base64')}</statement><signature>${signer.sign(statement)}</signature></identity></application>`;
    },
  };
}

export const b64 = (s) => Buffer.from(s).toString('base64');
export const hashes = (texts) => through(judge, ['hash'], texts.map(b64));

/** What the import says to each: {word, why, findings}. records: [{no, xml}]. */
export async function importVerdicts(records, pubFile) {
  const lines = await through(judge, ['judge', path.join(root, 'schemas'), pubFile], records.map((r) => `${r.no} ${b64(r.xml)}`));
  return lines.map((l) => JSON.parse(l));
}
