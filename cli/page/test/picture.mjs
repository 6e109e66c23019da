// Takes the README's pictures, docs/images/dev-light.png and dev-dark.png. `node picture.mjs [--server "CMD"]`
//
// Needs pngquant, and the fonts of fonts.conf (Debian: fonts-inter fonts-jetbrains-mono).
import { execFileSync } from 'node:child_process';
import { mkdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { openBrowser, startServer } from './browser.mjs';
import { event, send } from './seed.mjs';

const MOST = 200 * 1024;
const EVENTS = 46;
const OPEN = 42;

const at = process.argv.indexOf('--server');
process.env.FONTCONFIG_FILE = fileURLToPath(new URL('fonts.conf', import.meta.url));
const folder = fileURLToPath(new URL('../../../docs/images/', import.meta.url));
mkdirSync(folder, { recursive: true });

const server = await startServer(at < 0 ? undefined : process.argv[at + 1], '', 8765);
const browser = await openBrowser();
for (let n = 0; n < EVENTS; n += 1) {
  await send(server.url, [event(n)]);
  await new Promise((done) => setTimeout(done, 20 + ((n * 37) % 90)));
}
for (const colorScheme of ['light', 'dark']) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 760 }, deviceScaleFactor: 2, colorScheme, timezoneId: 'UTC' });
  await page.goto(`${server.url}/?event=${OPEN}`);
  await page.waitForSelector('.tree');
  await page.waitForFunction(() => document.querySelector('.foot .version') && document.querySelector('.rate b').textContent === '0');
  const file = `${folder}dev-${colorScheme}.png`;
  await page.screenshot({ path: file });
  execFileSync('pngquant', ['--force', '--strip', '--speed', '1', '--quality', '60-95', '--output', file, '128', file]);
  const { size } = statSync(file);
  console.log(`${file}: ${Math.round(size / 1024)} KB`);
  if (size > MOST) process.exitCode = 1;
  await page.close();
}
await browser.close();
await server.stop();
