// How the tests are written: `test(name, run, options)`, and what they say when something is not so.
import { isDeepStrictEqual } from 'node:util';
import { until } from './browser.mjs';

export const tests = [];
export const test = (name, run, options = {}) => tests.push({ name, run, options });

export function same(what, found, wanted) {
  if (!isDeepStrictEqual(found, wanted)) throw new Error(`${what}: found ${JSON.stringify(found)}, wanted ${JSON.stringify(wanted)}`);
}

export function truly(what, found) {
  if (!found) throw new Error(what);
}

/** Waits until the text of the first element is as wanted. */
export async function shows(page, selector, wanted, within = 8000) {
  let found = null;
  await until('', async () => {
    found = await page.evaluate((where) => {
      const node = document.querySelector(where);
      return node && node.checkVisibility() ? node.textContent : null;
    }, selector);
    return wanted instanceof RegExp ? found !== null && wanted.test(found) : found === wanted;
  }, within).catch(() => {
    throw new Error(`${selector} shows ${JSON.stringify(found)}, wanted ${wanted}`);
  });
}

/** The names of the rows in sight, from above. */
export const rowNames = (page) => page.evaluate(() => [...document.querySelectorAll('.row:not([hidden])')]
  .sort((a, b) => a.getBoundingClientRect().top - b.getBoundingClientRect().top).map((row) => row.querySelector('.name').textContent));
