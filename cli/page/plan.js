// The tracking plan beside what came: seen, never seen, and not in the plan.
import { fill, h, styled } from './dom.js';
import { link } from './route.js';
import { get } from './server.js';
import { call, count, counted, term, visible } from './text.js';

const EACH = 1000;

export function planScreen(app) {
  let asked = 0;
  const body = h('div', { class: 'plan' });
  const heading = h('h1', { id: 'plan-title' }, 'Plan');
  const node = h('section', { class: 'screen', 'aria-labelledby': 'plan-title' }, heading, body);

  async function load() {
    asked = performance.now();
    try {
      const [plan, coverage] = await Promise.all([get('plan'), get('coverage')]);
      draw(plan, coverage);
    } catch (error) {
      fill(body, error.status === 404
        ? h('div', { class: 'nothing' }, h('h2', null, 'No plan is given'), h('p', null, 'Start the tool with one, in the JSON that Segment exports:'), h('pre', { class: 'code', tabindex: '0' }, 'tracklane dev --plan plan.json'))
        : h('p', { class: 'bad' }, error.message));
    }
  }

  function draw(plan, { seen, neverSeen, unknown }) {
    fill(heading, visible(plan.name ?? 'Plan', 120));
    const all = seen.length + neverSeen.length;
    fill(body,
      h('p', { class: 'lead' }, `${count(seen.length)} of ${counted(all, 'planned event')} seen`, unknown.length > 0 && `, ${count(unknown.length)} not in the plan`),
      h('meter', { min: 0, max: Math.max(1, all), value: seen.length, 'aria-label': 'Planned events that were seen' }),
      part('Seen', seen), part('Never seen', neverSeen), part('Not in the plan', unknown));
  }

  return {
    node,
    title: () => 'Plan',
    show: load,
    reload: load,
    frame: () => performance.now() - asked > EACH && load(),
    keys: {},
  };
}

function part(label, events) {
  if (events.length === 0) return null;
  return [h('h2', null, label, ' ', h('span', { class: 'soft' }, count(events.length))), h('ul', { class: 'planned' }, events.map(({ kind, name, count: many, last, violations }) => {
    const q = !name ? term('kind', kind) : `${term('kind', kind)} ${term('name', name)}`;
    const words = [h('span', { class: styled('kind', kind) }, call(kind)), h('span', { class: 'name' }, name ? visible(name, 160) : '–')];
    if (!many) return h('li', null, h('span', null, words));
    return h('li', null, h('a', { href: link({ q }) }, words), violations > 0 && h('a', { class: 'level is-discarded', href: link({ q: `${q} has:finding` }) }, counted(violations, 'violation')), last && h('a', { class: 'soft', href: link({ q, event: last }) }, 'last'), h('span', { class: 'times' }, `×${count(many)}`));
  }))];
}
