// Turns values of events into text that can be shown: short, and with nothing in it that moves other text about.

// Control and format characters that reorder or hide text, and halves of surrogate pairs. Joiners stay: emoji and
// several scripts need them.
const HIDDEN =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
const SHORT = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** The text with what cannot be seen written as an escape, cut after `most` characters. */
export function visible(text, most = 200) {
  return escaped(text.length > most ? `${text.slice(0, most).replace(/[\ud800-\udbff]$/, '')}…` : text, SHORT);
}

/** The same for a text of many lines, whole. */
export const visibleLines = (text) => escaped(text, { '\n': '\n', '\r\n': '\n', '\t': '\t' });

/** The type of a call; a dash where an event has none that is known. */
export const call = (kind) => (kind == null ? '–' : visible(String(kind), 12));

function escaped(text, short) {
  return text.replace(HIDDEN, (found) => short[found] ?? `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

const NUMBER = new Intl.NumberFormat('en-US');

/** 12418 as 12,418. */
export const count = (n) => NUMBER.format(n ?? 0);

/** "1 event", "2 events". */
export const counted = (n, noun) => `${count(n)} ${noun}${n === 1 ? '' : 's'}`;

/** A size, in units of 1,000 bytes. */
export function bytes(n) {
  if (n < 1000) return `${n} B`;
  if (n < 1e6) return `${(n / 1e3).toFixed(n < 1e4 ? 1 : 0)} kB`;
  return `${(n / 1e6).toFixed(1)} MB`;
}

/** A duration that is given in milliseconds. */
export function duration(ms) {
  if (ms == null) return '';
  if (ms === 0) return '0 ms';
  if (ms < 1) return `${trim(ms * 1000)} µs`;
  if (ms < 1000) return `${trim(ms)} ms`;
  if (ms < 120000) return `${trim(ms / 1000)} s`;
  if (ms < 7200000) return `${Math.round(ms / 60000)} min`;
  if (ms < 172800000) return `${Math.round(ms / 3600000)} h`;
  return `${Math.round(ms / 86400000)} d`;
}

const trim = (n) => (n < 10 ? String(Math.round(n * 10) / 10) : String(Math.round(n)));
const two = (n) => (n < 10 ? `0${n}` : n);

/** The time of day with milliseconds, in the time zone of who looks. */
export function clock(at) {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return visible(String(at), 30);
  const ms = String(date.getMilliseconds()).padStart(3, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${ms}`;
}

/** The day and the time of day. */
export function moment(at) {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return visible(String(at), 30);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${clock(at)}`;
}

/** A term of the filter: the key as it is, the value quoted if it must be. */
export function term(key, value) {
  const text = String(value);
  const plain = /^[^\s"\\*:<>=()-][^\s"\\*<>=()]*$/.test(text);
  return `${key}:${plain ? text : `"${text.replace(/["\\]/g, '\\$&')}"`}`;
}

/** The filter with a term put at its end, or as it is if it has it. */
export function withTerm(q, added) {
  return ` ${q} `.includes(` ${added} `) ? q : `${q} ${added}`.trim();
}
