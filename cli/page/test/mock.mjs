// A server with the tool's interface, so that the page can be tested without it. `node mock.mjs --port 8765`
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { parse, Store } from './mock-store.mjs';

const options = Object.fromEntries(process.argv.slice(2).map((word, at, all) => (word.startsWith('--') ? [word.slice(2), all[at + 1]] : null)).filter(Boolean));
const port = Number(options.port ?? 8765);
const KEY = options['write-key'] ?? 'WRITE_KEY';
const start = randomUUID();
const store = new Store(Number(options.keep ?? 128e6));
const faults = new Map();
const plan = options.plan ? JSON.parse(await readFile(options.plan, 'utf8')) : null;
const planned = (plan?.rules ?? []).map(({ type, key }) => ({ kind: type.toLowerCase(), name: key ?? null }));
const url = `http://127.0.0.1:${port}`;
const CSP = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const TYPES = { html: 'text/html; charset=utf-8', js: 'text/javascript; charset=utf-8', css: 'text/css; charset=utf-8', svg: 'image/svg+xml' };
const KINDS = { t: 'track', i: 'identify', p: 'page', s: 'screen', g: 'group', a: 'alias' };

class Answer extends Error {
  constructor(status, body = {}) {
    super(body.error);
    Object.assign(this, { status, body });
  }
}

const server = createServer(async (request, response) => {
  const at = new URL(request.url, url);
  const path = at.pathname;
  const query = Object.fromEntries(at.searchParams);
  try {
    if (path.startsWith('/v1/')) return await ingest(request, response, path.slice(4));
    if (!/^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(request.headers.host ?? '')) throw new Answer(403, { error: 'This Host is not served.' });
    if (path === '/' || path.startsWith('/assets/')) return await asset(response, path === '/' ? 'index.html' : path.slice(8));
    if (path === '/__tracklane/stream') return stream(request, response, query);
    const body = await api(request, path.replace('/__tracklane/', ''), query);
    if (body === undefined) return response.writeHead(204).end();
    const text = typeof body === 'string';
    response.writeHead(200, { 'content-type': text ? (path.endsWith('/raw') ? 'application/json' : 'text/plain; charset=utf-8') : 'application/json' });
    response.end(text ? body : JSON.stringify(body));
  } catch (error) {
    const status = error.status ?? (error.at ? 400 : 500);
    if (!response.headersSent) response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(error.body ?? { error: error.message, at: error.at }));
  }
});

async function asset(response, name) {
  if (!/^[\w-]+\.(html|js|css|svg)$/.test(name)) throw new Answer(404, { error: 'There is no such file.' });
  const content = await readFile(new URL(`../${name}`, import.meta.url)).catch(() => { throw new Answer(404, { error: 'There is no such file.' }); });
  response.writeHead(200, { 'content-type': TYPES[name.split('.').pop()], 'content-security-policy': CSP, 'x-content-type-options': 'nosniff', 'cache-control': 'no-cache' });
  response.end(content);
}

async function bodyOf(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  const whole = Buffer.concat(parts);
  return { size: whole.length, text: (request.headers['content-encoding'] === 'gzip' ? gunzipSync(whole) : whole).toString() };
}

async function ingest(request, response, call) {
  const { size, text } = await bodyOf(request);
  const json = JSON.parse(text);
  const events = json.batch ?? [{ type: KINDS[call] ?? call, ...json }];
  const basic = Buffer.from((request.headers.authorization ?? '').replace('Basic ', ''), 'base64').toString().split(':')[0];
  const key = basic || json.writeKey || KEY;
  const headers = Object.entries(request.headers).map(([name, value]) => [name, name === 'authorization' ? 'Basic ***' : value]);
  const fault = [...faults.values()].find((one) => strikes(one, key, events));
  const status = fault?.fault.type === 'status' ? fault.fault.status : 200;
  const told = { method: request.method, path: request.url, headers, bytes: size, encoding: request.headers['content-encoding'] ?? null, events: events.length, status, attempt: Number(request.headers['x-retry-count'] ?? 0), answer: status === 200 ? '{"success":true}' : '' };
  store.requests += 1;
  for (const event of events) store.add(event.messageId ? event : { ...event, messageId: randomUUID() }, key, told);
  store.recent.push([Date.now(), events.length]);
  changed();
  response.writeHead(status, { 'content-type': 'application/json', 'access-control-allow-origin': '*' }).end(told.answer);
}

function strikes(fault, key, events) {
  if ((fault.scope ?? key) !== key || (fault.kind && !events.some(({ type }) => type === fault.kind))) return false;
  if ((fault.count !== null && fault.hits >= fault.count) || Math.random() >= fault.probability) return false;
  fault.hits += 1;
  return true;
}

