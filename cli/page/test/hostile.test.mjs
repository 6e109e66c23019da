// Whatever an event holds is text, and stays where it stands.
import { until } from './browser.mjs';
import { send, trace } from './seed.mjs';
import { rowNames, same, shows, test, truly } from './suite.mjs';

const NAMES = [
  '<img src=x onerror="alert(1)">', '<script>alert(1)</script>', '"><svg onload=alert(1)>', 'javascript:alert(1)', '${alert(1)}', '{{constructor}}',
  '\u202egnirts desrever\u202c', '\u2066isolated\u2069 \u200f\u061c', 'مرحبا بالعالم', 'line\nbreak\ttab\u0000nul\u0007bell', '\ud83d', 'x\udc00y', '👨‍👩‍👧‍👦 family', 'a'.repeat(5000), '__proto__', 'constructor', ' ', '&lt;b&gt;&amp;', '%s%n%00',
];
// The tool takes bodies of up to 4 MiB.
const NEARLY = 4000000;

// What Segment would refuse is kept all the same.
const isKept = async (url) => (await (await fetch(`${url}/__tracklane/events?limit=1`)).json()).events.length === 1;

// Without loading the page anew, as a link in it does.
const visit = (page, address) => page.evaluate((to) => {
  history.pushState(null, '', to);
  dispatchEvent(new PopStateEvent('popstate'));
}, address);
const track = (name, n, more) => ({ type: 'track', event: name, messageId: `hostile-${n}`, userId: name.slice(0, 100), properties: { [name.slice(0, 50)]: name, __proto__: { x: 1 } }, ...more });

test('hostile: names, ids, keys and values are only text', async ({ page, url, open }) => {
  await send(url, NAMES.map((name, n) => track(name, n)));
  await open();
  await until('rows', async () => (await rowNames(page)).length >= NAMES.length);
  const before = await page.evaluate(() => document.querySelectorAll('img, script, iframe, object, embed').length);
  for (let seq = 1; seq <= NAMES.length; seq += 1) {
    for (const tab of ['', '&tab=findings', '&tab=request', '&tab=raw']) {
      await visit(page, `/?event=${seq}${tab}`);
      await page.waitForFunction((n) => document.querySelector('.facts')?.textContent.endsWith(`#${n}`), seq);
      await page.waitForSelector('.part');
      same(`foreign elements at ${seq}${tab}`, await page.evaluate(() => document.querySelectorAll('main img, main script, main iframe, main object, main style, main b > *').length), 0);
    }
    const id = encodeURIComponent(NAMES[seq - 1].slice(0, 100).toWellFormed());
    await visit(page, `/?view=user&id=${id}`);
    await page.waitForSelector('.screen h1');
  }
  await open('/?view=findings');
  await page.waitForSelector('.screen h1');
  truly('the page has new scripts', before <= 2);
});

test('hostile: what reorders or hides text is shown as an escape, and the row keeps its order', async ({ page, url, open }) => {
  await send(url, [track('\u202egnirts', 1), track('line\nbreak\u0000', 2), track('مرحبا', 3), track('👨‍👩‍👧‍👦', 4), track('\ud83d', 5)]);
  await open();
  await until('rows', async () => (await rowNames(page)).length === 5);
  const [half, family, arabic, lines, turned] = await rowNames(page);
  same('a reversing mark', turned, '\\u202egnirts');
  same('a line break and a nul', lines, 'line\\nbreak\\u0000');
  same('a language from right to left', arabic, 'مرحبا');
  same('joined emoji', family, '👨‍👩‍👧‍👦');
  truly(`half of a pair is shown as ${JSON.stringify(half)}`, ['\\ud83d', '\ufffd', '–'].includes(half));
  const left = await page.$$eval('.row:not([hidden])', (rows) => rows.map((row) => [...row.children].map((cell) => Math.round(cell.getBoundingClientRect().left)).join()));
  same('columns stand below each other', new Set(left).size, 1);
});

