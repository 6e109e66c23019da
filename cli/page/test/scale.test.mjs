// A hundred thousand events cost the browser what fifty cost.
import { until } from './browser.mjs';
import { loaded, longestTask, seqs, weigh } from './measure.mjs';
import { event, send, sendMany } from './seed.mjs';
import { rowNames, same, test, truly } from './suite.mjs';

const MANY = 100000;

const falling = (all) => all.every((seq, at) => at === 0 || seq < all[at - 1]);

test('scale: 100,000 events scroll to both ends, filter, open and back', async ({ page, url, open }) => {
  await sendMany(url, MANY, { size: 1000 });
  await open();
  await loaded(page);
  same('the newest', (await seqs(page))[0], MANY);
  let filtered;
  const longest = await longestTask(page, async () => (filtered = await travel(page, url)));
  const { heap, nodes } = await weigh(page);
  truly(`${nodes} nodes`, nodes <= 3000);
  truly(`${heap.toFixed(1)} MB of heap`, heap <= 40);
  truly(`a task of ${longest} ms`, longest <= 100);
  return { figures: `${nodes} nodes, ${heap.toFixed(1)} MB of heap, longest task ${Math.round(longest)} ms, filter ${filtered} ms with the pause after typing` };
});

async function travel(page, url) {
  await page.focus('.scroller');
  await page.keyboard.press('Shift+G');
  await until('the oldest', async () => (await seqs(page)).at(-1) === 1);
  for (let part = 9; part >= 0; part -= 1) {
    await page.evaluate((share) => { const list = document.querySelector('.scroller'); list.scrollTop = (list.scrollHeight - list.clientHeight) * share; }, part / 10);
    const all = await loaded(page);
    truly(`the rows at ${part}/10 are not neighbours: ${all}`, all.every((seq, at) => at === 0 || seq === all[at - 1] - 1));
  }
  await until('the newest', async () => (await seqs(page))[0] === MANY);
  // By wheel through some thousands, without a gap.
  await page.hover('.scroller');
  for (let n = 0; n < 60; n += 1) {
    await page.mouse.wheel(0, 900);
    await page.waitForTimeout(16);
  }
  const wheeled = await loaded(page);
  truly(`the rows after the wheel are not neighbours: ${wheeled}`, wheeled.every((seq, at) => at === 0 || seq === wheeled[at - 1] - 1));
  const began = Date.now();
  await page.fill('#filter', 'kind:identify');
  await until('the filtered rows', async () => (await rowNames(page)).every((name) => name === '–'));
  const filtered = Date.now() - began;
  const { matched } = await (await fetch(`${url}/__tracklane/events?q=kind:identify&limit=1`)).json();
  const rows = () => page.evaluate(() => Number(document.querySelector('.row:not([hidden])').getAttribute('aria-setsize')));
  await until('the number of matches', async () => (await rows()) === matched);
  await page.focus('.scroller');
  await page.keyboard.press('Shift+G');
  await until('the oldest match', async () => (await seqs(page)).at(-1) === 4);
  for (const share of [0.73, 0.31, 0.5, 0.01, 0]) {
    await page.evaluate((at) => { const list = document.querySelector('.scroller'); list.scrollTop = (list.scrollHeight - list.clientHeight) * at; }, share);
    const all = await loaded(page);
    truly(`the matches at ${share} are not in order: ${all}`, falling(all));
  }
  await page.click('.row:not([hidden])');
  await page.waitForSelector('.tree');
  await page.keyboard.press('Escape');
  await loaded(page);
  return filtered;
}

test('scale: a flood of events leaves the page quick, and loses nothing', async ({ page, url, open, mock }) => {
  await open();
  await send(url, [event(0)]);
  await loaded(page);
  const batches = Array.from({ length: 40 }, (_, batch) => JSON.stringify({ batch: Array.from({ length: 100 }, (_, n) => event(batch * 100 + n)) }));
  let sent = 1;
  const flood = async (end) => {
    while (Date.now() < end) {
      const body = batches[((sent += 100) / 100) % batches.length | 0];
      const answer = await fetch(`${url}/v1/batch`, { method: 'POST', headers: { 'content-type': 'application/json', authorization: 'Basic V1JJVEVfS0VZOg==' }, body });
      await answer.arrayBuffer();
      if (mock) await new Promise((done) => setTimeout(done, 30));
    }
  };
  const longest = await longestTask(page, () => Promise.all([1, 2, 3].map(() => flood(Date.now() + 6000))));
  await until('all are counted', async () => (await page.textContent('.foot .sums b')) === new Intl.NumberFormat('en-US').format(sent));
  await until('the newest on top', async () => (await seqs(page))[0] === sent);
  const { heap, nodes } = await weigh(page);
  truly(`a task of ${longest} ms`, longest <= 100);
  truly(`${nodes} nodes, ${heap.toFixed(1)} MB`, nodes <= 3000 && heap <= 40);
  return { figures: `${Math.round(sent / 6)} events/s, longest task ${Math.round(longest)} ms, ${nodes} nodes, ${heap.toFixed(1)} MB` };
});

