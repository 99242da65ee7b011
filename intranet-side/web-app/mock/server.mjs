/* A thin server of the officers' API for page tests and for looking at the screens: invented data in memory, the built app as static files
 * under the same security policy that nginx sets. Not part of the product.
 *   node mock/server.mjs [port]     accounts: officer1, sub1, admin1, fresh1; any password */
import { createReadStream, readFileSync, statSync } from "node:fs";
import http from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import * as data from "./data.mjs";

const at = (p) => fileURLToPath(new URL(p, import.meta.url));
const ROOT = at("../../../build/web/officer");
const REASONS = JSON.parse(readFileSync(at("../../../schemas/messages/reasons.json"), "utf8"));
const FORMS = new Map(JSON.parse(readFileSync(at("../../../schemas/catalogue/items.json"), "utf8")).items.map((i) => [i.code, i.form]));
const OPINIONS = JSON.parse(readFileSync(at("../../../schemas/messages/opinions.json"), "utf8")).opinions;
export const CSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };

export function newWorld() {
  return { cases: data.makeCases(), officers: structuredClone(data.OFFICERS), exceptions: structuredClone(data.EXCEPTIONS), seq: 1, changes: [], channel: { ok: true, text: "正常 · 12 秒前", age_s: 12 },
    user: null, csrf: "t".repeat(32), undo: null, log: [], refuseNext: null, dropNext: null, slow: 0 };
}
const fail = (status, code, message, fields = []) => ({ status, body: { error: { code, message, request: "7F3A21", fields } } });
const ok = (body, status = 200) => ({ status, body });

function me(w) {
  const a = data.ACCOUNTS[w.user];
  return { name: a.name, login: w.user, role: a.role, role_name: a.role_name, unit: a.unit, csrf: w.csrf, must_change_password: !!a.first && !w.changed, address: "10.1.2.3", idle_s: 1800,
    config_version: 12, nav: a.nav, channel: w.channel };
}
const myTodo = (w) => (data.ACCOUNTS[w.user]?.role === "sub_bureau" ? (c) => c.state === "awaiting_sub_bureau" : (c) => !["completed", "refused", "supplement", "awaiting_sub_bureau", "awaiting_originals"].includes(c.state));
const GOING_ON = ["awaiting_completion", "awaiting_permit_scan", "awaiting_certificate", "awaiting_move_in", "awaiting_move_out"];
const goesOn = (c) => GOING_ON.includes(c.state) && (c.held_by_me || !c.holder);
function counts(w) {
  const todo = w.cases.filter(myTodo(w));
  return { todo: todo.length, claimable: todo.filter((c) => !c.holder).length, doing: todo.filter((c) => c.held_by_me).length, continue: w.cases.filter(goesOn).length, done: w.cases.filter((c) => c.done).length,
    supplemented: 1, originals: todo.filter((c) => c.state === "originals_check").length, due: todo.filter((c) => (c.clock.days ?? 9) <= 2).length };
}
function rowOf(c) {
  const pages = c.materials.flatMap((m) => m.pages);
  return { ...Object.fromEntries(["no", "item", "item_name", "person", "id_no", "state", "internal", "icon", "tone", "channel", "submitted", "clock"].map((k) => [k, c[k]])),
    holder: c.held_by_me ? "我" : c.holder || "未领", next: (data.ACTIONS[c.state] ?? []).find((a) => a.key === "F2")?.label, since: "2026-11-20T01:30:00Z", pages: { done: pages.filter((p) => p.state !== "coming").length, total: pages.length } };
}
function caseOf(w, c) {
  const pages = c.materials.flatMap((m) => m.pages);
  const done = pages.filter((p) => p.state !== "coming").length;
  const sub = data.ACCOUNTS[w.user]?.role === "sub_bureau";
  const key = c.state === "awaiting_review" && c.item === "HJ025" ? "awaiting_review_up" : c.state;
  const actions = structuredClone(c.state === "awaiting_sub_bureau" && !sub ? [] : (data.ACTIONS[key] ?? []));
  for (const a of actions)
    if (a.needs.some((n) => n.startsWith("scan:")) && !c.materials.some((m) => m.no > 200)) Object.assign(a, { enabled: false, why_not: `请先补扫${a.label.slice(2)}` });
    else if (a.needs.includes("complete_materials") && done < pages.length) Object.assign(a, { enabled: false, why_not: `材料还在传 ${done}/${pages.length}，传齐后才能决定` });
  const related = w.cases.filter((x) => x !== c && x.item === c.item).slice(0, 1).map(rowOf);
  return { ...structuredClone(c), pages: { done, total: pages.length, seen: pages.filter((p) => p.seen).length }, actions, related, ...(sub ? { summary: data.SUMMARY } : {}) };
}
function touch(w, c, kind = "changed") {
  c.version++;
  w.changes.push({ seq: ++w.seq, no: c.no, kind });
}
function claim(w, c) {
  if (c.holder && !c.held_by_me) return fail(409, "conflict", `${c.holder} 09:30 起在办，可请其释放`);
  c.held_by_me = true;
  c.holder = data.ACCOUNTS[w.user].name;
  return null;
}
const JARGON = /系统|退回|民警[\u4e00-\u9fff]{2,3}说|\d{11}/;
function check(d) {
  const texts = [d.sentence, d.remedy, ...(d.reasons ?? []).map((r) => r.text)].filter(Boolean);
  return texts.filter((t) => JARGON.test(t)).map((t) => ({ field: "sentence", rule: "word", have: t, message: `“${JARGON.exec(t)[0]}”群众不容易懂或不该出现，请换个说法` }));
}
const TAGS = { pass: ["审核通过，请交原件", "turn", "请选择邮寄或到窗口"], return_supplement: ["要您补材料", "turn"], refuse: ["不予办理", "refused"], disapprove_refuse: ["不予办理", "refused"], finish: ["已办结", "done", "新户口簿可到派出所领取"],
  withdraw_confirm: ["已撤回", "neutral", "您的申请已撤回"], originals_ok: ["审核通过", "work", "原件核对一致，民警正在办理"], originals_bad: ["原件有问题", "turn", "请补寄或到窗口"] };
