// Each screen shows what the server says, and does what its buttons say.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { until } from './browser.mjs';
import { event, send, sendMany, trace, way } from './seed.mjs';
import { rowNames, same, shows, test, truly } from './suite.mjs';

const order = (n, more = {}) => ({ type: 'track', event: 'Order Completed', messageId: `order-${n}`, userId: '42', properties: { total: 39.95 }, ...more });
const PLAN = fileURLToPath(new URL('plan.json', import.meta.url));
const clipboard = (page) => page.evaluate(() => navigator.clipboard.readText());

test('live: empty it says how to connect, and turns with the first event', async ({ page, url, open }) => {
  await open();
  await shows(page, '.connect h1', 'Send your first event');
  await shows(page, '.waiting', /Waiting for the first event/);
  await send(url, [order(1)]);
  await until('the row', async () => (await rowNames(page)).length === 1);
  same('rows', await rowNames(page), ['Order Completed']);
  await shows(page, '.foot .sums', '1 received=1 kept+0 evicted');
});

test('live: new events come on top, and the counters add up', async ({ page, url, open }) => {
  await sendMany(url, 3);
  await open();
  await until('three rows', async () => (await rowNames(page)).length === 3);
  await send(url, [order(9, { event: 'Newest' })]);
  await until('the newest on top', async () => (await rowNames(page))[0] === 'Newest');
  await shows(page, '.foot .sums', '4 received=4 kept+0 evicted');
});

test('a call without a type that is known has a dash, everywhere', async ({ page, url, open }) => {
  await send(url, [{ userId: '42', messageId: 'n-1' }, { type: 'sale', userId: '42', messageId: 'n-2' }]);
  await open('/?event=1');
  await shows(page, '.pane .kind', '–');
  await until('two rows', async () => (await rowNames(page)).length === 2);
  same('the rows', await page.$$eval('.row:not([hidden]) .kind', (nodes) => nodes.map((node) => node.textContent)), ['–', '–']);
  for (const address of ['/?view=user&id=42', '/?view=findings']) {
    await open(address);
    await shows(page, 'main .kind', '–');
  }
});

test('connect: a wide window shows the code of Rust whole', async ({ page, open }) => {
  await open('/?view=connect');
  await shows(page, '.code-block .code', /build\(\)/);
  same('hidden at the right', await page.$eval('.code-block .code', (node) => node.scrollWidth - node.clientWidth), 0);
});

test('live: the filter is applied while typing, stands in the address, and survives a reload', async ({ page, url, open }) => {
  await send(url, [order(1), order(2, { event: 'Ping' }), order(3, { event: 'Order Cancelled' })]);
  await open();
  await page.fill('#filter', 'name:"Order *"');
  await until('two rows', async () => (await rowNames(page)).length === 2);
  same('rows', await rowNames(page), ['Order Cancelled', 'Order Completed']);
  same('the address', new URL(page.url()).searchParams.get('q'), 'name:"Order *"');
  await send(url, [order(4, { event: 'Ping' }), order(5, { event: 'Order Refunded' })]);
  await until('the new match', async () => (await rowNames(page))[0] === 'Order Refunded');
  await page.reload();
  await until('three rows', async () => (await rowNames(page)).length === 3);
  same('the box', await page.inputValue('#filter'), 'name:"Order *"');
  await page.click('.filter .clear');
  await until('all rows', async () => (await rowNames(page)).length === 5);
});

test('live: a filter that cannot be read says so, and keeps the rows', async ({ page, url, open }) => {
  await sendMany(url, 3);
  await open();
  await until('rows', async () => (await rowNames(page)).length === 3);
  await page.fill('#filter', 'name:"Order');
  await page.waitForSelector('.filter-error:not([hidden])');
  same('the place', await page.textContent('.filter-error mark'), '"Order');
  same('the box is marked', await page.getAttribute('#filter', 'aria-invalid'), 'true');
  same('rows', (await rowNames(page)).length, 3);
  await page.fill('#filter', 'kind:track');
  await page.waitForSelector('.filter-error', { state: 'hidden' });
});

test('live: a bad filter in the address says so, and shows everything', async ({ page, url, open }) => {
  await sendMany(url, 3);
  await open(`/?q=${encodeURIComponent('name:"')}`);
  await page.waitForSelector('.filter-error:not([hidden])');
  await until('rows', async () => (await rowNames(page)).length === 3);
});

