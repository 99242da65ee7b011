// Officers whose every answer is judged by the contract, and citizens' applications for them to work on.
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Contract, judged } from './contract.mjs';
import { Citizen, Officer } from './client.mjs';
import { root, until } from './demo.mjs';

export const contract = new Contract('intranet.yaml', { closed: true });
/** An officer each of whose answers is judged by the contract. */
export const Checked = judged(Officer, contract);
const photo = readFileSync(path.join(root, 'tests/fixtures/photo-small.jpg'));
let phoneSerial = 0;
const nextPhone = () => `136${String(90000000 + (phoneSerial += 1))}`;

/** Nobody: no session yet. */
export const nobody = (demo, account = { login: '', password: '' }) => new Checked(demo, account);

/** Signed in; `who` is a login of the demonstration or {login, password}. */
export async function officer(demo, who) {
  const o = nobody(demo, typeof who === 'string' ? demo.accounts.find((a) => a.login === who) : who);
  o.me = await o.signIn();
  return o;
}

/** A citizen hands in `make({phone})` of cast.mjs. extra: {material: page} in place of the photograph. Gives the number and the citizen. */
export async function apply(demo, make, extra = {}) {
  const citizen = new Citizen(demo, nextPhone());
  await citizen.signIn();
  const c = make({ phone: citizen.phone });
  const draft = await citizen.draft(c.item, c.entries, {});
  for (const material of c.slots) {
    const x = extra[material] ?? { type: 'image/jpeg', bytes: photo };
    const page = await citizen.upload(draft.draft, material, x.type, x.bytes);
    draft.materials.push({ material, ...(c.item === 'HJ043' && material === 3 ? { alternative: 0 } : {}), pages: [page] });
  }
  const { no } = await citizen.submit(draft, c.who);
  return { no, citizen, who: c.who, phone: citizen.phone, entries: c.entries };
}

/** The case as `o` sees it, once all its pages are there. */
export const onDesk = (o, no, seconds = 30) => until(async () => {
  const r = await o.raw('GET', `/api/cases/${no}`);
  if (r.status === 404) return null;
  const c = await r.json();
  return c.pages.done === c.pages.total ? c : null;
}, `case ${no} on the desk with its pages`, seconds, 50);

/** Other values for keys of the officers' service, which is killed and started again. */
export async function reconfigure(demo, values) {
  const file = path.join(demo.dir, 'intranet/intranet.conf');
  const kept = readFileSync(file, 'utf8').split('\n').filter((l) => l && !(l.split(' = ')[0] in values));
  writeFileSync(file, `${kept.join('\n')}\n`);
  appendFileSync(file, Object.entries(values).map(([k, v]) => `${k} = ${v}\n`).join(''));
  await demo.killAndRestart('intranet-side');
  await until(async () => { try { return (await fetch(`${demo.addresses.intranet}/healthz`)).status === 200; } catch { return false; } }, 'healthy', 20, 50);
}

/** A PDF of so many empty sheets. */
export function pdf(sheets) {
  const objects = ['<</Type/Catalog/Pages 2 0 R>>', `<</Type/Pages/Count ${sheets}/Kids[${Array.from({ length: sheets }, (_, i) => `${i + 3} 0 R`).join(' ')}]>>`,
    ...Array.from({ length: sheets }, () => '<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 300]>>')];
  const at = [];
  let body = '%PDF-1.4\n';
  objects.forEach((o, i) => { at.push(body.length); body += `${i + 1} 0 obj${o}endobj\n`; });
  const start = body.length;
  body += `xref\n0 ${at.length + 1}\n0000000000 65535 f \n${at.map((o) => `${String(o).padStart(10, '0')} 00000 n \n`).join('')}`;
  return Buffer.from(`${body}trailer<</Size ${at.length + 1}/Root 1 0 R>>\nstartxref\n${start}\n%%EOF\n`, 'latin1');
}
