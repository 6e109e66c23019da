// Asks the server. Every answer is JSON or text; what is refused is an error that has the server's own words.

const ROOT = '/__tracklane/';

/** What the server refused: its status, its words, and what else it said (`at`, `oldest`, `evicted`). */
export class Refused extends Error {
  constructor(status, body) {
    super(body.error ?? `The server answered ${status}.`);
    this.status = status;
    Object.assign(this, { at: body.at, oldest: body.oldest, evicted: body.evicted });
  }
}

async function ask(path, options) {
  let answer;
  try {
    answer = await fetch(ROOT + path, options);
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Error('The server does not answer.', { cause: error });
  }
  if (answer.ok) return answer;
  const text = await answer.text();
  let body = {};
  try {
    body = JSON.parse(text) ?? {};
  } catch {
    body = { error: text.split('\n', 1)[0] || undefined };
  }
  throw new Refused(answer.status, body);
}

export const get = async (path, signal) => (await ask(path, { signal })).json();
export const text = async (path, signal) => (await ask(path, { signal })).text();
export const remove = async (path) => {
  const answer = await ask(path, { method: 'DELETE' });
  return answer.status === 204 ? {} : answer.json();
};
export const put = async (path, body) =>
  (await ask(path, { method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })).json();

/** A path with a query; members that are null or empty are left out. */
export function query(path, members) {
  const pairs = Object.entries(members).filter(([, value]) => value != null && value !== '');
  const search = pairs.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&');
  return search ? `${path}?${search}` : path;
}

const FIRST_PAUSE = 250;
const LONGEST_PAUSE = 3000;

/** The server's stream of frames. It comes back by itself, and rests while nobody looks at the page. */
export class Stream {
  #source = null;
  #timer = 0;
  #pause = FIRST_PAUSE;
  #path = null;

  /** `frame` gets each frame; `state` is told true when the stream is open, and false when it broke. */
  constructor(frame, state) {
    this.frame = frame;
    this.state = state;
    // A browser opens six connections to a server, in all tabs together: a hidden tab must not hold one.
    document.addEventListener('visibilitychange', () => (document.hidden ? this.#stop() : this.#start()));
  }

  get opened() {
    return this.#path !== null;
  }

  open(q, rows) {
    this.#path = ROOT + query('stream', { q, rows });
    this.#stop();
    this.#start();
  }

  #stop() {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
  }

  #start() {
    if (!this.#path || document.hidden || this.#source) return;
    const source = new EventSource(this.#path);
    this.#source = source;
    source.addEventListener('open', () => {
      this.#pause = FIRST_PAUSE;
      this.state(true);
    });
    source.addEventListener('frame', (event) => {
      if (source === this.#source) this.frame(JSON.parse(event.data));
    });
    source.addEventListener('error', () => {
      if (source !== this.#source) return;
      this.#stop();
      this.state(false);
      this.#timer = setTimeout(() => this.#start(), this.#pause);
      this.#pause = Math.min(this.#pause * 1.6, LONGEST_PAUSE);
    });
  }
}
