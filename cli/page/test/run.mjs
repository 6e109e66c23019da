// Tests the page in a browser. `node run.mjs [--server "CMD --port {port}"] [--only WORD] [--list]`
//
// Without `--server` the page is served by mock.mjs. A server that takes `--plan FILE`, as the tool does, is started
// anew for each test.
import { openBrowser, startServer } from './browser.mjs';
import { tests } from './suite.mjs';
import './feed.test.mjs';
import './screens.test.mjs';
import './journey.test.mjs';
import './hostile.test.mjs';
import './scale.test.mjs';
import './load.test.mjs';

const option = (name) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : process.argv[at + 1];
};
const command = option('server');
const only = option('only') ?? '';
const chosen = tests.filter(({ name }) => name.includes(only));
if (process.argv.includes('--list')) {
  for (const { name } of chosen) console.log(name);
  process.exit(0);
}

const browser = await openBrowser();
let failed = 0;
for (const { name, run, options } of chosen) {
  const began = Date.now();
  const result = await one(run, options).catch((error) => ({ error }));
  const took = `${Date.now() - began} ms`;
  if (result?.error) {
    failed += 1;
    console.log(`FAILED  ${name} (${took})\n        ${String(result.error.stack ?? result.error).replaceAll('\n', '\n        ')}`);
  } else console.log(`${result?.skipped ? 'skipped' : 'ok     '} ${name}${result?.skipped ? `: ${result.skipped}` : ''} (${took})${result?.figures ? `\n        ${result.figures}` : ''}`);
}
await browser.close();
console.log(failed === 0 ? `\n${chosen.length} tests passed` : `\n${failed} of ${chosen.length} tests failed`);
process.exit(failed === 0 ? 0 : 1);

// One test with a server, a context and a page of its own. Whatever it does, no error and no breach of the policy may
// come of it, and no request may go elsewhere.
async function one(run, { more = '', ...contextOptions }) {
  const start = (port) => startServer(command, more, port);
  let server = await start();
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'en-GB', timezoneId: 'UTC', ...contextOptions });
  const wrong = [];
  try {
    await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: server.url });
    await context.exposeFunction('reportBreach', (what) => wrong.push(`breach of the policy: ${what}`));
    await context.addInitScript(() => addEventListener('securitypolicyviolation', (event) => window.reportBreach(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`)));
    context.on('page', (page) => {
      page.on('pageerror', (error) => wrong.push(`error in the page: ${error.stack}`));
      page.on('dialog', (dialog) => wrong.push(`a dialog: ${dialog.message()}`));
      page.on('request', (request) => request.url().startsWith(server.url) || wrong.push(`a request elsewhere: ${request.url()}`));
    });
    const page = await context.newPage();
    const result = await run({
      page, context, url: server.url, open: (address = '/') => page.goto(server.url + address),
      stop: () => server.stop(),
      restart: async () => { server = await start(server.port); },
      restartWith: async (words) => { server = await startServer(command, `${more} ${words}`, server.port); },
      mock: command === undefined, program: command?.split(' ')[0],
    });
    if (wrong.length > 0) throw new Error(wrong.join('\n'));
    return result;
  } finally {
    await context.close();
    await server.stop();
  }
}
