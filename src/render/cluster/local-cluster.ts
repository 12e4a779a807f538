import type { LocalClusterReport } from '../../cluster/clustermesh/policies.ts';
import { compareBytes } from '../../lib/order.ts';
import { goJson } from '../text/json.ts';

const OK = '✅';
const WARNING = '⚠️';

/** Which policies mean something else where peers are those of one's own cluster by default: three blocks of text. */
export function renderLocalCluster(report: LocalClusterReport): string {
  return [
    block('CiliumNetworkPolicy', report.ciliumPolicies),
    block('CiliumClusterWideNetworkPolicy', report.clusterwidePolicies),
    block('NetworkPolicy', report.networkPolicies),
  ].join('\n');
}

function block(kind: string, policies: ReadonlyMap<string, boolean>): string {
  const affected = [...policies.values()].filter((one) => one).length;
  const sign = (isAffected: boolean) => (isAffected ? WARNING : OK);
  return [
    `${sign(affected > 0)} ${kind} ${policies.size - affected}/${policies.size}\n`,
    ...sorted(policies).map(([name, isAffected]) => `\t${sign(isAffected)} ${name}\n`),
  ].join('');
}

/** The same as JSON: true is a policy that means something else. */
export function localClusterJson(report: LocalClusterReport): string {
  const { ciliumPolicies, clusterwidePolicies, networkPolicies } = report;
  const part = (name: string, policies: ReadonlyMap<string, boolean>) =>
    policies.size > 0 && { [name]: Object.fromEntries(sorted(policies)) };
  const document = {
    ...part('ciliumNetworkPolicies', ciliumPolicies),
    ...part('ciliumClusterWideNetworkPolicies', clusterwidePolicies),
    ...part('networkPolicies', networkPolicies),
  };
  return `${goJson(document, 1)}\n`;
}

function sorted(policies: ReadonlyMap<string, boolean>): [string, boolean][] {
  return [...policies].toSorted(([a], [b]) => compareBytes(a, b));
}
