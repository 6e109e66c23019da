// One event: what it says, the way it took, what is wrong with it, the request it came in, its bytes; and code to copy.
import { copyText } from './copy.js';
import { fill, h, iconButton, styled } from './dom.js';
import { pathView } from './path.js';
import { link } from './route.js';
import { title } from './row.js';
import { get, text } from './server.js';
import { bytes, call, count, counted, moment, visible } from './text.js';
import { longText, tree } from './tree.js';

const TABS = [['event', 'Event'], ['path', 'Path'], ['findings', 'Findings'], ['request', 'Request'], ['raw', 'Raw']];
const FORMS = [['rust', 'Rust', 'r'], ['js', 'JS', 'j'], ['curl', 'curl', 'c'], ['expect', 'expect', 'e']];

export function eventPane(app, pane, { step, close }) {
  let route = {};
  let data = null;
  let asked = 0;
  let stop = null;

  async function load(quietly) {
    stop?.abort();
    stop = new AbortController();
    asked = route.event;
    if (!quietly) pane.setAttribute('aria-busy', 'true');
    try {
      data = await get(`events/${route.event}`, stop.signal);
      draw();
    } catch (error) {
      if (error.name === 'AbortError') return;
      data = null;
      const what = { 404: 'There is no such event', 410: 'This event is no longer kept' }[error.status] ?? 'This event cannot be shown';
      fill(pane, h('header', { class: 'pane-head' }, h('h2', null, `Event #${count(route.event)}`), iconButton('close', 'Close', close, 'Escape')),
        h('div', { class: 'nothing' }, h('h3', null, what), h('p', null, error.message)));
    } finally {
      pane.removeAttribute('aria-busy');
    }
  }

  function draw() {
    const { head, findings, path } = data;
    const now = TABS.some(([name]) => name === route.tab) ? route.tab : 'event';
    const badge = { findings: findings.length || null };
    const tabs = h('div', { class: 'tabs', role: 'tablist', 'aria-label': 'Parts of the event', onkeydown: arrows }, TABS.map(([name, label], index) =>
      h('button', { type: 'button', role: 'tab', id: `tab-${name}`, 'aria-controls': 'part', 'aria-selected': String(name === now), tabindex: name === now ? '0' : '-1', 'aria-keyshortcuts': String(index + 1), onclick: () => tab(index) },
        label, badge[name] && h('span', { class: styled('badge', head.level) }, badge[name]), name === 'path' && path && h('span', { class: styled('spot', head.path?.state ?? path.outcome) }))));
    const part = h('div', { class: `part part-${now}`, role: 'tabpanel', id: 'part', 'aria-labelledby': `tab-${now}`, tabindex: '0' });
    const focused = pane.contains(document.activeElement) ? document.activeElement.id : null;
    fill(pane, top(head), facts(head, data, app.keys), tabs, part, copies());
    fill(part, PARTS[now](data, { app, route }));
    if (focused) (document.getElementById(focused) ?? part).focus({ preventScroll: true });
  }

  function top(head) {
    return h('header', { class: 'pane-head' },
      h('span', { class: styled('kind', head.kind) }, call(head.kind)),
      h('h2', null, h('bdi', null, title(head, 300))),
      h('span', { class: 'buttons' }, iconButton('up', 'Newer', () => step(-1), 'k'), iconButton('down', 'Older', () => step(1), 'j'), iconButton('close', 'Close', close, 'Escape')));
  }

  function copies() {
    return h('div', { class: 'copies' }, h('span', { id: 'copy-as' }, 'Copy as'),
      h('span', { role: 'group', 'aria-labelledby': 'copy-as' }, FORMS.map(([form, label, key]) =>
        h('button', { type: 'button', 'aria-keyshortcuts': `c ${key}`, title: `Copy as ${label} (c ${key})`, onclick: () => copy(form) }, label))));
  }

  function tab(index) {
    app.go({ ...route, tab: TABS[index][0] === 'event' ? undefined : TABS[index][0] }, true);
  }

  function arrows(event) {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const at = TABS.findIndex(([name]) => name === (route.tab ?? 'event'));
    const next = (at + by + TABS.length) % TABS.length;
    tab(next);
    document.getElementById(`tab-${TABS[next][0]}`)?.focus();
  }

  async function copy(form) {
    const [, label] = FORMS.find(([name]) => name === form) ?? [];
    try {
      await copyText(app, await text(`events/${route.event}/as/${form}`), label);
    } catch (error) {
      app.toast(error.message);
    }
  }

  return {
    show(next) {
      const same = next.event === asked && data?.head.seq === asked;
      route = next;
      if (same) draw();
      else load();
    },
    leave: () => {
      stop?.abort();
      data = null;
      asked = 0;
      fill(pane);
    },
    refresh: () => load(true),
    neighbour: (by) => (data ? (by > 0 ? data.older : data.newer) : null),
    tab,
    copy,
  };
}

