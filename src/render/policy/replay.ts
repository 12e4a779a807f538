import { sanitize } from '../text/sanitize.ts';
import { tabulate } from '../text/table.ts';

/** A replay report as the text shows it. */
export interface ReplayView {
  flows: number;
  connections: number;
  allowed: number;
  denied: number;
  undecided: readonly { reason: string; flows: number }[];
  unsaid: number;
  changes: readonly ChangeView[];
}

export interface ChangeView {
  change: string;
  source: string;
  destination: string;
  port: string;
  direction: string;
  flows: number;
  reason: string;
  example?: string;
}

const TITLES = [
  ['newly-denied', 'Newly denied'],
  ['newly-allowed', 'Newly allowed'],
] as const;

/** The changes in groups, then the number of flows that were decided and that were not. */
export function renderReplay({
  flows,
  connections,
  allowed,
  denied,
  undecided,
  unsaid,
  changes,
}: ReplayView): string {
  const parts = TITLES.map(([change, title]) =>
    group(
      title,
      changes.filter((each) => each.change === change),
    ),
  );
  const open = undecided.reduce((sum, each) => sum + each.flows, 0);
  const share = flows === 0 ? 0 : (100 * open) / flows;
  const summary = [
    `${flows} flows, ${connections} connections: ${allowed} allowed, ${denied} denied, ${open} (${share.toFixed(1)} %) not decided`,
    ...undecided.map((each) => `  ${each.flows} not decided: ${sanitize(each.reason)}`),
    ...(unsaid > 0 ? [`  ${unsaid} not compared: no verdict that is known, or a drop without a reason`] : []),
  ];
  return `${[...parts, summary.join('\n')].join('\n\n')}\n`;
}

function group(title: string, changes: readonly ChangeView[]): string {
  if (changes.length === 0) return `${title}: none`;
  const total = changes.reduce((sum, { flows }) => sum + flows, 0);
  const lines = changes.map(({ flows, source, destination, port, direction, reason }) =>
    ['', flows, `${sanitize(source)} -> ${sanitize(destination)}`, port, direction, sanitize(reason)].join(
      '\t',
    ),
  );
  return `${title}: ${total} flows\n${tabulate(lines.join('\n'), { minWidth: 2, padding: 2 })}`;
}
