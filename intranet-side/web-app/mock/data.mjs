/* Invented residents and cases. Identity numbers carry valid check digits of the test area 340799; nobody has them. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const UNITS = [
  { code: "340700000000", name: "江州市公安局", short: "市局", level: "city" },
  { code: "340799000000", name: "江州市公安局测试分局", short: "测试分局", parent: "340700000000", level: "sub_bureau" },
  { code: "340799010000", name: "测试分局长江路派出所", short: "长江路派出所", parent: "340799000000", level: "station" },
  { code: "340799020000", name: "测试分局滨湖派出所", short: "滨湖派出所", parent: "340799000000", level: "station" },
];
export const ITEMS = [
  { code: "HJ001", name: "出生登记：有出生医学证明随母入户", plain_name: "宝宝上户口（跟妈妈）" },
  { code: "HJ025", name: "姓名变更：18周岁以上", plain_name: "大人改名" },
  { code: "HJ043", name: "非主项变更", plain_name: "改婚姻状况、文化程度等" },
  { code: "HJ083", name: "死亡登记", plain_name: "亲人去世注销户口" },
];
export const ACCOUNTS = {
  officer1: { name: "沈明远", role: "officer", role_name: "民警", unit: UNITS[2], nav: ["desk", "cases", "register"] },
  sub1: { name: "陆文清", role: "sub_bureau", role_name: "分局审批", unit: UNITS[1], nav: ["desk", "cases", "register"] },
  admin1: { name: "周立", role: "admin", role_name: "管理员", unit: UNITS[0], nav: ["desk", "officers", "exceptions", "searches", "flows", "configuration"] },
  fresh1: { name: "方小雨", role: "officer", role_name: "民警", unit: UNITS[2], nav: ["desk", "cases", "register"], first: true },
};
const PEOPLE = ["林小禾", "顾晓岚", "程望舒", "阿依古丽·买买提", "何𬴊", "许之恒", "唐一诺", "苏念"];
const CLOCKS = [
  { text: "超 1 日", tone: "refused", days: -1 }, { text: "今天到期", tone: "turn", days: 0 }, { text: "剩 2 日", tone: "turn", days: 2 },
  { text: "剩 4 日", tone: "work", days: 4 }, { text: "暂停计时", tone: "paused" },
];
export const NOS = ["3407261100000018", "3407261100000026", "3407261100000034", "3407261100000042", "3407261100000059", "3407261100000067",
  "3407261100000075", "3407261100000083", "3407261100000091", "3407261100000109", "3407261100000117", "3407261100000125", "3407261100000133",
  "3407261100000141", "3407261100000158", "3407261100000166"];
const ITEM_OF = [0, 0, 1, 2, 3, 0, 1, 0, 2, 3, 0, 1, 2, 3, 0, 0];

const row = (field, label, value, more = {}) => ({ field, label, value, register: null, differs: false, check: "none", ...more });
const same = (field, label, value) => row(field, label, value, { register: value, check: "ok" });

function birthSections() {
  return [
    { title: "申请人", rows: [same("applicant_name", "申请人姓名", "顾晓岚"), row("applicant_id_no", "申请人公民身份号码", "340799198808152029"),
      row("applicant_phone", "联系电话", "138****2046", { masked: true, register: "138****2046", check: "ok" }), row("applicant_relation", "申请人与被申请人关系", "母亲")] },
    { title: "一、新生儿", rows: [row("child_name", "婴儿姓名", "林〓禾", { untypeable: "lín ān hé", untypeable_page: "a".repeat(31) + "3" }), row("child_gender", "婴儿性别", "女"),
      row("child_ethnicity", "婴儿民族", "汉族"), row("child_birth_date", "出生日期", "2026-11-02", { register: "2026-11-02 核验", check: "ok" }), row("child_birth_time", "出生时间", "06:20"),
      row("has_birth_certificate", "有无《出生医学证明》", "有"), row("birth_certificate_no", "《出生医学证明》编号", "T340123456", { register: "核验通过 09:41", check: "ok" }),
      row("child_birth_place", "出生地详址", "江州市妇幼保健院"), row("child_native_region", "籍贯", "安徽省江州市")] },
    { title: "二、母亲", rows: [same("mother_name", "母亲姓名", "顾晓岚"), row("mother_id_no", "母亲证件号码", "340799198808152029"), same("mother_ethnicity", "母亲民族", "汉族"),
      row("mother_marital", "婚姻状况", "已婚", { register: "未婚", differs: true, check: "differs" })] },
    { title: "三、父亲", rows: [row("father_name", "父亲姓名", "林之远", { check: "unavailable" }), row("father_id_no", "父亲证件号码", "340799199001010016"), row("father_ethnicity", "父亲民族", "汉族")] },
    { title: "四、父母婚姻", rows: [row("in_wedlock", "是否婚生", "是"), row("marriage_certificate_no", "父母结婚证字号", "J340799-2021-000123")] },
    { title: "六、落户信息", rows: [row("settle_with", "随谁入户", "母亲"), row("target_address", "落户地址", "江州市测试区长江路12号502室", { register: "江州市测试区长江路12号501室", differs: true, check: "differs" }),
      same("target_head_name", "户主姓名", "顾长青"), row("target_relation", "与户主关系", "外孙女"), row("accept_unit", "受理单位", "长江路派出所")] },
  ];
}
function nameSections() {
  return [
    { title: "申请人", rows: [same("applicant_name", "申请人姓名", "程望舒"), row("applicant_id_no", "申请人公民身份号码", "340799199506201125"), row("applicant_relation", "申请人与被申请人关系", "本人")] },
    { title: "一、被申请人", rows: [same("subject_name", "被申请人姓名", "程望舒"), row("subject_id_no", "被申请人公民身份号码", "340799199506201125"), same("subject_address", "户籍地址", "江州市测试区滨湖路8号1幢302室")] },
    { title: "二、变更内容", rows: [row("new_name", "变更后姓名", "程望", { register: "程望舒", differs: true, check: "differs", note: "申请的就是这一项" }), row("reason", "变更事由", "与近亲属重名"), row("reason_text", "变更理由", "与堂姐同名同姓，亲友常弄错，想去掉一个字。")] },
  ];
}
/* A list of people behind the form, as the case page gets it. */
function people() {
  const of = (i, rows) => rows.map(([field, label, value, more]) => row(`members.${i}.${field}`, label, value, { person: `户内成员 第 ${i + 1} 人`, ...more }));
  return { title: "户内成员", rows: [
    ...of(0, [["name", "姓名", "顾长青", { register: "顾长青", check: "ok" }], ["id_no", "公民身份号码", "340***********1016", { masked: true, register: "340***********1016", check: "ok" }], ["relation_after", "变更后与户主关系", "户主"]]),
    ...of(1, [["name", "姓名", "顾小岚", { register: "顾晓岚", differs: true, check: "differs" }], ["id_no", "公民身份号码", "340***********2029", { masked: true, register: "340***********2029", check: "ok" }], ["relation_after", "变更后与户主关系", "女儿"]]),
    ...of(2, [["name", "姓名", "林之远", {}], ["id_no", "公民身份号码", "340***********0016", { masked: true, register: "没有登记" }], ["relation_after", "变更后与户主关系", "女婿"]]),
  ] };
}
export const page = (n, more = {}) => ({ id: `${"a".repeat(31)}${n}`, n, type: "image/jpeg", sheets: 1, state: "here", seen: false, verdict: "none", ...more });

