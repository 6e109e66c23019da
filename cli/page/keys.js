// Keys: one, or two after each other. They rest while one types, and where a modifier is held.

const TOGETHER = 1200;

/** Calls what `bindings()` has for the keys that are pressed. */
export function listen(bindings) {
  let first = '';
  let timer = 0;
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
    if (document.querySelector('dialog[open]') || typing(event.target)) return;
    // A button or link that has the focus takes its own keys.
    if ((event.key === ' ' || event.key === 'Enter') && event.target.closest?.('button, a, summary')) return;
    const known = bindings();
    const pair = first && known[`${first} ${event.key}`];
    const action = pair || known[event.key];
    const begins = !pair && Object.keys(known).some((keys) => keys.startsWith(`${event.key} `));
    clearTimeout(timer);
    first = begins ? event.key : '';
    if (begins) timer = setTimeout(() => (first = ''), TOGETHER);
    if (action && action(event) !== false) event.preventDefault();
  });
}

function typing(node) {
  return node instanceof Element && Boolean(node.closest('input, select, textarea, [contenteditable]'));
}