test('hostile: words of an event choose no style of the page', async ({ page, url, open }) => {
  const kinds = ['track', 'identify', 'page', 'screen', 'group', 'alias', 'pane', 'row chosen', 'hidden unseen'];
  await send(url, kinds.map((type, n) => ({ type, event: 'E', name: 'E', groupId: 'g', previousId: 'p', userId: '1', messageId: `kind-${n}`, traits: {}, properties: {} })));
  const { matched } = await (await fetch(`${url}/__tracklane/events`)).json();
  await trace(url, [['kind-0', { steps: [{ stage: 'before', plugin: 'p', us: 1, outcome: 'pane', reason: null, patch: [{ op: 'unseen', path: '/a', value: 1 }] }], destinations: [{ name: 'd', outcome: 'unseen', attempts: [] }], outcome: 'toast', reason: null }]]);
  await open();
  await until('rows', async () => (await rowNames(page)).length === matched);
  const boxes = await page.$$eval('.row:not([hidden])', (rows) => rows.map((row) => [...row.children].map((cell) => Math.round(cell.getBoundingClientRect().left)).join()));
  const kind = await page.$$eval('.row:not([hidden]) .kind', (cells) => cells.map((cell) => getComputedStyle(cell).padding + getComputedStyle(cell).position + getComputedStyle(cell).clipPath));
  same('places of cells', new Set(boxes).size, 1);
  same('styles of the kind', new Set(kind).size, 1);
  await open('/?event=1&tab=path');
  await page.waitForSelector('.stop');
  for (const where of ['.stop:nth-child(2)', '.lane']) {
    await page.waitForSelector(where);
    // In one step: the page may draw it anew at any time.
    truly(`${where} cannot be seen`, (await page.$eval(where, (element) => element.getBoundingClientRect().height)) > 20);
  }
});

test('hostile: an event of almost 4 MiB is listed, opened, and leaves the page usable', async ({ page, url, open }) => {
  const huge = 'x'.repeat(NEARLY);
  const { status } = await send(url, [{ type: 'track', event: 'Huge', messageId: 'huge', userId: '1', properties: { huge, many: Array.from({ length: 20000 }, (_, n) => n), deep: JSON.parse('['.repeat(60) + ']'.repeat(60)) } }]);
  if (!(await isKept(url))) return { skipped: `the server keeps no such event: ${status}` };
  await open('/');
  await until('the row', async () => (await rowNames(page)).join() === 'Huge');
  const began = Date.now();
  await page.click('.row');
  await page.waitForSelector('.tree');
  const took = Date.now() - began;
  truly(`it took ${took} ms to open`, took < 2000);
  const nodes = () => page.evaluate(() => document.querySelectorAll('*').length);
  truly(`${await nodes()} elements`, (await nodes()) < 3000);
  await page.click('.tree .more');
  await page.waitForSelector('.tree .long');
  await page.click('#tab-raw');
  await shows(page, '.raw .more', /characters are left/);
  truly(`${await nodes()} elements`, (await nodes()) < 3000);
  await page.keyboard.press('Escape');
  await page.waitForSelector('.pane', { state: 'hidden' });
  return { figures: `opened in ${took} ms` };
});

test('hostile: a name of almost 4 MiB', async ({ page, url, open }) => {
  const { status } = await send(url, [{ type: 'track', event: `Long ${'n'.repeat(NEARLY)}`, messageId: 'long', userId: '1' }]);
  if (!(await isKept(url))) return { skipped: `the server keeps no such event: ${status}` };
  await open('/');
  await until('the row', async () => (await rowNames(page)).length === 1);
  truly('the row holds all of it', (await rowNames(page))[0].length < 400);
  await page.click('.row');
  await page.waitForSelector('.tree');
  truly('the heading holds all of it', (await page.textContent('.pane h2')).length < 500);
  return undefined;
});

test('hostile: strange addresses show a screen', async ({ page, url, open }) => {
  await send(url, [track('x', 1)]);
  for (const address of ['/?view=__proto__', '/?view=constructor', '/?event=-1', '/?event=1e9', '/?event=abc&tab=__proto__', '/?tab=constructor&event=1', '/?q=%F0%9F%98%80', '/?view=user&id=%3Cb%3E', '/?event=1&event=2', '/?view=connect&sdk=%22']) {
    await open(address);
    await page.waitForFunction(() => document.querySelector('main').childElementCount > 0);
  }
});