const A = (action, label, key, needs, more = {}) => ({ action, label, key, main: key === "F2", needs, enabled: true, why_not: "", undoable: action !== "finish", ...more });
export const ACTIONS = {
  awaiting_review: [A("pass", "审核通过", "F2", ["complete_materials"]), A("return_supplement", "退回补正", "F4", ["reasons", "date"]),
    A("refuse", "不予办理", "F8", ["complete_materials", "rule", "reasons", "confirm_text"]), A("suspend", "挂起", "F8", ["opinion", "date"]), A("terminate", "终止办理", "F8", ["reasons", "opinion", "confirm_text"])],
  awaiting_review_up: [A("submit_up", "上报分局审批", "F2", ["complete_materials", "opinion", "level"]), A("return_supplement", "退回补正", "F4", ["reasons", "date"]),
    A("refuse", "不予办理", "F8", ["complete_materials", "rule", "reasons", "confirm_text"])],
  awaiting_sub_bureau: [A("approve", "同意", "F2", ["complete_materials"]), A("disapprove_return", "退回民警", "F4", ["opinion"]), A("disapprove_refuse", "不同意，不予办理", "F8", ["rule", "reasons", "confirm_text"])],
  originals_check: [A("originals_ok", "原件核对一致", "F2", []), A("originals_bad", "原件不符", "F4", ["reasons"])],
  awaiting_completion: [A("finish", "办结", "F2", [], { register: "finish" }), A("terminate", "终止办理", "F8", ["reasons", "opinion", "confirm_text"])],
  awaiting_certificate: [A("scan_certificate", "补扫迁移证", "F2", ["scan:certificate"]), A("terminate", "终止办理", "F8", ["reasons", "opinion", "confirm_text"], { undoable: false })],
  awaiting_move_in: [A("finish", "迁入", "F2", [], { register: "finish" })],
  withdraw_asked: [A("withdraw_confirm", "同意撤回", "F2", []), A("withdraw_deny", "不同意撤回", "F4", ["reasons"])],
};
const STATES = {
  awaiting_review: ["待审核", "work"], awaiting_sub_bureau: ["待分局审批", "work"], supplement: ["补正中", "turn"], originals_check: ["原件核对中", "work"],
  awaiting_completion: ["待办结", "work"], awaiting_certificate: ["续办·待迁移证", "turn"], awaiting_move_in: ["续办·待迁入", "work"], withdraw_asked: ["撤回申请中", "neutral"], refused: ["不予办理", "refused"], completed: ["已办结", "done"], awaiting_originals: ["待收原件", "turn"],
};
const STATE_OF = ["awaiting_review", "awaiting_review", "awaiting_sub_bureau", "awaiting_completion", "withdraw_asked", "originals_check"];

