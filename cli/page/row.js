// One row of the live list: its nodes, and what an event's head puts into them.
import { h, styled } from './dom.js';
import { link } from './route.js';
import { bytes, call, clock, duration, visible } from './text.js';

const PARTS = ['time', 'kind', 'name', 'who', 'mark', 'path', 'size'];

export function makeRow(id) {
  const slot = { head: undefined, href: '' };
  const nodes = PARTS.map((part) => {
    slot[part] = document.createTextNode('');
    return (slot[`${part}Node`] = h('span', { class: part }, slot[part]));
  });
  slot.node = h('a', { class: 'row', role: 'option', id, tabindex: '-1', 'aria-selected': 'false' }, nodes);
  return slot;
}

export function paintRow(slot, index, head, { total, selected, q }) {
  const chosen = head != null && head.seq === selected;
  if (slot.chosen !== chosen) {
    slot.chosen = chosen;
    slot.node.setAttribute('aria-selected', String(chosen));
    slot.node.classList.toggle('chosen', chosen);
  }
  if (slot.index !== index || slot.total !== total) {
    slot.node.setAttribute('aria-posinset', (slot.index = index) + 1);
    slot.node.setAttribute('aria-setsize', (slot.total = total));
  }
  if (slot.head === head && slot.q === q) return;
  slot.head = head;
  slot.q = q;
  slot.node.classList.toggle('blank', !head);
  const shown = head ? describe(head) : {};
  for (const part of PARTS) put(slot[part], shown[part] ?? '');
  mark(slot.kindNode, styled('kind', head?.kind));
  mark(slot.nameNode, head?.name == null ? 'name none' : 'name');
  mark(slot.whoNode, head && head.userId == null ? 'who anon' : 'who');
  mark(slot.markNode, styled('mark', head?.level));
  mark(slot.pathNode, styled('path', head?.path?.state));
  if (head) slot.node.href = link({ q, event: head.seq });
  else slot.node.removeAttribute('href');
}

function put(node, text) {
  if (node.data !== text) node.data = text;
}

function mark(node, name) {
  if (node.className !== name) node.className = name;
}

function describe(head) {
  return {
    time: clock(head.at),
    kind: call(head.kind),
    name: title(head),
    who: visible(String(head.userId ?? head.anonymousId ?? ''), 80),
    mark: head.level ? (head.findings > 1 ? `${head.level} ×${head.findings}` : head.level) : '',
    path: pathWords(head.path),
    size: bytes(head.bytes),
  };
}

/** What an event is called: its name, or a dash for the kinds that have none. */
export function title(head, most = 160) {
  return head.name == null ? '–' : visible(String(head.name), most) || '""';
}

/** The state of an event's path in a few words. */
export function pathWords(path) {
  if (!path) return '';
  if (path.state === 'dropped') return path.reason ? `dropped: ${visible(path.reason, 60)}` : 'dropped';
  if (path.state === 'retrying') return `retry ${Math.max(1, (path.attempts ?? 1) - 1)}${path.reason ? ` (${visible(path.reason, 40)})` : ''}`;
  if (path.state === 'pending') return 'pending';
  const times = path.destinations > 1 ? ` ×${path.destinations}` : '';
  return `${path.state}${times}${!path.ms ? '' : ` · ${duration(path.ms)}`}`;
}
