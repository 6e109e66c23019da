// Events to look at: what a shop's services would send, the same in each run.
const NAMES = ['Order Completed', 'Product Viewed', 'Product Added', 'Cart Viewed', 'Checkout Started', 'Coupon Applied', 'Search Performed', 'Email Opened'];
const CITIES = [['CH', 'Zürich'], ['DE', 'Leipzig'], ['FR', 'Lyon'], ['US', 'Portland'], ['JP', '京都']];

let state = 7;
const random = () => ((state = (state * 1103515245 + 12345) % 2147483648) / 2147483648);
const pick = (list) => list[Math.floor(random() * list.length)];

/** The n-th event. */
export function event(n) {
  const user = `${1000 + (n * 7) % 97}`;
  const [country, city] = CITIES[n % CITIES.length];
  const common = { messageId: `message-${n}`, userId: user, timestamp: new Date().toISOString(), context: { ip: '203.0.113.7', library: { name: 'tracklane', version: '0.1.0' }, location: { country, city }, app: { name: 'shop', build: 412 } } };
  if (n % 11 === 3) return { ...common, type: 'identify', traits: { plan: pick(['free', 'team', 'enterprise']), seats: 1 + (n % 40) } };
  if (n % 13 === 5) return { ...common, type: 'page', name: pick(['Home', 'Pricing', 'Docs']), properties: { path: '/pricing', referrer: 'https://example.com/' } };
  if (n % 29 === 8) return { ...common, type: 'group', groupId: 'acme', traits: { name: 'Acme', employees: 120 } };
  const total = Math.round(random() * 20000) / 100;
  const made = { ...common, type: 'track', event: NAMES[n % NAMES.length], properties: { orderId: `o-${5000 + n}`, total: n % 17 === 6 ? String(total) : total, currency: 'EUR', products: [{ sku: `P-${n % 50}`, price: total, quantity: 1 + (n % 3) }] } };
  if (n % 41 === 12) {
    made.anonymousId = `a-${n % 7}`;
    delete made.userId;
  }
  if (n % 37 === 9) delete made.userId;
  if (n % 53 === 20) made.timestamp = new Date(Date.now() + 7200e3).toISOString();
  return made;
}

/** The way of an event through four plugins and to two destinations. */
export function way(n) {
  const at = (ms) => new Date(Date.now() + ms).toISOString();
  const steps = [
    { stage: 'before', plugin: 'consent', us: 0.4, outcome: 'kept', reason: null, patch: [] },
    { stage: 'before', plugin: 'redact', us: 1.8, outcome: 'kept', reason: null, patch: [{ op: 'remove', path: '/context/ip', old: '203.0.113.7' }] },
    { stage: 'enrichment', plugin: 'geo-ip', us: 31.2, outcome: 'kept', reason: null, patch: [{ op: 'add', path: '/context/location', value: { city: 'Zürich', country: 'CH' } }, { op: 'replace', path: '/properties/currency', old: 'eur', value: 'EUR' }] },
    { stage: 'enrichment', plugin: 'lower-case', us: 0.2, outcome: 'kept', reason: null, patch: [] },
  ];
  if (n % 9 === 4) {
    const refused = { ...steps[0], outcome: 'dropped', reason: 'the user has not agreed to analytics' };
    return { steps: [refused], destinations: [], outcome: 'dropped', reason: 'consent' };
  }
  const good = (ms) => [{ n: 1, status: 200, error: null, ms, at: at(0) }];
  const retried = [{ n: 1, status: 503, error: null, ms: 4.1, at: at(0) }, { n: 2, status: null, error: 'connection reset', ms: 1.2, at: at(420) }, { n: 3, status: 200, error: null, ms: 12.3, at: at(1260) }];
  const open = n % 7 === 2;
  const segment = { name: 'Segment.io', outcome: open ? 'pending' : 'delivered', reason: null, attempts: open ? retried.slice(0, 2) : n % 5 === 1 ? retried : good(8 + (n % 9)) };
  return { steps, destinations: [segment, { name: 'Audit log', outcome: 'delivered', reason: null, attempts: good(0.7) }], outcome: open ? 'pending' : 'delivered', reason: null };
}

const post = (url, path, body, key = 'WRITE_KEY') => fetch(url + path, { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Basic ${Buffer.from(`${key}:`).toString('base64')}` }, body: JSON.stringify(body) });

/** Sends events in one batch. */
export const send = (url, events, key) => post(url, '/v1/batch', { batch: events, sentAt: new Date().toISOString() }, key);

/** Sends `many` events from the number `from` on, `size` at once. */
export async function sendMany(url, many, { from = 0, size = 500 } = {}) {
  for (let at = 0; at < many; at += size) {
    await send(url, Array.from({ length: Math.min(size, many - at) }, (_, n) => event(from + at + n)));
  }
}

/** Tells the ways of events; false if the server takes none. */
export async function trace(url, ways) {
  return (await post(url, '/__tracklane/trace', { traces: ways.map(([messageId, path]) => ({ messageId, ...path })) })).ok;
}
