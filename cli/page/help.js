// The sheet of keys and of the filter's language.
import { h } from './dom.js';

const KEYS = [
  ['The list', [['j  k', 'older, newer'], ['Enter', 'open'], ['Esc', 'close'], ['Space', 'pause or follow'], ['g g', 'to the newest'], ['Shift G', 'to the oldest'], ['/', 'filter']]],
  ['An event', [['1 … 5', 'event, path, findings, request, raw'], ['c r', 'copy as Rust'], ['c j', 'copy as JS'], ['c c', 'copy as curl'], ['c e', 'copy as expect']]],
  ['Screens', [['g l', 'live'], ['g f', 'findings'], ['g u', 'user'], ['g x', 'faults'], ['g p', 'plan'], ['g c', 'connect'], ['t', 'theme'], ['?', 'this sheet']]],
];
const FILTER = [
  ['kind:track', 'the call'], ['name:"Order *"', 'the name; * is anything'], ['user:42  anon:a1', 'an id'], ['key:WRITE_KEY', 'a write key'], ['id:…', 'a messageId'],
  ['has:finding  level:smell  rule:…', 'what was found'], ['path:dropped', 'how its way ended'], ['properties.total>10', 'a value; also = < >= <='], ['context.app.name:shop', 'any path'],
  ['word  "two words"', 'text anywhere in the event'], ['-name:Ping', 'all but'],
];

export function helpSheet() {
  const old = document.getElementById('help');
  if (old) return old.close();
  const back = document.activeElement;
  const list = (rows, tag) => h('dl', null, rows.map(([what, words]) => h('div', null, h('dt', null, what.split('  ').map((one) => h(tag, null, one))), h('dd', null, words))));
  const dialog = h('dialog', { id: 'help', class: 'sheet', 'aria-labelledby': 'help-title', onclose: () => (dialog.remove(), back?.focus?.()), onclick: (event) => event.target === dialog && dialog.close() },
    h('div', { class: 'sheet-body' }, h('header', null, h('h2', { id: 'help-title' }, 'Keys'), h('form', { method: 'dialog' }, h('button', { class: 'quiet' }, 'Close'))),
      h('div', { class: 'help-columns' }, KEYS.map(([name, rows]) => h('section', null, h('h3', null, name), list(rows, 'kbd')))),
      h('section', { class: 'help-filter' }, h('h3', null, 'Filter: all terms must match'), list(FILTER, 'code'))));
  document.body.append(dialog);
  dialog.showModal();
}
