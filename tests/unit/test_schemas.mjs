// The product's data under schemas/ is whole and consistent. Run: node --test tests/unit/test_schemas.mjs
import test from "node:test";
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { offered } from "../../internet-side/web-app/src/guide.ts";

const root = fileURLToPath(new URL("../../schemas/", import.meta.url));
const read = (p) => JSON.parse(readFileSync(root + p, "utf8"));
const items = read("catalogue/items.json").items;
const extra = read("catalogue/extra.json").items;
const families = new Map(readdirSync(root + "forms")
  .filter((f) => f.endsWith(".json") && f !== "blocks.json" && f !== "patterns.json")
  .map((f) => [f.slice(0, -5), read(`forms/${f}`)]));
const blocks = read("forms/blocks.json");
const patterns = new Map(read("forms/patterns.json").patterns.map((p) => [p.name, p]));
const tables = new Map(readdirSync(root + "code-tables").filter((f) => f.endsWith(".json"))
  .map((f) => read(`code-tables/${f}`)).map((t) => [t.id, t]));
const org = read("org/demo.json");
const residents = read("org/demo-residents.json");
const guide = read("guide/guide.json");
const search = read("guide/search.json");
const workflows = readdirSync(root + "workflows").filter((f) => /^online-.*\.json$/.test(f)).map((f) => read(`workflows/${f}`));
const states = new Map(read("messages/public-states.json").states.map((s) => [s.key, s]));
const sms = read("messages/sms.json");
const reasons = read("messages/reasons.json");
const words = read("messages/word-check.json");
const effects = readdirSync(root + "effects").filter((f) => f.endsWith(".json")).map((f) => read(`effects/${f}`));
const FOUR = ["HJ001", "HJ025", "HJ043", "HJ083"];
const byCode = new Map([...items, ...extra].map((i) => [i.code, i]));

const fieldMap = (family) => new Map(family.fields.map((f) => [f.id, f]));
const valuesOf = (f) => {
  if (f.type === "boolean") return [true, false];
  if (f.code_table === "GA 380") return org.units.filter((u) => u.accepting).map((u) => u.code);
  const all = (f.values ?? tables.get(f.code_table)?.values ?? []).map((v) => v.code);
  return f.allow ? all.filter((c) => f.allow.includes(c)) : all;
};
const PLACES = { "@province": org.province_region.replace(/(00)+$/, ""), "@city": org.city_region.replace(/(00)+$/, "") };
const listOf = (c) => c.in ?? c.not_in ?? c.prefix ?? c.not_prefix;
const starts = (list, v) => list.some((p) => v.startsWith(PLACES[p] ?? p));
const accepts = (c, v) => v !== undefined && (c.in ? c.in.includes(v) : c.not_in ? !c.not_in.includes(v)
  : typeof v === "string" && (c.prefix ? starts(c.prefix, v) : !starts(c.not_prefix, v)));
const holds = (conditions, values) => (conditions ?? []).every((c) => accepts(c, values[c.field]));
const conditionsOf = (family) => [...family.fields.flatMap((f) =>
  ["required_when", "visible_when", "fill_when", "id_number_when"].flatMap((k) => f[k] ?? [])), ...family.rules.flatMap((r) => r.when ?? [])];

/** The most fields a person can see in a section: over every choice of the fields that decide on showing others. */
function mostShown(family, section, item) {
  const fields = fieldMap(family), preset = family.presets[item] ?? {};
  const deciders = [...new Set(family.fields.flatMap((f) => (f.visible_when ?? []).map((c) => c.field)))];
  const used = new Map();                    // only values that some condition mentions, and one other
  for (const c of family.fields.flatMap((f) => f.visible_when ?? [])) {
    const values = c.prefix ?? c.not_prefix ? [valuesOf(fields.get(c.field)).find((v) => starts(listOf(c), v))] : listOf(c);
    used.set(c.field, new Set([...(used.get(c.field) ?? []), ...values]));
  }
  const choices = deciders.map((id) => {
    const all = preset[id] ?? valuesOf(fields.get(id));
    return [...all.filter((v) => used.get(id).has(v)), all.find((v) => !used.get(id).has(v))];
  });
  let most = 0;
  const walk = (k, values) => {
    if (k < deciders.length) return choices[k].forEach((v) => walk(k + 1, { ...values, [deciders[k]]: v }));
    const shown = section.fields.map((id) => fields.get(id)).filter((f) =>
      holds(f.visible_when, values) && preset[f.id]?.length !== 1 && !(/^identity\./.test(f.fill_from ?? "") && !f.fill_when) &&
      !/^id_number:/.test(f.fill_from ?? ""));
    most = Math.max(most, shown.length);
  };
  walk(0, {});
  return most;
}

test("CAT: 113 items, 37 switched off, codes and plain names unique", () => {
  assert.equal(items.length, 113);
  assert.equal(extra.length, 37);
  assert.ok(extra.every((i) => i.enabled === false && !i.online_open));
  assert.equal(byCode.size, 150);
  assert.equal(new Set([...byCode.values()].map((i) => i.plain_name)).size, 150);
});

test("CIT-04 every item says plain name, facts, steps (at most 5), who may apply and whose face is asked", () => {
  for (const i of byCode.values()) {
    assert.ok(i.plain_name && i.who_may_apply, i.code);
    assert.ok(i.steps.length >= 1 && i.steps.length <= 5, i.code);
    assert.ok(["self", "guardian", "agent", "relative"].includes(i.identity.who) && i.identity.text.length > 8, i.code);
    assert.ok(i.facts.duration && i.facts.visits && i.facts.fee, i.code);
    assert.doesNotMatch(i.plain_name, /HJ|HX|[a-z]/i);
  }
});

