// The events that match the filter, as rows by index. The server has them all; here is one run of neighbours around
// what is shown, and everything else is asked for when it comes into sight.
import { get, query } from './server.js';

const PAGE = 100;
const MOST = 800;

export class Feed {
  q = '';
  total = 0;
  /** Events that came since the list is held. */
  behind = 0;
  held = false;
  #run = [];
  #base = 0;
  #ended = false;
  #newest = 0;
  #oldest = 1;
  #latest = null;
  #wanted = null;
  #busy = false;
  #turn = 0;

  /** `changed()` after rows came; `shifted(rows)` when an index that was estimated became known. */
  constructor({ changed, shifted, failed }) {
    Object.assign(this, { changed, shifted, failed });
  }

  /** Begins anew with a filter. Throws what the server refuses, and then nothing has changed. */
  async load(q, limit) {
    const turn = (this.#turn += 1);
    const answer = await get(query('events', { q, limit }));
    if (turn !== this.#turn) return null;
    this.q = q;
    this.held = false;
    this.#latest = null;
    this.#oldest = answer.oldest ?? 1;
    this.#reset(answer.events, answer.matched);
    return answer;
  }

  head(index) {
    return this.#run[index - this.#base];
  }

  /** Where an event stands, if it is among those at hand. */
  indexOf(seq) {
    const found = this.#run.findIndex((head) => head.seq === seq);
    return found < 0 ? -1 : found + this.#base;
  }

  frame(frame) {
    for (const head of frame.updated ?? []) this.#replace(head);
    this.#latest = frame;
    if (this.held) this.behind = this.#newer(frame);
    else this.#take(frame);
  }

  // How many of a frame's matches are newer than the rows that are held. As old ones leave at the same time, the number
  // of matches alone does not say it.
  #newer({ events, matched }) {
    const newer = events.filter((head) => head.seq > this.#newest).length;
    if (newer < events.length) return newer;
    return Math.max(newer, this.q === '' && newer > 0 ? events[0].seq - this.#newest : matched - this.total);
  }

  /** Lets the rows stand still while new events come. */
  hold() {
    if (this.held) return;
    this.held = true;
    this.#newest = this.#run[0]?.seq ?? this.#newest;
  }

  /** Shows the newest again. */
  release() {
    if (!this.held) return;
    this.held = false;
    this.behind = 0;
    if (this.#base > 0) this.#reset([], this.total);
    if (this.#latest) this.#take(this.#latest);
  }

  /** Says which rows are in sight, so that they are fetched if they are not at hand. */
  want(first, last) {
    this.#wanted = [Math.max(0, first), Math.min(this.total - 1, last)];
    if (!this.#busy) this.#fill();
  }

  #reset(events, matched) {
    this.#run = events;
    this.#base = 0;
    this.#ended = events.length >= matched;
    this.#newest = events[0]?.seq ?? this.#newest;
    this.total = matched;
    this.behind = 0;
  }

  #take(frame) {
    const { events, matched } = frame;
    const first = this.#run[0]?.seq;
    const joins = this.#base === 0 && first != null && events.length > 0 && events[events.length - 1].seq <= first;
    if (!joins || matched < this.total) return this.#reset(events, matched);
    const fresh = events.filter((head) => head.seq > first);
    if (fresh.length > 0) {
      this.#run = fresh.concat(this.#run);
      this.#newest = fresh[0].seq;
      if (this.#run.length > MOST) {
        this.#run.length = MOST;
        this.#ended = false;
      }
    }
    this.total = matched;
  }

  #replace(head) {
    const at = this.#run.findIndex((old) => old.seq === head.seq);
    if (at >= 0) this.#run[at] = head;
  }

  async #fill() {
    this.#busy = true;
    const turn = this.#turn;
    try {
      for (let step = this.#missing(); step; step = this.#missing()) {
        await this.#fetch(step);
        if (turn !== this.#turn) break;
        this.changed();
      }
    } catch (error) {
      this.#wanted = null;
      this.failed(error);
    } finally {
      this.#busy = false;
    }
    if (turn !== this.#turn && this.#wanted) this.#fill();
  }

  // The next request that brings rows in sight nearer, if one is needed.
  #missing() {
    if (!this.#wanted || this.total === 0) return null;
    const [first, last] = this.#wanted;
    const end = this.#base + this.#run.length;
    if (first >= this.#base && last < end) return null;
    if (this.#run.length > 0 && first >= this.#base && first <= end + PAGE / 2) {
      return this.#ended ? null : { side: 'older', before: this.#run[this.#run.length - 1].seq };
    }
    if (this.#run.length > 0 && first < this.#base && last >= this.#base - PAGE / 2 && last < end) {
      return { side: 'newer', after: this.#run[0].seq };
    }
    return this.#jump(Math.max(0, first - PAGE / 4));
  }

  // There is no asking for the n-th match. Both ends are known, and between them the place is estimated; without a
  // filter the estimate is exact, as numbers are given in order.
  #jump(index) {
    if (index === 0) return { side: 'first', before: this.#newest + 1, index };
    if (index + PAGE >= this.total) return { side: 'last', after: this.#oldest - 1 };
    const span = this.#newest - this.#oldest + 1;
    return { side: 'between', before: this.#newest - Math.round((index * span) / this.total) + 1, index };
  }

  async #fetch(step) {
    const turn = this.#turn;
    let answer;
    try {
      answer = await get(query('events', { q: this.q, limit: PAGE, before: step.before, after: step.after }));
    } catch (error) {
      if (error.status !== 410) throw error;
      if (turn !== this.#turn) return;
      this.#oldest = error.oldest ?? this.#oldest;
      if (step.side !== 'older') return this.#fetch({ side: 'last', after: this.#oldest - 1 });
      // What the cursor pointed to has left: the list ends where it ends now.
      this.#ended = true;
      this.total = this.#base + this.#run.length;
      return;
    }
    if (turn !== this.#turn) return;
    this.#oldest = answer.oldest ?? this.#oldest;
    if (this.held && answer.matched - this.behind < this.total) this.total = Math.max(0, answer.matched - this.behind);
    const full = answer.events.length >= PAGE;
    const events = answer.events.sort((a, b) => b.seq - a.seq);
    this.#add(step, this.held ? events.filter((head) => head.seq <= this.#newest) : events, full);
  }

  #add(step, events, full) {
    if (step.side === 'older') {
      if (this.#run[this.#run.length - 1]?.seq !== step.before) return;
      this.#run = this.#run.concat(events);
      this.#ended = !full;
      if (this.held && this.#run.length > MOST) this.#base += this.#run.splice(0, this.#run.length - MOST).length;
      this.#settleEnd();
    } else if (step.side === 'newer') {
      if (this.#run[0]?.seq !== step.after) return;
      this.#run = events.concat(this.#run);
      this.#base -= events.length;
      if (this.#run.length > MOST) {
        this.#run.length = MOST;
        this.#ended = false;
      }
      if (!full || events[0]?.seq === this.#newest) this.#place(0);
      else if (this.#base <= 0) this.#place(this.#guess());
    } else {
      this.#run = events;
      this.#ended = step.side === 'last' || !full;
      this.#base = step.index ?? this.total - events.length;
      this.#settleEnd();
    }
  }

  #settleEnd() {
    const end = this.#base + this.#run.length;
    if (this.#ended && this.#base === 0) this.total = this.#run.length;
    else if (this.#ended) this.#place(Math.max(0, this.total - this.#run.length));
    else if (end >= this.total) this.#place(Math.max(0, Math.min(this.#guess(), this.total - this.#run.length - 1)));
  }

  #guess() {
    const span = this.#newest - this.#oldest + 1;
    return Math.max(1, Math.round(((this.#newest - (this.#run[0]?.seq ?? 0)) * this.total) / span));
  }

  #place(base) {
    const by = base - this.#base;
    if (by === 0) return;
    this.#base = base;
    if (this.#wanted) this.#wanted = this.#wanted.map((index) => Math.max(0, Math.min(this.total - 1, index + by)));
    this.shifted(by);
  }
}
