// Everybody can use it: by keyboard alone, with a screen reader, on a narrow screen, in both themes.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { until } from './browser.mjs';
import { event, send, sendMany, trace, way } from './seed.mjs';
import { rowNames, same, shows, test, truly } from './suite.mjs';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const PLAN = fileURLToPath(new URL('plan.json', import.meta.url));
const SCREENS = ['/', '/?q=name:Nobody', '/?event=30', '/?event=30&tab=path', '/?event=10&tab=findings', '/?event=30&tab=request', '/?event=30&tab=raw', '/?view=findings', '/?view=user&id=1004', '/?view=faults', '/?view=plan', '/?view=connect'];

const filled = async (url) => {
  await sendMany(url, 60);
  await trace(url, Array.from({ length: 60 }, (_, n) => [`message-${n}`, way(n)]));
  await fetch(`${url}/__tracklane/faults/half-503`, { method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ probability: 0.5, fault: { type: 'status', status: 503 } }) });
};
const settled = (page) => page.waitForFunction(() => document.querySelector('main').childElementCount > 0 && document.querySelector('.foot .version') && !document.querySelector('[aria-busy]'));

async function accessible(page, where) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  const told = violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map((node) => `${node.html.slice(0, 160)} ${node.any[0]?.message ?? ''}`).join(' | ')}`);
  truly(`axe on ${where}:\n${told.join('\n')}`, told.length === 0);
}

for (const colorScheme of ['light', 'dark']) {
  for (const [label, viewport] of [['wide', { width: 1440, height: 900 }], ['narrow', { width: 320, height: 640 }]]) {
    test(`access: axe finds nothing, and nothing is cut off, ${colorScheme} and ${label}`, async ({ page, url, open }) => {
      await open();
      await shows(page, '.connect h1', 'Send your first event');
      await page.waitForSelector('.snippets .code');
      await accessible(page, 'the empty page');
      await filled(url);
      for (const address of SCREENS) {
        await open(address);
        await settled(page);
        await page.waitForTimeout(120);
        await accessible(page, address);
        const [wide, room] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
        truly(`${address} is ${wide} px wide in a window of ${room} px`, wide <= room);
      }
      await page.keyboard.press('?');
      await page.waitForSelector('dialog[open]');
      await accessible(page, 'the sheet of keys');
    }, { colorScheme, viewport, more: `--plan ${PLAN}` });
  }
}

test('access: the filter’s examples fit into a narrow window', async ({ page, url, open }) => {
  await sendMany(url, 3);
  await open();
  await page.click('#filter');
  await page.waitForSelector('.hints', { state: 'visible' });
  const box = await (await page.$('.hints')).boundingBox();
  truly(`the examples end at ${box.x + box.width} px`, box.x >= 0 && box.x + box.width <= 320);
}, { viewport: { width: 320, height: 640 } });

test('theme: as the system, then light, then dark, and it is remembered', async ({ page, url, open }) => {
  await sendMany(url, 3);
  await open();
  const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await paper();
  await page.keyboard.press('t');
  const light = await paper();
  truly(`light and dark are both ${dark}`, light !== dark);
  await page.reload();
  same('after a reload', await paper(), light);
  await page.click('#theme');
  same('dark', await paper(), dark);
  same('the focus', await page.evaluate(() => document.activeElement.id), 'theme');
}, { colorScheme: 'dark' });

test('keyboard: connect, event, path and copy without a mouse', async ({ page, context, url, open }) => {
  await open();
  const press = async (...keys) => { for (const key of keys) await page.keyboard.press(key); };
  await press('g', 'c');
  await shows(page, '.screen .connect h1', 'Send your first event');
  await sendMany(url, 20);
  await trace(url, [['message-17', way(17)]]);
  await press('g', 'l');
  await until('rows', async () => (await rowNames(page)).length === 20);
  await press('/');
  same('the focus', await page.evaluate(() => document.activeElement.id), 'filter');
  await page.keyboard.type('kind:track');
  await press('Enter');
  await until('only tracks', async () => !(await rowNames(page)).includes('–'));
  await press('j', 'j');
  await until('a row is chosen', () => page.evaluate(() => document.getElementById(document.querySelector('.scroller').getAttribute('aria-activedescendant'))?.getAttribute('href')?.includes('event=')));
  await press('Enter');
  await page.waitForSelector('.tree');
  const first = await page.textContent('.facts');
  await press('j');
  await until('the next event', async () => (await page.textContent('.facts')) !== first);
  await press('k');
  await until('the first again', async () => (await page.textContent('.facts')) === first);
  await press('2');
  same('the tab', await page.getAttribute('#tab-path', 'aria-selected'), 'true');
  await press('c', 'c');
  await shows(page, '#toast', 'Copied as curl');
  await press('5');
  await shows(page, '.raw pre', /messageId/);
  await press('Escape');
  await page.waitForSelector('.pane', { state: 'hidden' });
  await press('?');
  await page.waitForSelector('dialog[open]');
  await press('Escape');
  await page.waitForSelector('dialog[open]', { state: 'detached' });
  for (const [key, heading] of [['f', 'Findings'], ['u', 'User'], ['x', 'Faults']]) {
    await page.evaluate(() => document.activeElement.blur());
    await press('g', key);
    await shows(page, '.screen h1', heading);
  }
  void context;
});

test('keyboard: each place that Tab reaches can be seen, and none is a trap', async ({ page, url, open }) => {
  await sendMany(url, 5);
  await open('/?event=2');
  await page.waitForSelector('.tree');
  const seen = new Set();
  for (let n = 0; n < 80; n += 1) {
    await page.keyboard.press('Tab');
    const at = await page.evaluate(() => {
      const node = document.activeElement;
      if (node === document.body) return null;
      const style = getComputedStyle(node);
      return { name: node.id || node.className || node.textContent.slice(0, 20), ring: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0 };
    });
    if (at === null) break;
    truly(`${at.name} has the focus and does not show it`, at.ring);
    seen.add(at.name);
  }
  for (const name of ['filter', 'list', 'tab-event', 'part', 'theme']) truly(`Tab does not reach ${name}: ${[...seen]}`, seen.has(name));
});

test('keyboard: history goes back from the event to the list', async ({ page, url, open }) => {
  await sendMany(url, 5);
  await open();
  await page.click('.row');
  await page.waitForSelector('.tree');
  await page.goBack();
  await page.waitForSelector('.pane', { state: 'hidden' });
  await page.goForward();
  await page.waitForSelector('.tree');
});

test('access: the live region says counts, at most each two seconds', async ({ page, url, open }) => {
  await send(url, [event(0)]);
  await open();
  await page.evaluate(() => {
    window.times = [];
    new MutationObserver(() => window.times.push(performance.now())).observe(document.getElementById('said'), { childList: true, characterData: true, subtree: true });
  });
  const end = Date.now() + 5500;
  for (let n = 1; Date.now() < end; n += 1) {
    await send(url, [event(n)]);
    await new Promise((done) => setTimeout(done, 30));
  }
  const times = await page.evaluate(() => window.times);
  truly(`it spoke ${times.length} times in 5.5 s`, times.length >= 1 && times.length <= 3);
  for (let n = 1; n < times.length; n += 1) truly(`it spoke again after ${times[n] - times[n - 1]} ms`, times[n] - times[n - 1] > 1800);
  truly('it says no counts', /^[\d,]+ events received/.test(await page.textContent('#said')));
});

test('access: nothing moves for those who do not want it', async ({ page, open }) => {
  await open();
  await page.waitForSelector('.waiting .lamp');
  same('running animations', await page.evaluate(() => document.getAnimations().length), 0);
}, { reducedMotion: 'reduce' });
