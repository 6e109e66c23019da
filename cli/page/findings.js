// Findings: what Segment would refuse, discard or misread, grouped by rule, event and property.
import { fill, h, styled } from './dom.js';
import { link } from './route.js';
import { get, query } from './server.js';
import { call, count, counted, term, visible } from './text.js';

const LEVELS = { refused: 'Segment answers 4xx', discarded: 'Segment answers 200 and keeps nothing, or not all', smell: 'Segment takes it; it looks wrong' };
const EACH = 1000;

export function findingsScreen(app) {
  let route = {};
  let asked = 0;
  let seen = -1;
  const list = h('div', { class: 'groups' });
  const summary = h('p', { class: 'lead' });
  const node = h('section', { class: 'screen', 'aria-labelledby': 'findings-title' }, h('h1', { id: 'findings-title' }, 'Findings'), summary, list);

  async function load() {
    asked = performance.now();
    try {
      draw((await get(query('findings', { q: route.q }))).groups);
    } catch (error) {
      fill(list, h('p', { class: 'bad' }, error.message));
    }
  }

  function draw(groups) {
    const order = Object.keys(LEVELS);
    const sum = (level) => groups.filter((group) => group.level === level).reduce((all, group) => all + group.count, 0);
    fill(summary, groups.length === 0 ? 'Nothing so far. Each event is checked against Segment’s rules as it comes.' : order.filter((level) => sum(level) > 0).map((level) =>
      h('span', { class: 'sum' }, h('span', { class: styled('level', level) }, `${count(sum(level))} ${level}`), h('span', { class: 'soft' }, LEVELS[level]))));
    fill(list, byRule(groups).sort((a, b) => order.indexOf(a[0].level) - order.indexOf(b[0].level) || total(b) - total(a)).map(card));
  }

  return {
    node,
    title: () => 'Findings',
    show(next) {
      route = next;
      load();
    },
    reload: load,
    frame(frame) {
      if (frame.counters.findings === seen || performance.now() - asked < EACH) return;
      seen = frame.counters.findings;
      load();
    },
    keys: {},
  };
}

const total = (groups) => groups.reduce((sum, group) => sum + group.count, 0);

function byRule(groups) {
  const rules = new Map();
  for (const group of groups) rules.set(group.rule, [...(rules.get(group.rule) ?? []), group]);
  return [...rules.values()].map((rule) => rule.sort((a, b) => b.count - a.count));
}

// What all rows of a rule have in common is said once, above them.
const common = (groups, member) => (groups.every((group) => group[member] === groups[0][member]) ? groups[0][member] : null);

function card(groups) {
  const { rule, level } = groups[0];
  const message = common(groups, 'message');
  const fix = common(groups, 'fix');
  return h('article', { class: 'finding-card', 'aria-label': visible(rule, 80) },
    h('header', null, h('span', { class: styled('level', level) }, level), h('code', null, visible(rule, 80)), h('a', { class: 'many', href: link({ q: term('rule', rule) }) }, counted(total(groups), 'event'))),
    message && h('p', null, visible(message, 600)),
    fix && fixLine(fix),
    h('ul', null, groups.map((group) => row(group, !message, !fix))));
}

const fixLine = (fix) => h('p', { class: 'fix' }, h('span', null, 'Fix'), visible(fix, 600));

function row(found, withMessage, withFix) {
  const q = [term('rule', found.rule), found.kind && term('kind', found.kind), found.name != null && term('name', found.name)].filter(Boolean).join(' ');
  const open = (label, seq) => h('a', { href: link({ event: seq, q }), title: `Event #${count(seq)}` }, label);
  return h('li', null,
    h('div', { class: 'subject' }, h('span', { class: styled('kind', found.kind) }, call(found.kind)),
      h('a', { href: link({ q }) }, h('bdi', null, found.name == null ? '–' : visible(found.name, 160))), found.property && h('code', null, visible(found.property, 160)),
      h('span', { class: 'ends' }, open('first', found.first), found.last !== found.first && open('last', found.last)), h('span', { class: 'times' }, `×${count(found.count)}`)),
    withMessage && h('p', { class: 'soft' }, visible(found.message, 600)),
    withFix && found.fix && fixLine(found.fix));
}
