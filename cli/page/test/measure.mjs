// What the tests of speed and size measure.
import { until } from './browser.mjs';
import { truly } from './suite.mjs';

/** The page's elements, and its heap after a collection, in MB. */
export async function weigh(page) {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('HeapProfiler.enable');
  await cdp.send('HeapProfiler.collectGarbage');
  const { usedSize } = await cdp.send('Runtime.getHeapUsage');
  const { nodes } = await cdp.send('Memory.getDOMCounters');
  await cdp.detach();
  return { heap: usedSize / 1e6, nodes };
}

/**
 * The longest task of the page, in ms of processor time of its main thread: what a task waits for while other programs
 * have the processor is not the page's.
 */
export async function longestTask(page, work) {
  const browser = page.context().browser();
  await browser.startTracing(page, { categories: ['toplevel', '__metadata'] });
  let trace;
  try {
    await work();
  } finally {
    trace = JSON.parse(await browser.stopTracing());
  }
  const mains = new Set(trace.traceEvents.filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain').map(({ pid, tid }) => `${pid} ${tid}`));
  const tasks = trace.traceEvents.filter(({ pid, tid, name, tdur }) => tdur !== undefined && name.endsWith('RunTask') && mains.has(`${pid} ${tid}`));
  truly('the trace has no tasks', tasks.length > 0);
  return Math.max(...tasks.map(({ tdur }) => tdur)) / 1000;
}

/** The numbers of the events in sight, from above. */
export const seqs = (page) => page.evaluate(() => [...document.querySelectorAll('.row:not([hidden])')].sort((a, b) => a.getBoundingClientRect().top - b.getBoundingClientRect().top).map((row) => Number(/event=(\d+)/.exec(row.getAttribute('href') ?? '')?.[1] ?? 0)));
/** The same, once all rows are filled. */
export const loaded = async (page) => until('all rows are filled', async () => { const all = await seqs(page); return all.length > 0 && all.every(Boolean) && all; });

/** The value below which this share of the values is. */
export const percentile = (values, share) => [...values].sort((a, b) => a - b)[Math.ceil(values.length * share) - 1];
