// The way of one event: what each plugin changed and how long it took, then each destination with its attempts.
import { h, styled } from './dom.js';
import { clock, counted, duration, visible } from './text.js';

const SIGNS = { add: '+', remove: '−', replace: '~' };
const VERDICTS = { retry: 'again', pause: 'pauses, again', split: 'again in halves', reject: 'refused for good', skip: 'not for this destination', unauthorized: 'credentials refused' };
const WORDS = { add: 'added', remove: 'removed', replace: 'changed' };

export function pathView(path, info) {
  if (!path) return unknown(info);
  const took = path.steps.reduce((sum, step) => sum + (step.us ?? 0), 0);
  const summary = path.steps.length > 0 ? `${counted(path.steps.length, 'plugin')}, ${duration(took / 1000)}` : 'no plugin';
  return [
    h('ol', { class: 'way' },
      h('li', { class: 'stop call' }, h('div', { class: 'stop-head' }, h('b', null, 'Call'), h('span', { class: 'soft' }, summary))),
      path.steps.map(stop),
      path.destinations.length === 0 && end(path)),
    path.destinations.length > 0 && h('ul', { class: 'lanes', 'aria-label': 'Destinations' }, path.destinations.map(lane)),
  ];
}

function unknown(info) {
  return h('div', { class: 'nothing' }, h('h3', null, 'No path is known'),
    h('p', null, 'A tracklane client tells what each plugin changed, and every attempt of each destination, when it has this server as its inspector. In code, or in its environment:'),
    h('pre', { class: 'code', tabindex: '0' }, `Analytics::builder().inspector("${info?.url ?? location.origin}")\n\nTRACKLANE_INSPECTOR=${info?.url ?? location.origin}`));
}

function stop(step) {
  const bad = step.outcome !== 'kept';
  return h('li', { class: styled('stop', step.outcome) },
    h('div', { class: 'stop-head' },
      h('b', null, visible(step.plugin, 80)), h('span', { class: 'soft' }, step.stage),
      bad && h('span', { class: styled('outcome', step.outcome) }, step.outcome),
      h('span', { class: 'took' }, step.us == null ? '' : duration(step.us / 1000))),
    step.reason && h('p', { class: 'reason' }, visible(step.reason, 300)),
    step.patch?.length > 0
      ? h('ul', { class: 'patch' }, step.patch.map(change))
      : !bad && h('p', { class: 'same' }, 'changes nothing'));
}

function change({ op, path, old, value }) {
  const name = visible(path.replace(/^\//, '').replaceAll('/', '.').replaceAll('~1', '/').replaceAll('~0', '~') || 'event', 160);
  return h('li', { class: styled('change', op) },
    h('span', { class: 'sign', 'aria-hidden': 'true' }, SIGNS[op] ?? '~'), h('span', { class: 'unseen' }, WORDS[op] ?? op),
    h('code', null, h('span', { class: 'key' }, name), ' ',
      op !== 'add' && old !== undefined && h('del', null, shown(old)), op === 'replace' && ' → ', op !== 'remove' && h('ins', null, shown(value))));
}

const shown = (value) => visible(JSON.stringify(value) ?? 'null', 240);

function end(path) {
  return h('li', { class: styled('stop end', path.outcome) }, h('div', { class: 'stop-head' }, h('b', null, capital(path.outcome ?? undefined))),
    path.reason && h('p', { class: 'reason' }, visible(path.reason, 300)));
}

function lane(destination) {
  const first = destination.attempts?.[0]?.at;
  return h('li', { class: styled('lane', destination.outcome) },
    h('div', { class: 'lane-head' }, h('b', null, visible(destination.name, 80)), h('span', { class: styled('outcome', destination.outcome) }, destination.outcome)),
    destination.reason && h('p', { class: 'reason' }, visible(destination.reason, 300)),
    destination.attempts?.length > 0
      ? h('ol', { class: 'attempts' }, destination.attempts.map((attempt) => one(attempt, first)))
      : h('p', { class: 'same' }, 'no attempt'));
}

function one(attempt, first) {
  const good = attempt.verdict ? attempt.verdict === 'delivered' : attempt.status >= 200 && attempt.status < 300;
  const told = attempt.status ?? (good ? 'delivered' : visible(attempt.error ?? attempt.verdict ?? 'no answer', 120));
  const since = attempt.n > 1 && first ? `+${duration(new Date(attempt.at) - new Date(first))}` : clock(attempt.at);
  return h('li', null, h('span', { class: 'n' }, attempt.n),
    h('span', { class: good ? 'good' : 'bad' }, told),
    attempt.status != null && attempt.error && h('span', { class: 'soft' }, visible(attempt.error, 120)),
    VERDICTS[attempt.verdict] && h('span', { class: 'soft' }, VERDICTS[attempt.verdict], attempt.againInMs != null && ` in ${duration(attempt.againInMs)}`),
    h('span', { class: 'at', title: attempt.at }, since), h('span', { class: 'took' }, duration(attempt.ms)));
}

const capital = (word = 'pending') => word.charAt(0).toUpperCase() + word.slice(1);