test('live: nothing that matches is said, with a way out', async ({ page, url, open }) => {
  await sendMany(url, 3);
  await open('/?q=name:Nobody');
  await shows(page, '.empty h2', 'No event matches');
  await page.click('.empty button');
  await until('all rows', async () => (await rowNames(page)).length === 3);
});

test('live: held it stands still and counts, following it moves', async ({ page, url, open }) => {
  await sendMany(url, 5);
  await open();
  await until('rows', async () => (await rowNames(page)).length === 5);
  await page.click('.follow');
  await shows(page, '.follow', 'Paused');
  await send(url, [order(1, { event: 'While held' }), order(2, { event: 'While held' })]);
  await shows(page, '.pill', '2 new events ↑');
  truly('a held list moved', !(await rowNames(page)).includes('While held'));
  await page.click('.pill');
  await until('the new rows', async () => (await rowNames(page))[0] === 'While held');
  await shows(page, '.follow', 'Following');
});

test('live: one of several write keys is chosen', async ({ page, url, open }) => {
  await send(url, [order(1, { event: 'Of A' })], 'KEY_A');
  await send(url, [order(2, { event: 'Of B' })], 'KEY_B');
  await open();
  await until('rows', async () => (await rowNames(page)).length === 2);
  await page.waitForSelector('select.keys:not([hidden])');
  await page.selectOption('select.keys', 'KEY_A');
  await until('the rows of one key', async () => (await rowNames(page)).join() === 'Of A');
  await page.selectOption('select.keys', '');
  await until('all rows', async () => (await rowNames(page)).length === 2);
});

test('live: what matches is removed only when asked twice', async ({ page, url, open }) => {
  await send(url, [order(1), order(2, { event: 'Ping' })]);
  await open('/?q=name:Ping');
  await until('the row', async () => (await rowNames(page)).length === 1);
  await page.click('.bar .quiet');
  await shows(page, '.bar .sure', 'Remove 1 that match?');
  await page.click('.bar .sure');
  await shows(page, '.empty h2', 'No event matches');
  await page.click('.empty button');
  await until('the other row', async () => (await rowNames(page)).join() === 'Order Completed');
});

test('event: opens beside the list, and shows the value, the request and the bytes', async ({ page, url, open }) => {
  const sent = order(1, { properties: { total: 39.95, note: null, nested: { deep: [1, 'two', false] } } });
  await send(url, [sent]);
  await open();
  await page.click('.row');
  await shows(page, '.pane h2', 'Order Completed');
  truly('the list is hidden on a wide screen', await page.isVisible('.scroller'));
  const tree = await page.textContent('.tree');
  for (const part of ['total39.95', 'notenull', 'deep[3]', '"two"', 'false']) truly(`the tree lacks ${part}: ${tree}`, tree.includes(part));
  await page.click('#tab-request');
  await shows(page, '.request-line', /POST \/v1\/batch/);
  truly('the key is shown', !(await page.textContent('.headers')).includes(Buffer.from('WRITE_KEY:').toString('base64')));
  await page.click('#tab-raw');
  await shows(page, '.raw pre', JSON.stringify(sent));
  same('the address', new URL(page.url()).search, '?event=1&tab=raw');
  await page.click('[aria-label="Close"]');
  same('the address', new URL(page.url()).search, '');
});

test('event: what is wrong stands at the value, with how to mend it', async ({ page, url, open }) => {
  await send(url, [order(1, { properties: { total: '12' } })]);
  await open('/?event=1');
  await shows(page, '.tree .note', /total/);
  await page.click('#tab-findings');
  await shows(page, '.findings li', /number-as-text/);
  truly('no fix is shown', (await page.textContent('.findings .fix')).length > 5);
});

test('event: a value becomes a term of the filter', async ({ page, url, open }) => {
  await send(url, [order(1), order(2, { properties: { total: 7 } })]);
  await open('/?event=1');
  await page.hover('.tree li:has(> .key:text-is("total"))');
  await page.click('[aria-label="Filter by properties.total"]');
  await until('one row', async () => (await rowNames(page)).length === 1);
  same('the filter', await page.inputValue('#filter'), 'properties.total:39.95');
});

test('event: one that is gone says so, and one that never was', async ({ page, url, open, stop, restartWith, mock }) => {
  await open('/?event=99');
  await shows(page, '.pane h3', 'There is no such event');
  if (mock) return;
  await stop();
  await restartWith('--keep 1MB');
  await sendMany(url, 8000);
  await open('/?event=1');
  await shows(page, '.pane h3', 'This event is no longer kept');
});

