// Citizens whose every answer is judged by the contract, and the way to a draft or a case that is under way.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { cast } from './cast.mjs';
import { Citizen, Refused } from './client.mjs';
import { root } from './demo.mjs';
import { Contract } from './internet.mjs';

export const contract = new Contract();
const photo = readFileSync(path.join(root, 'tests/fixtures/photo-1.jpg'));
export const small = Buffer.concat([photo.subarray(0, 1000), Buffer.from('MARKER-OF-A-PHOTOGRAPH')]);
let w;
let phones = 13905620100;
export const nextPhone = () => String(phones++);
/** The service that the citizens below talk to. */
export const talkTo = (internet) => { w = internet; };

/** A citizen each of whose answers is judged by the contract. */
export class Checked extends Citizen {
  async raw(method, url, options) {
    const r = await super.raw(method, url, options);
    const body = await r.clone().text();
    if (contract.find(method, url)) contract.check(method, url, r.status, body ? JSON.parse(body) : null);
    return r;
  }

  /** The call is refused with this status and code; gives the error. */
  async refused(status, code, method, url, options) {
    try {
      await this.call(method, url, options);
    } catch (e) {
      if (!(e instanceof Refused)) throw e;
      assert.equal(e.status, status, e.message);
      assert.equal(e.error.code, code, e.message);
      assert.ok(e.error.message.length > 3 && !/[a-z]{4}/.test(e.error.message.replace('Cookie', '')), `words for people: ${e.error.message}`);
      return e.error;
    }
    return assert.fail(`${method} ${url} was accepted, want ${status} ${code}`);
  }
}

export async function citizen(phone = nextPhone()) {
  const c = new Checked(w, phone);
  await c.signIn();
  return c;
}

/** A citizen with a draft of one service, pages up. */
export async function drafted(kind = 'rename', more = {}, page = small) {
  const c = await citizen();
  const who = cast[kind]({ phone: c.phone, ...more });
  const draft = await c.draft(who.item, who.entries, Object.fromEntries(who.slots.map((s) => [s, { pages: [page] }])));
  return { c, who: who.who, draft };
}

export async function submitted(kind = 'rename', more = {}) {
  const { c, who, draft } = await drafted(kind, more);
  const receipt = await c.submit(draft, who);
  const rec = await w.arrived(receipt.no, 'application');
  return { c, who, draft, no: receipt.no, rec, slices: await w.slices(receipt.no, rec) };
}
