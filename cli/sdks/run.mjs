// Segment's own SDKs against the tool: what it shows is what was called, also after a failure. With --gateway they send to
// the gateway, and the tool is the destination behind it.
//
//   node run.mjs --server 'PATH/tracklane dev --port {port}' [--gateway 'PATH/tracklane gateway --config {config}']
//
// analytics-node (batches and single events), analytics-python (plain, gzip, single) and analytics-next in Chromium
// (with its preflight). PYTHON names the interpreter that has segment-analytics-python.
import { deepStrictEqual } from 'node:assert';
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Analytics } from '@segment/analytics-node';
import { troubledWay } from './trouble.mjs';
import { freePort, openBrowser, startServer, until } from '../page/test/browser.mjs';

const here = new URL('.', import.meta.url);
const calls = JSON.parse(readFileSync(new URL('calls.json', here), 'utf8'));
const bundle = readFileSync(new URL('node_modules/@segment/analytics-next/dist/umd/index.js', here));
const option = (name) => (process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : null);
const command = option('--server');

async function node(url, key, settings) {
  const analytics = new Analytics({ writeKey: key, host: url, ...settings });
  for (const [method, call] of calls) analytics[method](structuredClone(call));
  await analytics.flush({ close: true });
}

async function python(url, key, mode) {
  const script = new URL('sdk.py', here).pathname;
  await promisify(execFile)(process.env.PYTHON ?? 'python3', [script, url, key, mode], { timeout: 60_000 });
}

// The page is of another origin than the tool, as in life: so the browser asks first.
async function browser(url, key, arrival) {
  const files = { '/': '<!doctype html><title>shop</title><script src="/sdk.js"></script>', '/sdk.js': bundle };
  const site = createServer((request, response) => {
    response.setHeader('content-type', request.url === '/' ? 'text/html' : 'text/javascript');
    response.end(files[request.url] ?? '');
  });
  await new Promise((ready) => site.listen(0, '127.0.0.1', ready));
  const chromium = await openBrowser();
  try {
    const page = await chromium.newPage();
    await page.goto(`http://127.0.0.1:${site.address().port}/`);
    await page.evaluate(async ({ url, key, calls }) => {
      const apiHost = `${new URL(url).host}/v1`;
      const { AnalyticsBrowser } = window.AnalyticsNext;
      const [analytics] = await AnalyticsBrowser.load(
        { writeKey: key, cdnURL: url }, { integrations: { 'Segment.io': { apiHost, protocol: 'http' } } },
      );
      for (const [method, call] of calls) {
        if (method === 'identify') await analytics.identify(call.userId, call.traits);
        if (method === 'track') await analytics.track(call.event, call.properties);
        if (method === 'page' || method === 'screen') await analytics[method](call.name, call.properties);
        if (method === 'group') await analytics.group(call.groupId, call.traits);
        if (method === 'alias') await analytics.alias(call.userId, call.previousId);
      }
    }, { url, key, calls });
    // What is under way goes on when the page is left (keepalive); what waits to be tried again does not.
    await arrival?.();
    await page.goto('about:blank');
  } finally {
    await chromium.close();
    site.close();
  }
}

const SDKS = {
  'analytics-node, batches': (url, key) => node(url, key, { flushAt: 20 }),
  'analytics-node, single events': (url, key) => node(url, key, { flushAt: 1 }),
  'analytics-python': (url, key) => python(url, key, 'plain'),
  'analytics-python, gzip': (url, key) => python(url, key, 'gzip'),
  'analytics-python, single events': (url, key) => python(url, key, 'single'),
  'analytics-next in Chromium': browser,
};

/** What the tool shows of a key, in the order of the calls. */
async function shown(url, key) {
  const { events } = await fetch(`${url}/__tracklane/events?limit=100&q=${encodeURIComponent(`key:${key}`)}`).then((answer) => answer.json());
  const whole = await Promise.all(events.map(({ seq }) => fetch(`${url}/__tracklane/events/${seq}`).then((answer) => answer.json())));
  const order = calls.map(([method]) => method);
  // A request that is failed on purpose is shown, too; what comes again has the same ids.
  const once = new Map(whole.map(({ event }) => [event.messageId, event]));
  return [...once.values()].sort((a, b) => order.indexOf(a.type) - order.indexOf(b.type));
}

/** The members of an event that the call has, whatever else the SDK adds. */
function called(event, [, call], sdk) {
  const seen = {};
  for (const member of Object.keys(call)) {
    const value = event[member];
    const given = call[member];
    // analytics-next adds what it knows of the page.
    seen[member] = typeof given === 'object' ? Object.fromEntries(Object.keys(given).map((key) => [key, value?.[key]])) : value;
  }
  if (sdk.includes('Chromium')) {
    // There is one user at a time in a browser: that of the identify call, which the SDK sends with an alias, too.
    if ('userId' in call) seen.userId = call.userId;
  }
  return seen;
}

/** Waits for the six events of a key, which may take an SDK that is told to come again a while. */
const arrivals = (url, sdk, key, milliseconds) => until(`${sdk}: six events of ${key}`, async () => {
  const events = await shown(url, key);
  return events.length >= calls.length && events;
}, milliseconds);

