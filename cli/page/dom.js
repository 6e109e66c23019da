// Makes nodes. A string only ever becomes text: there is no way from a string to markup in this page.

/** An element. `on…` attributes are listeners; null and false attributes and children are left out. */
export function h(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value == null || value === false) continue;
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (name === 'class') node.className = value;
    else node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...kept(children));
  return node;
}

// The words of events and answers that have a style of their own.
const STYLED = new Set([
  'track', 'identify', 'page', 'screen', 'group', 'alias', 'refused', 'discarded', 'smell', 'delivered', 'retrying', 'pending', 'dropped', 'failed', 'timeout',
  'add', 'remove', 'replace',
]);

/** The class `base`, and `is-word` for a word that is known. What an event holds must not choose a class. */
export const styled = (base, word) => (STYLED.has(word) ? `${base} is-${word}` : base);

/** Puts these children in place of those that `node` has. */
export function fill(node, ...children) {
  node.replaceChildren(...kept(children));
  return node;
}

function kept(children) {
  return children.flat(Infinity).filter((child) => child != null && child !== false);
}

const SHAPES = {
  play: 'M5 3.5v9l7-4.5z',
  pause: 'M5 3.5v9M11 3.5v9',
  close: 'M4 4l8 8M12 4l-8 8',
  up: 'M3.5 10L8 5.5l4.5 4.5',
  down: 'M3.5 6L8 10.5 12.5 6',
  sun: 'M8 5.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6M8 1.2v1.4M8 13.4v1.4M1.2 8h1.4M13.4 8h1.4M3.2 3.2l1 1M11.8 11.8l1 1M12.8 3.2l-1 1M4.2 11.8l-1 1',
  moon: 'M13 9.6A5.5 5.5 0 1 1 6.4 3a4.4 4.4 0 0 0 6.6 6.6z',
  auto: 'M8 2.2a5.8 5.8 0 1 0 0 11.6A5.8 5.8 0 0 0 8 2.2zM8 2.2v11.6M10 3v10M12 4.4v7.2',
  search: 'M7 2.8a4.2 4.2 0 1 0 0 8.4 4.2 4.2 0 0 0 0-8.4zM10.2 10.2l3.3 3.3',
  copy: 'M5.5 5.5h7v7h-7zM3.5 10.5v-7h7',
  funnel: 'M2.5 3.5h11L9.3 8.6v4L6.7 11V8.6z',
};

/** A line drawing of 16 by 16, in the colour of the text around it. */
export function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 16 16');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', SHAPES[name]);
  svg.append(path);
  return svg;
}

/** A button with a drawing and a name that is read out and shown on hover. */
export function iconButton(name, label, onclick, key) {
  return h('button', { type: 'button', class: 'icon-button', 'aria-label': label, title: key ? `${label} (${key})` : label, 'aria-keyshortcuts': key, onclick }, icon(name));
}