export function setState(c, state) {
  c.state = state;
  [c.internal, c.tone] = STATES[state] ?? [state, "neutral"];
}
export function makeCases() {
  return NOS.map((no, i) => {
    const item = ITEMS[ITEM_OF[i]];
    const name = item.code === "HJ025";
    const c = {
      no, item: item.code, item_name: item.name, person: PEOPLE[i % PEOPLE.length], id_no: "340***********" + ["1016", "2029", "0010", "003X"][i % 4], icon: "◔", version: 3,
      channel: ["微信", "皖事通", "电脑"][i % 3], submitted: `2026-11-${String(22 - (i % 9)).padStart(2, "0")}T01:41:06Z`, received: "2026-11-22T01:41:09Z", unit: UNITS[2], clock: CLOCKS[i % CLOCKS.length],
      holder: "", held_by_me: false, claimable: true, undo_until: null, sections: name ? nameSections() : birthSections(),
      materials: [
        { no: 1, name: name ? "申请人《居民户口簿》" : "婴儿母亲《居民户口簿》", requirement: "required", original: true, round: 0, pages: [page(1), page(2)] },
        { no: 2, name: name ? "变更姓名的书面申请" : "婴儿《出生医学证明》", requirement: "required", original: !name, round: 0, pages: [page(3)] },
      ],
      trail: [{ at: "2026-11-22T01:41:09Z", text: "收到申请", state: "awaiting_review" }],
      related: [], messages: [{ at: "2026-11-22T01:41:12Z", text: "您的户政业务（尾号 0018）派出所已收到，可在“户政网办”查看", state: "已送达" }],
      checks: [{ what: "申请人身份和人脸", source: "身份认证平台", at: "2026-11-22T01:40:41Z", result: "passed" }, { what: "《出生医学证明》编号", source: "卫健委", at: "2026-11-22T01:41:00Z", result: "passed", text: "编号、出生日期、母亲姓名一致" }, { what: "父亲户籍", source: "外省，未接入", result: "unavailable" }],
      crossing: { submitted: "2026-11-22T01:41:06Z", received: "2026-11-22T01:41:09Z", confirmed: "2026-11-22T01:41:12Z" },
    };
    setState(c, i === 1 ? "awaiting_review" : STATE_OF[i % STATE_OF.length]);
    if (i === 1) c.materials[1].pages[0].state = "coming";
    if (i === 6) setState(c, "awaiting_review");
    if (i === 7) c.materials[1].pages[0].state = "unreadable";
    if (i === 9) { setState(c, "awaiting_review"); c.sections = [nameSections()[0], people()]; }
    if (i === 8) { setState(c, "awaiting_review"); c.holder = "钱大为"; c.claimable = false; }
    return c;
  });
}
export const SUMMARY = {
  changes: [{ what: "姓名", before: "程望舒", after: "程望" }, { what: "曾用名", before: "", after: "程望舒" }], rule: "《中华人民共和国户口登记条例》第十八条",
  opinions: [{ at: "2026-11-22T03:10:00Z", who: "沈明远", unit: "长江路派出所", role: "民警", text: "上报分局审批", opinion: "材料齐全，情况属实，建议同意，请审批。" }],
  open_points: ["第 1 份材料第 2 页没有看过"], verified: ["申请人身份和人脸 通过"],
};
export const EFFECT = {
  title: "办结后户籍登记的变化", obstacles: [], warnings: [], completion: [], completed: null,
  changes: [{ what: "婚姻状况", before: "未婚", after: "已婚" }, { what: "联系电话", before: "138****2046", after: "139****7788" }],
};
/* A head who dies with others left: who follows is asked, and a move from elsewhere asks more. */
export const EFFECT_DEATH = {
  title: "死亡登记", warnings: ["土地性质还没有标注，请先核实是不是国有土地"], completed: null,
  obstacles: ["逝者是户主，户内还有 2 名家庭成员：请在办结信息里填写新户主，或先办理户主变更"],
  completion: [
    { id: "done_new_head_id_no", label: "新户主的公民身份号码", hint: "这个人是户主、户内还有其他家庭成员时填写；先与家人商定", type: "id_number", required: false },
    { id: "done_item", label: "要更正的登记项目", type: "enum", required: true, values: [{ code: "ethnicity", label: "民族" }, { code: "employer", label: "服务处所" }] },
    { id: "done_value", label: "更正后的内容", type: "text", required: true, when: [{ field: "done_item", in: ["employer"] }] },
  ],
  changes: [
    { who: "顾长青", what: "户口状态", before: "正常", after: "已注销" }, { who: "顾长青", what: "注销类别", before: "", after: "死亡" }, { who: "顾长青", what: "注销日期", before: "", after: "2026-11-01" },
    { who: "户号 34079901000012", what: "户主", before: "顾长青", after: "顾晓岚" }, { who: "顾晓岚", what: "与户主关系", before: "女", after: "户主" },
  ],
};
export const PERSONS = [
  { id: "b".repeat(31) + "1", name: "顾晓岚", id_no: "340***********2029", gender: "女", birth_date: "1988-08-15", relation: "女儿", address: "江州市测试区长江路12号501室", unit: "长江路派出所", status: "正常" },
  { id: "b".repeat(31) + "2", name: "顾长青", id_no: "340***********1016", gender: "男", birth_date: "1965-03-03", relation: "户主", address: "江州市测试区长江路12号501室", unit: "长江路派出所", status: "正常" },
  { id: "b".repeat(31) + "3", name: "顾守仁", id_no: "340***********0010", gender: "男", birth_date: "1940-07-12", relation: "父亲", address: "江州市测试区长江路12号501室", unit: "长江路派出所", status: "已注销(死亡)" },
];
export const FULL = { id_no: "340799198808152029", phone: "13800002046", applicant_phone: "13800002046" };
export const OFFICERS = [
  { id: "c1", login: "officer1", name: "沈明远", role: "officer", role_name: "民警", unit: "340799010000", unit_name: "测试分局长江路派出所", enabled: true, locked: false, must_change_password: false, last_login: "2026-11-23T00:58:00Z" },
  { id: "c2", login: "aux1", name: "孙可", role: "aux", role_name: "辅警", unit: "340799010000", unit_name: "测试分局长江路派出所", enabled: true, locked: true, must_change_password: false, last_login: "2026-11-20T00:58:00Z" },
  { id: "c3", login: "fresh1", name: "方小雨", role: "officer", role_name: "民警", unit: "340799010000", unit_name: "测试分局长江路派出所", enabled: true, locked: false, must_change_password: true },
  { id: "c4", login: "old1", name: "郑安", role: "officer", role_name: "民警", unit: "340799020000", unit_name: "测试分局滨湖派出所", enabled: false, locked: false, must_change_password: false, last_login: "2026-06-20T00:58:00Z" },
];
export const SEARCHES = { from: "2026-10-25", to: "2026-11-23", total: 4, times: 21, searches: [{ text: "披萨外卖", count: 11, days: 6, last: "2026-11-23" }, { text: "车子过户", count: 7, days: 3, last: "2026-11-22" }, { text: "医保卡丢了", count: 2, days: 2, last: "2026-11-20" }, { text: "公积金", count: 1, days: 1, last: "2026-11-02" }] };
/* Open change sets as the releases page and the administrator's desk read them. */
const setOf = (id, more) => ({ id, version: 1, state: "draft", source: "intranet", title: "", wish: "", restores: 0, changes: [], words: [], findings: [], reason: "", answer: "", released: 0, author: true, may_release: false, base: 12,
  edited: { name: "", at: "" }, submitted: { name: "", at: "" }, decided: { name: "", at: "" }, ...more });
