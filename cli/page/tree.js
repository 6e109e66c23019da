// Shows a JSON value as one reads it: indented, coloured, foldable, with what is wrong beside the value that it is about.
import { fill, h, icon, styled } from './dom.js';
import { count, term, visible, visibleLines, withTerm } from './text.js';

const CHILDREN = 100;
const OPEN_DEPTH = 3;
const OPEN_CHILDREN = 40;
const STRING = 600;
const PIECE = 65536;

/** The tree of an event. `findings` with a property stand behind the value of that path. */
export function tree(event, findings, { app, route }) {
  const notes = new Map();
  for (const found of findings) if (found.property) notes.set(found.property, [...(notes.get(found.property) ?? []), found]);
  const missing = [...notes.keys()].filter((path) => !has(event, path)).flatMap((path) => notes.get(path));
  const filter = (path, value) => app.go({ ...route, q: withTerm(route.q, term(path, value)) });
  return h('div', { class: 'tree' },
    missing.map((found) => h('p', { class: styled('absent', found.level) }, h('code', null, visible(found.property, 100)), ' ', visible(found.message, 300))),
    h('ul', null, members(event, '', 0, { notes, filter })));
}

function has(value, path) {
  return path.split('.').every((key) => value != null && typeof value === 'object' && Object.hasOwn(value, key) && ((value = value[key]), true));
}

function members(value, path, depth, tools) {
  const keys = Object.keys(value);
  const list = Array.isArray(value);
  const make = (from) => {
    const nodes = keys.slice(from, from + CHILDREN).map((key) => member(key, value[key], path ? `${path}.${key}` : key, depth, tools, list));
    const left = keys.length - from - CHILDREN;
    if (left > 0) {
      const more = h('li', null, h('button', { type: 'button', class: 'more', onclick: () => more.replaceWith(...make(from + CHILDREN)) }, `${count(left)} more`));
      nodes.push(more);
    }
    return nodes;
  };
  return make(0);
}

function member(key, value, path, depth, tools, list) {
  const name = h('span', { class: list ? 'key index' : 'key' }, visible(key, 200));
  const notes = (tools.notes.get(path) ?? []).map((found) => h('span', { class: styled('note', found.level) }, visible(found.message, 300)));
  if (value !== null && typeof value === 'object') return branch(name, value, path, depth, tools, notes);
  return h('li', null, name, leaf(value), filterButton(path, value, tools), notes);
}

function branch(name, value, path, depth, tools, notes) {
  const size = Object.keys(value).length;
  const brackets = Array.isArray(value) ? ['[', ']'] : ['{', '}'];
  if (size === 0) return h('li', null, name, h('span', { class: 'punctuation' }, brackets.join('')), notes);
  const inner = h('ul');
  const open = depth < OPEN_DEPTH && size <= OPEN_CHILDREN;
  const build = () => inner.childElementCount === 0 && fill(inner, members(value, path, depth + 1, tools));
  if (open) build();
  const words = `${brackets[0]}${count(size)}${brackets[1]}`;
  return h('li', null, h('details', { open, ontoggle: build }, h('summary', null, name, h('span', { class: 'punctuation' }, words), notes), inner));
}

function leaf(value) {
  if (typeof value !== 'string') return h('span', { class: `value ${value === null ? 'null' : typeof value}` }, String(value));
  const node = h('span', { class: 'value string' }, h('bdi', null, `"${visible(value, STRING)}"`));
  if (value.length <= STRING) return node;
  const more = h('button', { type: 'button', class: 'more', onclick: () => fill(node, longText(value)) }, `Show ${count(value.length)} characters`);
  node.append(' ', more);
  return node;
}

// The filter's own words for what every event has.
const WORDS = { type: 'kind', event: 'name', name: 'name', userId: 'user', anonymousId: 'anon', messageId: 'id' };

function filterButton(path, value, { filter }) {
  if (!/^[\w$.-]+$/.test(path) || value === null || (typeof value === 'string' && value.length > 120)) return null;
  const label = `Filter by ${visible(path, 60)}`;
  return h('button', { type: 'button', class: 'filter-by', tabindex: '-1', 'aria-label': label, title: label, onclick: () => filter(WORDS[path] ?? path, value) }, icon('funnel'));
}

/** A long text, in pieces that a browser lays out at once, each when it is asked for. */
export function longText(text) {
  const pre = h('pre', { class: 'code long', tabindex: '0' });
  let shown = 0;
  const more = h('button', { type: 'button', class: 'more', onclick: grow });
  function grow() {
    let end = Math.min(text.length, shown + PIECE);
    if (end < text.length && /[\ud800-\udbff]/.test(text[end - 1])) end -= 1;
    pre.append(visibleLines(text.slice(shown, end)));
    shown = end;
    more.hidden = shown >= text.length;
    more.textContent = `Show more: ${count(text.length - shown)} characters are left`;
  }
  grow();
  return [pre, more];
}