test('event: the path shows what each plugin did, and each attempt', async ({ page, url, open }) => {
  await send(url, [event(0), event(1), event(4)]);
  if (!(await trace(url, [['message-1', way(1)], ['message-4', way(4)]]))) return { skipped: 'this server takes no traces' };
  await open('/?event=2&tab=path');
  await page.waitForSelector('.way');
  same('plugins', await page.$$eval('.stop b', (all) => all.map((one) => one.textContent)), ['Call', 'consent', 'redact', 'geo-ip', 'lower-case']);
  const patch = await page.$$eval('.patch li', (all) => all.map((one) => one.textContent));
  same('changes', patch, ['−removedcontext.ip "203.0.113.7"', '+addedcontext.location {"city":"Zürich","country":"CH"}', '~changedproperties.currency "eur" → "EUR"']);
  same('durations', await page.$$eval('.stop .took', (all) => all.map((one) => one.textContent)), ['0.4 µs', '1.8 µs', '31 µs', '0.2 µs']);
  same('lanes', await page.$$eval('.lane-head', (all) => all.map((one) => one.textContent)), ['Segment.iodelivered', 'Audit logdelivered']);
  same('attempts', await page.$$eval('.lane:first-child .attempts li', (all) => all.map((one) => one.children[1].textContent)), ['503', 'connection reset', '200']);
  await page.goto(`${url}/?event=3&tab=path`);
  await shows(page, '.stop.end', /Droppedconsent/);
  await shows(page, '.stop.is-dropped .reason', 'the user has not agreed to analytics');
  await page.goto(`${url}/?event=1&tab=path`);
  await shows(page, '.part h3', 'No path is known');
});

test('event: a running client shows its attempts on the page', async ({ page, url, open, program }) => {
  if (!program) return { skipped: 'there is no client beside the mock server' };
  await fetch(`${url}/__tracklane/faults/once`, { method: 'PUT', body: JSON.stringify({ fault: { type: 'status', status: 503 }, count: 1 }) });
  const words = ['send', 'track', '--event', 'Order Completed', '--user-id', '42', '--host', url, '--write-key', 'K'];
  const client = spawn(program, words, { env: { ...process.env, TRACKLANE_INSPECTOR: url }, stdio: 'ignore' });
  same('the client ends with', await new Promise((done) => client.on('exit', done)), 0);
  await open('/?event=2&tab=path');
  await page.waitForSelector('.attempts');
  same('attempts', await page.$$eval('.attempts li', (all) => all.map((one) => one.children[1].textContent)), ['503', '200']);
  await shows(page, '.lane-head', 'Segment.iodelivered');
  await shows(page, '.row .path', /^delivered/);
});

test('event: one that a plugin dropped is in the list though it never arrived, and what follows an attempt is said', async ({ page, url, open, mock }) => {
  if (mock) return { skipped: 'the mock server keeps what arrived' };
  const dropped = { messageId: 'm-1', outcome: 'dropped', reason: 'consent: not agreed', event: { type: 'track', event: 'Forbidden', userId: '42', messageId: 'm-1' },
    steps: [{ plugin: 'consent', stage: 'before', us: 3, outcome: 'dropped', reason: 'not agreed', patch: [] }] };
  const attempts = [{ n: 1, at: '2026-01-01T00:00:00.000Z', ms: 2, status: 503, verdict: 'retry', error: null, againInMs: 1500 }, { n: 2, at: '2026-01-01T00:00:01.500Z', ms: 3, status: null, verdict: 'delivered', error: null, againInMs: null }];
  const elsewhere = { messageId: 'm-2', event: { type: 'page', name: 'Home', userId: '42', messageId: 'm-2' }, destinations: [{ name: 'Warehouse', outcome: 'delivered', attempts }] };
  await fetch(`${url}/__tracklane/trace`, { method: 'POST', body: JSON.stringify({ traces: [dropped, elsewhere], missed: 4 }) });
  await open('/?event=1&tab=path');
  await shows(page, '.stop.is-dropped .reason', 'not agreed');
  await shows(page, '.stop.end', /Droppedconsent: not agreed/);
  same('rows', await rowNames(page), ['Home', 'Forbidden']);
  same('paths', await page.$$eval('.row:not([hidden]) .path', (all) => all.map((one) => one.textContent).sort()), ['delivered · 5 ms', 'dropped: consent: not agreed']);
  await shows(page, '.foot', /4 untold/);
  await page.goto(`${url}/?event=2&tab=path`);
  await page.waitForSelector('.attempts');
  same('attempts', await page.$$eval('.attempts li', (all) => all.map((one) => [...one.children].slice(1, 3).map((part) => part.textContent).join(' '))), ['503 again in 1.5 s', 'delivered +1.5 s']);
  await page.goto(`${url}/?event=2&tab=request`);
  await shows(page, '.part h3', 'It did not arrive here');
});

