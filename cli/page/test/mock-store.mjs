// What the mock server keeps, its filter and its rules: a small stand-in for those of the tool, for the page's tests.

/** A term of the filter, or an error with the column of what cannot be read. */
export function parse(q) {
  const terms = [];
  const pattern = /(-?)(?:([\w.$-]+?)(:|>=|<=|=|>|<))?("(?:[^"\\]|\\.)*"|[^\s"]+)(?=\s|$)/y;
  let at = 0;
  while (at < q.length) {
    if (/\s/.test(q[at])) {
      at += 1;
      continue;
    }
    pattern.lastIndex = at;
    const found = pattern.exec(q);
    if (!found) {
      const quote = q.indexOf('"', at);
      throw Object.assign(new Error('the quote is not closed'), { at: (quote < 0 ? at : quote) + 1 });
    }
    const [all, not, key, op, word] = found;
    const quoted = word.startsWith('"');
    terms.push({ not: not !== '', key, op, word: quoted ? word.slice(1, -1).replace(/\\(.)/g, '$1') : word });
    at += all.length;
  }
  return terms.map(test);
}

const like = (word) => new RegExp(`^${word.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&')).join('.*')}$`, 's');

function test({ not, key, op, word }) {
  const is = positive(key, op, word);
  return (entry) => is(entry) !== not;
}

function positive(key, op, word) {
  const wanted = like(word);
  const match = (value) => value != null && wanted.test(String(value));
  const low = word.toLowerCase();
  switch (key) {
    case undefined: return ({ raw }) => raw.toLowerCase().includes(low);
    case 'kind': return ({ head }) => match(head.kind);
    case 'name': return ({ head }) => match(head.name);
    case 'user': return ({ head }) => match(head.userId);
    case 'anon': return ({ head }) => match(head.anonymousId);
    case 'key': return ({ head }) => match(head.key);
    case 'id': return ({ head }) => match(head.messageId);
    case 'has': return ({ head }) => head.findings > 0;
    case 'level': return ({ findings }) => findings.some(({ level }) => match(level));
    case 'rule': return ({ findings }) => findings.some(({ rule }) => match(rule));
    case 'path': return ({ head }) => match(head.path?.state);
    default: return (entry) => {
      const value = key.split('.').reduce((at, part) => at?.[part], JSON.parse(entry.raw));
      if (value == null) return false;
      if (op === ':' || op === '=') return match(value);
      const [a, b] = [Number(value), Number(word)];
      return op === '>' ? a > b : op === '<' ? a < b : op === '>=' ? a >= b : a <= b;
    };
  }
}

export function check(event, now) {
  const found = [];
  const add = (rule, level, property, message, fix) => found.push({ rule, level, property, message, fix });
  if (event.userId == null && event.anonymousId == null) add('user-id-missing', 'refused', 'userId', 'There is neither userId nor anonymousId.', 'Set a userId, or an anonymousId where nobody is known yet.');
  if (event.type === 'track' && !event.event) add('event-missing', 'refused', 'event', 'A track call needs the name of its event.', 'Set event to a text that is not empty.');
  for (const [name, value] of Object.entries(event.properties ?? {})) {
    if (typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value)) add('number-as-text', 'smell', `properties.${name}`, `properties.${name} is the text "${value}", not a number.`, `Send ${value} without quotes.`);
  }
  if (event.timestamp && new Date(event.timestamp) - now > 3600e3) add('timestamp-in-future', 'discarded', 'timestamp', 'timestamp is more than an hour ahead.', 'Check the clock of the host that sends.');
  if (JSON.stringify(event).length > 32768) add('event-too-large', 'refused', null, 'The event is larger than 32 KB.', 'Send less in one event.');
  return found;
}

const RANK = { refused: 0, discarded: 1, smell: 2 };

export class Store {
  entries = [];
  seq = 0;
  evicted = 0;
  bytes = 0;
  requests = 0;
  findings = 0;
  rejected = 0;
  paths = new Map();
  touched = new Set();
  recent = [];

  constructor(keep) {
    this.keep = keep;
  }

  add(event, key, request) {
    const now = Date.now();
    const raw = JSON.stringify(event);
    const findings = check(event, now);
    const level = findings.map((found) => found.level).sort((a, b) => RANK[a] - RANK[b])[0] ?? null;
    const head = {
      seq: (this.seq += 1), at: new Date(now).toISOString(), kind: event.type, name: event.event ?? event.name ?? null, userId: event.userId ?? null,
      anonymousId: event.anonymousId ?? null, messageId: event.messageId, key, bytes: Buffer.byteLength(raw), findings: findings.length, level, path: null,
    };
    const entry = { head, raw, findings, request };
    if (this.paths.has(event.messageId)) head.path = brief(this.paths.get(event.messageId));
    this.entries.push(entry);
    this.bytes += head.bytes;
    this.findings += findings.length;
    if (level === 'refused') this.rejected += 1;
    while (this.bytes > this.keep && this.entries.length > 1) this.drop(0);
    return head;
  }

  drop(index) {
    const [{ head, findings }] = this.entries.splice(index, 1);
    this.bytes -= head.bytes;
    this.evicted += 1;
    this.findings -= findings.length;
  }

  trace(messageId, path) {
    this.paths.set(messageId, path);
    const entry = this.entries.findLast(({ head }) => head.messageId === messageId);
    if (!entry) return;
    entry.head.path = brief(path);
    this.touched.add(entry.head.seq);
  }

  get counters() {
    const now = Date.now();
    this.recent = this.recent.filter(([at]) => now - at < 1000);
    return {
      received: this.seq, kept: this.entries.length, evicted: this.evicted, bytes: this.bytes, requests: this.requests,
      perSecond: this.recent.reduce((sum, [, n]) => sum + n, 0), findings: this.findings, rejected: this.rejected,
    };
  }

  matching(q) {
    const tests = parse(q ?? '');
    return tests.length === 0 ? this.entries : this.entries.filter((entry) => tests.every((one) => one(entry)));
  }

  find(seq) {
    return this.entries.find(({ head }) => head.seq === seq);
  }
}

function brief(path) {
  const attempts = path.destinations.flatMap((one) => one.attempts);
  const last = path.destinations.find((one) => one.outcome === 'pending')?.attempts.at(-1);
  const failing = last !== undefined && !(last.status >= 200 && last.status < 300);
  return {
    state: failing ? 'retrying' : path.outcome, ms: attempts.reduce((sum, { ms }) => sum + (ms ?? 0), 0) || null,
    destinations: path.destinations.length, attempts: attempts.length, reason: failing ? String(last.status ?? last.error) : path.reason,
  };
}
