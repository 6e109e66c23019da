// One person: all events of an id in their order, with those ids that identify and alias joined to it.
import { fill, h } from './dom.js';
import { link } from './route.js';
import { title } from './row.js';
import { get, query } from './server.js';
import { clock, count, counted, duration, moment, visible } from './text.js';

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
      h('ol', { class: 'story' }, story(events, id)));
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

// One entry for each event: the time since the one before, and the id that it joined, if it is the first to do so.
function story(events, id) {
  const known = new Set([String(id)]);
  let last = null;
  return events.map((head) => {
    const gap = last == null ? null : new Date(head.at) - last;
    last = new Date(head.at);
    const fresh = [head.userId, head.anonymousId].filter((one) => one != null && !known.has(String(one)));
    for (const one of fresh) known.add(String(one));
    return h('li', fresh.length > 0 ? { class: 'joins' } : null,
      h('a', { href: link({ q: '', event: head.seq }) },
        h('span', { class: 'time', title: head.at }, clock(head.at)), h('span', { class: 'gap' }, gap == null ? '' : `+${duration(Math.max(0, gap))}`),
        h('span', { class: `kind ${head.kind}` }, visible(String(head.kind), 12)), h('span', { class: 'name' }, title(head)),
        fresh.length > 0 && h('span', { class: 'join' }, `joins ${fresh.map((one) => visible(String(one), 60)).join(', ')}`)));
  });
}