async function api(request, path, query) {
  const [what, one, more, form] = path.split('/').map(decodeURIComponent);
  const route = `${request.method} ${what}`;
  switch (route) {
    case 'GET readyz': return 'ok';
    case 'GET info': return { schema: 1, version: options.version ?? '0.1.0', start, port, url, answer: 'as-segment', forward: false, plan: plan && { name: plan.name }, keepBytes: store.keep, keys: [KEY] };
    case 'GET events': return one ? (more ? detail(one, more, form) : event(one)) : list(query);
    case 'DELETE events': return clear(store.matching(query.q));
    case 'DELETE scopes': return clear(store.entries.filter(({ head }) => head.key === one));
    case 'GET findings': return { groups: groups(store.matching(query.q)) };
    case 'GET users': return user(query.id);
    case 'GET faults': return { faults: [...faults.values()] };
    case 'PUT faults': return setFault(one, JSON.parse((await bodyOf(request)).text));
    case 'DELETE faults': return void faults.delete(one);
    case 'GET plan': if (!plan) throw new Answer(404, { error: 'No plan is given.' }); return { name: plan.name, events: planned };
    case 'GET coverage': return coverage();
    case 'GET connect': return { snippets: snippets() };
    case 'POST trace': {
      for (const { messageId, ...way } of JSON.parse((await bodyOf(request)).text).traces) store.trace(messageId, way);
      return void changed();
    }
    default: throw new Answer(404, { error: `There is no ${route}.` });
  }
}

function list({ q, after, before, limit }) {
  const most = Math.min(500, Number(limit ?? 50));
  const all = store.matching(q);
  const oldest = store.entries[0]?.head.seq ?? store.seq + 1;
  const gone = (cursor) => cursor < oldest - 1 && store.evicted > 0;
  if (after !== undefined && gone(Number(after))) throw new Answer(410, { error: `The events after ${after} are no longer kept.`, oldest, evicted: store.evicted });
  let some;
  if (after !== undefined) some = all.filter(({ head }) => head.seq > after).slice(0, most);
  else some = (before !== undefined ? all.filter(({ head }) => head.seq < before) : all).slice(-most).reverse();
  return { events: some.map(({ head }) => head), matched: all.length, oldest, newest: store.seq, counters: store.counters };
}

function kept(seq) {
  const entry = store.find(Number(seq));
  if (entry) return entry;
  throw new Answer(Number(seq) <= store.seq ? 410 : 404, { error: `Event ${seq} is not kept.`, oldest: store.entries[0]?.head.seq ?? 0, evicted: store.evicted });
}

function event(seq) {
  const { head, raw, findings, request } = kept(seq);
  const at = store.entries.findIndex((entry) => entry.head === head);
  return { head, event: JSON.parse(raw), findings, request, path: store.paths.get(head.messageId) ?? null, older: store.entries[at - 1]?.head.seq ?? null, newer: store.entries[at + 1]?.head.seq ?? null };
}

function detail(seq, what, form) {
  const { raw, head } = kept(seq);
  if (what === 'raw') return raw;
  const { messageId, ...rest } = JSON.parse(raw);
  if (form === 'curl') return `curl ${url}/v1/${head.kind} -u ${head.key}: -H 'content-type: application/json' \\\n  -d '${JSON.stringify(rest)}'`;
  if (form === 'rust') return `analytics.track(Track::new(${JSON.stringify(head.name)}).user_id(${JSON.stringify(head.userId)}))?;`;
  if (form === 'js') return `analytics.${head.kind}(${JSON.stringify(rest, null, 2)});`;
  return `tracklane expect --event ${JSON.stringify(head.name)} --within 5s`;
}

function clear(entries) {
  const gone = new Set(entries);
  store.entries = store.entries.filter((entry) => !gone.has(entry));
  for (const { head, findings } of gone) {
    store.bytes -= head.bytes;
    store.findings -= findings.length;
    store.evicted += 1;
  }
  changed();
  return { removed: gone.size };
}

function groups(entries) {
  const found = new Map();
  for (const { head, findings } of entries) {
    for (const { rule, level, property, message, fix } of findings) {
      const id = JSON.stringify([rule, head.kind, head.name, property]);
      const group = found.get(id) ?? { rule, level, kind: head.kind, name: head.name, property, count: 0, first: head.seq, last: head.seq, message, fix };
      group.count += 1;
      group.last = head.seq;
      found.set(id, group);
    }
  }
  return [...found.values()];
}

