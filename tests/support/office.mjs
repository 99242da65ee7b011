// A station's people at their desks: takes any case to its end by what the service offers, knowing neither items nor flows. The way on is the action that
// the service itself calls the main one (F2); what it needs is filled in by its kind.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Officer, Refused } from './client.mjs';
import { root, until } from './demo.mjs';
import { org, today } from './forms.mjs';
import { completionValue } from './guards.mjs';

const photo = readFileSync(path.join(root, 'tests/fixtures/photo-small.jpg'));
const parentOf = (code) => org.units.find((u) => u.code === code).parent;
const STEPS = 16;

export class Office {
  constructor(demo) { this.demo = demo; this.people = new Map(); this.serial = 0; }

  /** One signed-in officer for role and unit. */
  who(role, unit) {
    const key = `${role} ${unit}`;
    if (!this.people.has(key)) {
      const o = new Officer(this.demo, this.demo.account(role, unit));
      this.people.set(key, o.signIn().then(() => o));
    }
    return this.people.get(key);
  }

  async seen(o, no) {
    const r = await o.raw('GET', `/api/cases/${no}`);
    if (r.status === 404) { await r.arrayBuffer(); return null; }
    const c = await r.json();
    if (r.status >= 400) throw new Refused(r.status, c, `GET /api/cases/${no}`);
    return c;
  }

  /** The case on the desk with all its pages. */
  async arrived(no, unit, seconds = 60) {
    const o = await this.who('officer', unit);
    return until(async () => { const c = await this.seen(o, no); return c && c.pages.done === c.pages.total && c; }, `case ${no} on the desk with its pages`, seconds, 100);
  }

  /** Whoever of the station and its sub-bureau has a main action now: the variant's own people first. */
  async next(no, unit, variant) {
    const order = variant === 'aux' ? [['aux', unit], ['officer', unit], ['sub_bureau', parentOf(unit)]] : [['officer', unit], ['sub_bureau', parentOf(unit)], ['aux', unit]];
    for (const [role, at] of order) {
      const o = await this.who(role, at);
      const c = await this.seen(o, no);
      const a = c?.actions.find((x) => x.main && (x.enabled || x.needs.some((n) => n.startsWith('scan:'))));
      if (a && (c.held_by_me || c.claimable)) return { o, c, a, role };
    }
    return null;
  }

  /** What this step asks of the officer. done: what the application was made with in mind; the rest by its kind. */
  async completion(o, no, unit, done) {
    const out = {}, asked = (await o.get(`/api/cases/${no}/effect`)).completion ?? [];
    const holds = (k) => { const v = out[k.field]; return k.absent ? v === undefined : v !== undefined && (!k.in || k.in.includes(v)) && (!k.not_in || !k.not_in.includes(v)); };
    for (const f of asked) {
      if (!(f.when ?? []).every(holds)) continue;
      if (done[f.id] !== undefined) out[f.id] = done[f.id];
      else if (f.required) out[f.id] = completionValue(f, { unit, date: today(), serial: (this.serial += 1) });
    }
    return out;
  }

  async scan(o, no, kind) {
    await o.call('POST', `/api/cases/${no}/claim`);
    return (await o.call('POST', `/api/cases/${no}/scans?kind=${kind}`, { body: photo, headers: { 'content-type': 'image/jpeg' } })).version;
  }

  async act({ o, c, a }, no, unit, done) {
    const body = { action: a.action, version: c.version, unseen_ok: true };
    for (const need of a.needs) {
      if (need === 'opinion') body.opinion = '情况属实，同意。';
      else if (need === 'level') body.level = 'sub_bureau';
      else if (need === 'date') body.date = today(14);
      else if (need === 'completion') body.completion = await this.completion(o, no, unit, done);
      else if (need.startsWith('scan:')) body.version = await this.scan(o, no, need.slice(5));
      else if (need === 'confirm_text') body.confirm_text = a.label;
      else if (need !== 'complete_materials') throw new Error(`${no}: the main action ${a.action} needs ${need}: no way on`);
    }
    return o.post(`/api/cases/${no}/decide`, body);
  }

  /** From the desk to the end: the states gone through, [{role, action, state}]. variant: whose desk it comes to first. */
  async complete(no, unit, variant, done = {}) {
    const way = [];
    await this.arrived(no, unit);
    for (let step = 0; step < STEPS; step++) {
      const c = await this.seen(await this.who('officer', unit), no);
      if (c.state === 'completed') return { way, case: c };
      const next = await this.next(no, unit, variant);
      if (!next) throw new Error(`${no}: nobody has a way on from ${c.state} (${c.internal}) after ${way.map((w) => w.action).join(' ')}: ${JSON.stringify(c.actions.map((a) => [a.action, a.enabled, a.why_not]))}`);
      await this.act(next, no, unit, done);
      way.push({ role: next.role, action: next.a.action, from: next.c.state });
    }
    throw new Error(`${no}: not at its end after ${STEPS} steps: ${way.map((w) => w.action).join(' ')}`);
  }
}
