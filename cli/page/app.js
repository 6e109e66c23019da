// Puts the page together: which screen is shown, the stream that feeds it, keys, theme, and what is said to whom.
import { connectScreen } from './connect.js';
import { fill, h, iconButton } from './dom.js';
import { faultsScreen } from './faults.js';
import { findingsScreen } from './findings.js';
import { helpSheet } from './help.js';
import { listen } from './keys.js';
import { liveScreen } from './live.js';
import { planScreen } from './plan.js';
import { link, read } from './route.js';
import { get, Stream } from './server.js';
import { bytes, count, counted } from './text.js';
import { userScreen } from './user.js';

const SCREENS = { live: liveScreen, findings: findingsScreen, user: userScreen, faults: faultsScreen, plan: planScreen, connect: connectScreen };
const NAMES = { live: 'Live', findings: 'Findings', user: 'User', faults: 'Faults', plan: 'Plan', connect: 'Connect' };
const GO = { l: 'live', f: 'findings', u: 'user', x: 'faults', p: 'plan', c: 'connect' };
const FORMS = { r: 'rust', j: 'js', c: 'curl', e: 'expect' };
const THEMES = ['auto', 'light', 'dark'];
const SAY_EACH = 2000;
const TOAST = 2600;
const ASK_AGAIN = 500;
const MOST_KEYS = 100;

const $ = (id) => document.getElementById(id);
const made = {};
let now = null;
let anew = false;
let said = '';
let waiting = [];
let toastTimer = 0;
let asking = null;

const app = {
  info: null,
  received: 0,
  route: read(),
  stream: new Stream(frame, connected),
  /** To a route; `instead` of the present one in the history. */
  go(route, instead = false) {
    history[instead ? 'replaceState' : 'pushState'](null, '', link(route));
    show();
  },
  toast(text) {
    clearTimeout(toastTimer);
    fill($('toast'), text).hidden = false;
    toastTimer = setTimeout(() => ($('toast').hidden = true), TOAST);
  },
  counters,
  /** The write keys that are known: those of the server's settings, and those of events that were seen here. */
  keys: new Set(),
  meet(heads) {
    for (const { key } of heads) if (key != null && app.keys.size < MOST_KEYS) app.keys.add(key);
  },
  faults: (n) => badge('faults', n, 'fault set'),
  /** Calls `then` at the first frame of which `is` is true. */
  once: (is, then) => waiting.push({ is, then }),
};

function show() {
  const route = (app.route = read());
  const view = Object.hasOwn(SCREENS, route.view) ? route.view : 'live';
  const screen = (made[view] ??= SCREENS[view](app));
  if (now !== screen) {
    now?.leave?.();
    $('main').replaceChildren(screen.node);
    now = screen;
  }
  screen.show({ ...route, view });
  for (const item of $('nav').children) {
    if (item.dataset.view === view) item.setAttribute('aria-current', 'page');
    else item.removeAttribute('aria-current');
  }
  document.title = `${screen.title()} · tracklane dev`;
  // The stream goes with the live screen's filter; the others only want to know that something came.
  if (view !== 'live' && !made.live) app.stream.open('', 1);
}

function frame(data) {
  if (app.info && data.start !== app.info.start) return restarted();
  counters(data.counters);
  made.live?.frame(data);
  if (now !== made.live) now?.frame?.(data);
  const due = waiting.filter(({ is }) => is(data));
  waiting = waiting.filter((one) => !due.includes(one));
  for (const { then } of due) then(data);
  app.meet(data.events);
}

// The server that answers is not the one that this page was filled from.
async function restarted() {
  if (anew) return;
  anew = true;
  const { start, version } = app.info;
  await learn();
  anew = false;
  if (app.info.start === start) return void setTimeout(restarted, ASK_AGAIN);
  if (app.info.version !== version) return location.reload();
  made.live?.reload();
  if (now !== made.live) now?.reload?.();
  app.toast('The server was started anew');
}

function learn() {
  asking ??= get('info').then((info) => {
    app.info = info;
    app.meet(info.keys.map((key) => ({ key })));
    drawNav();
    drawFoot();
  }).catch(() => {}).finally(() => (asking = null));
  return asking;
}

function connected(open) {
  if (document.body.classList.contains('away') === open || $('broken').hidden !== open) {
    document.body.classList.toggle('away', !open);
    $('broken').hidden = open;
    fill($('broken'), open ? null : `Not connected to ${location.host}. What is shown may be old; trying again …`);
    drawFoot();
  }
  if (open && !app.info) learn();
}

let latest = null;
function counters(data) {
  if (!data) return;
  latest = data;
  app.received = data.received;
  badge('findings', data.findings, 'finding');
  drawFoot();
}

