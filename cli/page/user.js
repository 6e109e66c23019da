// One person: all events of an id in their order, with those ids that identify and alias joined to it.
import { fill, h, styled } from './dom.js';
import { link } from './route.js';
import { title } from './row.js';
import { get, query } from './server.js';
import { call, clock, count, counted, duration, moment, visible } from './text.js';

const EACH = 1000;

export function userScreen(app) {
  let route = {};
  let asked = 0;
  let shown = '';
  const input = h('input', { type: 'text', id: 'user-id', autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false', placeholder: 'userId or anonymousId' });
  const form = h('form', { class: 'lookup', onsubmit: (event) => (event.preventDefault(), app.go({ view: 'user', id: input.value.trim() })) },
    h('label', { for: 'user-id' }, 'Whose events?'), input, h('button', { type: 'submit' }, 'Show'));
  const result = h('div', { class: 'result' });
  const node = h('section', { class: 'screen', 'aria-labelledby': 'user-title' }, h('h1', { id: 'user-title' }, 'User'), form, result);

  async function load() {
    asked = performance.now();
    if (!route.id) return void fill(result);
    const { id } = route;
    try {
      const answer = await get(query('users', { id }));
      if (id === route.id) draw(answer);
    } catch (error) {
      fill(result, h('p', { class: 'bad' }, error.message));
    }
  }

  function draw({ id, joined, events, matched }) {
    const state = JSON.stringify([id, joined, matched, events.at(-1)?.seq]);
    if (state === shown) return;
    shown = state;
    const others = joined.filter((other) => other !== id);
    if (events.length === 0) return void fill(result, h('div', { class: 'nothing' }, h('h2', null, 'No event of this id'), h('p', null, h('code', null, visible(id, 120)))));
    fill(result,
      h('dl', { class: 'facts' },
        h('div', null, h('dt', null, 'Events'), h('dd', null, count(matched))),
        h('div', null, h('dt', null, 'First'), h('dd', null, moment(events[0].at))),
        h('div', null, h('dt', null, 'Also known as'), h('dd', null, others.length === 0 ? '–' : others.map((other) => h('a', { class: 'chip', href: link({ view: 'user', id: other }) }, h('bdi', null, visible(other, 80)))))),
      ),
      matched > events.length && h('p', { class: 'soft' }, `The first ${counted(events.length, 'event')} of ${count(matched)}.`),
      h('ol', { class: 'story' }, story(events)));
  }

  return {
    node,
    title: () => (route.id ? `User ${visible(route.id, 40)}` : 'User'),
    show(next) {
      const other = next.id !== route.id;
      route = next;
      if (other) {
        shown = '';
        fill(result);
        input.value = route.id ?? '';
      }
      load();
      if (!route.id) input.focus();
    },
    reload: () => ((shown = ''), load()),
    frame: () => performance.now() - asked > EACH && route.id && load(),
    keys: { '/': () => (input.focus(), input.select()) },
  };
}

// One entry for each event: the time since the one before, and which ids it is the first to join.
function story(events) {
  const known = new Set();
  let last = null;
  return events.map((head) => {
    const gap = last == null ? null : new Date(head.at) - last;
    last = new Date(head.at);
    const join = joins(head, known);
    return h('li', join && { class: 'joins' },
      h('a', { href: link({ event: head.seq }) },
        h('span', { class: 'time', title: head.at }, clock(head.at)), h('span', { class: 'gap' }, gap == null ? '' : `+${duration(Math.max(0, gap))}`),
        h('span', { class: styled('kind', head.kind) }, call(head.kind)), h('span', { class: 'name' }, title(head)),
        join && h('span', { class: 'join' }, join)));
  });
}

function joins({ kind, userId, anonymousId }, known) {
  if (kind === 'alias') return `joins an older id to ${visible(String(userId ?? anonymousId ?? ''), 60)}`;
  if (userId == null || anonymousId == null) return null;
  const pair = JSON.stringify([userId, anonymousId]);
  if (known.has(pair)) return null;
  known.add(pair);
  return `joins ${visible(String(anonymousId), 60)} and ${visible(String(userId), 60)}`;
}
