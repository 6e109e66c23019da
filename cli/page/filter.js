// The filter box: applies itself while one types, offers examples while it is empty, shows where the server stumbled.
import { fill, h, icon } from './dom.js';

const EXAMPLES = [
  ['kind:track', 'one kind of call'],
  ['name:"Order *"', 'names, with a wildcard'],
  ['user:42', 'one user'],
  ['-name:Ping', 'everything but'],
  ['properties.total>10', 'by a value'],
  ['has:finding', 'what Segment would not like'],
  ['path:dropped', 'what a plugin or destination dropped'],
];
const PAUSE = 180;
// Who types a quote has not yet typed the other.
const PATIENCE = 450;

export function filterBox({ apply, leave }) {
  let timer = 0;
  let failing = 0;
  const input = h('input', {
    type: 'text', class: 'filter-input', id: 'filter', 'aria-label': 'Filter events', placeholder: 'Filter',
    autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false', 'aria-keyshortcuts': '/', 'aria-describedby': 'filter-error',
  });
  const clear = h('button', { type: 'button', class: 'clear', 'aria-label': 'Clear the filter', title: 'Clear the filter', hidden: true, onclick: () => set('') }, icon('close'));
  const key = h('kbd', { class: 'hint-key', 'aria-hidden': 'true' }, '/');
  const hints = h('div', { class: 'hints', role: 'group', 'aria-label': 'Examples of filters' },
    EXAMPLES.map(([q, what]) => h('button', { type: 'button', onclick: () => set(q) }, h('code', null, q), h('span', null, what))));
  const error = h('p', { class: 'filter-error', id: 'filter-error', role: 'alert', hidden: true });
  const node = h('div', { class: 'filter' }, icon('search'), input, key, clear, hints, error);

  const run = (now) => {
    clearTimeout(timer);
    refresh();
    timer = setTimeout(() => apply(input.value.trim()), now ? 0 : PAUSE);
  };
  const refresh = () => {
    clear.hidden = input.value === '';
    node.classList.toggle('filled', input.value !== '');
  };
  const set = (q) => {
    input.value = q;
    run(true);
    input.focus();
  };
  input.addEventListener('input', () => run(false));
  input.addEventListener('keydown', (event) => {
    if (event.key === 'Enter') run(true);
    if (event.key === 'Escape' || event.key === 'ArrowDown' || event.key === 'Enter') {
      event.preventDefault();
      event.stopPropagation();
      leave();
    }
  });

  return {
    node,
    focus: () => (input.focus(), input.select()),
    /** Shows the filter of the address, unless somebody types just now. */
    show: (q) => {
      if (document.activeElement !== input || input.value.trim() === '') input.value = q;
      refresh();
    },
    /** Says what is wrong with the filter, with a mark below its column; null takes it away. */
    fail(refused, late = false) {
      clearTimeout(failing);
      if (refused && !late && document.activeElement === input) return void (failing = setTimeout(() => this.fail(refused, true), PATIENCE));
      error.hidden = !refused;
      input.setAttribute('aria-invalid', String(Boolean(refused)));
      if (!refused) return void fill(error);
      const at = Number.isInteger(refused.at) ? Math.max(0, refused.at - 1) : null;
      // The server counts characters, and not the halves of pairs.
      const typed = [...input.value.trim()];
      const part = (from, to) => typed.slice(from, to).join('');
      const where = at == null ? null : h('code', null, at > 24 ? '…' : '', part(Math.max(0, at - 24), at), h('mark', null, part(at, at + 12) || ' '));
      fill(error, refused.message, where && ' ', where);
    },
  };
}