test('event: a path that is told later appears at once', async ({ page, url, open }) => {
  await send(url, [event(1)]);
  await open('/?event=1&tab=path');
  await shows(page, '.part h3', 'No path is known');
  if (!(await trace(url, [['message-1', way(1)]]))) return { skipped: 'this server takes no traces' };
  await page.waitForSelector('.way');
  await shows(page, '.row .path', /delivered ×2/);
});

test('event: is copied as Rust, JS, curl and expect, by button and by key', async ({ page, url, open }) => {
  await send(url, [order(1)]);
  await open('/?event=1');
  for (const [label, form, key] of [['Rust', 'rust', 'r'], ['JS', 'js', 'j'], ['curl', 'curl', 'c'], ['expect', 'expect', 'e']]) {
    const wanted = await (await fetch(`${url}/__tracklane/events/1/as/${form}`)).text();
    await page.click(`.copies button:text-is("${label}")`);
    await until(`the clipboard has ${form}`, async () => (await clipboard(page)) === wanted);
    await page.evaluate(() => navigator.clipboard.writeText(''));
    await page.focus('.scroller');
    await page.keyboard.press('c');
    await page.keyboard.press(key);
    await until(`the clipboard has ${form} by key`, async () => (await clipboard(page)) === wanted);
  }
  await shows(page, '#toast', 'Copied as expect');
});

test('findings: are grouped, newest counts come by themselves, and lead to the events', async ({ page, url, open }) => {
  const bad = (n) => order(n, { properties: { total: '12' } });
  await send(url, [bad(1), bad(2), order(3)]);
  await open('/?view=findings');
  await shows(page, '.finding-card .many', '2 events');
  await send(url, [bad(4)]);
  await shows(page, '.finding-card .many', '3 events');
  await page.click('.finding-card .subject a');
  await until('the three rows', async () => (await rowNames(page)).length === 3);
  truly('the filter lacks the rule', (await page.inputValue('#filter')).includes('rule:number-as-text'));
  const { counters } = await (await fetch(`${url}/__tracklane/events?limit=1`)).json();
  await shows(page, '[data-view="findings"] .badge', `${counters.findings} findings`);
});

test('user: events in their order, with the ids that were joined', async ({ page, url, open }) => {
  await send(url, [
    { type: 'page', name: 'Home', messageId: 'a', anonymousId: 'anon-1' }, { type: 'identify', messageId: 'b', anonymousId: 'anon-1', userId: '42', traits: {} },
    order(1), order(2, { userId: 'other' }),
  ]);
  await open('/?view=user');
  await page.fill('#user-id', '42');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.story li');
  same('the story', await page.$$eval('.story .name', (all) => all.map((one) => one.textContent)), ['Home', '–', 'Order Completed']);
  await shows(page, '.chip', 'anon-1');
  same('joins', await page.$$eval('.story li', (all) => all.map((one) => one.querySelector('.join')?.textContent ?? '')), ['', 'joins anon-1 and 42', '']);
  await page.click('.story li:last-child a');
  await shows(page, '.pane h2', 'Order Completed');
});

test('faults: one is set from the form, strikes, counts and is removed', async ({ page, url, open }) => {
  await open('/?view=faults');
  await shows(page, '.none-yet', /None is set/);
  await page.fill('#fault-name', 'always-503');
  await page.fill('#fault-retry-after', '1');
  await page.selectOption('#fault-kind', 'track');
  await page.click('.fault-form .main');
  await shows(page, '.fault code', '503, Retry-After 1');
  same('the answer', (await send(url, [order(1)])).status, 503);
  await shows(page, '.hits', '1 hit');
  await shows(page, '[data-view="faults"] .badge', /^1/);
  await page.click('.ready button:has-text("Two seconds late")');
  same('what happens', await page.inputValue('#fault-type'), 'delay');
  truly('the status is still asked for', !(await page.isVisible('#fault-status')));
  await page.click('.fault button');
  await shows(page, '.none-yet', /None is set/);
  same('the answer', (await send(url, [order(2)])).status, 200);
});

