// A thin stand-in for the citizens' service, for looking at pages and for their tests: the API of schemas/openapi/internet.yaml with
// everything in memory, the built app beside it, and the headers it will run under. SMS code: 246810. Not part of the product's build.
import { createServer } from "node:http";
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { beijingToday } from "../../../common/web/text.ts";
import { checkForm } from "../../../common/web/rules.ts";
import { fullTables, index, indexWith, itemData as asWritten, publicState, search, table, units } from "./data.mjs";

const web = fileURLToPath(new URL("../../../build/web/citizen/", import.meta.url));
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };
const CSP = "default-src 'self'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self' blob:; connect-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'";
const PART = 512 * 1024;
const hex = () => randomBytes(16).toString("hex");

class Refusal extends Error {
  constructor(status, code, message, more = {}) { super(message); Object.assign(this, { status, body: { error: { code, message, request: "7F3A21", ...more } } }); }
}

/** Starts the stand-in; `knobs` lets a test steer it: lose answers, fail parts, set a case's state. */
export function startMock(port = 0, quick = true) {
  const me = { signedIn: false, phone: "", csrf: hex(), uploads: new Map(), cases: new Map(), keys: new Map(), evidence: new Map(), faces: 0, serial: 0 };
  const knobs = { searches: [], edit: null, on: [], loseSubmits: 0, failParts: 0, slow: null, delayMs: 0, confirmMs: quick ? 1200 : 4000, me, setState, addCase };

  /* A test may look at an item as it would be with other data: knobs.edit gets a copy. knobs.on: codes of switched-off items that are on. */
  const itemData = (code) => { const d = asWritten(code, knobs.on); return d && knobs.edit ? knobs.edit(structuredClone(d)) : d; };
  const session = () => ({ signed_in: me.signedIn, ...(me.signedIn ? { phone: me.phone.replace(/^(...)....(....)$/, "$1****$2") } : {}), csrf: me.csrf, city: index.city, config_version: 1, now: new Date().toISOString(), idle_s: 1800, sandbox: true, hotline: "0562-8000110", slow: knobs.slow });
  const iso = () => new Date().toISOString();

  function number() {
    const body = "34072611" + String(++me.serial).padStart(7, "0");
    let sum = 0;
    [...body].reverse().forEach((d, i) => { const n = +d * (i % 2 === 0 ? 2 : 1); sum += n > 9 ? n - 9 : n; });
    return body + ((10 - (sum % 10)) % 10);
  }
  function stages(key) {
    const at = { crossing: 0, received: 0, supplement: 1, reviewing: 1, sub_bureau: 1, passed: 3, completed: 5 }[key] ?? 1;
    return ["提交申请", "审核材料", "交验原件", "正式办理", "办结领取"].map((title, i) => ({ title, state: i < at ? "done" : i === at ? "now" : "todo", ...(i === 0 ? { at: iso() } : {}), ...(key === "supplement" && i === 1 ? { note: "需要您补材料" } : {}) }));
  }
  function addCase(item, more = {}) {
    const no = number();
    const unit = units.find((u) => u.code === more.unit) || units[units.length - 1];
    const data = itemData(item);
    me.cases.set(no, { no, item, plain_name: data.item.plain_name, submitted: iso(), updated: iso(), locked: false, confirmed: false, unit, events: [{ at: iso(), text: "您提交了申请" }], pages: { done: 0, total: more.pages || 0 } });
    setState(no, "crossing");
    return me.cases.get(no);
  }
  function setState(no, key, more = {}, variant) {
    const c = me.cases.get(no);
    const words = { unit: c.unit.short, date: "12月1日", total: "1", done: "1", reason: "材料看不清", rule: "《中华人民共和国户口登记条例》", remedy: "补齐证明后可以再申请", time: "09:00", who: "孩子爸爸", bring: "身份证", ...more.words };
    const s = publicState(key, words, variant);
    Object.assign(c, { state: s, turn: s.turn, finished: s.final, updated: iso(), stages: stages(key), withdrawable: s.buttons.some((b) => b.action === "withdraw"), deadline: null, supplement: undefined }, more);
    if (key !== "crossing") c.confirmed = true;
    c.events.push({ at: iso(), text: key === "received" ? `已送达${c.unit.short}` : s.sentence });
  }

  function wanted(c) {
    if (!me.signedIn) throw new Refusal(401, "auth", "请先登录");
    if (!c) throw new Refusal(404, "missing", "没有这件业务");
    return c;
  }
  function verdict(d) {
    const data = fullTables(itemData(d.item));
    const entries = { ...d.entries };
    for (const o of d.untypeable || []) entries[o.field + "_pinyin"] = o.pinyin;
    return checkForm(data, entries, { today: beijingToday(Date.now()) });
  }
  const complete = (ids) => { if (!ids.every((id) => me.uploads.get(id)?.complete)) throw new Refusal(400, "input", "还有照片没传完"); };

  function submit(d, key) {
    if (me.keys.has(key)) return [200, me.keys.get(key)];
    const v = verdict(d);
    if (v.findings.length) throw new Refusal(400, "input", v.findings[0].message, { fields: v.findings });
    if (!me.evidence.has(d.evidence)) throw new Refusal(403, "denied", "请先刷脸核验");
    complete(d.materials.flatMap((m) => m.pages));
    const c = addCase(d.item, { unit: d.entries.accept_unit, pages: d.materials.flatMap((m) => m.pages).length });
    const r = { no: c.no, submitted: c.submitted, item: c.item, plain_name: c.plain_name, pages: c.pages.total, unit: c.unit };
    me.keys.set(key, r);
    setTimeout(() => setState(c.no, "received", { words: { done: c.pages.total, total: c.pages.total } }), knobs.confirmMs).unref();
    return [201, r];
  }
  function supplement(c, s, key) {
    if (me.keys.has(key)) return [200, me.keys.get(key)];
    const asked = new Set((c.supplement?.slots || []).map((x) => x.material));
    if (s.materials.some((m) => !asked.has(m.material))) throw new Refusal(400, "input", "只能补民警要的材料");
    complete(s.materials.flatMap((m) => m.pages));
    setState(c.no, "reviewing", {}, "no_date");
    const r = { no: c.no, submitted: iso(), item: c.item, plain_name: c.plain_name, unit: c.unit };
    me.keys.set(key, r);
    return [201, r];
  }

  function api(method, path, url, body, raw, headers) {
    const route = `${method} ${path.replace(/[0-9a-f]{32}|\d{16}|H[JX]\d{3}/g, ":x")}`;
    const id = (/[0-9a-f]{32}|\d{16}|H[JX]\d{3}/.exec(path) || [""])[0];
    const key = headers["idempotency-key"];
    switch (route) {
      case "GET /api/session": return [200, session()];
      case "POST /api/login/code": return [200, { wait_s: 60, sandbox: true }];
      case "POST /api/login":
        if (body.code !== "246810") throw new Refusal(401, "auth", "验证码不对，请核对短信", { tries_left: 4 });
        me.signedIn = true; me.phone = body.phone; me.csrf = hex();
        return [200, session()];
      case "POST /api/logout": me.signedIn = false; return [204];
      case "GET /api/catalogue": return [200, knobs.on.length ? indexWith(knobs.on) : index];
      case "GET /api/catalogue/search": return [200, search];
      case "POST /api/searches": knobs.searches.push({ query: body.query, cookie: headers.cookie }); return [204];
      case "GET /api/catalogue/items/:x": { const d = itemData(id); if (!d) throw new Refusal(404, "missing", "没有这个事项"); return [200, d]; }
      case "GET /api/catalogue/tables": { const t = table(url.searchParams.get("id")); return [200, { id: url.searchParams.get("id"), values: t }]; }
      case "POST /api/uploads": { wanted({}); const u = { id: hex(), offset: 0, size: body.size, complete: false }; me.uploads.set(u.id, u); return [201, u]; }
      case "GET /api/uploads/:x": { const u = me.uploads.get(id); if (!u) throw new Refusal(404, "missing", "没有这一页"); return [200, u]; }
      case "PUT /api/uploads/:x": {
        if (knobs.failParts > 0) { knobs.failParts--; throw new Refusal(507, "full", "暂时存不下，请稍后重试"); }
        const u = me.uploads.get(id);
        if (+url.searchParams.get("offset") !== u.offset || (raw.length !== PART && u.offset + raw.length !== u.size)) throw new Refusal(409, "conflict", "接不上，请重试");
        u.offset += raw.length; u.complete = u.offset === u.size;
        return [200, u];
      }
      case "DELETE /api/uploads/:x": me.uploads.delete(id); return [204];
      case "POST /api/applications/check": { wanted({}); const v = verdict(body); return [200, v.findings.length ? { ok: false, findings: v.findings } : { ok: true, hash: hex() + hex(), findings: [], verify: { text: itemData(body.item).item.identity.text } }]; }
      case "POST /api/identity/verify":
        if (body.sandbox_result !== "pass") { me.faces++; throw new Refusal(403, "denied", "刷脸没通过，请正对屏幕再试", { tries_left: Math.max(0, 3 - me.faces) }); }
        { const e = hex(); me.evidence.set(e, body.hash); return [200, { evidence: e, expires: iso() }]; }
      case "GET /api/applications": wanted({}); return [200, { cases: [...me.cases.values()].reverse().map((c) => (c.locked ? { no: c.no, item: c.item, plain_name: c.plain_name, submitted: c.submitted, updated: c.updated, locked: true } : c)), slow: knobs.slow }];
      case "POST /api/applications": wanted({}); return submit(body, key);
      case "GET /api/applications/:x": { const c = wanted(me.cases.get(id)); return [200, c.locked ? { no: c.no, item: c.item, plain_name: c.plain_name, submitted: c.submitted, updated: c.updated, locked: true, tries_left: 5 } : c]; }
      case "POST /api/applications/:x/unlock": { const c = wanted(me.cases.get(id)); if (body.last4 !== "001X") throw new Refusal(403, "denied", "后四位不对，请核对", { tries_left: 4 }); c.locked = false; return [200, c]; }
      case "POST /api/applications/:x/withdraw": { const c = wanted(me.cases.get(id)); setState(id, "withdraw_asked"); return [202, c]; }
      case "POST /api/applications/:x/supplement": return supplement(wanted(me.cases.get(id)), body, key);
      default: throw new Refusal(404, "missing", "没有这个地址");
    }
  }

  const server = createServer(async (rq, rs) => {
    const url = new URL(rq.url, "http://x");
    const send = (status, type, data, more = {}) => { rs.writeHead(status, { "Content-Type": type, "Content-Security-Policy": CSP, "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", ...more }); rs.end(data); };
    if (!url.pathname.startsWith("/api/")) {
      const file = join(web, normalize(url.pathname));
      const found = file.startsWith(web) && existsSync(file) && statSync(file).isFile() ? file : join(web, "index.html");
      return send(200, TYPES[extname(found)] || "application/octet-stream", readFileSync(found));
    }
    const parts = [];
    for await (const p of rq) parts.push(p);
    const raw = Buffer.concat(parts);
    if (knobs.delayMs) await new Promise((done) => setTimeout(done, knobs.delayMs));
    try {
      if (rq.method !== "GET" && rq.headers["x-requested-with"] !== "hz" && rq.headers["x-csrf-token"] !== me.csrf) throw new Refusal(403, "denied", "页面过期了，请刷新后重试");
      const json = (rq.headers["content-type"] || "").startsWith("application/json") ? JSON.parse(raw) : undefined;
      const [status, answer] = api(rq.method, url.pathname, url, json, raw, rq.headers);
      if (rq.method === "POST" && url.pathname === "/api/applications" && knobs.loseSubmits > 0) {
        /* Begun and cut: a connection closed without a byte would be tried again by the browser itself. */
        knobs.loseSubmits--;
        rs.writeHead(status, { "Content-Type": "application/json", "Content-Length": 999 });
        rs.write("{");
        return setTimeout(() => rs.destroy(), 50);
      }
      send(status, "application/json", answer === undefined ? "" : JSON.stringify(answer));
    } catch (x) {
      if (!(x instanceof Refusal)) console.error(x);
      const r = x instanceof Refusal ? x : new Refusal(500, "internal", "没有办成，是我们的问题。内容已保存，请稍后再试");
      send(r.status, "application/json", JSON.stringify(r.body));
    }
  });
  return new Promise((resolve) => server.listen(port, "127.0.0.1", () => server.unref() && resolve({ server, knobs, url: `http://127.0.0.1:${server.address().port}` })));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { server, url } = await startMock(Number(process.env.PORT || 18190), false);
  server.ref();
  console.log(`citizen app with a stand-in service: ${url} (SMS code 246810)`);
}
