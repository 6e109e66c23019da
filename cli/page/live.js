// The screen that one looks at: the list of events as they come, and beside it the event that is open.
import { connectPanel } from './connect.js';
import { fill, h } from './dom.js';
import { eventPane } from './event.js';
import { Feed } from './feed.js';
import { filterBox } from './filter.js';
import { makeRow, paintRow } from './row.js';
import { Rows } from './rows.js';
import { query, remove } from './server.js';
import { count, counted, term } from './text.js';

const LABELS = [['time', 'Time'], ['kind', 'Call'], ['name', 'Name'], ['who', 'User'], ['mark', 'Finding'], ['path', 'Delivery'], ['size', 'Size']];
const NARROW = 560;
const ROW = 32;
const TWO_LINES = 54;

export function liveScreen(app) {
  let route = { view: 'live', q: '' };
  let selected = null;
  let paused = false;
  let asked = null;
  let known = false;
  let streamed = 0;
  let queued = false;
  let slots = 0;
  let surest = 0;

  const feed = new Feed({
    changed: () => schedule(),
    shifted: (by) => rows.shift(by),
    failed: (error) => app.toast(error.message),
  });
  const spacer = h('div', { class: 'spacer', role: 'presentation' });
  const scroller = h('div', { class: 'scroller', role: 'listbox', tabindex: '0', id: 'list', 'aria-label': 'Events, newest first', onscroll: scrolled }, spacer);
  const rows = new Rows(scroller, spacer, {
    height: ROW,
    make: () => makeRow(`row-${(slots += 1)}`),
    paint: (slot, index) => paintRow(slot, index, feed.head(index), { total: feed.total, selected, q: route.q }),
  });
  const filter = filterBox({ apply: (q) => q !== route.q && app.go({ ...route, q }, true), leave: () => scroller.focus() });
  const keys = h('select', { class: 'keys', 'aria-label': 'Write key', onchange: () => app.go({ ...route, q: withKey(route.q, keys.value) }) });
  const follow = h('button', { type: 'button', class: 'follow', 'aria-keyshortcuts': 'Space', title: 'Pause or follow (Space)', onclick: toggle });
  const wipe = h('button', { type: 'button', class: 'quiet', onclick: clear }, 'Clear');
  const pill = h('button', { type: 'button', class: 'pill', hidden: true, onclick: toTop });
  const empty = h('div', { class: 'empty', hidden: true });
  const pane = h('aside', { class: 'pane', 'aria-label': 'Event', tabindex: '-1', hidden: true });
  const event = eventPane(app, pane, { step, close });
  const columns = h('div', { class: 'columns', 'aria-hidden': 'true' }, LABELS.map(([name, label]) => h('span', { class: name }, label)));
  const side = h('div', { class: 'side' }, h('div', { class: 'bar' }, filter.node, keys, follow, wipe), columns, scroller, pill, empty);
  const node = h('section', { class: 'live', 'aria-label': 'Live' }, h('h1', { class: 'unseen' }, 'Events'), side, pane);
  new ResizeObserver(measure).observe(side);

  function measure() {
    const narrow = side.clientWidth < NARROW;
    side.classList.toggle('narrow', narrow);
    rows.height = narrow ? TWO_LINES : ROW;
    if (streamed > 0 && rows.fits() > streamed && streamed < 200) stream();
    schedule();
  }

  // However many frames come, the list is drawn once for each picture that the screen shows.
  function schedule() {
    if (queued) return;
    queued = true;
    requestAnimationFrame(() => {
      queued = false;
      draw();
    });
  }

  function draw() {
    rows.count = feed.total;
    const painted = rows.render();
    if (feed.total > 0) feed.want(...painted);
    const active = selected == null ? null : [...spacer.children].find((row) => row.classList.contains('chosen') && !row.hidden);
    if (active) scroller.setAttribute('aria-activedescendant', active.id);
    else scroller.removeAttribute('aria-activedescendant');
    drawState();
  }

  function drawState() {
    const held = feed.held;
    const state = `${held} ${feed.behind}`;
    if (follow.dataset.state !== state) {
      follow.dataset.state = state;
      follow.setAttribute('aria-pressed', String(!held));
      fill(follow, h('span', { class: 'dot' }), held ? 'Paused' : 'Following');
      pill.hidden = !(held && feed.behind > 0);
      fill(pill, counted(feed.behind, 'new event'), ' ↑');
    }
    drawEmpty();
    drawKeys();
    if (!surest) wipe.hidden = feed.total === 0;
  }

  function drawEmpty() {
    const state = feed.total > 0 || !known ? '' : route.q ? `none ${route.q}` : 'first';
    if (empty.dataset.state === state) return;
    empty.dataset.state = state;
    empty.hidden = state === '';
    scroller.hidden = columns.hidden = state !== '';
    if (state === '') fill(empty);
    else if (state === 'first') fill(empty, connectPanel(app, {}));
    else fill(empty, h('div', { class: 'nothing' }, h('h2', null, 'No event matches'), h('p', null, 'New ones that do will appear here.'), h('button', { type: 'button', onclick: () => app.go({ ...route, q: '' }) }, 'Clear the filter')));
  }

  function drawKeys() {
    const all = [...app.keys];
    const chosen = /(?:^|\s)key:(\S+)/.exec(route.q)?.[1] ?? '';
    const state = JSON.stringify([all, chosen]);
    if (keys.dataset.state === state) return;
    keys.dataset.state = state;
    keys.hidden = all.length < 2;
    fill(keys, h('option', { value: '' }, 'All keys'), all.map((key) => h('option', { value: key, selected: term('key', key) === `key:${chosen}` }, key)));
  }

  function withKey(q, key) {
    const rest = q.replace(/(?:^|\s)key:(?:"(?:[^"\\]|\\.)*"|\S+)/g, '').trim();
    return key ? `${rest} ${term('key', key)}`.trim() : rest;
  }

  function scrolled() {
    if (scroller.scrollTop > 0) feed.hold();
    else if (!paused) feed.release();
    schedule();
  }

  function toggle() {
    paused = !feed.held;
    if (paused) feed.hold();
    else toTop();
    schedule();
  }

  function toTop() {
    paused = false;
    scroller.scrollTop = 0;
    feed.release();
    schedule();
  }

  async function clear() {
    if (!surest) {
      wipe.classList.add('sure');
      fill(wipe, route.q ? `Remove ${count(feed.total)} that match?` : `Remove all ${count(feed.total)}?`);
      surest = setTimeout(calm, 4000);
      return;
    }
    calm();
    try {
      const { removed } = await remove(query('events', { q: route.q }));
      app.toast(`Removed ${counted(removed, 'event')}`);
      close();
      await load(route.q);
    } catch (error) {
      app.toast(error.message);
    }
  }

  function calm() {
    clearTimeout(surest);
    surest = 0;
    wipe.classList.remove('sure');
    fill(wipe, 'Clear');
    drawState();
  }

  async function load(q) {
    asked = q;
    try {
      const answer = await feed.load(q, Math.max(50, rows.fits()));
      if (!answer) return;
      filter.fail(null);
      known = true;
      paused = false;
      scroller.scrollTop = 0;
      app.counters(answer.counters);
      app.meet(answer.events);
      stream();
      if (route.event) choose(route.event);
      schedule();
    } catch (error) {
      if (error.status === 400) filter.fail(error);
      // What was shown before a filter that cannot be read stays; without anything before, all is shown.
      if (error.status !== 400) known = true;
      if (error.status !== 400) app.stream.open(q, 50);
      else if (!app.stream.opened) app.stream.open('', 50);
    }
  }

  // As many rows as are in sight come with each frame, and some more.
  function stream() {
    streamed = Math.min(200, Math.max(50, rows.fits() + 8));
    app.stream.open(feed.q, streamed);
  }

  // To the next older (1) or newer (-1) event of the list; with the pane open it is opened.
  function step(by) {
    if (feed.total === 0) return;
    const at = selected == null ? -1 : feed.indexOf(selected);
    const index = selected == null ? rows.range()[0] : Math.min(feed.total - 1, Math.max(0, at + by));
    const head = at < 0 && selected != null ? null : feed.head(index);
    const seq = head?.seq ?? (pane.hidden ? null : event.neighbour(by));
    if (seq == null) return;
    if (by > 0 || index > 0) feed.hold();
    choose(seq, index);
    if (!pane.hidden) app.go({ ...route, event: seq }, true);
  }

  function choose(seq, index = feed.indexOf(seq)) {
    selected = seq;
    if (index >= 0) rows.reveal(index);
    schedule();
  }

  function close() {
    if (!route.event) return;
    app.go({ ...route, event: undefined, tab: undefined });
    scroller.focus();
  }

  return {
    node,
    title: () => (route.event ? `Event ${route.event}` : 'Live'),
    show(next) {
      const before = route;
      route = next;
      filter.show(route.q);
      pane.hidden = !route.event;
      node.classList.toggle('open', Boolean(route.event));
      if (asked !== route.q) load(route.q);
      if (route.event) {
        if (route.event !== selected) choose(route.event);
        event.show(route);
        // Where there is room for one of them only, the list is covered, and with it what had the focus.
        if (before.event == null && getComputedStyle(side).visibility === 'hidden') pane.focus();
      } else if (before.event) event.leave();
      schedule();
    },
    reload: () => load(route.q),
    frame(frame) {
      feed.frame(frame);
      if (route.event && frame.updated?.some((head) => head.seq === route.event)) event.refresh();
      schedule();
    },
    copy: (form) => route.event && event.copy(form),
    keys: {
      '/': () => filter.focus(),
      j: () => step(1),
      k: () => step(-1),
      ArrowDown: () => document.activeElement === scroller && step(1),
      ArrowUp: () => document.activeElement === scroller && step(-1),
      Enter: () => document.activeElement === scroller && selected && app.go({ ...route, event: selected }),
      o: () => selected && app.go({ ...route, event: selected }),
      Escape: () => (route.event ? close() : (selected = null, schedule())),
      ' ': () => toggle(),
      G: () => (feed.hold(), (scroller.scrollTop = spacer.offsetHeight), schedule()),
      'g g': () => toTop(),
      ...Object.fromEntries([1, 2, 3, 4, 5].map((n) => [String(n), () => route.event && event.tab(n - 1)])),
    },
  };
}