function user(id) {
  const ids = new Set([id]);
  for (let size = 0; size !== ids.size;) {
    size = ids.size;
    for (const { head, raw } of store.entries) {
      const own = [head.userId, head.anonymousId, head.kind === 'alias' ? JSON.parse(raw).previousId : null].filter((one) => one != null);
      if (own.some((one) => ids.has(one))) own.forEach((one) => ids.add(one));
    }
  }
  const events = store.entries.filter(({ head }) => ids.has(head.userId) || ids.has(head.anonymousId)).map(({ head }) => head);
  ids.delete(id);
  return { id, joined: [...ids], events: events.slice(0, 500), matched: events.length };
}

function setFault(name, { scope = null, kind = null, probability = 1, count = null, fault, expiresInMs = null }) {
  if (!/^[\w-]+$/.test(name)) throw new Answer(400, { error: `The name ${JSON.stringify(name)} has other characters than letters, digits, - and _.` });
  if (!(probability > 0 && probability <= 1)) throw new Answer(400, { error: `probability is ${probability}; it must be above 0 and at most 1.` });
  const set = { name, scope, kind, probability, count, fault, expiresInMs, hits: 0 };
  faults.set(name, set);
  return set;
}

function coverage() {
  const seen = new Map();
  for (const { head, findings } of store.entries) {
    const id = JSON.stringify([head.kind, head.name]);
    const row = seen.get(id) ?? { kind: head.kind, name: head.name, count: 0, first: head.seq, last: head.seq, violations: 0 };
    row.count += 1;
    row.last = head.seq;
    row.violations += findings.length > 0 ? 1 : 0;
    seen.set(id, row);
  }
  const known = new Set(planned.map(({ kind, name }) => JSON.stringify([kind, name])));
  return {
    seen: [...seen].filter(([id]) => known.has(id)).map(([, row]) => row), unknown: [...seen].filter(([id]) => !known.has(id)).map(([, row]) => row),
    neverSeen: planned.filter(({ kind, name }) => !seen.has(JSON.stringify([kind, name]))),
  };
}

function snippets() {
  return [
    { sdk: 'Rust (tracklane)', language: 'rust', code: `let analytics = Analytics::builder("${KEY}")\n    .host("${url}")\n    .build()?;\n\nanalytics.track(Track::new("Order Completed").user_id("42").property("total", 39.95))?;` },
    { sdk: 'Node (@segment/analytics-node)', language: 'js', code: `import { Analytics } from '@segment/analytics-node';\n\nconst analytics = new Analytics({ writeKey: '${KEY}', host: '${url}' });\nanalytics.track({ userId: '42', event: 'Order Completed', properties: { total: 39.95 } });` },
    { sdk: 'Browser (@segment/analytics-next)', language: 'js', code: `import { AnalyticsBrowser } from '@segment/analytics-next';\n\nconst analytics = AnalyticsBrowser.load(\n  { writeKey: '${KEY}', cdnURL: '${url}' },\n  { integrations: { 'Segment.io': { apiHost: '127.0.0.1:${port}/v1', protocol: 'http' } } },\n);` },
    { sdk: 'Python (segment-analytics-python)', language: 'python', code: `import segment.analytics as analytics\n\nanalytics.write_key = "${KEY}"\nanalytics.host = "${url}"\nanalytics.track("42", "Order Completed", {"total": 39.95})` },
    { sdk: 'curl', language: 'sh', code: `curl ${url}/v1/track -u ${KEY}: -H 'content-type: application/json' \\\n  -d '{"userId":"42","event":"Order Completed","properties":{"total":39.95}}'` },
  ];
}

const readers = new Set();
let version = 0;
function changed() {
  version += 1;
}

function stream(request, response, { q, rows }) {
  parse(q ?? '');
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  response.flushHeaders();
  const reader = { response, q, rows: Math.min(200, Number(rows ?? 50)), seen: -1, updated: new Set() };
  readers.add(reader);
  request.on('close', () => readers.delete(reader));
}

setInterval(() => {
  for (const seq of store.touched) for (const reader of readers) reader.updated.add(seq);
  store.touched.clear();
  const idle = store.recent.length > 0 && store.counters.perSecond !== store.last ? ((store.last = store.counters.perSecond), true) : false;
  for (const reader of readers) {
    if ((reader.seen === version && !idle) || reader.response.writableNeedDrain) continue;
    reader.seen = version;
    const all = store.matching(reader.q);
    const updated = [...reader.updated].map((seq) => store.find(seq)?.head).filter(Boolean);
    reader.updated.clear();
    const data = { counters: store.counters, matched: all.length, events: all.slice(-reader.rows).reverse().map(({ head }) => head), updated, start };
    reader.response.write(`event: frame\nid: ${store.seq}\ndata: ${JSON.stringify(data)}\n\n`);
  }
}, 33);
setInterval(() => readers.forEach(({ response }) => response.write(': alive\n\n')), 15000);

server.listen(port, '127.0.0.1', () => console.log(url));
