// The list's own logic: whatever is filtered, scrolled to and received meanwhile, rows are the events that match, in
// their order, without a gap.
import { Feed } from '../feed.js';
import { same, test as add, truly } from './suite.mjs';

const realFetch = globalThis.fetch;
// With a `fetch` of its own, which is taken away again.
const test = (name, run) => add(name, () => run().finally(() => (globalThis.fetch = realFetch)));

const head = (seq) => ({ seq });

/** A server with these events, of which those match that `is` says, behind `fetch`. */
function serve(seqs, is) {
  const kept = () => seqs.filter(is);
  globalThis.fetch = async (address) => {
    const query = new URL(address, 'http://x').searchParams;
    const [before, after, limit] = ['before', 'after', 'limit'].map((name) => (query.has(name) ? Number(query.get(name)) : undefined));
    await new Promise((done) => setImmediate(done));
    const all = kept();
    if (after !== undefined && after < seqs[0] - 1) return new Response(JSON.stringify({ error: 'gone', oldest: seqs[0], evicted: seqs[0] - 1 }), { status: 410 });
    const found = after !== undefined ? all.filter((seq) => seq > after).slice(0, limit) : all.filter((seq) => before === undefined || seq < before).slice(-limit).reverse();
    return Response.json({ events: found.map(head), matched: all.length, oldest: seqs[0] ?? 1, newest: seqs.at(-1) ?? 0, counters: null });
  };
  return { kept, frame: (rows = 50) => ({ matched: kept().length, events: kept().slice(-rows).reverse().map(head), updated: [] }) };
}

/** Random numbers that are the same in each run. */
function dice(seed) {
  let state = seed;
  return (below) => {
    state = (state * 1664525 + 1013904223) % 4294967296;
    return Math.floor((state / 4294967296) * below);
  };
}

async function settle(feed, first, fits) {
  let at = first;
  feed.shifted = (by) => (at += by);
  for (let n = 0; n < 60; n += 1) {
    at = Math.max(0, Math.min(at, feed.total - fits));
    feed.want(at, at + fits - 1);
    await new Promise((done) => setTimeout(done, 0));
    const rows = Array.from({ length: Math.max(0, Math.min(fits, feed.total - at)) }, (_, row) => feed.head(at + row));
    if (at <= Math.max(0, feed.total - fits) && rows.every(Boolean)) return { at, seqs: rows.map(({ seq }) => seq) };
  }
  throw new Error(`rows ${at} to ${at + fits} of ${feed.total} are not at hand`);
}

test('feed: any place of any filter shows neighbours, and both ends are the ends', async () => {
  for (let seed = 1; seed <= 60; seed += 1) {
    const roll = dice(seed);
    const first = 1 + roll(1000);
    // Matches are spread unevenly, so that estimates are wrong.
    const seqs = Array.from({ length: 200 + roll(8000) }, (_, n) => first + n);
    const dense = roll(seqs.length);
    const server = serve(seqs, (seq) => (seq - first < dense ? seq % 2 === 0 : seq % (5 + (seed % 40)) === 0));
    const feed = new Feed({ changed: () => {}, shifted: () => {}, failed: (error) => { throw error; } });
    const fits = 10 + roll(50);
    await feed.load('q', 50);
    const all = server.kept().reverse();
    feed.frame(server.frame());
    feed.hold();
    for (let n = 0; n < 12; n += 1) {
      if (n % 3 === 2) {
        for (let more = roll(300); more > 0; more -= 1) seqs.push(seqs.at(-1) + 1);
        feed.frame(server.frame());
      }
      const place = n === 5 ? 0 : n === 8 ? feed.total : roll(feed.total);
      const { at, seqs: shown } = await settle(feed, place, fits);
      const from = all.indexOf(shown[0]);
      same(`seed ${seed}, place ${place} of ${feed.total}`, shown, all.slice(from, from + shown.length));
      if (at === 0) same(`seed ${seed}: the newest`, shown[0], all[0]);
      if (n === 8 && at + shown.length === feed.total) same(`seed ${seed}: the oldest`, shown.at(-1), all.at(-1));
    }
    same(`seed ${seed}: how many came meanwhile`, feed.behind, server.kept().length - all.length);
    feed.release();
    const { seqs: shown } = await settle(feed, 0, fits);
    same(`seed ${seed}: followed again`, shown, server.kept().reverse().slice(0, shown.length));
  }
});

test('feed: from row to row through everything, up and down, nothing is skipped or shown twice', async () => {
  const seqs = Array.from({ length: 5000 }, (_, n) => n + 1);
  const server = serve(seqs, (seq) => (seq < 2000 ? seq % 9 === 0 : seq % 2 === 0));
  const feed = new Feed({ changed: () => {}, shifted: () => {}, failed: (error) => { throw error; } });
  await feed.load('q', 50);
  feed.hold();
  const all = server.kept().reverse();
  for (const way of [1, -1]) {
    let at = way > 0 ? 0 : feed.total;
    const met = [];
    for (let n = 0; n < all.length; n += 1) {
      const now = await settle(feed, at, 20);
      met.push(...now.seqs.filter((seq) => !met.includes(seq)));
      if (way > 0 ? now.at + 20 >= feed.total : now.at === 0) break;
      at = now.at + way * 15;
    }
    same(`met ${way > 0 ? 'downwards' : 'upwards'}`, met.sort((a, b) => b - a), all);
  }
});

test('feed: while events leave at the old end, the list ends where what is kept ends', async () => {
  const seqs = Array.from({ length: 3000 }, (_, n) => n + 1);
  const server = serve(seqs, () => true);
  const feed = new Feed({ changed: () => {}, shifted: () => {}, failed: (error) => { throw error; } });
  await feed.load('', 50);
  feed.hold();
  seqs.splice(0, 1000);
  feed.frame(server.frame());
  const { seqs: shown } = await settle(feed, 2970, 30);
  same('the oldest', shown.at(-1), 1001);
  truly(`there are ${feed.total} rows`, feed.total >= shown.length);
});

test('feed: followed at any speed, the top is the newest and has no gap', async () => {
  for (let seed = 1; seed <= 40; seed += 1) {
    const roll = dice(seed);
    const seqs = [1];
    const server = serve(seqs, (seq) => seq % (1 + (seed % 3)) === 0);
    const feed = new Feed({ changed: () => {}, shifted: () => {}, failed: (error) => { throw error; } });
    await feed.load('q', 50);
    for (let n = 0; n < 25; n += 1) {
      for (let more = roll(160); more > 0; more -= 1) seqs.push(seqs.at(-1) + 1);
      feed.frame(server.frame());
      const { seqs: shown } = await settle(feed, 0, 70);
      same(`seed ${seed}, frame ${n}`, shown, server.kept().reverse().slice(0, shown.length));
    }
  }
});