test("CIT-05 an item that is not open online says where to go; open ones have search words", () => {
  for (const c of FOUR) assert.ok(byCode.get(c).online_open, c);
  for (const c of FOUR) assert.ok(byCode.get(c).search.length >= 10, c);
  for (const i of byCode.values()) assert.equal(i.online_open, i.closed_note === null, i.code);
  for (const i of items) assert.ok(i.search.length >= 1, i.code);
});

test("CIT-06 32 families; each item's form exists and lists it", () => {
  assert.equal(families.size, 32);
  for (const i of byCode.values()) {
    const f = families.get(i.form);
    assert.ok(f && f.id === i.form, i.code);
    assert.ok([...f.items, ...f.extra_items].includes(i.code), i.code);
  }
});

test("CIT-06 block fields in a family agree with the shared block", () => {
  for (const f of families.values())
    for (const name of f.blocks)
      for (const b of blocks[name].fields) {
        const own = f.fields.find((x) => x.id === b.id);
        assert.ok(own && own.block === name, `${f.id}.${b.id}`);
        for (const key of ["type", "required", "code_table", "label"]) assert.deepEqual(own[key], b[key], `${f.id}.${b.id}.${key}`);
      }
});

test("CIT-06 fields: unique, in one section, asked in words, bounded, with known patterns and sources", () => {
  for (const f of families.values()) {
    const ids = f.fields.map((x) => x.id), map = fieldMap(f);
    assert.equal(new Set(ids).size, ids.length, f.id);
    assert.deepEqual(f.sections.flatMap((s) => s.fields), ids, `${f.id}: sections name every field once, in order`);
    for (const x of f.fields) {
      const where = `${f.id}.${x.id}`;
      assert.ok(f.sections.find((s) => s.id === x.section)?.fields.includes(x.id), where);
      assert.ok(x.ask && ["none", "id", "phone"].includes(x.mask), where);
      if (["text", "address"].includes(x.type)) assert.ok(x.max_length > 0 && x.max_length <= 500, where);
      if (x.pattern_name) assert.ok(patterns.has(x.pattern_name), where);
      if (x.register) assert.ok(map.has(x.register.by), where);
      const from = x.fill_from?.split(":") ?? [];
      if (from[0] === "guide") assert.ok(guide.nodes.some((n) => n.id === from[1]), where);
      if (from[0] === "id_number") assert.equal(map.get(from[1])?.type, "id_number", where);
      if (x.usual) assert.ok(valuesOf(x).includes(x.usual), where);
    }
    for (const c of conditionsOf(f)) {
      assert.ok(map.has(c.field), `${f.id}: condition on ${c.field}`);
      const regions = map.get(c.field).type === "address" ? tables.get("GB/T 2260").values.map((x) => x.code) : valuesOf(map.get(c.field));
      for (const v of c.prefix ?? c.not_prefix ?? []) assert.ok(regions.some((x) => starts([v], x)), `${f.id}: ${c.field} begins with ${v}`);
      if (["enum", "boolean"].includes(map.get(c.field).type))
        for (const v of c.in ?? c.not_in ?? []) assert.ok(valuesOf(map.get(c.field)).includes(v), `${f.id}: ${c.field} in ${v}`);
    }
    for (const r of f.rules) {
      assert.ok(["require_any", "together", "not_after", "not_before", "differ", "same", "in", "age_at_least", "age_below", "gender_is", "refuse",
        "rows_differ", "rows_have", "rows_include"].includes(r.op), r.id);
      const lists = new Set(f.repeats.map((x) => x.id));
      for (const id of [r.at, r.a, ...(r.fields ?? []), ...(r.b && r.b !== "today" ? [r.b] : [])].filter(Boolean)) assert.ok(map.has(id) || lists.has(id), `${f.id}.${r.id}: ${id}`);
      assert.ok(r.message, r.id);
    }
    for (const [item, preset] of Object.entries(f.presets))
      for (const [id, list] of Object.entries(preset)) {
        assert.ok(byCode.get(item)?.form === f.id, `${f.id}: preset of ${item}`);
        for (const v of list) assert.ok(valuesOf(map.get(id)).includes(v), `${f.id}.${id}: preset ${v}`);
      }
  }
});

test("CIT-06 patterns accept their own example", () => {
  for (const p of patterns.values()) if (p.regex) assert.match(p.example, new RegExp(p.regex), p.name);
});

for (const item of [...items, ...extra])
  test(`CIT-06 ${item.code}: at most 7 fields a section are shown`, () => {
    const f = families.get(item.form);
    for (const s of f.sections) assert.ok(mostShown(f, s, item.code) <= 7, `${s.id}: ${mostShown(f, s, item.code)}`);
    const shown = f.sections.reduce((n, s) => n + mostShown(f, s, item.code), 0);
    assert.ok(shown + f.repeats.length > 0);
  });

test("CIT-07 every enum that can be asked has values; code tables have unique codes", () => {
  for (const f of families.values())
    for (const x of [...f.fields, ...f.repeats.flatMap((r) => r.fields)])
      if (x.type === "enum") {
        assert.ok(valuesOf(x).length > 0, `${f.id}.${x.id}`);
        if (x.allow) assert.equal(valuesOf(x).length, x.allow.length, `${f.id}.${x.id}: allow names unknown codes`);
      }
  for (const t of tables.values()) assert.equal(new Set(t.values.map((v) => v.code)).size, t.values.length, t.id);
  assert.ok(tables.get("GB/T 2659").values.length > 240);
  assert.ok(tables.get("GB/T 2260").values.length > 3000);
  assert.ok(tables.get("GB/T 2260").values.some((v) => v.code === "340799"));
});