const CLOSE_HJ025 = { region: "", region_name: "全市", item: "HJ025", name: "改名（未满18岁）", path: "online_open", label: "网上办理", before: "开", after: "关" };
export const CHANGES = {
  open: [
    setOf("e".repeat(31) + "1", { state: "submitted", title: "改名（未满18岁）网上办理", reason: "省厅要求到窗口办", author: false, may_release: true, words: [CLOSE_HJ025], edited: { name: "何静", at: "2026-11-23T01:10:00Z" }, submitted: { name: "何静", at: "2026-11-23T01:15:00Z" } }),
    setOf("e".repeat(31) + "2", { source: "internet", title: "停网上办理的公告要改", wish: "省平台已停，请同步改说明", author: false, edited: { name: "", at: "2026-11-23T00:50:00Z" } }),
    setOf("e".repeat(31) + "3", { title: "给宝宝上户口（跟妈妈）文字", words: [{ ...CLOSE_HJ025, item: "HJ001", path: "facts.duration", label: "一般多久", before: "3 个工作日", after: "2 个工作日" }], edited: { name: "周立", at: "2026-11-22T08:00:00Z" } }),
  ],
  done: [], versions: [{ version: 12, published: "2026-11-01T01:00:00Z", hash: "f".repeat(64) }], base: 12,
};
export const EXCEPTIONS = [
  { id: "d".repeat(31) + "1", kind: "application", no: NOS[15], word: "held", reason: "配置版本 13 还没有到，暂时不能判断", at: "2026-11-23T01:20:00Z" },
  { id: "d".repeat(31) + "2", kind: "application", no: NOS[14], word: "refused", reason: "申请人身份证明与申请内容对不上", at: "2026-11-22T09:20:00Z" },
  { id: "d".repeat(31) + "3", kind: "supplement", no: NOS[13], word: "waiting", reason: "前一份还没有到", at: "2026-11-23T01:25:00Z" },
];
/* The flows as the service gives them, from the same files. */
const at = (p) => fileURLToPath(new URL(p, import.meta.url));
const FLOW_DIR = at("../../../schemas/workflows/");
const read = (p) => JSON.parse(readFileSync(p, "utf8"));
const ROLE_NAMES = { aux: "辅警", officer: "民警", sub_bureau: "分局审批", system: "系统" };
export function flowOf(id) {
  const f = read(`${FLOW_DIR}${id}.json`);
  const shown = Object.fromEntries(read(at("../../../schemas/messages/public-states.json")).states.map((s) => [s.key, s]));
  return { id: f.id, number: f.number, title: f.title, variant: f.variant, days: f.clock.total_days, initial: f.initial,
    why: read(`${FLOW_DIR}selection.json`).rules.filter((r) => r.flow_type === f.flow_type).map((r) => r.why),
    states: f.states.map((s) => ({ id: s.id, internal: s.internal, phase: s.phase, final: s.final, days: s.deadline_days ?? 0, clock: s.clock ?? "ours", citizen: shown[s.public].tag, tone: shown[s.public].tone })),
    transitions: f.transitions.map((t) => ({ action: t.action, label: t.label, from: t.from, to: t.to, who: t.roles.map((r) => ROLE_NAMES[r]), main: t.key === "F2", stage: "" })) };
}
export const flows = () => readdirSync(FLOW_DIR).filter((n) => /^online-.*\.json$/.test(n)).map((n) => flowOf(n.slice(0, -5))).sort((a, b) => (a.number < b.number ? -1 : a.number > b.number ? 1 : a.id < b.id ? 1 : -1));