function preview(c, d) {
  const tag = TAGS[d.action];
  const n = (d.reasons ?? []).length;
  const sentence = d.action === "return_supplement" ? `轮到您：请补 ${n} 份材料。${d.date ?? ""}前补齐，过期要重新申请` : d.action.includes("refuse") ? `${d.sentence ?? ""}。${d.remedy ?? ""}；不同意这个决定，可以 60 日内向江州市人民政府申请行政复议或 6 个月内向人民法院提起行政诉讼` : (tag?.[2] ?? "");
  const name = (r) => c.materials.find((m) => m.no === r.material)?.name ?? c.sections.flatMap((s) => s.rows).find((x) => x.field === r.field)?.label ?? "整件";
  return { citizen: tag ? { icon: "!", tag: tag[0], tone: tag[1], sentence, rows: (d.reasons ?? []).map((r) => ({ name: name(r), reason: r.text })), deadline: d.date } : null,
    sms: tag ? `您的户政业务（尾号 ${c.no.slice(-4)}）${d.action === "return_supplement" ? `要补 ${n} 份材料，${d.date}前办理` : "有新的进度"}，可在“户政网办”查看` : null, findings: check(d) };
}
const NEXT = { pass: "awaiting_originals", return_supplement: "supplement", refuse: "refused", submit_up: "awaiting_sub_bureau", approve: "awaiting_originals", disapprove_return: "awaiting_review", disapprove_refuse: "refused",
  finish: "completed", scan_certificate: "awaiting_move_in", originals_ok: "awaiting_completion", originals_bad: "awaiting_originals", withdraw_confirm: "refused", withdraw_deny: "awaiting_review", terminate: "refused" };