test("MAT-01 materials are numbered without gaps and tell requirement and supplier", () => {
  for (const i of byCode.values())
    i.materials.forEach((m, k) => {
      assert.equal(m.no, k + 1, i.code);
      assert.ok(["required", "conditional", "one_of"].includes(m.requirement), i.code);
      assert.ok(["applicant", "police"].includes(m.supplied_by), i.code);
      if (m.requirement === "one_of") assert.ok(m.group, `${i.code}/${m.no}`);
    });
});

test("MAT-04 conditional materials of the open items can be decided by the machine", () => {
  const open = items.filter((i) => i.online_open);
  assert.ok(FOUR.every((c) => open.some((i) => i.code === c)));
  for (const { code: c, form, materials } of open)
    for (const m of materials) {
      if (m.supplied_by === "police") continue;
      if (m.requirement === "conditional" || m.condition) assert.ok(m.when?.length, `${c}/${m.no}`);
      assert.ok(m.how_to_get, `${c}/${m.no}`);
      const map = fieldMap(families.get(form));
      for (const w of [...(m.when ?? []), ...(m.examples ?? []).flatMap((e) => e.when)])
        for (const v of w.in ?? w.not_in ?? []) assert.ok(valuesOf(map.get(w.field)).includes(v), `${c}/${m.no}`);
    }
});

test("MAT-04 a question that only decides on a paper is plain, shows the tender's words, and counts “说不清” as needed", () => {
  for (const f of families.values())
    for (const x of f.fields.filter((y) => y.values?.some((v) => v.code === "unsure"))) {
      assert.deepEqual(x.values.map((v) => v.code), ["yes", "no", "unsure"], `${f.id}.${x.id}`);
      assert.equal(x.values[2].label, "说不清", `${f.id}.${x.id}`);
      assert.ok(x.hint && !x.block, `${f.id}.${x.id}`);
      if (x.required) continue;                       // asked for its own sake: the kind of land (POP-63)
      assert.ok(x.visible_when?.length, `${f.id}.${x.id}`);
      const conditions = items.filter((i) => i.form === f.id).flatMap((i) => i.materials.flatMap((m) => m.when ?? [])).filter((w) => w.field === x.id);
      assert.ok(conditions.length > 0, `${f.id}.${x.id} decides on nothing`);
      for (const w of conditions) assert.ok(w.in.includes("unsure"), `${f.id}.${x.id}`);
    }
});

// What a person can really finish: the services of moving, splitting and founding (CAT-044 … CAT-069, CAT-108 … CAT-113).
const MOVING = items.filter((i) => /^(move_|student_|split$|establish_)/.test(i.form));
const OUTSIDE_WORDS = /省外|外省/;

test("MAT-04 moving and founding: every condition is decided by an answer, every paper has an everyday name and a way to get it", () => {
  assert.equal(MOVING.length, 32);
  for (const i of MOVING) {
    const map = fieldMap(families.get(i.form));
    assert.ok(i.online_open && i.notices.length > 0 && i.identity.text.includes("刷脸"), i.code);
    for (const m of i.materials) {
      const where = `${i.code}/${m.no}`;
      assert.ok(m.plain_name && m.how_to_get && (m.alternatives_hint || m.supplied_by === "police"), where);
      assert.equal(!!m.condition, !!m.when?.length, where);
      for (const c of m.when ?? []) {
        assert.ok(map.has(c.field), where);
        for (const v of c.in ?? []) assert.ok(valuesOf(map.get(c.field)).includes(v), where);
        if (valuesOf(map.get(c.field)).includes("unsure")) assert.ok(c.in.includes("unsure"), `${where}: who is not sure brings the paper`);
        if (OUTSIDE_WORDS.test(m.condition)) assert.deepEqual(listOf(c), ["@province"], `${where}: the province is this city's, not a number`);
      }
    }
  }
});

test("CIT-06 moving and founding: asked in plain words, lists behind a question, the station by where one goes or leaves", () => {
  for (const id of new Set(MOVING.map((i) => i.form).concat("move_out"))) {
    const f = families.get(id);
    for (const x of [...f.fields, ...f.repeats.flatMap((r) => r.fields)])
      assert.doesNotMatch(x.ask, /被申请人|被投靠人|被挂靠人|当事人|是否|行政区划|类别/, `${id}.${x.id}`);
    for (const r of f.repeats) {
      assert.ok(r.ask && r.hint && r.min === 1 && r.visible_when.length === 1 && r.visible_when[0].in[0] === true, `${id}.${r.id}`);
      assert.equal(fieldMap(f).get(r.visible_when[0].field).type, "boolean", `${id}.${r.id}`);
    }
    const by = fieldMap(f).get("accept_unit").suggest_by;
    assert.equal(by[0], /^move_in|student_move_in/.test(id) ? "target_address" : /^establish/.test(id) ? "address" : "subject_address", id);
    assert.ok(f.rules.length > 0 && f.rules.every((r) => /请|要|能|不用|可以/.test(r.message)), `${id}: every rule says what to do`);
  }
});

