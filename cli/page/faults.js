// Makes the tracking API fail on purpose, for those who want to see what their service does then.
import { fill, h } from './dom.js';
import { get, put, remove } from './server.js';
import { count, counted, duration, visible } from './text.js';

const KINDS = ['track', 'identify', 'page', 'screen', 'group', 'alias'];
const TYPES = { status: 'Answer with a status', delay: 'Answer late', reset: 'Reset the connection', hang: 'Never answer', drip: 'Answer byte by byte', truncated: 'Cut the answer short', garbage: 'Answer with garbage' };
const READY = [
  ['503, half of the time', { name: 'half-503', type: 'status', status: 503, share: 50 }],
  ['429 with Retry-After', { name: 'rate-limit', type: 'status', status: 429, retryAfter: 5, share: 100, count: 10 }],
  ['Two seconds late', { name: 'slow', type: 'delay', ms: 2000, share: 100 }],
  ['Connection reset', { name: 'reset', type: 'reset', share: 100, count: 3 }],
];
const EACH = 1000;

export function faultsScreen(app) {
  let timer = 0;
  const list = h('div', { class: 'fault-list' });
  const error = h('p', { class: 'bad', role: 'alert', hidden: true });
  const form = faultForm(add);
  const ready = h('div', { class: 'ready', role: 'group', 'aria-label': 'Ready-made faults' }, READY.map(([label, values]) => h('button', { type: 'button', onclick: () => form.set(values) }, label)));
  const node = h('section', { class: 'screen', 'aria-labelledby': 'faults-title' },
    h('h1', { id: 'faults-title' }, 'Faults'),
    h('p', { class: 'lead' }, 'Let the tracking API fail, and see what your service does. An event is kept before the fault strikes.'),
    list, h('h2', null, 'Add a fault'), ready, form.node, error);

  async function load() {
    try {
      draw((await get('faults')).faults);
    } catch (refused) {
      fill(list, h('p', { class: 'bad' }, refused.message));
    }
  }

  function draw(faults) {
    app.faults(faults.length);
    const state = JSON.stringify(faults.map(({ expiresInMs, ...rest }) => [rest, Math.round((expiresInMs ?? 0) / 1000)]));
    if (list.dataset.state === state) return;
    list.dataset.state = state;
    const focused = list.contains(document.activeElement);
    fill(list, faults.length === 0 ? h('p', { class: 'soft none-yet' }, 'None is set: every request is answered as Segment would.') : faults.map((fault) => row(fault, drop)));
    if (focused) list.querySelector('button')?.focus();
  }

  async function add(name, fault) {
    error.hidden = true;
    try {
      await put(`faults/${encodeURIComponent(name)}`, fault);
      app.toast(`Fault ${name} is set`);
      await load();
    } catch (refused) {
      error.hidden = false;
      fill(error, refused.message);
    }
  }

  async function drop(name) {
    try {
      await remove(`faults/${encodeURIComponent(name)}`);
    } catch (refused) {
      app.toast(refused.message);
    }
    await load();
  }

  return {
    node,
    title: () => 'Faults',
    show() {
      form.keys([...app.keys]);
      load();
      clearInterval(timer);
      timer = setInterval(() => !document.hidden && load(), EACH);
    },
    leave: () => clearInterval(timer),
    reload: load,
    keys: {},
  };
}

function row(fault, drop) {
  const left = fault.count == null ? null : `${counted(fault.count, 'time')}`;
  const words = [fault.kind ?? 'every call', fault.scope == null ? 'every key' : `key ${visible(fault.scope, 40)}`, fault.probability < 1 ? `${Math.round(fault.probability * 100)} %` : null, left, fault.expiresInMs == null ? null : `ends in ${duration(fault.expiresInMs)}`];
  return h('article', { class: 'fault' },
    h('div', null, h('b', null, visible(fault.name, 80)), ' ', h('code', null, effect(fault.fault)), h('p', { class: 'soft' }, words.filter(Boolean).join(' · '))),
    h('span', { class: 'hits' }, counted(fault.hits, 'hit')),
    h('button', { type: 'button', 'aria-label': `Remove ${visible(fault.name, 80)}`, onclick: () => drop(fault.name) }, 'Remove'));
}

function effect(fault) {
  if (fault.type === 'status') return `${fault.status}${fault.retryAfter == null ? '' : `, Retry-After ${count(fault.retryAfter)}`}`;
  return fault.ms == null ? fault.type : `${fault.type} ${duration(fault.ms)}`;
}

function faultForm(add) {
  const field = (label, input) => h('div', { class: 'field' }, h('label', { for: input.id }, label), input);
  const number = (id, min, max, placeholder) => h('input', { type: 'number', id, min, max, placeholder, inputmode: 'numeric' });
  const options = (list, all) => [h('option', { value: '' }, all), list.map((one) => h('option', { value: one }, one))];
  const name = h('input', { type: 'text', id: 'fault-name', required: true, autocomplete: 'off', spellcheck: 'false', maxlength: '64' });
  const type = h('select', { id: 'fault-type', onchange: show }, Object.entries(TYPES).map(([value, label]) => h('option', { value }, label)));
  const status = number('fault-status', 100, 599);
  const retryAfter = number('fault-retry-after', 0, 86400, 'none');
  const ms = number('fault-ms', 1, 600000);
  const kind = h('select', { id: 'fault-kind' }, options(KINDS, 'every call'));
  const scope = h('select', { id: 'fault-scope' }, options([], 'every key'));
  const share = number('fault-share', 1, 100);
  const times = number('fault-count', 1, 1000000, 'no limit');
  const seconds = number('fault-seconds', 1, 86400, 'until removed');
  const fields = { status: field('Status', status), retryAfter: field('Retry-After, seconds', retryAfter), ms: field('Milliseconds', ms) };
  const node = h('form', { class: 'fault-form', onsubmit: submit }, field('Name', name), field('What happens', type), fields.status, fields.retryAfter, fields.ms, field('Call', kind), field('Write key', scope), field('Share, percent', share), field('Times', times), field('Seconds', seconds), h('button', { type: 'submit', class: 'main' }, 'Set the fault'));
  const set = (values) => {
    const all = { name: 'fault-1', type: 'status', status: 503, retryAfter: '', ms: 500, share: 100, count: '', ...values };
    name.value = all.name;
    type.value = all.type;
    [status.value, retryAfter.value, ms.value, share.value, times.value] = [all.status, all.retryAfter, all.ms, all.share, all.count];
    show();
  };
  function show() {
    fields.status.hidden = fields.retryAfter.hidden = type.value !== 'status';
    fields.ms.hidden = type.value !== 'delay' && type.value !== 'drip';
    status.disabled = retryAfter.disabled = fields.status.hidden;
    ms.disabled = fields.ms.hidden;
  }
  function submit(event) {
    event.preventDefault();
    const filled = (input) => (input.value === '' ? null : Number(input.value));
    const fault = { type: type.value };
    if (type.value === 'status') Object.assign(fault, { status: filled(status) ?? 503 }, retryAfter.value === '' ? {} : { retryAfter: filled(retryAfter) });
    if (!fields.ms.hidden) fault.ms = filled(ms) ?? 500;
    add(name.value.trim(), { scope: scope.value || null, kind: kind.value || null, probability: (filled(share) ?? 100) / 100, count: filled(times), fault, expiresInMs: seconds.value === '' ? null : filled(seconds) * 1000 });
  }
  set({});
  return { node, set: (values) => (set(values), name.focus()), keys: (list) => fill(scope, options(list, 'every key')) };
}
