// A contract of schemas/openapi as the judge of a running service: each answer of a judged client is held against it, and what was walked is remembered.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import Ajv from 'ajv/dist/2020.js';
import YAML from 'yaml';
import { Refused } from './client.mjs';
import { root } from './demo.mjs';

/** Every object schema that names its properties takes no other: an answer with a member that the contract does not know is a
 * difference. For contracts without allOf. */
function close(schema) {
  if (Array.isArray(schema)) return schema.map(close);
  if (schema === null || typeof schema !== 'object') return schema;
  const closed = Object.fromEntries(Object.entries(schema).map(([k, v]) => [k, close(v)]));
  const names = schema.properties && typeof schema.properties === 'object' && [schema.type].flat().includes('object');
  return names ? { additionalProperties: false, ...closed } : closed;
}

/** A JSON pointer below the paths of the contract. */
const pointer = (...parts) => encodeURI(`#/paths/${parts.map((x) => String(x).replaceAll('~', '~0').replaceAll('/', '~1')).join('/')}`);

export class Contract {
  constructor(name, { closed = false } = {}) {
    const doc = YAML.parse(readFileSync(path.join(root, 'schemas/openapi', name), 'utf8'));
    this.doc = closed ? close(doc) : doc;
    this.ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
    this.ajv.addSchema(this.doc, 'api');
    this.walked = new Set();
    this.count = { accepted: 0, refused: 0 };
  }

  operations() {
    return Object.entries(this.doc.paths).flatMap(([p, ops]) => Object.keys(ops).filter((m) => m !== 'parameters').map((m) => `${m.toUpperCase()} ${p}`));
  }

  /** Operations that were never answered in this way; accepted or refused. */
  missing(way) { return this.operations().filter((o) => !this.walked.has(`${o} ${way}`)); }

  find(method, url) {
    const here = url.split('?')[0];
    const fits = (p) => new RegExp(`^${p.replace(/\{[a-z]+\}/g, '[^/]+')}$`).test(here);
    return Object.keys(this.doc.paths).filter(fits).sort((a, b) => a.includes('{') - b.includes('{'))[0];
  }

  check(method, url, status, body, type = 'application/json') {
    const p = this.find(method, url);
    assert.ok(p, `${method} ${url} is not in the contract`);
    const op = this.doc.paths[p][method.toLowerCase()];
    const where = `${method} ${p} ${status}`;
    if (!op) return this.error(body, where);
    const way = status < 400 ? 'accepted' : 'refused';
    this.walked.add(`${method} ${p} ${way}`);
    this.count[way] += 1;
    const response = op.responses[status];
    if (!response && status >= 400) return this.error(body, where);
    assert.ok(response, `${where}: the status is not in the contract`);
    if (!response.content) return assert.equal(body, null, `${where}: want no body`);
    const media = type.split(';')[0];
    assert.ok(response.content[media], `${where}: ${type} is not in the contract`);
    if (media !== 'application/json') return assert.ok(body?.length, `${where}: want a body`);
    return this.valid(`api${pointer(p, method.toLowerCase(), 'responses', status, 'content', 'application/json', 'schema')}`, body, where);
  }

  /** The parameters of an operation, its path's too: "query name" -> [parameter, where it stands]. */
  parameters(p, verb) {
    const list = (of, ...at) => (of ?? []).map((x, i) => [x, pointer(p, ...at, 'parameters', i)]);
    const all = [...list(this.doc.paths[p].parameters), ...list(this.doc.paths[p][verb].parameters, verb)];
    const follow = (ref) => ref.split('/').slice(1).reduce((o, key) => o[key], this.doc);
    return new Map(all.map(([x, at]) => (x.$ref ? [follow(x.$ref), x.$ref] : [x, at])).map(([x, at]) => [`${x.in} ${x.name}`, [x, at]]));
  }

  /** What was accepted is what the contract lets in: the body and every argument of path and query. */
  asked(method, url, sent) {
    const p = this.find(method, url), verb = method.toLowerCase();
    const [here, query = ''] = url.split('?');
    const known = this.parameters(p, verb);
    const given = [...new URLSearchParams(query)].map(([k, v]) => [`query ${k}`, v]);
    p.split('/').forEach((part, i) => { if (part.startsWith('{')) given.push([`path ${part.slice(1, -1)}`, here.split('/')[i]]); });
    for (const [name, value] of given) {
      assert.ok(known.has(name), `${method} ${p}: ${name} is not in the contract and was accepted`);
      const [x, at] = known.get(name);
      this.valid(`api${at}/schema`, x.schema.type === 'integer' ? Number(value) : value, `${method} ${p}: ${name} was accepted`);
    }
    if (this.doc.paths[p][verb].requestBody?.content['application/json']) this.valid(`api${pointer(p, verb, 'requestBody', 'content', 'application/json', 'schema')}`, sent, `${method} ${p}: what was accepted`);
  }

  error(body, where) {
    this.valid('api#/components/schemas/Error', body, where);
    assert.match(body.error.request, /^[0-9A-F]{6}$/, where);
    for (const words of [body.error, ...body.error.fields ?? []]) assert.match(words.message, /[\u4e00-\u9fff]{3}/, `${where}: words for people, have ${words.message}`);
  }

  valid(ref, body, where) {
    const validate = this.ajv.getSchema(ref) ?? this.ajv.compile({ $ref: ref });
    assert.ok(validate(body), `${where}: ${this.ajv.errorsText(validate.errors)}\n${JSON.stringify(validate.errors)?.slice(0, 600)}\n${JSON.stringify(body)?.slice(0, 2000)}`);
  }
}

/** A client of `Base` each of whose answers is judged by the contract. */
export const judged = (Base, contract) => class extends Base {
  async raw(method, url, options) {
    const r = await super.raw(method, url, options);
    if (!contract.find(method, url)) return r;
    const type = r.headers.get('content-type') ?? '';
    const body = Buffer.from(await r.clone().arrayBuffer());
    const json = /^application\/json/.test(type);
    contract.check(method, url, r.status, body.length ? (json ? JSON.parse(body) : body) : null, type);
    if (r.status < 400) contract.asked(method, url, options?.json);
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
};
