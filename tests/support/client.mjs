// Citizens and officers as API clients: a cookie jar, the CSRF token, and the steps of schemas/openapi in order.
import { createHash, randomBytes } from 'node:crypto';
import { until } from './demo.mjs';

export const newId = () => randomBytes(16).toString('hex');
const PART = 512 * 1024;

export class Refused extends Error {
  constructor(status, body, where) {
    super(`${where}: ${status} ${JSON.stringify(body)}`);
    this.status = status;
    this.error = body?.error ?? {};
  }
}

class Client {
  constructor(base) { this.base = base; this.jar = new Map(); this.csrf = ''; }

  async raw(method, path, { body, json, headers = {} } = {}) {
    const h = { ...headers };
    if (this.jar.size) h.cookie = [...this.jar].map(([k, v]) => `${k}=${v}`).join('; ');
    if (this.csrf) h['x-csrf-token'] ??= this.csrf;
    if (!this.csrf || path.startsWith('/api/login')) h['x-requested-with'] ??= 'hz';
    if (json !== undefined) { body = JSON.stringify(json); h['content-type'] = 'application/json'; }
    const r = await fetch(this.base + path, { method, body, headers: h, redirect: 'manual', signal: AbortSignal.timeout(20000) });
    for (const c of r.headers.getSetCookie()) {
      const [pair] = c.split(';');
      const at = pair.indexOf('=');
      const value = pair.slice(at + 1);
      if (value === '' || /max-age=0/i.test(c)) this.jar.delete(pair.slice(0, at)); else this.jar.set(pair.slice(0, at), value);
    }
    return r;
  }

  async call(method, path, options) {
    const r = await this.raw(method, path, options);
    const text = await r.text();
    let body = null;
    try { body = text ? JSON.parse(text) : null; } catch { body = text; }
    if (r.status >= 400) throw new Refused(r.status, body, `${method} ${path}`);
    return body;
  }

  get(path) { return this.call('GET', path); }
  post(path, json, headers) { return this.call('POST', path, { json, headers }); }
}

export class Citizen extends Client {
  constructor(demo, phone) { super(demo.addresses.internet); this.demo = demo; this.phone = phone; }

  async session() { const s = await this.get('/api/session'); this.csrf = s.csrf; return s; }

  async signIn() {
    await this.session();
    const before = this.demo.sms(this.phone).length;
    await this.post('/api/login/code', { phone: this.phone });
    const m = await until(() => this.demo.sms(this.phone).slice(before).find((x) => /(?<!\d)\d{6}(?!\d)/.test(x.text)), 'SMS code', 10, 50);        // others may come between
    const s = await this.post('/api/login', { phone: this.phone, code: m.text.match(/(?<!\d)\d{6}(?!\d)/)[0] });
    this.csrf = s.csrf;
    return s;
  }

  /** One page in parts; returns the upload id. */
  async upload(draft, material, type, bytes) {
    let u = await this.post('/api/uploads', { draft, material, type, size: bytes.length });
    while (!u.complete) {
      const part = bytes.subarray(u.offset, u.offset + PART);
      u = await this.call('PUT', `/api/uploads/${u.id}?offset=${u.offset}`, { body: part, headers: { 'content-type': 'application/octet-stream' } });
    }
    return u.id;
  }

  /** materials: {slot number: {alternative?, pages: [Buffer]}} */
  async draft(item, entries, materials, type = 'image/jpeg') {
    const { config_version } = await this.session();
    const draft = newId();
    const slots = [];
    for (const [no, m] of Object.entries(materials)) {
      const pages = [];
      for (const p of m.pages) pages.push(await this.upload(draft, Number(no), type, p));
      slots.push({ material: Number(no), ...(m.alternative === undefined ? {} : { alternative: m.alternative }), pages });
    }
    return { draft, item, config_version, entries, materials: slots };
  }

  async submit(draft, who, key = newId()) {
    const verdict = await this.post('/api/applications/check', draft);
    if (!verdict.ok) throw new Refused(422, { error: { fields: verdict.findings } }, 'check');
    const { evidence } = await this.post('/api/identity/verify', { hash: verdict.hash, name: who.name, id_no: who.id_no, sandbox_result: 'pass' });
    return this.post('/api/applications', { ...draft, evidence }, { 'idempotency-key': key });
  }

  case(no) { return this.get(`/api/applications/${no}`); }
}

export class Officer extends Client {
  constructor(demo, account) { super(demo.addresses.intranet); this.demo = demo; this.account = account; }

  async signIn() {
    const me = await this.post('/api/login', { login: this.account.login, password: this.account.password });
    this.csrf = me.csrf;
    return me;
  }

  case(no) { return this.get(`/api/cases/${no}`); }

  async decide(no, action, more = {}) {
    const c = await this.case(no);
    return this.post(`/api/cases/${no}/decide`, { action, version: c.version, ...more });
  }
}

export const sha = (b) => createHash('sha256').update(b).digest('hex');
