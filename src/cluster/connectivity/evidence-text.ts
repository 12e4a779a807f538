import { type Evidence, ruleText, type SeenFlow, type Suspect } from './suspect.ts';

/** Of a path no more kinds of flows than these are shown. */
const MAX_FLOWS = 10;

/** What is known of a path that failed, a line each; what the suspect says already is left out. */
export function evidenceLines(
  { flows, decided, decidedTrouble }: Evidence,
  suspect: Suspect | undefined,
): string[] {
  const isSaid = decided && suspect?.because.includes(ruleText(decided, 'ingress'));
  return [
    ...flowLines(flows),
    ...(decided && !isSaid
      ? [`rules: ${ruleText(decided, 'egress')}`, `rules: ${ruleText(decided, 'ingress')}`]
      : []),
    ...(decidedTrouble === undefined ? [] : [`the cluster's rules were not asked: ${decidedTrouble}`]),
  ];
}

/** A line for flows that differ in nothing but their time. */
function flowLines(flows: readonly SeenFlow[]): string[] {
  const kinds = new Map<string, { flow: SeenFlow; count: number }>();
  for (const flow of flows) {
    const key = flowText({ ...flow, time: '' });
    const kind = kinds.get(key);
    if (kind) kind.count++;
    else kinds.set(key, { flow, count: 1 });
  }
  const shown = [...kinds.values()].slice(0, MAX_FLOWS);
  const rest = flows.length - shown.reduce((sum, { count }) => sum + count, 0);
  return [
    ...shown.map(({ flow, count }) => `flow: ${flowText(flow)}${count > 1 ? ` (${count} times)` : ''}`),
    ...(rest > 0 ? [`(and ${rest} more flows)`] : []),
  ];
}

export function flowText({ time, node, from, to, port, verdict, dropReason, direction }: SeenFlow): string {
  return [time, `${node}:`, `${from} -> ${to}`, port, verdict, dropReason && `(${dropReason})`, direction]
    .filter((part) => part !== '')
    .join(' ');
}