test("POP-63 services for state land ask nothing about land; where it is asked, nobody is stopped by not knowing", () => {
  for (const id of ["move_in_kin", "move_in_house"]) {
    const f = families.get(id), map = fieldMap(f);
    for (const item of [...f.items, ...f.extra_items]) {
      const p = f.presets[item];
      if (p.land_kind) assert.deepEqual(p.on_collective_land, [p.land_kind[0] === "collective" ? "yes" : "no"], item);
    }
    assert.ok(valuesOf(map.get("on_collective_land")).includes("unsure"));
    assert.ok(!map.get("land_kind").required && !holds(map.get("land_kind").visible_when, { on_collective_land: "unsure" }));
  }
});

test("CIT-06 the shared verdict table has at least 8 cases for each of these families, most of them refused", () => {
  const { bases, cases } = JSON.parse(readFileSync(new URL("rules-cases.json", import.meta.url), "utf8"));
  for (const id of new Set(MOVING.map((i) => i.form).concat("move_out"))) {
    const own = cases.filter((c) => byCode.get(bases[c.base].item).form === id), refused = own.filter((c) => c.expect.length > 0);
    assert.ok(own.length >= 8 && refused.length * 2 > own.length, `${id}: ${refused.length} of ${own.length}`);
  }
  for (const i of MOVING) assert.ok(cases.some((c) => bases[c.base].item === i.code && c.expect.length === 0 && !c.set && !c.unset), `${i.code}: a whole application`);
});

test("MAT-04 HJ083: each kind of proof shows exactly one paper of the group", () => {
  const proof = fieldMap(families.get("death")).get("proof_kind");
  for (const v of valuesOf(proof)) {
    const shown = byCode.get("HJ083").materials.filter((m) => m.group === "A" && holds(m.when, { proof_kind: v }));
    assert.equal(shown.length, 1, v);
  }
});

test("MAT-04 HJ043: every change that can be chosen online says which paper counts", () => {
  for (const v of families.get("non_core_change").presets.HJ043.change_item)
    assert.equal(byCode.get("HJ043").materials[2].examples.filter((e) => holds(e.when, { change_item: v })).length, 1, v);
});

test("MAT-03 HJ026, HJ084: the answer in the form leaves one alternative of the paper, each answer another", () => {
  for (const [code, no, id] of [["HJ026", 4, "consent_kind"], ["HJ084", 2, "proof_kind"]]) {
    const { alternatives } = byCode.get(code).materials[no - 1], field = fieldMap(families.get(byCode.get(code).form)).get(id);
    const left = valuesOf(field).map((v) => alternatives.filter((a) => holds(a.when, { [id]: v })).map((a) => a.name));
    assert.ok(left.every((l) => l.length === 1), code);
    assert.equal(new Set(left.flat()).size, alternatives.length, code);
  }
});

test("MAT-04 HJ106: who asks about himself proves no kinship, every other applicant does", () => {
  const paper = byCode.get("HJ106").materials[2];
  for (const v of families.get("certificate").presets.HJ106.applicant_relation) assert.equal(holds(paper.when, { applicant_relation: v }), v !== "01", v);
});

const CHANGES = ["name_change", "former_name", "sex_change", "ethnicity_change", "birthdate_change", "head_change", "non_core_change", "emigration",
  "enlistment", "booklet", "migration_permit", "permit_to_move", "certificate"];
for (const item of items.filter((i) => CHANGES.includes(i.form)))
  test(`MAT-01 MAT-04 CIT-04 ${item.code} is open: each paper has a plain way to it, each condition is decided, each screen asks in plain words`, () => {
    const f = families.get(item.form), map = fieldMap(f);
    assert.ok(item.online_open && item.search.length);
    for (const m of item.materials) {
      assert.ok(m.how_to_get && m.alternatives_hint, `${item.code}/${m.no}`);
      if (m.requirement === "conditional") assert.ok(m.when?.length, `${item.code}/${m.no}`);
      for (const w of [...(m.when ?? []), ...(m.examples ?? []).flatMap((e) => e.when), ...m.alternatives.flatMap((a) => a.when ?? [])])
        for (const v of w.in) assert.ok(valuesOf(map.get(w.field)).includes(v), `${item.code}/${m.no}: ${w.field} ${v}`);
    }
    for (const x of f.fields) {
      assert.doesNotMatch(x.ask, /申请人|被申请|行政区划|公民身份号码|（续）/, `${f.id}.${x.id}`);
      if (!["applicant", "subject"].includes(x.block) && ["text", "date", "enum"].includes(x.type)) assert.notEqual(x.ask, x.label, `${f.id}.${x.id}`);
    }
    for (const s of f.sections) assert.doesNotMatch(s.title, /（续）|签发|申请人/, `${f.id}.${s.id}`);
  });

test("CIT-05 CIT-19 guide: 14 events, each of the 113 and of the 37 in exactly one, at most 4 questions, no dead end", () => {
  const nodes = new Map(guide.nodes.map((n) => [n.id, n]));
  assert.equal(guide.events.length, 14);
  assert.equal(guide.events.filter((e) => e.home).length, 8);
  assert.deepEqual(guide.events.flatMap((e) => e.items).sort(), [...byCode.keys()].sort());
  const seen = new Set();
  for (const e of guide.events) {
    const found = new Set();
    const walk = (id, depth) => {
      assert.ok(depth <= 4, `${e.id}: ${id} is question ${depth}`);
      const n = nodes.get(id);
      assert.ok(n?.question && n.answers.length > 0, id);
      seen.add(id);
      for (const a of n.answers) {
        assert.equal([a.next, a.item].filter(Boolean).length + (a.stop && !a.next && !a.item ? 1 : 0), 1, `${id}: ${a.label}`);
        if (a.next) walk(a.next, depth + 1);
        if (a.item) found.add(a.item);
        if (a.stop) assert.ok(a.stop.text && a.stop.actions.length);
      }
    };
    walk(e.start, 1);
    assert.deepEqual([...found].sort(), e.items, e.id);
  }
  assert.equal(seen.size, nodes.size, "every node is reached");
});

