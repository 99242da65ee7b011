// The rules of an item as a browser gets them, read from schemas/, and the engine of the browser (common/web/rules.ts) that judges by them.
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import * as engine from '../../common/web/rules.ts';
import { root } from './demo.mjs';

export { engine };
const text = (file) => readFileSync(path.join(root, 'schemas', file), 'utf8');
const { province_region: province, city_region: city } = JSON.parse(text('org/demo.json'));
/** As the loader reads the folder: places of this province and city are digits. */
const read = (file) => JSON.parse(text(file).replaceAll('"@province"', `"${province.slice(0, 2)}"`).replaceAll('"@city"', `"${city.slice(0, 4)}"`));
const files = (folder) => readdirSync(path.join(root, 'schemas', folder)).filter((f) => f.endsWith('.json'));

export const items = read('catalogue/items.json').items;
/** Known and switched off until a city switches them on. */
export const extras = read('catalogue/extra.json').items;
export const org = read('org/demo.json');
export const residents = read('org/demo-residents.json');
const tables = Object.fromEntries(files('code-tables').map((f) => read(`code-tables/${f}`)).map((t) => [t.id, t.values]));
tables['GA 380'] = org.units.filter((u) => u.accepting).map((u) => ({ code: u.code, label: u.name }));
export const codeTables = tables;
const messages = Object.fromEntries(read('messages/form-errors.json').rules.map((r) => [r.rule, r.message]));
const { patterns } = read('forms/patterns.json');
const families = new Map();
const effects = new Map();

export function familyOf(form) {
  if (!families.has(form)) families.set(form, read(`forms/${form}.json`));
  return families.get(form);
}

/** What finishing a case of the family does; null while the family has no effects. */
export function effectsOf(form) {
  if (!effects.has(form)) effects.set(form, files('effects').includes(`${form}.json`) ? read(`effects/${form}.json`) : null);
  return effects.get(form);
}

export const itemOf = (code) => items.find((i) => i.code === code) ?? extras.find((i) => i.code === code);

/** What GET /api/catalogue/items/{code} answers, every code table with it. */
export function rulesOf(code) {
  const item = itemOf(code);
  return { item, family: familyOf(item.form), code_tables: tables, patterns, messages };
}

/** Today in Beijing, where every rule looks. */
export const today = (offset = 0) => new Date(Date.now() + 8 * 3600e3 + offset * 86400e3).toISOString().slice(0, 10);