test('faults: what the server refuses is said, in its words', async ({ page, url, open }) => {
  await page.route(`${url}/__tracklane/faults/*`, (route) => route.fulfill({ status: 400, json: { error: 'status is 42; it must be from 100 to 599.' } }));
  await open('/?view=faults');
  await page.click('.fault-form .main');
  await shows(page, '.screen > .bad', 'status is 42; it must be from 100 to 599.');
  await page.unroute(`${url}/__tracklane/faults/*`);
  await page.click('.fault-form .main');
  await page.waitForSelector('.fault');
  truly('the refusal still stands there', !(await page.isVisible('.screen > .bad')));
});

test('connect: a snippet for each SDK with this address, which is copied', async ({ page, url, open }) => {
  await open('/?view=connect');
  await page.waitForSelector('.snippets [role=tab]');
  const tabs = await page.$$('.snippets [role=tab]');
  truly('fewer than four SDKs', tabs.length >= 4);
  for (let at = 0; at < tabs.length; at += 1) {
    await page.click(`#sdk-${at}`);
    const code = await page.textContent('.snippets .code');
    truly(`the code lacks the port: ${code}`, code.includes(new URL(url).port));
  }
  await page.click('.code-block .copy');
  await until('the clipboard', async () => (await clipboard(page)) === (await page.textContent('.snippets .code')));
  await shows(page, '.waiting', /Waiting for the first event/);
  await send(url, [order(1)]);
  await shows(page, '.waiting', /The first event is here: track Order Completed/);
});

test('plan: seen, never seen and unknown events', async ({ page, url, open }) => {
  await send(url, [order(1), order(2, { event: 'Surprise' })]);
  await open();
  await page.click('[data-view="plan"]');
  await page.waitForSelector('.planned');
  same('parts', await page.$$eval('.plan h2', (all) => all.map((one) => one.textContent)), ['Seen 1', 'Never seen 3', 'Not in the plan 1']);
  await page.click('.planned a:has-text("Surprise")');
  await until('its row', async () => (await rowNames(page)).join() === 'Surprise');
}, { more: `--plan ${PLAN}` });

test('plan: without one there is no such screen in the bar', async ({ page, open }) => {
  await open('/?view=plan');
  await shows(page, '.nothing h2', 'No plan is given');
  truly('the bar has Plan', (await page.$('[data-view="plan"]')) === null);
});

test('breaks: a killed server is shown, and its successor is found and read anew', async ({ page, url, open, stop, restart }) => {
  await sendMany(url, 5);
  await open();
  await until('rows', async () => (await rowNames(page)).length === 5);
  await stop();
  await shows(page, '#broken', /Not connected/);
  await shows(page, '.foot .link', 'disconnected');
  same('rows that were there', (await rowNames(page)).length, 5);
  await restart();
  await page.waitForSelector('#broken', { state: 'hidden' });
  await shows(page, '.connect h1', 'Send your first event');
  await send(url, [order(1, { event: 'After' })]);
  await until('the new row', async () => (await rowNames(page)).join() === 'After');
});

test('breaks: a server of another version reloads the page, once', async ({ page, url, open, stop, restartWith, mock }) => {
  if (!mock) return { skipped: 'only the mock can say that it is of another version' };
  await send(url, [order(1)]);
  await open();
  await until('rows', async () => (await rowNames(page)).length === 1);
  await page.evaluate(() => (window.old = true));
  await stop();
  await restartWith('--version 9.9.9');
  await until('the page is new', async () => page.evaluate(() => window.old !== true).catch(() => false));
  await shows(page, '.foot .version', '9.9.9');
  await page.evaluate(() => (window.old = true));
  await new Promise((done) => setTimeout(done, 800));
  truly('it is loaded again and again', await page.evaluate(() => window.old === true));
  return undefined;
});

test('evicted events: the list ends where what is kept ends', async ({ page, url, open }) => {
  await sendMany(url, 3000);
  await open();
  await until('counters', async () => /evicted/.test(await page.textContent('.foot .sums')));
  await page.focus('.scroller');
  await page.keyboard.press('Shift+G');
  const { oldest } = await (await fetch(`${url}/__tracklane/events?limit=1`)).json();
  truly('nothing was evicted', oldest > 1);
  await until('the oldest row', async () => page.evaluate((seq) => [...document.querySelectorAll('.row:not([hidden])')].some((row) => row.getAttribute('href') === `/?event=${seq}`), oldest));
}, { more: '--keep 400000' });