// What the phone asks (internet-side/web-app/src/guide.ts): nothing of a service that is off is seen; each that is on has its way.
test("CIT-19 the guide as it is offered: none of the 37 on, one of them on, all of them on", () => {
  const ways = (on) => {
    const g = offered(guide, new Set(on)), nodes = new Map(g.nodes.map((n) => [n.id, n])), out = { codes: new Set(), stops: [], g, labels: [] };
    const walk = (id, depth) => {
      assert.ok(depth <= 4 && nodes.get(id).answers.length > 0, id);
      for (const a of nodes.get(id).answers) {
        assert.equal([a.next, a.item, a.stop].filter(Boolean).length, 1, `${id}: ${a.label}`);
        assert.equal(guide.nodes.find((n) => n.id === id).answers[a.at].label, a.label);
        out.labels.push(a.label);
        if (a.next) walk(a.next, depth + 1); else if (a.item) out.codes.add(a.item); else out.stops.push(a.label);
      }
    };
    for (const e of g.events) { assert.ok(e.items.length, e.id); walk(e.start, 1); }
    assert.deepEqual([...out.codes].sort(), g.events.flatMap((e) => e.items).sort());
    assert.deepEqual([...out.codes].sort(), [...on].sort());
    return out;
  };
  const codes = items.map((i) => i.code), more = extra.map((i) => i.code);
  const base = ways(codes);
  assert.equal(base.g.events.length, 13);
  assert.deepEqual(base.stops, ["香港或澳门", "父母离婚后，给孩子改名"]);
  assert.ok(!base.labels.some((l) => /外省|台湾居民，自己立户|律师/.test(l)));
  assert.deepEqual(base.g.nodes.filter((n) => n.answers.length < 2).map((n) => n.id), []);
  for (const c of more) ways([...codes, c]);
  assert.deepEqual(ways([...codes, "HX005"]).stops, ["双方都是华侨", "父母离婚后，给孩子改名"]);
  const all = ways([...codes, ...more]);
  assert.deepEqual([all.g.events.length, all.stops], [14, []]);
  for (const c of codes) ways(codes.filter((x) => x !== c));
});

test("CIT-05 guide presets that reach an item are fields and values of its family", () => {
  const nodes = new Map(guide.nodes.map((n) => [n.id, n]));
  const walk = (id, presets) => nodes.get(id).answers.forEach((a) => {
    const all = { ...presets, ...a.presets };
    if (a.next) return walk(a.next, all);
    if (!a.item) return;
    const f = families.get(byCode.get(a.item).form), map = fieldMap(f);
    for (const [k, v] of Object.entries(all)) {
      if (!map.has(k)) { assert.fail(`${a.item}: ${k}`); continue; }
      const allowed = f.presets[a.item]?.[k] ?? valuesOf(map.get(k));
      assert.ok(allowed.includes(v), `${a.item}: ${k} = ${v}`);
    }
  });
  for (const e of guide.events) walk(e.start, {});
});

test("CIT-05 every service has words of its own, every character in them a sound, no synonym stands in two groups", () => {
  assert.deepEqual(Object.keys(search.words), [...byCode.keys()]);
  const sounds = new Set(Object.values(search.sounds).join(""));
  const texts = [...[...byCode.values()].flatMap((i) => [i.name, i.plain_name, ...search.words[i.code]]), ...search.synonyms.flat(), ...search.fillers];
  for (const t of texts) for (const c of t) assert.ok(sounds.has(c) || !/[\u3400-\u9fff]/.test(c), `${t}: ${c}`);
  for (const s of Object.keys(search.sounds)) assert.match(s, /^[a-z]+$/);
  for (const [w, r] of Object.entries(search.readings)) assert.equal(r.split(" ").length, w.length, w);
  const flat = search.synonyms.flat();
  assert.deepEqual(flat.filter((w, i) => flat.indexOf(w) !== i), []);
});

const ROLES = ["aux", "officer", "sub_bureau", "system"];
const NEEDS = ["complete_materials", "opinion", "reasons", "rule", "date", "level", "confirm_text", "completion", "scan:permit", "scan:certificate"];
const EFFECTS = ["register", "register:permit", "register:move_out", "register:move_in", "register:cancel", "status_out", "supplement_request", "pre_archive", "courier_offer", "archive", "stop_clock", "start_clock"];

test("WFL-01 ten online flows and that of an investigation: numbers, both variants, one first state", () => {
  const types = { on_the_spot: "①②", move_in_province: "③④", move_in_outside: "⑤⑥", move_out: "⑦⑧", sub_bureau_approval: "⑨⑩", sub_bureau_investigation: "⑨⑩" };
  assert.deepEqual(workflows.map((w) => `${w.flow_type}/${w.variant} ${w.number}`).sort(),
    Object.entries(types).flatMap(([type, numbers]) => [`${type}/officer ${numbers[0]}`, `${type}/aux ${numbers[1]}`]).sort());
  assert.deepEqual([...new Set(workflows.map((w) => w.initial))], ["awaiting_review"]);
});

