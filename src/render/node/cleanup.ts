import { type Item, KINDS, type Kind, type Outcome, type Plan } from '../../model/cleanup.ts';
import { sanitize, sanitizeCell } from '../text/sanitize.ts';

const TITLES: Readonly<Record<Kind, string>> = {
  'tc-filter': 'tc filters',
  xdp: 'XDP programs',
  pin: 'pinned maps, programs and links',
  'bpf-link': 'BPF links',
  'cgroup-program': 'programs on cgroups',
  rule: 'policy routing rules',
  route: 'routes',
  iptables: 'iptables chains and rules',
  ipset: 'IP sets',
  link: 'network links',
  netns: 'network namespaces',
  mount: 'mounts',
  file: 'files',
  folder: 'state folders',
};
/** Longer lists are cut in text; `-o json` has them all. */
const SHOWN = 12;

/** The plan, kind by kind. */
export function renderPlan(plan: Plan): string {
  const lines = plan.notes.map((note) => `Not looked at: ${note}`);
  if (plan.items.length === 0)
    return `${[...lines, `Nothing of Cilium was found on ${plan.node}.`].join('\n')}\n`;
  lines.push(`To be removed from ${plan.node}: ${plan.items.length} items`);
  for (const kind of KINDS) {
    const items = plan.items.filter((item) => item.kind === kind);
    if (items.length === 0) continue;
    lines.push('', `${TITLES[kind]} (${items.length})`);
    for (const item of items.slice(0, SHOWN)) lines.push(`  - ${sanitizeCell(item.what)}`);
    if (items.length > SHOWN)
      lines.push(`  … and ${items.length - SHOWN} more (-o json lists them with --dry-run)`);
  }
  return `${sanitize(lines.join('\n'))}\n\n`;
}

/** One line for one item that was worked on. */
export function renderOutcome(outcome: Outcome, verb: 'removed' | 'restored'): string {
  const word = { done: verb, gone: 'gone', failed: 'FAILED' }[outcome.result];
  return `${word.padEnd(8)} ${sanitizeCell(outcome.what)}${outcome.error ? `: ${sanitize(outcome.error)}` : ''}\n`;
}

/** One line for each item that `undo` would bring back. */
export function renderRestores(items: readonly { what: string }[]): string {
  return items.map(({ what }) => `would restore ${sanitizeCell(what)}\n`).join('');
}

/** The last lines: counts, and what is still there. */
export function renderSummary(outcomes: readonly Outcome[], left: readonly Item[]): string {
  const count = (result: Outcome['result']) => outcomes.filter((outcome) => outcome.result === result).length;
  const lines = ['', `${count('done')} removed, ${count('gone')} already gone, ${count('failed')} failed`];
  if (left.length > 0) {
    lines.push(`Still there: ${left.length}`);
    for (const item of left.slice(0, SHOWN)) lines.push(`  - ${sanitizeCell(item.what)}`);
  }
  return `${sanitize(lines.join('\n'))}\n`;
}