test('scale: while the list is held in the middle, new events move nothing', async ({ page, url, open }) => {
  await sendMany(url, 3000);
  await open();
  await loaded(page);
  await page.evaluate(() => { const list = document.querySelector('.scroller'); list.scrollTop = list.scrollHeight / 2; });
  await until('the middle', async () => (await seqs(page))[0] < 2000);
  const before = await loaded(page);
  for (let n = 0; n < 10; n += 1) await send(url, Array.from({ length: 50 }, (_, m) => event(3000 + n * 50 + m)));
  await until('they are counted', async () => (await page.textContent('.pill')) === '500 new events ↑');
  same('rows', await loaded(page), before);
  await page.keyboard.press('g');
  await page.keyboard.press('g');
  await until('the newest', async () => (await seqs(page))[0] === 3500);
});

test('scale: rows that the screen is too high for are fetched', async ({ page, url, open }) => {
  await sendMany(url, 500);
  await open();
  const all = await loaded(page);
  truly(`only ${all.length} rows`, all.length > 90);
  truly('a gap', all.every((seq, at) => seq === 500 - at));
}, { viewport: { width: 1200, height: 3200 } });

test('scale: two million rows, more than an element can be high', async ({ page, open }) => {
  await open();
  const found = await page.evaluate(async () => {
    const { Rows } = await import('/assets/rows.js');
    const list = document.createElement('div');
    const inner = document.createElement('div');
    list.className = 'scroller';
    list.style.cssText = 'height: 600px; width: 400px; overflow: auto; position: fixed; top: 0; left: 0';
    inner.className = 'spacer';
    list.append(inner);
    document.body.append(list);
    const make = () => {
      const node = document.createElement('div');
      node.style.cssText = 'position: absolute; top: 0; height: 32px';
      return { node };
    };
    const rows = new Rows(list, inner, { height: 32, make, paint: (slot, index) => (slot.node.textContent = index) });
    rows.count = 2000000;
    const look = () => {
      rows.render();
      const box = list.getBoundingClientRect();
      return [...inner.children].filter((node) => !node.hidden).map((node) => ({ index: Number(node.textContent), top: Math.round(node.getBoundingClientRect().top - box.top) })).filter(({ top }) => top > -32 && top < 600).sort((a, b) => a.top - b.top);
    };
    const top = look();
    list.scrollTop = inner.offsetHeight;
    const bottom = look();
    rows.reveal(1234567);
    const middle = look();
    return { top, bottom, middle };
  });
  for (const [where, rows] of Object.entries(found)) {
    truly(`${where}: ${JSON.stringify(rows)}`, rows.length >= 18 && rows.every(({ index, top }, at) => at === 0 || (index === rows[at - 1].index + 1 && Math.abs(top - rows[at - 1].top - 32) <= 1)));
  }
  same('the first', found.top[0], { index: 0, top: 0 });
  same('the last', found.bottom.at(-1), { index: 1999999, top: 568 });
  truly(`row 1,234,567 is not in sight: ${JSON.stringify(found.middle)}`, found.middle.some(({ index, top }) => index === 1234567 && top >= -1 && top <= 569));
});

test('speed: from the request to the row on the screen', async ({ page, url, open }) => {
  await send(url, [event(0)]);
  await open();
  await loaded(page);
  const took = [];
  for (let n = 1; n <= 60; n += 1) {
    const began = performance.now();
    const seen = page.waitForFunction((name) => document.querySelector('.row:not([hidden]) .name')?.isConnected && [...document.querySelectorAll('.row:not([hidden]) .name')].some((node) => node.textContent === name), `Event ${n}`, { polling: 'raf' });
    await send(url, [{ ...event(1), type: 'track', event: `Event ${n}` }]);
    await seen;
    took.push(performance.now() - began);
  }
  took.sort((a, b) => a - b);
  const [half, most] = [took[30], took[57]];
  truly(`p50 is ${half} ms`, half <= 100);
  return { figures: `p50 ${Math.round(half)} ms, p95 ${Math.round(most)} ms, with the way through the test` };
});