for (const w of workflows) {
  test(`WFL-04 ${w.id}: no dead end, every state reached, every word known`, () => {
    const ids = new Map(w.states.map((s) => [s.id, s]));
    assert.equal(ids.size, w.states.length);
    const next = (id) => w.transitions.filter((t) => t.from.includes(id)).flatMap((t) => (t.to === "@previous"
      ? w.transitions.filter((p) => p.to === id).flatMap((p) => p.from) : [t.to]));
    const reach = (start) => {
      const seen = new Set([start]);
      for (const id of seen) next(id).forEach((n) => seen.add(n));
      return seen;
    };
    const fromStart = reach(w.initial);
    for (const s of w.states) {
      assert.ok(fromStart.has(s.id), `${s.id} is never reached`);
      assert.equal(next(s.id).length === 0, s.final, s.id);
      assert.ok([...reach(s.id)].some((id) => ids.get(id).final), `${s.id} never ends`);
      for (const key of [s.public, s.public_while_arriving].filter(Boolean)) assert.ok(states.has(key), `${s.id}: ${key}`);
    }
    const choices = new Set();
    for (const t of w.transitions) {
      assert.ok(t.to === "@previous" || ids.has(t.to), t.action);
      assert.ok(t.roles.length && t.roles.every((r) => ROLES.includes(r)), t.action);
      assert.ok(["accepting", "parent"].includes(t.unit) && t.needs.every((n) => NEEDS.includes(n)), t.action);
      for (const e of t.effects) assert.ok(EFFECTS.includes(e) || sms.templates.some((m) => `sms:${m.id}` === e), `${t.action}: ${e}`);
      for (const s of t.from) {
        assert.ok(ids.has(s), `${t.action}: ${s}`);
        const key = `${s} ${t.action} ${t.if ?? ""}`;
        assert.ok(!choices.has(key), key);
        choices.add(key);
      }
    }
  });
  test(`WFL-07 ${w.id}: every end is told to the citizen and archived; decisions wait for all materials`, () => {
    for (const t of w.transitions) {
      if (["completed", "refused", "withdrawn", "terminated", "supplement_overdue"].includes(t.to))
        for (const e of ["status_out", "archive"]) assert.ok(t.effects.includes(e), t.action);
      if (["pass", "approve", "refuse", "submit_up"].includes(t.action)) assert.ok(t.needs.includes("complete_materials"), t.action);
      if (t.to === "refused") assert.ok(t.needs.includes("rule") && t.needs.includes("reasons"), t.action);
    }
  });
  test(`WFL-05 ${w.id}: main key is one action a state, keys of one state are told apart`, () => {
    for (const s of w.states)
      for (const key of ["F2", "F4", "F9"])
        assert.ok(new Set(w.transitions.filter((t) => t.key === key && t.from.includes(s.id)).map((t) => t.action)).size <= 1, `${s.id} ${key}`);
  });
}

test("WFL-02 every item gets a flow with both variants, wherever its person's household is", () => {
  const { rules } = read("workflows/selection.json");
  for (const i of byCode.values())
    for (const where of ["city", "province", "outside"]) {
      const rule = rules.find((r) => r.flow === i.flow && (!r.where || r.where.includes(where)) && (!r.business || r.business.includes(i.business)) && !r.when);
      assert.equal(workflows.filter((w) => w.flow_type === rule?.flow_type).length, 2, `${i.code} ${where}`);
      assert.ok(rule.why);
    }
});

test("WFL-102..1004 flows take their steps in order", () => {
  const follow = (number, steps) => {
    const w = workflows.find((x) => x.number === number && !x.id.includes("investigation"));
    let state = w.initial;
    for (const [role, action, condition] of steps) {
      const t = w.transitions.find((x) => x.from.includes(state) && x.action === action && x.roles.includes(role) && (x.if ?? condition) === condition);
      assert.ok(t, `${number}: ${role} ${action} in ${state}`);
      state = t.to;
    }
    return state;
  };
  const due = "originals_due";
  assert.equal(follow("①", [["officer", "pass", due], ["officer", "originals_ok"], ["officer", "finish"]]), "completed");
  assert.equal(follow("②", [["aux", "pass", due], ["officer", "originals_ok"], ["aux", "submit_completion"], ["officer", "finish"]]), "completed");
  assert.equal(follow("⑨", [["officer", "submit_up"], ["sub_bureau", "approve", due], ["officer", "originals_ok"], ["officer", "finish"]]), "completed");
  assert.equal(follow("⑩", [["aux", "pass"], ["officer", "submit_up"], ["sub_bureau", "approve", due], ["officer", "originals_ok"], ["officer", "finish"]]), "completed");
  assert.equal(follow("③", [["officer", "pass", due], ["officer", "originals_ok"], ["officer", "move_in_registration"], ["officer", "move_out"], ["officer", "finish"]]), "completed");
  assert.equal(follow("⑥", [["aux", "pass", due], ["officer", "originals_ok"], ["aux", "submit_completion"], ["officer", "move_in_registration"], ["officer", "scan_permit"], ["officer", "scan_certificate"], ["officer", "finish"]]), "completed");
  assert.equal(follow("⑧", [["aux", "pass", due], ["officer", "originals_ok"], ["aux", "submit_completion"], ["officer", "move_out"], ["officer", "scan_certificate"]]), "completed");
  assert.equal(follow("⑨", [["officer", "submit_up"], ["sub_bureau", "disapprove_refuse"]]), "refused");
  assert.equal(follow("①", [["officer", "return_supplement"], ["system", "supplement_arrived"], ["system", "withdraw_requested"], ["officer", "withdraw_confirm"]]), "withdrawn");
});

