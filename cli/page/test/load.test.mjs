// The page under load from `tracklane bench`: a short form among the tests, and a long one that says whether the goals of
// docs/PERFORMANCE.md are reached. `TRACKLANE_PAGE_SECONDS=60 .ci/page --only load:` runs that, on a release build and a
// machine that does nothing else.
import { spawn } from 'node:child_process';
import { until } from './browser.mjs';
import { loaded, longestTask, percentile, seqs, weigh } from './measure.mjs';
import { event, send } from './seed.mjs';
import { test, truly } from './suite.mjs';

const SECONDS = Number(process.env.TRACKLANE_PAGE_SECONDS ?? 0);
// The limits of the short form are for a build without optimisation beside other programs.
const LONG = SECONDS > 0;
const MOCK = { skipped: 'the load comes from the tool' };

/** Sends events at a rate; gives how that went. */
function load(program, url, { rate, batch, seconds }) {
  const child = spawn(program, ['bench', '--host', url, '--rate', rate, '--batch', batch, '--for', `${seconds}s`, '--json'].map(String), { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (data) => (said += data));
  return new Promise((done, failed) => {
    child.on('error', failed);
    child.on('exit', (code) => (code === 0 ? done(JSON.parse(said)) : failed(new Error(`bench ended with ${code}: ${said}`))));
  });
}

/** Notes in the page when the number of its newest row was first painted, in ms since the epoch. */
const notePaints = (page) => page.evaluate(() => {
  const painted = (window.painted = []);
  let newest = 0;
  const { port1, port2 } = new MessageChannel();
  // A message that is sent while a picture is made comes after it.
  port1.onmessage = ({ data }) => painted.push([data, performance.timeOrigin + performance.now()]);
  const look = () => {
    const numbers = [...document.querySelectorAll('.row:not([hidden])')].map((row) => Number(/event=(\d+)/.exec(row.getAttribute('href') ?? '')?.[1] ?? 0));
    const now = Math.max(0, ...numbers);
    if (now > newest) port2.postMessage((newest = now));
    requestAnimationFrame(look);
  };
  look();
});

const now = () => performance.timeOrigin + performance.now();
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

test('load: from a request to its row on the screen, among 1,000 events a second', async ({ page, url, open, mock, program }) => {
  if (mock) return MOCK;
  await send(url, [event(0)]);
  await open();
  await loaded(page);
  await notePaints(page);
  const seconds = LONG ? SECONDS : 3;
  const loading = load(program, url, { rate: 1000, batch: 10, seconds });
  const sent = [];
  for (const end = now() + seconds * 1000; now() < end;) {
    const [name, began] = [`Probe ${sent.length}`, now()];
    await send(url, [{ ...event(1), messageId: name, type: 'track', event: name }]);
    sent.push({ name, began });
    await pause(50);
  }
  const report = await loading;
  const { newest } = await (await fetch(`${url}/__tracklane/events?limit=1`)).json();
  truly(`${newest} events of ${report.events + sent.length + 1}`, newest === report.events + sent.length + 1);
  await until('the newest is painted', () => page.evaluate((last) => window.painted.at(-1)?.[0] === last, newest));
  const painted = await page.evaluate(() => window.painted);
  const numbers = await numbersOf(url);
  const took = sent.map(({ name, began }) => painted.find(([number]) => number >= numbers.get(name))[1] - began);
  truly(`only ${took.length} events`, took.length >= seconds * 5);
  const [half, most] = [percentile(took, 0.5), percentile(took, 0.99)];
  truly(`p50 ${half} ms, p99 ${most} ms`, half <= (LONG ? 50 : 500) && most <= (LONG ? 150 : 2000));
  return { figures: `p50 ${half.toFixed(0)} ms, p99 ${most.toFixed(0)} ms of ${took.length} events in ${seconds} s` };
});

/** The numbers of the probes, by their names. */
async function numbersOf(url) {
  const numbers = new Map();
  for (let before = ''; ;) {
    const { events } = await (await fetch(`${url}/__tracklane/events?q=name:"Probe *"&limit=500${before}`)).json();
    if (events.length === 0) return numbers;
    for (const { name, seq } of events) numbers.set(name, seq);
    before = `&before=${events.at(-1).seq}`;
  }
}

test('load: a steady flood leaves the page quick and small, and loses nothing', async ({ page, url, open, mock, program }) => {
  if (mock) return MOCK;
  await open();
  await send(url, [event(0)]);
  await loaded(page);
  const { seconds, rate } = LONG ? { seconds: SECONDS, rate: 20000 } : { seconds: 3, rate: 1000 };
  let report;
  let peak = 0;
  const longest = await longestTask(page, async () => {
    const loading = load(program, url, { rate, batch: 100, seconds }).then((done) => (report = done));
    while (!report) {
      peak = Math.max(peak, await page.evaluate(() => performance.memory.usedJSHeapSize) / 1e6);
      await Promise.race([loading, pause(1000)]);
    }
  });
  truly(`${report.failed} events failed`, report.failed === 0);
  // A build without optimisation on a busy machine may take longer for the same events.
  truly(`${report.eventsPerSecond} events a second`, !LONG || report.eventsPerSecond >= rate * 0.99);
  const sent = report.events + 1;
  await until('all are counted', async () => (await page.textContent('.foot .sums b')) === new Intl.NumberFormat('en-US').format(sent));
  await until('the newest on top', async () => (await seqs(page))[0] === sent);
  const { received, kept, evicted } = (await (await fetch(`${url}/__tracklane/events?limit=1`)).json()).counters;
  truly(`${received} received, ${kept} kept, ${evicted} evicted`, received === sent && received === kept + evicted);
  const { heap, nodes } = await weigh(page);
  truly(`a task of ${longest} ms`, longest <= 100);
  truly(`${nodes} nodes, ${heap.toFixed(1)} MB`, nodes <= 3000 && heap <= 40);
  return { figures: `${report.eventsPerSecond} events/s for ${seconds} s, ${sent} counted, longest task ${Math.round(longest)} ms, ${nodes} nodes, ${heap.toFixed(1)} MB of heap (${peak.toFixed(1)} before collections)` };
});