function badge(view, n, noun) {
  const node = $('nav').querySelector(`[data-view="${view}"] .badge`);
  if (!node || node.dataset.n === String(n)) return;
  node.dataset.n = n;
  node.hidden = !n;
  fill(node, n > 9999 ? '9,999+' : count(n), h('span', { class: 'unseen' }, ` ${noun}${n === 1 ? '' : 's'}`));
}

let footQueued = false;
function drawFoot() {
  if (footQueued) return;
  footQueued = true;
  requestAnimationFrame(() => {
    footQueued = false;
    const away = document.body.classList.contains('away');
    const c = latest;
    const mode = [app.info?.answer === 'strict' && 'strict answers', app.info?.forward && 'forwards to Segment'].filter(Boolean);
    fill($('foot'),
      h('span', { class: 'link' }, h('span', { class: away ? 'lamp off' : 'lamp on' }), away ? 'disconnected' : location.host),
      c && h('span', { class: 'sums', title: `${counted(c.requests, 'request')}, ${counted(c.rejected, 'rejected event')}` },
        h('span', null, h('b', null, count(c.received)), ' received'), h('i', null, '='), h('span', null, h('b', null, count(c.kept)), ' kept'), h('i', null, '+'), h('span', null, h('b', null, count(c.evicted)), ' evicted'),
        c.missed > 0 && h('span', { title: 'An inspector had no room or no connection for all of it' }, ' · ', h('b', null, count(c.missed)), ' untold')),
      c && h('span', { class: 'rate' }, h('b', null, count(Math.round(c.perSecond))), ' / s'),
      c && h('span', { class: 'weight' }, h('b', null, bytes(c.bytes))),
      h('span', { class: 'mode' }, mode.join(' · '), app.info && h('span', { class: 'version' }, app.info.version)));
  });
}

function drawNav() {
  const views = Object.keys(NAMES).filter((view) => view !== 'plan' || app.info?.plan);
  if ($('nav').dataset.views === views.join()) return;
  $('nav').dataset.views = views.join();
  fill($('nav'), views.map((view) => h('a', { href: link({ view }), 'data-view': view, 'aria-current': view === app.route.view ? 'page' : null }, NAMES[view], (view === 'findings' || view === 'faults') && h('span', { class: `badge ${view}`, hidden: true }))));
  if (latest) badge('findings', latest.findings, 'finding');
}

function theme() {
  const root = document.documentElement;
  const next = THEMES[(THEMES.indexOf(root.dataset.theme ?? 'auto') + 1) % THEMES.length];
  if (next === 'auto') delete root.dataset.theme;
  else root.dataset.theme = next;
  try {
    localStorage.setItem('theme', next);
  } catch {
    // It then lasts as long as the page.
  }
  drawTools();
  app.toast({ auto: 'Theme: as the system', light: 'Theme: light', dark: 'Theme: dark' }[next]);
}

function drawTools() {
  const focused = document.activeElement?.id;
  const at = document.documentElement.dataset.theme ?? 'auto';
  const button = iconButton({ auto: 'auto', light: 'sun', dark: 'moon' }[at], `Theme: ${at === 'auto' ? 'as the system' : at}`, theme, 't');
  button.id = 'theme';
  fill($('tools'), button, h('button', { type: 'button', class: 'icon-button', 'aria-label': 'Keys and filter', title: 'Keys and filter (?)', 'aria-keyshortcuts': '?', onclick: helpSheet }, '?'));
  if (focused === 'theme') button.focus();
}

// Says counts, not rows, and not oftener than every two seconds.
setInterval(() => {
  if (!latest || document.hidden) return;
  const words = document.body.classList.contains('away') ? 'Disconnected' : `${counted(latest.received, 'event')} received, ${counted(latest.findings, 'finding')}`;
  if (words === said) return;
  if (said !== '') fill($('said'), words);
  said = words;
}, SAY_EACH);

document.addEventListener('click', (event) => {
  const anchor = event.target.closest?.('a[href]');
  if (!anchor || anchor.target || event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  if (anchor.origin !== location.origin || anchor.pathname !== '/' || anchor.hash) return;
  event.preventDefault();
  const instead = read().event && read(anchor.search).event && now === made.live;
  app.go(read(anchor.search), instead);
});
window.addEventListener('popstate', show);
listen(() => ({
  '?': helpSheet,
  t: theme,
  ...Object.fromEntries(Object.entries(GO).map(([key, view]) => [`g ${key}`, () => app.go({ view })])),
  ...Object.fromEntries(Object.entries(FORMS).map(([key, form]) => [`c ${key}`, () => now === made.live && made.live.copy(form)])),
  ...now?.keys,
}));

drawTools();
drawNav();
show();
learn();
get('faults').then(({ faults }) => app.faults(faults.length), () => {});