test("WFL-19 public states have icon, tone, tag, sentence and known placeholders", () => {
  const tone = { "○": "neutral", "◔": "work", "!": "turn", "✓": "done", "✕": "refused", "↺": "correction", "‖": "paused" };
  for (const s of states.values()) {
    assert.equal(tone[s.icon], s.tone, s.key);
    assert.ok(s.tag && s.sentence, s.key);
    for (const text of [s.sentence, ...Object.values(s.variants ?? {})])
      for (const [, name] of text.matchAll(/\{(\w+)\}/g))
        assert.ok(["unit", "reason", "date", "time", "done", "total", "rule", "remedy", "who", "bring"].includes(name), `${s.key}: ${name}`);
  }
});

test("NTF SMS: at most 70 characters with sign and longest values, no name and no item in it", () => {
  const longest = { tail: "0123", n: "12", date: "12月31日", code: "123456", unit: "长江路派出所" };
  for (const m of sms.templates) {
    const text = `【${sms.sign}】${m.text.replace(/\{(\w+)\}/g, (_, k) => longest[k] ?? assert.fail(`${m.id}: {${k}}`))}`;
    assert.ok([...text].length <= sms.max_characters, `${m.id}: ${[...text].length}`);
    assert.doesNotMatch(text, /出生|死亡|姓名|宝宝|去世/, m.id);
  }
});

test("WFL-07 every item has refusal rules of its kind with law, reason and remedy, each once; reasons pass the word check", () => {
  for (const [key, list] of Object.entries(reasons.refusal)) {
    assert.ok(key === "*" || families.has(key) || byCode.has(key), key);
    for (const r of list) {
      assert.ok(r.rule.startsWith("《") && r.reason && r.remedy, key);
      for (const { word } of words.jargon) assert.ok(!r.reason.includes(word) && !r.remedy.includes(word), `${key}.${r.id}: ${word}`);
    }
  }
  for (const i of byCode.values()) {
    assert.ok([i.code, i.form].flatMap((k) => reasons.refusal[k] ?? []).length >= 2, `${i.code}: ${i.form}`);
    const ids = [i.code, i.form, "*"].flatMap((k) => reasons.refusal[k] ?? []).map((r) => r.id);
    assert.equal(new Set(ids).size, ids.length, i.code);
  }
  for (const s of states.values()) for (const { word } of words.jargon) assert.ok(!s.sentence.includes(word), `${s.key}: ${word}`);
});

test("CAT POP effects: every family has one, sources are form fields or its own completion, targets are register columns", () => {
  const columns = new Set([...Object.keys(residents.persons[0]), ...Object.keys(residents.households[0]), "address"]);
  assert.deepEqual(effects.map((e) => e.form).sort(), [...families.keys()].sort());
  for (const e of effects) {
    const family = families.get(e.form), done = new Set((e.completion ?? []).map((c) => c.id));
    const known = new Set([...fieldMap(family).keys(), ...(family.repeats ?? []).map((r) => r.id), ...done, "@where"]);
    const check = (o) => {
      if (Array.isArray(o)) return o.forEach(check);
      if (o === null || typeof o !== "object") return;
      for (const key of ["field", "label", "map", "region"])
        for (const id of [o[key]].flat()) if (typeof id === "string" && !(key === "label" && o.type)) assert.ok(known.has(id), `${e.form}: ${id}`);
      Object.values(o).forEach(check);
    };
    check(e.ops);
    check(e.guards);
    check(e.names ?? {});
    for (const c of e.completion ?? []) assert.ok(/^done_/.test(c.id) && c.label && (c.code_table === undefined || tables.has(c.code_table)), `${e.form}: ${c.id}`);
    for (const op of e.ops.filter((o) => !o.op.endsWith("_paper")))
      for (const c of [...Object.keys(op.set ?? {}), ...Object.keys(op.set_new ?? {})]) assert.ok(columns.has(c), `${e.form}: ${c}`);
  }
});

test("POP-63 what the catalogue limits to state land is checked against the household's mark, and nothing else of those families is refused for it", () => {
  const limited = items.filter((i) => /国有土地/.test(i.name)).map((i) => i.code);
  assert.deepEqual(limited, ["HJ019", "HJ021", "HJ023", "HJ044", "HJ046", "HJ047", "HJ048", "HJ049", "HJ050", "HJ051", "HJ053", "HJ073"]);
  const preset = (item, field) => families.get(item.form).presets[item.code]?.[field];
  /* A condition that the item's own presets rule out. */
  const ruledOut = (item, c) => preset(item, c.field) !== undefined && !preset(item, c.field).some((v) => (c.in ? c.in.includes(v) : c.not_in ? !c.not_in.includes(v) : true));
  for (const item of items) {
    const guards = effects.find((e) => e.form === item.form).guards.filter((g) => g.check === "land_is_state");
    const applies = guards.some((g) => !(g.when ?? []).some((c) => ruledOut(item, c)));
    if (limited.includes(item.code)) assert.ok(applies, item.code);
    else if (applies) assert.equal(preset(item, "land_kind") ?? preset(item, "settle_mode"), undefined, item.code);
  }
  for (const code of ["HJ019", "HJ021", "HJ023", "HJ073"])      // 投靠配偶的除外
    assert.ok(effects.find((e) => e.form === byCode.get(code).form).guards.some((g) => g.check === "land_is_state" && g.when.some((c) => ["10", "11", "12"].every((v) => c.not_in?.includes(v)))), code);
});

