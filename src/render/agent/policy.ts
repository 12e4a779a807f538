import { compareBytes } from '../../lib/order.ts';
import type { ApiLabel, SelectorRow } from '../../model/policy.ts';
import { sanitizeCell } from '../text/sanitize.ts';
import { LIST_TABLE, tabulate } from '../text/table.ts';

const POLICY_LABEL = 'io.cilium.k8s.policy';

/** The table of `policy selectors` of agents that do not say which rules select, in their order. */
export function renderPlainSelectors(rows: readonly SelectorRow[]): string {
  let text = 'SELECTOR\tUSERS\tIDENTITIES\n';
  for (const { selector, users, identities } of rows) {
    text += `${sanitizeCell(selector)}\t${users}`;
    if (identities.length === 0) text += '\t\n';
    identities.forEach((identity, i) => {
      text += i === 0 ? `\t${identity}\t\n` : `\t\t${identity}\t\n`;
    });
  }
  return tabulate(text, LIST_TABLE);
}

/** The table of `policy selectors`: in order of the selector; one identity per line. */
export function renderSelectors(rows: readonly SelectorRow[], { verbose }: { verbose: boolean }): string {
  let text = 'SELECTOR\tLABELS\tUSERS\tIDENTITIES\n';
  const ordered = rows.toSorted((a, b) => Buffer.compare(Buffer.from(a.selector), Buffer.from(b.selector)));
  for (const { selector, labels, users, identities } of ordered) {
    const who = sanitizeCell(verbose ? allLabels(labels) : policyNames(labels));
    text += `${sanitizeCell(selector)}\t${who}\t${users}`;
    if (identities.length === 0) text += '\t\n';
    identities.forEach((identity, i) => {
      text += i === 0 ? `\t${identity}\t\n` : `\t\t\t${identity}\t\n`;
    });
  }
  return tabulate(text, LIST_TABLE);
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
  return labels.map((rule) => `[${rule.toSorted(byKey).map(formatLabel).join(' ')}]`).join(', ');
}

function byKey(a: ApiLabel, b: ApiLabel): number {
  return compareBytes(a.key, b.key);
}

function formatLabel({ source, key, value }: ApiLabel): string {
  return value === '' ? `${source}:${key}` : `${source}:${key}=${value}`;
}
