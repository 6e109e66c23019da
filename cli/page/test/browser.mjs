// Starts the browser and servers for the tests, and ends them.
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const FLAGS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync',
  '--enable-precise-memory-info',
];

/** The server that is tested if no other is named. */
export const MOCK = `${process.execPath} ${fileURLToPath(new URL('mock.mjs', import.meta.url))} --port {port}`;

/** A browser with an empty profile. */
export const openBrowser = () => chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS });

export async function freePort() {
  const server = createServer();
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

/** Waits until `is` gives something true, and gives that; an error that says `what` after `within` ms. */
export async function until(what, is, within = 10000) {
  const end = Date.now() + within;
  for (;;) {
    const found = await is();
    if (found) return found;
    if (Date.now() > end) throw new Error(`${what}: not within ${within} ms`);
    await new Promise((done) => setTimeout(done, 25));
  }
}

/** A server on a port of its own. `command` has `{port}` in it; `more` is put at its end. */
export async function startServer(command = MOCK, more = '', port = null) {
  port ??= await freePort();
  const [program, ...words] = `${command} ${more}`.trim().replaceAll('{port}', String(port)).split(/\s+/);
  const child = spawn(program, words, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (data) => (said = (said + data).slice(-4000)));
  const ended = new Promise((done) => child.on('exit', done));
  const url = `http://127.0.0.1:${port}`;
  await until(`${program} ${words.join(' ')} answers`, async () => {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}: ${said}`);
    return fetch(`${url}/__tracklane/readyz`).then((answer) => answer.ok, () => false);
  });
  const stop = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  return { url, port, stop };
}