async function check(url, sdk, key, run, target = url, arrival = undefined) {
  await run(target, key, arrival);
  const events = await arrivals(url, sdk, key);
  deepStrictEqual(events.map((event) => event.type), calls.map(([method]) => method), `${sdk}: each call once`);
  events.forEach((event, at) => deepStrictEqual(called(event, calls[at], sdk), calls[at][1], `${sdk}: ${calls[at][0]}`));
}

/** A gateway whose sources have these keys, each with the tool behind it under the same key. */
async function startGateway(command, url, keys, limited) {
  const folder = mkdtempSync(join(tmpdir(), 'tracklane-sdks-'));
  const port = await freePort();
  const source = (key) => `
[sources.${key}]
keys = ["${key}"]
pipeline = "${key}"
${limited.includes(key) ? 'events_per_second = 3\nburst = 6' : ''}
[[pipelines.${key}.destinations]]
plugin = "segment"
settings = { write_key = "${key}", host = "${url}", flush_at = 1 }
`;
  const head = `[server]\nlisten = ["127.0.0.1:${port}"]\nadmin = "127.0.0.1:0"\n[log.disk]\ndirectory = "${folder}/log"\n`;
  const config = join(folder, 'gateway.toml');
  writeFileSync(config, head + [...keys, ...limited].map(source).join(''));
  const [program, ...words] = command.replaceAll('{config}', config).split(/\s+/);
  const child = spawn(program, words, { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = new Promise((done) => child.on('exit', done));
  const gateway = `http://127.0.0.1:${port}`;
  await until('the gateway is ready', () => fetch(`${gateway}/health/ready`).then((answer) => answer.ok, () => false));
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
    rmSync(folder, { recursive: true });
  };
  return { url: gateway, stop };
}

async function throughTheGateway() {
  const names = Object.keys(SDKS);
  const keys = names.map((_, at) => `KEY${at}`);
  const limited = names.map((_, at) => `LIMIT${at}`);
  const troubles = [['reset', 'a reset in the middle of a body'], ['503', 'a 503']];
  const troubled = names.flatMap((_, at) => troubles.map(([trouble]) => `TROUBLE${trouble}x${at}`));
  const gateway = await startGateway(option('--gateway'), server.url, [...keys, ...troubled], limited);
  try {
    for (const [at, [sdk, run]] of Object.entries(SDKS).entries()) {
      await test(`${sdk}, gateway: all six calls`, () => check(server.url, sdk, keys[at], run, gateway.url));
      // As after a 503: an SDK that sends single events need not keep them.
      if (sdk.includes('single')) continue;
      await test(`${sdk}, gateway: all six calls after a 429`, async () => {
        // What is no event is counted, and arrives nowhere.
        const nothing = JSON.stringify({ writeKey: limited[at], batch: Array(6).fill({}) });
        const { status } = await fetch(`${gateway.url}/v1/batch`, { method: 'POST', body: nothing });
        if (status !== 400) throw new Error(`six times nothing is answered with ${status}`);
        const arrival = () => arrivals(server.url, sdk, limited[at], 60_000);
        await check(server.url, sdk, limited[at], run, gateway.url, arrival);
      });
      for (const [trouble, what] of troubles) {
        await test(`${sdk}, gateway: all six calls after ${what}`, async () => {
          const key = `TROUBLE${trouble}x${at}`;
          const way = await troubledWay(gateway.url, trouble);
          try {
            await check(server.url, sdk, key, run, way.url, () => arrivals(server.url, sdk, key, 60_000));
          } finally {
            way.close();
          }
          if (way.met() !== 1) throw new Error('the trouble was never met');
        });
      }
    }
    const page = await fetch(`${gateway.url}/health/live`);
    if (!page.ok) throw new Error('the gateway is not well any more');
  } finally {
    await gateway.stop();
  }
}

const server = await startServer(command);
let failed = 0;
let passed = 0;
async function test(name, run) {
  try {
    await run();
    passed += 1;
    console.log(`ok    ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL  ${name}\n${error.stack}`);
  }
}
try {
  if (option('--gateway')) await throughTheGateway();
  else for (const [at, [sdk, run]] of Object.entries(SDKS).entries()) {
    await test(`${sdk}: all six calls`, () => check(server.url, sdk, `KEY${at}`, run));
    if (sdk.includes('single')) continue;
    await test(`${sdk}: all six calls after a 503`, async () => {
      const fault = { scope: `FAULT${at}`, kind: null, probability: 1, count: 1, fault: { type: 'status', status: 503 }, expiresInMs: null };
      const put = await fetch(`${server.url}/__tracklane/faults/once${at}`, { method: 'PUT', body: JSON.stringify(fault) });
      if (!put.ok) throw new Error(`the fault is refused: ${await put.text()}`);
      await check(server.url, sdk, `FAULT${at}`, run);
      const { faults } = await fetch(`${server.url}/__tracklane/faults`).then((answer) => answer.json());
      const hits = faults.find(({ name }) => name === `once${at}`)?.hits ?? 1;
      if (hits < 1) throw new Error('the fault was never met');
    });
  }
} finally {
  await server.stop();
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
