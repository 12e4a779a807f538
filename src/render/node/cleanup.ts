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
  xfrm: 'IPsec policies and states',
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
  const lines = [
    ...plan.notes.map((note) => `Not looked at: ${sanitizeCell(note)}`),
    ...plan.leftAlone.map((what) => `Left alone: ${sanitizeCell(what)}`),
  ];
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

/** What an undo file brings back, in the order in which it will, with every step. */
export function renderRestore(
  undo: { node: string; at: string },
  items: readonly { what: string; steps: readonly string[] }[],
): string {
  const [node, at] = [sanitizeCell(undo.node), sanitizeCell(undo.at)];
  const lines = [`Removed from ${node} at ${at}; to be restored: ${items.length} items`];
  for (const { what, steps } of items)
    lines.push(`  - ${sanitizeCell(what)}`, ...steps.map((line) => `      ${sanitizeCell(line)}`));
  return `${lines.join('\n')}\n\n`;
}

/** One line for one item that was worked on. */
export function renderOutcome(outcome: Outcome, verb: 'removed' | 'restored'): string {
  const word = { done: verb, gone: 'gone', there: 'there', failed: 'FAILED' }[outcome.result];
  return `${word.padEnd(8)} ${sanitizeCell(outcome.what)}${outcome.error ? `: ${sanitize(outcome.error)}` : ''}\n`;
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
