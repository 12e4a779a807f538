import { rowTable, type Table } from '../text/blocks.ts';
import { tabulateWithin } from '../text/fit.ts';
import { sanitizeCell } from '../text/sanitize.ts';
import { LIST_TABLE } from '../text/table.ts';

export interface RuleView {
  kind: string;
  namespace?: string;
  name?: string;
  part: string;
  location: string;
}

export interface CostView {
  rules: readonly {
    rule: RuleView;
    endpoints: number;
    identities: number;
    entries: number;
    alone: number;
    proxied: number;
  }[];
  endpoints: readonly { endpoint: number; entries: number; pressure: number }[];
  entries: number;
}

/** The cost of each rule, then the fullest maps. */
export function renderCost({ rules, endpoints, entries }: CostView, top: number, width?: number): string {
  const ruleLines = rules
    .slice(0, top)
    .map(({ rule, ...cost }) =>
      [
        cost.entries,
        cost.alone,
        cost.proxied,
        cost.endpoints,
        cost.identities,
        nameOf(rule),
        sanitizeCell(rule.location),
      ].join('\t'),
    );
  const mapLines = endpoints
    .slice(0, top)
    .map(({ endpoint, entries: own, pressure }) =>
      [endpoint, own, `${(100 * pressure).toFixed(1)} %`].join('\t'),
    );
  return [
    tabulateWithin(
      [
        ['ENTRIES', 'ALONE', 'PROXIED', 'ENDPOINTS', 'PEERS', 'RULE', 'LOCATION'].join('\t'),
        ...ruleLines,
      ].join('\n'),
      LIST_TABLE,
      width,
    ),
    '',
    tabulateWithin(
      [['ENDPOINT', 'ENTRIES', 'OF CAPACITY'].join('\t'), ...mapLines].join('\n'),
      LIST_TABLE,
      width,
    ),
    '',
    `${entries} entries in the maps of ${endpoints.length} endpoints`,
    '',
  ].join('\n');
}

export interface UnusedView {
  rule: RuleView;
  reason: string;
  text: string;
}

/** What is said where no rule is without effect. `isSettled`: nothing is unknown that the effect of a rule rests on. */
export function noneUnused(rules: number, { isSettled }: { isSettled: boolean }): string {
  return isSettled
    ? `All ${rules} rules have an effect.\n`
    : `None of ${rules} rules is without effect for certain; not all is known that this rests on.\n`;
}

/** One line per rule without effect. */
export function unusedTable(unused: readonly UnusedView[]): Table {
  const rows = unused.map(({ rule, reason, text }) => [
    reason,
    `${nameOf(rule)}${rule.part ? ` ${rule.part}` : ''}`,
    rule.location,
    text,
  ]);
  return rowTable(['REASON', 'RULE', 'LOCATION', 'WHAT'], rows, { isOurs: true });
}

function nameOf({ kind, namespace, name }: RuleView): string {
  const who = [namespace, name].filter(Boolean).join('/');
  return sanitizeCell(who ? `${kind} ${who}` : kind);
}