function facts(head, { request }, keys) {
  const who = (id, label) => id != null && h('div', null, h('dt', null, label), h('dd', null, h('a', { href: link({ view: 'user', id }) }, h('bdi', null, visible(String(id), 80)))));
  const fact = (label, value, more) => value != null && h('div', null, h('dt', null, label), h('dd', { title: more }, value));
  return h('dl', { class: 'facts' },
    who(head.userId, 'User'),
    who(head.anonymousId, 'Anonymous'),
    fact(head.arrived === false ? 'Told of' : 'Received', moment(head.at), head.at),
    fact('Size', bytes(head.bytes), counted(head.bytes, 'byte')),
    fact('Answered', request?.status),
    fact('Key', head.key == null || keys.size < 2 ? null : visible(String(head.key), 40)),
    fact('Number', `#${count(head.seq)}`));
}

const PARTS = {
  // What is no object was no JSON object when it came, and is shown as the text that it was.
  event: ({ event, findings }, { app, route }) => (event !== null && typeof event === 'object' ? tree(event, findings, { app, route }) : longText(String(event))),
  path: ({ path }, { app }) => pathView(path, app.info),
  findings: ({ findings }) => findings.length === 0
    ? h('div', { class: 'nothing' }, h('h3', null, 'Nothing found'), h('p', null, 'Segment would take this event as it is.'))
    : h('ul', { class: 'findings' }, findings.map((found) => h('li', { class: styled('finding', found.level) },
      h('div', { class: 'finding-head' }, h('span', { class: styled('level', found.level) }, found.level), h('code', null, visible(found.rule, 80))),
      h('p', null, visible(found.message, 600)),
      found.property && h('p', { class: 'where' }, 'At ', h('code', null, visible(found.property, 200))),
      found.fix && h('p', { class: 'fix' }, h('span', null, 'Fix'), visible(found.fix, 600))))),
  request: ({ request }) => requestView(request),
  raw: ({ head }) => rawView(head),
};

function requestView(request) {
  if (!request) return h('div', { class: 'nothing' }, h('h3', null, 'It did not arrive here'), h('p', null, 'A client told of it by its inspector: the path shows where it went.'));
  const size = [bytes(request.bytes), request.encoding && `${visible(request.encoding, 20)} on the wire`, counted(request.events, 'event')];
  return [
    h('p', { class: 'request-line' }, h('code', null, `${visible(request.method, 10)} ${visible(request.path, 200)}`), h('span', { class: request.status < 300 ? 'good' : 'bad' }, request.status)),
    h('p', { class: 'soft' }, size.filter(Boolean).join(' · '), request.attempt > 0 ? ` · retry ${request.attempt}` : ' · first attempt'),
    h('h3', null, 'Headers'),
    h('table', { class: 'headers' }, h('tbody', null, request.headers.map(([name, value]) => h('tr', null, h('th', { scope: 'row' }, visible(name, 80)), h('td', null, visible(value, 2000)))))),
    request.answer && [h('h3', null, 'Answer'), h('pre', { class: 'code', tabindex: '0' }, visible(request.answer, 4000))],
  ];
}

function rawView(head) {
  const address = `events/${head.seq}/raw`;
  const body = h('div', { class: 'raw' }, h('p', { class: 'soft' }, 'Reading…'));
  text(address).then((raw) => fill(body, longText(raw)), (error) => fill(body, h('p', { class: 'bad' }, error.message)));
  return [h('p', { class: 'raw-head' }, h('span', { class: 'soft' }, `${counted(head.bytes, 'byte')}, as received`), h('a', { href: `/__tracklane/${address}`, target: '_blank', rel: 'noreferrer' }, 'Open')), body];
}
