// Makes schemas/org/demo-residents.json: invented residents of the invented city, the same ones every time.
// Run: node schemas/tools/residents.mjs. The result is committed, so that nothing needs this program to build or to run.
import { readFileSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";

const at = (p) => fileURLToPath(new URL(p, import.meta.url));
const org = JSON.parse(readFileSync(at("../org/demo.json"), "utf8"));
const TODAY_YEAR = 2026;

let state = 20261101;                       // xorshift32: repeatable everywhere
const random = () => {
  state ^= state << 13; state ^= state >>> 17; state ^= state << 5;
  return (state >>> 0) / 4294967296;
};
const int = (min, max) => min + Math.floor(random() * (max - min + 1));
const pick = (list) => list[int(0, list.length - 1)];
const id = (kind, n) => createHash("sha256").update(`demo ${kind} ${n}`).digest("hex").slice(0, 32);
const two = (n) => String(n).padStart(2, "0");

const SURNAMES = [..."赵钱孙李周吴郑王冯陈蒋沈韩杨朱秦许何吕施张孔曹严华金魏陶姜谢邹喻苏潘葛范彭鲁韦马方任袁柳", "欧阳", "上官", "诸葛"];
const GIVEN = {
  1: ["志强", "建军", "海波", "文博", "子墨", "宇航", "俊杰", "国庆", "立诚", "浩然", "明哲", "晓东", "永福", "长林", "思远", "嘉树", "一凡", "天佑", "守仁", "伟"],
  2: ["秀英", "桂兰", "丽华", "雅琴", "诗涵", "欣妍", "梓萱", "玉珍", "春梅", "静怡", "若溪", "雨桐", "慧敏", "红霞", "佳宁", "心怡", "素芳", "淑贞", "小满", "敏"],
};
const EMPLOYERS = ["江州市第二中学", "江州铜材有限公司", "江州市第一人民医院", "滨江物流有限公司", "望江食品厂", "个体经营", null];

const WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const checkDigit = (body) => "10X98765432"[[...body].reduce((sum, d, i) => sum + d * WEIGHTS[i], 0) % 11];
const used = new Set();
function idNumber(region, birth, gender) {
  const sequence = int(1, 399) * 2 + (gender === "1" ? 1 : 0);
  const body = region + birth.replaceAll("-", "") + String(sequence).padStart(3, "0");
  return used.has(body) ? idNumber(region, birth, gender) : (used.add(body), body + checkDigit(body));
}

const people = [], households = [], addresses = [], papers = [], takenNames = new Set();
const stations = org.units.filter((u) => u.kind === "station");
const regionName = { 340797: "望江区", 340798: "青山区", 340799: "江州区" };

function givenName(surname, gender) {
  for (let i = 0; i < 200; i++) {
    const name = surname + pick(GIVEN[gender]);
    if (!takenNames.has(name)) { takenNames.add(name); return name; }
  }
  return surname + pick(GIVEN[gender]);     // people do share names
}

function person(household, relation, { gender, age, surname = pick(SURNAMES), region, ...rest }) {
  const year = TODAY_YEAR - age;
  const birth = `${year}-${two(int(1, 10))}-${two(int(1, 28))}`;
  const adult = age >= 18;
  const p = {
    person_id: id("person", people.length + 1), id_no: idNumber(region, birth, gender),
    name: givenName(surname, gender), former_name: null, gender, ethnicity: "01",
    birth_date: birth, birth_time: null, birth_country: "CHN", birth_region: region, birth_place: null, native_region: region,
    marital_status: adult ? "10" : null,
    education: age < 7 ? null : age < 13 ? "80" : age < 16 ? "70" : age < 19 ? "60" : pick(["21", "31", "41", "61", "71", "81"]),
    military_status: adult && gender === "1" ? pick(["0", "0", "0", "1"]) : null,
    employer: adult && age < 60 ? pick(EMPLOYERS) : null,
    phone: adult ? `199${String(int(0, 99999999)).padStart(8, "0")}` : null,
    relation_to_head: relation, household_id: household.household_id,
    father_id_no: null, father_name: null, mother_id_no: null, mother_name: null, spouse_name: null, spouse_id_no: null,
    status: "normal", cancel_kind: null, cancel_date: null, cancel_reason: null, lock_case: null, move_in_date: null, move_in_region: null,
    move_in_reason: null, move_out_region: null, move_out_place: null, ...rest,
  };
  people.push(p);
  return p;
}

function household(station, kind = "10") {
  const n = households.length + 1;
  const region = station.regions[0];
  const building = kind === "20" ? "集体户" : `${int(1, 38)}栋${int(1, 9)}0${int(1, 4)}室`;
  const address = {
    address_id: id("address", n), region, unit_code: station.code,
    text: `江州市${regionName[region]}${pick(station.streets)}${int(1, 260)}号${building}`,
  };
  addresses.push(address);
  const h = {
    household_id: id("household", n), book_no: station.code.slice(0, 8) + String(n).padStart(6, "0"), kind,
    head_person_id: null, address_id: address.address_id, unit_code: station.code,
    status: "normal", name: null, collective_kind: null, land_kind: n % 7 ? "state" : null, frozen: "0", formed: null, ended: null,
  };
  households.push(h);
  return [h, region];
}

function marry(a, b, status = "20") {
  for (const [x, y] of [[a, b], [b, a]])
    Object.assign(x, { marital_status: status, spouse_name: y.name, spouse_id_no: y.id_no });
}
function parents(child, father, mother) {
  if (father) Object.assign(child, { father_id_no: father.id_no, father_name: father.name });
  if (mother) Object.assign(child, { mother_id_no: mother.id_no, mother_name: mother.name });
}
function couple(h, region, age) {
  const head = person(h, "02", { gender: "1", age, region });
  const wife = person(h, "12", { gender: "2", age: age - int(-2, 4), region });
  marry(head, wife);
  h.head_person_id = head.person_id;
  return [head, wife];
}
function child(h, region, father, mother, age, relation) {
  const gender = pick(["1", "2"]);
  const surname = /^(欧阳|上官|诸葛)/.exec((father ?? mother).name)?.[0] ?? (father ?? mother).name[0];
  const c = person(h, relation ?? (gender === "1" ? "20" : "30"), { gender, age, region, surname });
  parents(c, father, mother);
  return c;
}
const dies = (p, date, reason = "疾病") => {
  Object.assign(p, { status: "cancelled", cancel_kind: "death", cancel_date: date, cancel_reason: reason });
  const spouse = people.find((q) => q.id_no === p.spouse_id_no);
  if (spouse) spouse.marital_status = "30";
};

const KINDS = {
  couple(h, r) { couple(h, r, int(26, 36)); },
  one(h, r) { const age = int(30, 48); const [f, m] = couple(h, r, age); child(h, r, f, m, int(1, age - 26)); },
  two(h, r) { const age = int(34, 50); const [f, m] = couple(h, r, age); child(h, r, f, m, int(8, age - 24)); child(h, r, f, m, int(1, 7)); },
  three(h, r) {
    const age = int(32, 44); const [f, m] = couple(h, r, age);
    const surname = f.name[0];
    child(h, r, f, m, int(2, age - 25));
    const grandfather = person(h, "51", { gender: "1", age: age + int(23, 30), region: r, surname });
    const grandmother = person(h, "52", { gender: "2", age: age + int(22, 28), region: r });
    marry(grandfather, grandmother);
    parents(f, grandfather, grandmother);
    if (random() < 0.5) dies(pick([grandfather, grandmother]), `202${int(1, 5)}-0${int(1, 9)}-1${int(0, 9)}`);
  },
  single(h, r) { h.head_person_id = person(h, "02", { gender: pick(["1", "2"]), age: int(20, 58), region: r }).person_id; },
  elderly(h, r) { couple(h, r, int(66, 88)); },
  lone(h, r) {
    const mother = person(h, "02", { gender: "2", age: int(30, 46), region: r, marital_status: "40" });
    h.head_person_id = mother.person_id;
    child(h, r, null, mother, int(3, 16));
  },
  grandparent(h, r) {
    const head = person(h, "02", { gender: pick(["1", "2"]), age: int(60, 76), region: r, marital_status: "30" });
    h.head_person_id = head.person_id;
    const gender = pick(["1", "2"]);
    person(h, gender === "1" ? "41" : "42", { gender, age: int(4, 15), region: r, surname: head.name[0] });
  },
};
const PLAN = [["couple", 18], ["one", 25], ["two", 16], ["three", 16], ["single", 14], ["elderly", 9], ["lone", 6], ["grandparent", 4]];
let turn = 0;
for (const [kind, count] of PLAN)
  for (let i = 0; i < count; i++) KINDS[kind](...household(stations[turn++ % stations.length]));
for (const station of stations.slice(5, 7)) {                 // two collective households
  const [h, region] = household(station, "20");
  for (let i = 0; i < 5; i++) {
    const p = person(h, i ? "99" : "02", { gender: pick(["1", "2"]), age: int(22, 34), region });
    if (!i) h.head_person_id = p.person_id;
  }
  Object.assign(h, station === stations[5] ? { collective_kind: "unit", name: "江州铜材有限公司" } : { collective_kind: "student", name: "江州师范学院" });
}

// Names that a system must carry whole.
const rename = (p, name, ethnicity = p.ethnicity) => {
  for (const q of people) {
    for (const who of ["father", "mother", "spouse"]) if (q[`${who}_id_no`] === p.id_no) q[`${who}_name`] = name;
  }
  Object.assign(p, { name, ethnicity });
};
const singles = people.filter((p) => p.relation_to_head === "02" && p.marital_status === "10");
rename(singles[0], "阿依古丽·买买提", "05");
singles[0].gender === "2" || Object.assign(singles[0], { gender: "2", id_no: idNumber(singles[0].birth_region, singles[0].birth_date, "2"), military_status: null });
rename(singles[1], `${singles[1].name[0]}𠮷祥`);
rename(singles[2], "石丽娜", "06");
rename(singles[3], "马哈桑", "03");

// The people that demonstrations and browser tests play with; one house on 长江路.
const home = org.units.find((u) => u.short === "长江路派出所");
const cast = {};
{
  const [h, r] = household(home);
  const [f, m] = couple(h, r, 31);
  cast.birth = { item: "HJ001", applicant: m.id_no, mother: m.id_no, father: f.id_no, head: f.id_no };
}
{
  const [h, r] = household(home);
  const [f, m] = couple(h, r, 45);
  child(h, r, f, m, 16);
  const grandmother = person(h, "52", { gender: "2", age: 79, region: r, marital_status: "30" });
  parents(f, null, grandmother);
  cast.death = { item: "HJ083", applicant: f.id_no, subject: grandmother.id_no, head: f.id_no };
}
{
  const [h, r] = household(home);
  const p = person(h, "02", { gender: "1", age: 27, region: r, education: "21", marital_status: "10" });
  h.head_person_id = p.person_id;
  cast.name_change = { item: "HJ025", applicant: p.id_no, subject: p.id_no };
}
{
  const [h, r] = household(home);
  const p = person(h, "02", { gender: "2", age: 24, region: r, education: "61", marital_status: "10" });
  h.head_person_id = p.person_id;
  cast.non_core_change = { item: "HJ043", applicant: p.id_no, subject: p.id_no };
}

// Below the first cast, so that its people keep their names and numbers: what the other kinds of business need.
const single = (gender, age, more = {}, station = home) => {
  const [h, region] = household(station);
  const p = person(h, "02", { gender, age, region, marital_status: "10", ...more });
  h.head_person_id = p.person_id;
  return p;
};
const houseOf = (p) => households.find((h) => h.household_id === p.household_id);
const addressOf = (p) => { const a = addresses.find((x) => x.address_id === houseOf(p).address_id); return `${a.region} ${a.text}`; };
const cancelled = (kind, date, reason, gender, age, more = {}) => {
  const [h, region] = household(home);
  const keeper = person(h, "02", { gender: "1", age: age + 26, region, marital_status: "30" });
  h.head_person_id = keeper.person_id;
  const p = person(h, gender === "1" ? "20" : "30", { gender, age, region, surname: keeper.name[0], ...more });
  parents(p, keeper, null);
  Object.assign(p, { status: "cancelled", cancel_kind: kind, cancel_date: date, cancel_reason: reason });
  return [p, keeper];
};
let paperNo = 0;
const paper = (kind, p, more = {}) => {
  papers.push({
    paper_id: id("paper", ++paperNo), kind, no: `${home.code.slice(0, 6)}${String(papers.filter((x) => x.kind === kind).length + 1).padStart(8, "0")}`, ours: "1",
    household_id: kind === "booklet" ? p.household_id : null, person_id: kind === "booklet" ? null : p?.person_id ?? null, case_no: null,
    unit_code: p ? houseOf(p).unit_code : home.code, issued: "2024-05-06", valid_until: null, status: "valid", reason: null, ...more,
  });
  return papers.at(-1);
};
const who = (item, p, more = {}) => ({ item, applicant: p.id_no, subject: p.id_no, address: addressOf(p), ...more });

{                                               // families that split, move, change their head
  const [h, r] = household(home);
  const [f, m] = couple(h, r, 52);
  const son = child(h, r, f, m, 25, "20");
  const daughter = child(h, r, f, m, 12, "30");
  paper("booklet", f);
  cast.family = { head: f.id_no, spouse: m.id_no, son: son.id_no, daughter: daughter.id_no, address: addressOf(f) };
  cast.split = { item: "HJ044", applicant: son.id_no, subject: son.id_no, head: f.id_no };
  cast.head_change = { item: "HJ042", applicant: f.id_no, old_head: f.id_no, new_head: m.id_no };
  cast.booklet = { item: "HJ097", applicant: f.id_no, subject: f.id_no, head: f.id_no };
}
{
  const [h, r] = household(home);               // host of those who move in, on state land
  const [f, m] = couple(h, r, 38);
  h.land_kind = "state";
  const far = single("2", 33, {}, stations[0]), guest = single("1", 61, { marital_status: "30" }, stations[4]);
  cast.host = { head: f.id_no, spouse: m.id_no, address: addressOf(f), name: f.name };
  cast.move_in_kin = who("HJ049", guest, { host: f.id_no });
  cast.move_in_house = who("HJ050", far, { new_address: `${home.regions[0]} 江州市江州区长江路288号3栋901室` });
  cast.move_in_work = who("HJ062", single("2", 29, {}, stations[1]), { host: f.id_no });
}
{
  const [h, r] = household(home);               // collective land: what is for state land alone is refused
  couple(h, r, 47);
  h.land_kind = "collective";
  cast.collective_land = { head: people.at(-2).id_no, address: addressOf(people.at(-2)), book_no: h.book_no };
  const [h2, r2] = household(home);             // frozen: nobody moves in
  couple(h2, r2, 58);
  Object.assign(h2, { land_kind: "state", frozen: "1" });
  cast.frozen = { head: people.at(-2).id_no, address: addressOf(people.at(-2)), book_no: h2.book_no };
}
for (const [kind, name] of [["student", "江州职业技术学院"], ["talent", "江州市人才交流中心"], ["temple", "望江寺"], ["public", "长江路社区"], ["unit", "江州市第一人民医院"]]) {
  const [h, region] = household(home, "20");
  Object.assign(h, { collective_kind: kind, name, land_kind: "state" });
  for (let i = 0; i < 3; i++) {
    const p = person(h, i ? "99" : "02", { gender: kind === "temple" ? "1" : pick(["1", "2"]), age: int(20, 30), region });
    if (!i) h.head_person_id = p.person_id;
  }
  (cast.collective ??= {})[kind] = { name, book_no: h.book_no, head: people.at(-3).id_no, member: people.at(-1).id_no };
}
cast.student_move_out = who("HJ054", single("1", 19, { education: "61" }));
cast.student_move_in = who("HJ055", single("2", 18, { education: "61" }, stations[2]), { school: "江州职业技术学院" });
cast.sex_change = who("HJ033", single("1", 23));
cast.birthdate_change = who("HJ036", single("2", 41));
cast.ethnicity_change = (() => {
  const [h, r] = household(home);
  const [f, m] = couple(h, r, 36);
  rename(m, m.name, "03");
  const c = child(h, r, f, m, 9);
  return { item: "HJ034", applicant: f.id_no, subject: c.id_no, parent: m.id_no };
})();
cast.former_name = who("HJ031", single("1", 35));
cast.enlistment = who("HJ084", single("1", 20, { education: "61" }));
cast.emigration = who("HJ087", single("2", 44));
cast.move_out = who("HX024", single("1", 39));
cast.establish_family = who("HJ108", people.find((p) => p.id_no === cast.collective.public.member));
{
  const RESTORE = [
    ["enlistment", "army", "HJ070", "2021-09-10", "入伍通知书"], ["short_exit", "short_exit", "HJ076", "2001-06-18", "因私短期出境"],
    ["missing", "missing", "HJ078", "2019-04-12", "宣告失踪"], ["long_absent", "long_absent", "HJ079", "2009-11-02", "长期外出"],
    ["marriage_away", "marriage_away", "HJ080", "2006-03-20", "婚嫁外出"], ["prison", "prison", "HJ077", "2002-07-08", "服刑"],
    ["nationality", "nationality", "HJ082", "2015-12-01", "加入外国国籍"],
  ];
  let n = 0;
  for (const [kind, name, item, date, reason] of RESTORE) {
    const [p, keeper] = cancelled(kind, date, reason, n++ % 2 ? "2" : "1", kind === "enlistment" ? 23 : 46);
    cast[`restoration_${name}`] = { item, applicant: keeper.id_no, subject: p.id_no, head: keeper.id_no, address: addressOf(keeper) };
  }
  const [gone, keeper] = cancelled("moved_out", "2026-03-02", "毕业", "2", 24, { move_out_region: "320100", move_out_place: "南京市玄武区四牌楼2号" });
  const expired = paper("migration_certificate", gone, { issued: "2026-03-02", valid_until: "2026-04-11", reason: "毕业" });
  cast.restoration_permit_expired = { item: "HJ081", applicant: keeper.id_no, subject: gone.id_no, head: keeper.id_no, address: addressOf(keeper) };
  cast.migration_permit = { item: "HJ101", applicant: gone.id_no, subject: gone.id_no, old_no: expired.no };
  const [away, father] = cancelled("moved_out", "2026-11-10", "工作调动", "1", 29, { move_out_region: "310101", move_out_place: "上海市黄浦区中山东一路1号" });
  const fresh = paper("migration_certificate", away, { issued: "2026-11-10", valid_until: "2026-12-20", reason: "工作调动" });
  cast.moved_out = { applicant: father.id_no, subject: away.id_no, old_no: fresh.no };
  const permit = paper("permit", null, { issued: "2026-11-02", valid_until: "2026-12-12", reason: "投靠迁入" });
  cast.permit_to_move = { item: "HJ102", applicant: cast.host.head, old_no: permit.no };
  const [dead, son] = cancelled("death", "2024-02-02", "疾病", "1", 30);
  cast.supplement_death = { item: "HJ092", applicant: son.id_no, subject: dead.id_no, head: son.id_no, address: addressOf(son) };
}
cast.certificate = who("HJ105", single("2", 31));
for (const h of households.filter((x) => x.unit_code === home.code && !x.collective_kind && !papers.some((q) => q.household_id === x.household_id)))
  paper("booklet", people.find((p) => p.person_id === h.head_person_id));

const line = (o) => `    ${JSON.stringify(o)}`;
const list = (rows) => `[\n${rows.map(line).join(",\n")}\n  ]`;
writeFileSync(at("../org/demo-residents.json"),
  `{\n  "note": "Invented people. Made by schemas/tools/residents.mjs.",\n  "cast": ${JSON.stringify(cast, null, 2).replaceAll("\n", "\n  ")},\n` +
  `  "addresses": ${list(addresses)},\n  "households": ${list(households)},\n  "persons": ${list(people)},\n  "papers": ${list(papers)}\n}\n`);
console.log(`${households.length} households, ${people.length} persons, ${people.filter((p) => p.status !== "normal").length} cancelled`);