test("organisation: 1 city, 3 sub-bureaus, 8 stations, committees below them; an officer of every role everywhere it belongs, two administrators", () => {
  const kinds = (k) => org.units.filter((u) => u.kind === k);
  assert.deepEqual(["city", "sub_bureau", "station", "committee"].map((k) => kinds(k).length), [1, 3, 8, 24]);
  const station = new Set(kinds("station").map((s) => s.code));
  for (const v of kinds("committee")) assert.ok(station.has(v.parent) && !v.accepting && !org.officers.some((o) => o.unit === v.code), v.code);
  const codes = new Set(org.units.map((u) => u.code));
  for (const u of org.units) assert.ok(/^\d{12}$/.test(u.code) && (u.parent === null) === (u.kind === "city") && (!u.parent || codes.has(u.parent)), u.code);
  for (const s of kinds("station"))
    for (const role of ["aux", "officer"]) assert.ok(org.officers.some((o) => o.unit === s.code && o.role === role), `${s.short} ${role}`);
  for (const s of kinds("sub_bureau")) assert.ok(org.officers.some((o) => o.unit === s.code && o.role === "sub_bureau"), s.short);
  assert.ok(org.officers.filter((o) => o.role === "admin").length >= 2);
  assert.doesNotMatch(JSON.stringify(org), /password|口令|密码/);
});

test("residents: valid invented ID numbers, whole households, names that are hard to carry", () => {
  const weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
  const households = new Map(residents.households.map((h) => [h.household_id, h]));
  const numbers = new Set();
  for (const p of residents.persons) {
    assert.equal("10X98765432"[weights.reduce((s, w, i) => s + w * Number(p.id_no[i]), 0) % 11], p.id_no[17], p.person_id);
    assert.match(p.id_no, /^34079[789]/);
    assert.equal(p.id_no.slice(6, 14), p.birth_date.replaceAll("-", ""));
    assert.equal(Number(p.id_no[16]) % 2 === 1, p.gender === "1");
    assert.ok(!numbers.has(p.id_no) && numbers.add(p.id_no));
    assert.ok(households.has(p.household_id));
  }
  for (const h of households.values()) assert.equal(residents.persons.filter((p) => p.person_id === h.head_person_id && p.household_id === h.household_id).length, 1);
  assert.ok(residents.persons.length >= 300 && households.size >= 110);
  assert.ok(residents.persons.some((p) => p.name.includes("·")) && residents.persons.some((p) => p.name.includes("𠮷")));
  assert.ok(residents.persons.some((p) => p.status === "cancelled"));
  for (const c of Object.values(residents.cast)) for (const [k, v] of Object.entries(c)) if (/^(applicant|subject|head|spouse|son|daughter|host|parent)$/.test(k)) assert.ok(numbers.has(v), k);
  const kinds = (of, key) => new Set(of.map((x) => x[key]).filter(Boolean));
  assert.deepEqual([...kinds(residents.households, "collective_kind")].sort(), ["public", "student", "talent", "temple", "unit"]);
  assert.ok(residents.households.some((h) => h.frozen === "1") && residents.households.some((h) => h.land_kind === "collective"));
  for (const k of ["enlistment", "short_exit", "missing", "long_absent", "marriage_away", "moved_out", "prison", "nationality", "death"])
    assert.ok(kinds(residents.persons, "cancel_kind").has(k), k);
  assert.ok(residents.papers.some((p) => p.kind === "booklet") && residents.papers.some((p) => p.kind === "migration_certificate" && p.valid_until < "2026-11-01"));
});

test("no empty required text and no XML-unfit character anywhere in the data", () => {
  for (const dir of ["catalogue", "forms", "guide", "messages", "org", "workflows", "effects", "code-tables"])
    for (const f of readdirSync(root + dir).filter((n) => n.endsWith(".json"))) {
      const text = readFileSync(`${root}${dir}/${f}`, "utf8");
      assert.doesNotMatch(text, /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff\ufffd]/u, f);
      assert.doesNotMatch(text, /TODO|FIXME|\/work\//, f);
    }
});

test("MAT-02 whether the original is wanted and whether an electronic licence may stand for it is said of every material, apart from must and optional", () => {
  const kinds = new Set();
  for (const i of items) for (const m of i.materials) {
    assert.equal(typeof m.original, "boolean", `${i.code}:${m.no}`);
    assert.ok(m.e_licence === null || typeof m.e_licence === "string", `${i.code}:${m.no}`);
    kinds.add(`${m.requirement} ${m.original ? "original" : "electronic"}${m.e_licence ? " or licence" : ""}`);
  }
  for (const k of ["required original", "required original or licence", "conditional original", "one_of original"]) assert.ok([...kinds].some((x) => x.startsWith(k)), k);
});

test("CIT-19 MAT-04 all 113 can be applied for online, the 37 others stay switched off", () => {
  assert.deepEqual(items.filter((i) => !i.online_open).map((i) => i.code), []);
  assert.ok(extra.every((i) => i.enabled === false));
});

test("MAT-18 each template is used, and stands at papers that the applicant supplies", () => {
  const used = new Set();
  for (const i of items) for (const m of i.materials.filter((x) => x.template)) {
    assert.equal(m.supplied_by, "applicant", `${i.code}:${m.no}`);
    used.add(m.template);
  }
  assert.deepEqual(read("catalogue/templates.json").templates.map((t) => t.id).filter((id) => !used.has(id)), []);
});
