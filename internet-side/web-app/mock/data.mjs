// The product's own data as the service would answer it: catalogue, forms, tables, sentences.
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const schemas = fileURLToPath(new URL("../../../schemas/", import.meta.url));
const raw = (path) => readFileSync(schemas + path, "utf8");
const { province_region: province, city_region: city } = JSON.parse(raw("org/demo.json"));
/* As the loader reads the folder: places of this province and city are digits. */
const read = (path) => JSON.parse(raw(path).replaceAll('"@province"', `"${province.slice(0, 2)}"`).replaceAll('"@city"', `"${city.slice(0, 4)}"`));

export const items = read("catalogue/items.json").items;
const extras = read("catalogue/extra.json").items;
export const org = read("org/demo.json");
export const states = read("messages/public-states.json").states;
const patterns = read("forms/patterns.json").patterns;
const { templates } = read("catalogue/templates.json");
const blocks = read("forms/blocks.json");
const messages = Object.fromEntries(read("messages/form-errors.json").rules.map((r) => [r.rule, r.message]));
const tables = Object.fromEntries(readdirSync(schemas + "code-tables").filter((f) => f.endsWith(".json")).map((f) => {
  const t = read("code-tables/" + f);
  return [t.id, (t.values || []).map(({ code, label }) => ({ code, label }))];
}));
tables["GA 380"] = org.units.filter((u) => u.accepting).map((u) => ({ code: u.code, label: u.name }));

const brief = (i) => ({ code: i.code, name: i.name, plain_name: i.plain_name, category: i.category, subcategory: i.subcategory, path: i.path, menu: i.menu, channels: i.channels, online_open: i.online_open });
const unit = ({ code, name, short, parent, address, phone, hours, regions }) => ({ code, name, short, parent: parent || undefined, address, phone, hours, regions });
export const units = org.units.filter((u) => u.kind !== "committee").map(unit);
const regions = [...new Set(units.flatMap((u) => u.regions))].map((code) => ({ code, label: tables["GB/T 2260"].find((v) => v.code === code).label }));

export const index = { version: 1, city: org.city, items: items.map(brief), guide: read("guide/guide.json"), units, regions, districts: {} };
export const search = read("guide/search.json");
/* The index with these of the switched-off items on and open. */
export const indexWith = (codes) => ({ ...index, items: [...index.items, ...extras.filter((i) => codes.includes(i.code)).map((i) => brief({ ...i, online_open: true }))] });

export function itemData(code, on = []) {
  const more = extras.find((i) => i.code === code && on.includes(code));
  const item = more ? { ...more, enabled: true, online_open: true, closed_note: null } : items.find((i) => i.code === code);
  if (!item) return undefined;
  const family = read(`forms/${item.form}.json`);
  const wanted = [...family.fields, ...(family.repeats || []).flatMap((r) => r.fields)].map((f) => f.code_table).filter(Boolean);
  const code_tables = Object.fromEntries(wanted.filter((t) => tables[t] && tables[t].length <= 500).map((t) => [t, tables[t]]));
  const mine = item.materials.filter((m) => m.template).map((m) => ({ ...templates.find((t) => t.id === m.template), material: m.no }));
  return { version: 1, item, family, blocks, code_tables, patterns, messages, templates: mine };
}

export const table = (id) => tables[id];
export const fullTables = (data) => ({ ...data, code_tables: { ...data.code_tables, "GB/T 2260": tables["GB/T 2260"] } });

/* A public state in complete sentences, as the service makes it. */
export function publicState(key, words, variant) {
  const s = states.find((x) => x.key === key);
  const fill = (t) => t.replace(/\{([a-z]+)\}/g, (_m, k) => words[k] ?? "");
  return {
    key: s.key, icon: s.icon, tag: s.tag, tone: s.tone, turn: s.turn, final: !!s.final,
    sentence: fill((variant && s.variants?.[variant]) || s.sentence),
    buttons: s.buttons.filter((b) => !b.feature).map((b) => ({ action: b.action, label: fill(b.label) })),
  };
}
