import { compareBytes } from '../../lib/order.ts';
import { POLICY_LABEL } from '../../model/label.ts';
import type { ApiLabel, SelectorRow } from '../../model/policy.ts';
import type { Block, Table } from '../text/blocks.ts';
import { sanitizeCell } from '../text/sanitize.ts';

/** The table of `policy selectors` of agents that do not say which rules select, in their order. */
export function plainSelectorTable(rows: readonly SelectorRow[]): Table {
  const blocks = rows.map(({ selector, users, identities }) =>
    selectorBlock([sanitizeCell(selector), String(users)], identities),
  );
  return { headers: ['SELECTOR\tUSERS\tIDENTITIES'], blocks };
}

/** The table of `policy selectors`: in order of the selector; one identity per line. */
export function selectorTable(rows: readonly SelectorRow[], { verbose }: { verbose: boolean }): Table {
  const ordered = rows.toSorted((a, b) => Buffer.compare(Buffer.from(a.selector), Buffer.from(b.selector)));
  const blocks = ordered.map(({ selector, labels, users, identities }) => {
    const who = sanitizeCell(verbose ? allLabels(labels) : policyNames(labels));
    return selectorBlock([sanitizeCell(selector), who, String(users)], identities);
  });
  return { headers: ['SELECTOR\tLABELS\tUSERS\tIDENTITIES'], blocks };
}

function selectorBlock(cells: readonly string[], identities: readonly number[]): Block {
  const lead = cells.join('\t');
  const blank = '\t'.repeat(cells.length - 1);
  const lines = identities.map((identity, i) => `${i === 0 ? lead : blank}\t${identity}\t`);
  return { key: cells[0] ?? '', lines: lines.length > 0 ? lines : [`${lead}\t`] };
}

/** `namespace/name` of the Kubernetes objects behind the rules. */
function policyNames(labels: readonly ApiLabel[][]): string {
  return labels
    .map((rule) => ({ namespace: k8sLabel(rule, 'namespace'), name: k8sLabel(rule, 'name') }))
    .filter(({ namespace }) => namespace !== '')
    .map(({ namespace, name }) => `${namespace}/${name}`)
    .join(',');
}

function k8sLabel(labels: readonly ApiLabel[], name: string): string {
  return labels.find(({ source, key }) => source === 'k8s' && key === `${POLICY_LABEL}.${name}`)?.value ?? '';
}

function allLabels(labels: readonly ApiLabel[][]): string {
  const ordered = labels.toSorted(byLabels);
  return ordered.map((rule) => `[${rule.map(formatLabel).join(' ')}]`).join(', ');
}

/** Lists of labels as Go's LabelArray.Less orders them: label by label, then the shorter one. */
function byLabels(a: readonly ApiLabel[], b: readonly ApiLabel[]): number {
  for (const [i, label] of a.slice(0, b.length).entries()) {
    const other = b[i] ?? label;
    const order =
      compareBytes(label.key, other.key) ||
      compareBytes(label.value, other.value) ||
      compareBytes(label.source, other.source);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function formatLabel({ source, key, value }: ApiLabel): string {
  return value === '' ? `${source}:${key}` : `${source}:${key}=${value}`;
}