function decide(w, c, d) {
  w.decision = d;
  if (d.version !== c.version) return fail(409, "conflict", `这件刚被${c.holder || "别人"}改动，请看过最新内容再决定`);
  const held = claim(w, c);
  if (held) return held;
  const words = check(d);
  if (words.length) return fail(400, "input", "给群众的话要改", words);
  w.undo = { no: c.no, state: c.state };
  data.setState(c, NEXT[d.action] ?? c.state);
  c.done = true;
  c.trail.push({ at: new Date().toISOString(), who: data.ACCOUNTS[w.user].name, unit: "长江路派出所", role: "民警", text: d.action, opinion: d.opinion });
  touch(w, c);
  const next = w.cases.find((x) => x !== c && myTodo(w)(x) && !x.holder);
  return ok({ state: c.state, internal: c.internal, undo_until: d.action === "finish" ? null : new Date(Date.now() + 5000).toISOString(), next: next?.no ?? null });
}
function onCase(w, method, c, rest, body) {
  if (rest === "" && method === "GET") return ok(caseOf(w, c));
  if (rest === "claim") { const e = claim(w, c); if (e) return e; touch(w, c); return ok(caseOf(w, c)); }
  if (rest === "release") { c.held_by_me = false; c.holder = ""; touch(w, c); return ok(caseOf(w, c)); }
  if (rest === "preview") return ok(preview(c, body));
  if (rest === "decide") return decide(w, c, body);
  if (rest === "undo") {
    if (w.undo?.no !== c.no) return fail(409, "conflict", "已过 5 秒");
    data.setState(c, w.undo.state);
    touch(w, c);
    return ok(caseOf(w, c));
  }
  if (rest === "notes") {
    const e = claim(w, c);
    if (e) return e;
    for (const r of c.sections.flatMap((s) => s.rows)) if (r.field === body.field) r.note = body.note;
    touch(w, c);
    return ok(caseOf(w, c));
  }
  if (rest === "flow") return ok({ flow: data.flowOf("online-outside-officer"), state: c.state, passed: ["awaiting_review", "awaiting_originals", "awaiting_completion"] });
  if (rest === "scans") {
    w.scans = (w.scans ?? 0) + 1;
    c.materials = c.materials.filter((x) => x.no < 200);
    c.materials.push({ no: 202, name: "迁移证", round: 0, pages: [data.page(9, { id: "e".repeat(31) + w.scans % 10, seen: true })] });
    touch(w, c);
    return ok(caseOf(w, c));
  }
  if (rest === "effect") {
    const e = w.effect ?? data.EFFECT;
    return ok(body?.completion?.done_new_head_id_no ? { ...e, obstacles: [] } : e);
  }
  if (rest === "reverse") {
    if (body.confirm_text !== "撤销办结") return fail(400, "input", "请输入“撤销办结”确认");
    c.reversal = { offered: false, why_not: "", at: new Date().toISOString() };
    Object.assign(c, { internal: "已办结（已撤销）", tone: "correction" });
    touch(w, c);
    return ok(caseOf(w, c));
  }
  const m = /^pages\/([0-9a-f]{32})$/.exec(rest);
  const page = m && c.materials.flatMap((x) => x.pages).find((p) => p.id === m[1]);
  if (page && method === "POST") { Object.assign(page, body); return { status: 204 }; }
  if (page) return { status: 200, svg: picture(c, page) };
  return fail(404, "missing", "没有这件，或不在您的范围");
}
/* A page of paper with something to read on it. */
function picture(c, p) {
  const lines = ["居民户口簿", "常住人口登记卡", "姓名  顾晓岚    户主或与户主关系  女儿", "性别  女        出生日期  1988-08-15", "民族  汉        婚姻状况  未婚", "住址  江州市测试区长江路12号501室", `第 ${p.n} 页`];
  const text = lines.map((t, i) => `<text x="90" y="${140 + i * 90}" font-size="${i < 2 ? 44 : 32}" fill="#333">${t}</text>`).join("");
  return `<svg xmlns="http://www.w3.org/2000/svg" width="1000" height="${p.n === 3 ? 1400 : 720}" viewBox="0 0 1000 ${p.n === 3 ? 1400 : 720}"><rect width="1000" height="1400" fill="#fbf7ec"/><g font-family="Noto Sans CJK SC">${text}</g><circle cx="780" cy="560" r="80" fill="none" stroke="#c33" stroke-width="6"/><text x="200" y="420" font-size="30" fill="#000" fill-opacity=".15" transform="rotate(-22 500 360)">长江路派出所 沈明远 10.1.2.3 11-23 09:41</text></svg>`;
}
function api(w, method, path, q, body) {
  if (path === "/api/login") {
    if (!data.ACCOUNTS[body.login] || body.password === "wrong") return fail(401, "auth", "账号或密码不对，再错 4 次锁定 15 分钟");
    w.user = body.login;
    return ok(me(w));
  }
  if (!w.user) return fail(401, "auth", "请先登录");
  if (path === "/api/me") return ok(me(w));
  if (path === "/api/logout") { w.user = null; return { status: 204 }; }
  if (path === "/api/password") {
    if (body.new.length < 12) return fail(400, "input", "密码不合要求", [{ field: "new", rule: "length", message: "新密码至少 12 位" }]);
    w.changed = true;
    return ok(me(w));
  }
  if (path === "/api/desk") {
    const todo = w.cases.filter(myTodo(w));
    return ok({ counts: counts(w), oldest: { todo: "2 小时", due: "1 日" }, due: todo.slice(0, 8).map(rowOf), channel: w.channel, notices: [{ at: "2026-11-23T01:20:00Z", text: "补正已回：出生登记 0018", no: data.NOS[0] }] });
  }
  if (path === "/api/changes") return ok({ seq: w.seq, changed: w.changes.filter((x) => x.seq > Number(q.get("since"))).map(({ no, kind }) => ({ no, kind })), counts: counts(w), channel: w.channel });
  if (path === "/api/cases" && method === "GET") return list(w, q);
  if (path === "/api/cases/next") {
    const c = w.cases.find((x) => myTodo(w)(x) && !x.holder);
    if (!c) return fail(404, "missing", "现在没有可以领取的件");
    claim(w, c);
    return ok({ no: c.no });
  }
  const m = /^\/api\/cases\/(\d{16})\/?(.*)$/.exec(path);
  if (m) {
    const c = w.cases.find((x) => x.no === m[1]);
    return c ? onCase(w, method, c, m[2], body) : fail(404, "missing", "没有这件，或不在您的范围");
  }
  if (path.startsWith("/api/reasons/")) {
    const item = path.split("/").pop();
    const more = Object.fromEntries(["originals_bad", "withdraw_denied", "terminated", "recalled"].map((k) => [k, REASONS[k]]));
    return ok({ supplement: REASONS.supplement.templates, refusal: [item, FORMS.get(item), "*"].flatMap((k) => REASONS.refusal[k] ?? []), opinions: OPINIONS, deadline: "2026-12-02", ...more });
  }
  if (path === "/api/reveal") { w.log.push(body); return ok({ value: data.FULL[body.field] ?? "340799198808152029" }); }
  return other(w, method, path, q, body);
}
function list(w, q) {
  const view = q.get("view");
  let rows = view === "done" ? w.cases.filter((c) => c.done) : view === "continue" ? w.cases.filter(goesOn) : w.cases.filter(myTodo(w)).filter((c) => (view === "doing" ? c.held_by_me : true));
  if (q.get("item")) rows = rows.filter((c) => c.item === q.get("item"));
  if (q.get("state")) rows = rows.filter((c) => c.state === q.get("state"));
  if (q.get("q")) rows = rows.filter((c) => c.no.includes(q.get("q")) || c.person.includes(q.get("q")));
  if (q.get("mine") === "claimable") rows = rows.filter((c) => !c.holder);
  return ok({ rows: rows.slice(0, 20).map(rowOf), total: rows.length, page: 1, size: 20, seq: w.seq, counts: counts(w) });
}
function other(w, method, path, q, body) {
  if (path === "/api/register/persons") {
    const hits = data.PERSONS.filter((p) => (q.get("id_no") ? p.id_no.slice(-4) === q.get("id_no").slice(-4) : p.name.startsWith(q.get("name") ?? " ")));
    return ok({ persons: hits, total: hits.length, took_ms: 3 });
  }
  if (path.startsWith("/api/register/persons/")) {
    const p = data.PERSONS.find((x) => path.endsWith(x.id));
    return p ? ok({ person: [{ field: "name", label: "姓名", value: p.name }, { field: "id_no", label: "公民身份号码", value: p.id_no, masked: true }, { field: "phone", label: "联系电话", value: "138****2046", masked: true }, { field: "marital_status", label: "婚姻状况", value: "未婚" }, { field: "address", label: "户籍地址", value: p.address }],
      household: data.PERSONS, history: [
        { at: "2026-11-23T02:10:00Z", text: "住所迁入", kind: "household", subject: "户号 34079901000012", before: "户主：顾长青", after: "户主：顾晓岚" },
        { at: "2021-05-03T01:00:00Z", text: "婚姻状况变更", kind: "person", subject: "顾晓岚", before: "婚姻状况：未婚", after: "婚姻状况：已婚", undone: true }],
      papers: [{ kind: "居民户口簿", no: "34079900000012", issued: "2024-05-06", valid_until: "", status: "有效", reason: "新立户" }, { kind: "户口迁移证", no: "34079900000003", issued: "2026-11-10", valid_until: "2026-12-20", status: "有效", reason: "升学" }] }) : fail(404, "missing", "没有这个人，或不在您的范围");
  }
  if (path === "/api/flows") return ok({ flows: data.flows() });
  if (path === "/api/units") return ok({ units: data.UNITS });
  if (path === "/api/officers" && method === "GET") return ok({ officers: w.officers });
  if (path === "/api/officers") {
    if (w.officers.some((o) => o.login === body.login)) return fail(409, "conflict", "这个账号已经有了");
    const officer = { id: `c${w.officers.length + 1}`, ...body, unit_name: data.UNITS.find((u) => u.code === body.unit)?.name, enabled: true, locked: false, must_change_password: true };
    w.officers.push(officer);
    return ok({ officer, first_password: "Qx7-maple-Lake" }, 201);
  }
  const act = /^\/api\/officers\/(\w+)\/(\w+)$/.exec(path);
  if (act) {
    const o = w.officers.find((x) => x.id === act[1]);
    if (act[2] === "disable" || act[2] === "enable") o.enabled = act[2] === "enable";
    if (act[2] === "unlock") o.locked = false;
    if (act[2] === "reset") o.must_change_password = true;
    return ok({ officer: o, ...(act[2] === "reset" ? { first_password: "Qx7-maple-Lake" } : {}) });
  }
  if (path === "/api/reports/searches") return ok(data.SEARCHES);
  if (path === "/api/exceptions") return ok({ exceptions: w.exceptions });
  const retry = /^\/api\/exceptions\/(\w+)\/retry$/.exec(path);
  if (retry) { w.exceptions = w.exceptions.filter((x) => x.id !== retry[1]); return ok({ word: "received" }); }
  if (path === "/api/configuration") return ok({ version: 12, hash: "f".repeat(64), peer_version: 12, same: true });
  if (path === "/api/configuration/changes") return ok(data.CHANGES);
  if (path === "/api/configuration/items") return ok({ items: data.ITEMS });
  return fail(404, "missing", "没有这个地址");
}
function serveFile(rs, path) {
  let file = join(ROOT, normalize(path));
  try {
    if (!file.startsWith(ROOT) || !statSync(file).isFile()) throw new Error("no file");
  } catch {
    file = join(ROOT, "index.html");
  }
  rs.writeHead(200, { "Content-Type": TYPES[extname(file)] ?? "application/octet-stream", "Content-Security-Policy": CSP, "X-Content-Type-Options": "nosniff" });
  createReadStream(file).pipe(rs);
}
function answer(w, rq, rs, text) {
  const url = new URL(rq.url, "http://x");
  if (!url.pathname.startsWith("/api/")) return serveFile(rs, url.pathname);
  if (w.dropNext?.test(url.pathname)) return rq.socket.destroy();
  const needsToken = rq.method === "POST" && url.pathname !== "/api/login";
  const a = needsToken && w.user && rq.headers["x-csrf-token"] !== w.csrf ? fail(403, "denied", "请刷新后再试") : api(w, rq.method, url.pathname, url.searchParams, text && rq.headers["content-type"] === "application/json" ? JSON.parse(text) : {});
  if (a.svg) rs.writeHead(200, { "Content-Type": "image/svg+xml", "Cache-Control": "no-store" }).end(a.svg);
  else rs.writeHead(a.status, { "Content-Type": "application/json", "Cache-Control": "no-store" }).end(a.status === 204 ? undefined : JSON.stringify(a.body));
}
export function startMock(port = 0, world = newWorld()) {
  const server = http.createServer((rq, rs) => {
    let text = "";
    rq.on("data", (d) => (text += d));
    rq.on("end", () => setTimeout(() => answer(world, rq, rs, text), world.slow));
  });
  return new Promise((done) => server.listen(port, "127.0.0.1", () => done({ world, url: `http://127.0.0.1:${server.address().port}`, close: () => new Promise((r) => { server.closeAllConnections(); server.close(r); }) })));
}
if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const m = await startMock(Number(process.argv[2] ?? 28090));
  console.log(`officers' app with invented data: ${m.url}`);
}
