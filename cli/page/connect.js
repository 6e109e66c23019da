// How to point an SDK at this server, and whether something has come.
import { codeBlock } from './copy.js';
import { fill, h } from './dom.js';
import { link } from './route.js';
import { title } from './row.js';
import { get } from './server.js';
import { call, visible } from './text.js';

export function connectScreen(app) {
  const body = h('div');
  const node = h('section', { class: 'screen', 'aria-label': 'Connect' }, body);
  let panel = null;
  const show = (route) => fill(body, (panel = connectPanel(app, route)));
  return { node, title: () => 'Connect', show, reload: () => show(app.route), frame: () => {}, keys: {} };
}

/** The panel: what it waits for, and a snippet per SDK. It turns when the first event comes. */
export function connectPanel(app, route) {
  const state = h('div', { class: 'waiting', role: 'status' });
  const snippets = h('div', { class: 'snippets' });
  const node = h('div', { class: 'connect' },
    h('h1', null, 'Send your first event'),
    h('p', { class: 'lead' }, `Every Segment SDK can send here instead of to Segment. ${app.info?.forward ? 'What comes is also forwarded to Segment.' : 'Nothing leaves this machine.'}`),
    snippets, state);

  const turn = (head) => fill(state, head
    ? [h('span', { class: 'lamp on' }), h('span', null, 'The first event is here: ', h('a', { href: link({ event: head.seq }) }, `${call(head.kind)}${head.name == null ? '' : ` ${title(head, 80)}`}`))]
    : [h('span', { class: 'lamp' }), h('span', null, 'Waiting for the first event at ', h('code', null, app.info?.url ?? location.origin))]);
  turn(null);
  if (app.received > 0) first(turn);
  else app.once((frame) => frame.counters.received > 0, () => first(turn));

  get('connect').then(({ snippets: list }) => draw(list, Math.max(0, list.findIndex(({ sdk }) => sdk === route.sdk))), (error) => fill(snippets, h('p', { class: 'bad' }, error.message)));

  function draw(list, chosen, focus = false) {
    const choose = (at) => draw(list, (at + list.length) % list.length, true);
    const arrows = (event) => event.key in MOVES && (event.preventDefault(), choose(chosen + MOVES[event.key]));
    const tabs = list.map(({ sdk }, at) => h('button', { type: 'button', role: 'tab', id: `sdk-${at}`, 'aria-selected': String(at === chosen), 'aria-controls': 'snippet', tabindex: at === chosen ? '0' : '-1', onclick: () => choose(at) }, short(sdk)));
    fill(snippets, h('div', { class: 'tabs', role: 'tablist', 'aria-label': 'SDK', onkeydown: arrows }, tabs),
      list[chosen] && h('div', { role: 'tabpanel', id: 'snippet', 'aria-labelledby': `sdk-${chosen}` }, h('p', { class: 'soft' }, visible(list[chosen].sdk, 80)), codeBlock(app, list[chosen].code, `Code for ${list[chosen].sdk}`)));
    if (focus) tabs[chosen].focus();
  }
  return node;
}

// "Node (@segment/analytics-node)" as "Node".
const short = (sdk) => visible(sdk.replace(/\s*\(.*$/, ''), 40);

const MOVES = { ArrowRight: 1, ArrowLeft: -1 };

async function first(turn) {
  try {
    const { events } = await get('events?after=0&limit=1');
    if (events[0]) turn(events[0]);
  } catch {
    // The line goes on waiting; the bar above says that the server is away.
  }
}
