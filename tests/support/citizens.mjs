// Citizens whose every answer is judged by the contract, and the way to a draft or a case that is under way.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { cast } from './cast.mjs';
import { Citizen } from './client.mjs';
import { Contract, judged } from './contract.mjs';
import { root } from './demo.mjs';

export const contract = new Contract('internet.yaml');
/** A citizen each of whose answers is judged by the contract. */
export const Checked = judged(Citizen, contract);
const photo = readFileSync(path.join(root, 'tests/fixtures/photo-1.jpg'));
export const small = Buffer.concat([photo.subarray(0, 1000), Buffer.from('MARKER-OF-A-PHOTOGRAPH')]);
let w;
let phones = 13905620100;
export const nextPhone = () => String(phones++);
/** The service that the citizens below talk to. */
export const talkTo = (internet) => { w = internet; };

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
