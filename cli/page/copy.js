// Puts text on the clipboard, or, where the browser does not let us, shows it so that it can be taken by hand.
import { h } from './dom.js';

export async function copyText(app, text, label) {
  try {
    await navigator.clipboard.writeText(text);
    app.toast(label ? `Copied as ${label}` : 'Copied');
  } catch {
    const dialog = h('dialog', { class: 'sheet', 'aria-label': 'Text to copy', onclose: () => dialog.remove() },
      h('p', null, 'The browser gives no access to the clipboard. Copy from here:'),
      h('pre', { class: 'code', tabindex: '0' }, text),
      h('form', { method: 'dialog' }, h('button', null, 'Close')));
    document.body.append(dialog);
    dialog.showModal();
    getSelection().selectAllChildren(dialog.querySelector('pre'));
  }
}

/** A block of code with a button that copies it. */
export function codeBlock(app, code, name) {
  return h('div', { class: 'code-block' }, h('pre', { class: 'code', tabindex: '0', 'aria-label': name }, code),
    h('button', { type: 'button', class: 'copy', onclick: () => copyText(app, code) }, 'Copy'));
}
