import { formatAddress, parsePrefix } from '../../lib/address.ts';
import { compareBytes } from '../../lib/order.ts';
import type { AgentClient } from '../client.ts';
import { parsePolicy, readPolicy } from './policy.ts';
import { Reader } from './reader.ts';

interface FqdnRule {
  egress?: { toFQDNs?: { matchName?: string }[]; toCIDRSet?: { cidr?: string }[] }[];
}

/** Names that egress rules match, with the addresses that stand beside them in the same rule. */
export async function readFqdnAddresses(agent: AgentClient): Promise<Map<string, string[]>> {
  const rules = parsePolicy((await readPolicy(agent)).decode());
  const names = new Map<string, Set<string>>();
  for (const rule of new Reader<FqdnRule[]>('GET /v1/policy, the rules', rules).items()) {
    for (const egress of rule.at('egress').items()) {
      const addresses = egress
        .at('toCIDRSet')
        .items()
        .map((entry) => parsePrefix(entry.text('cidr')))
        .filter((cidr) => cidr !== undefined)
        .map((cidr) => formatAddress(cidr));
      for (const fqdn of egress.at('toFQDNs').items()) {
        const name = fqdn.text('matchName').toLowerCase();
        if (name === '' || addresses.length === 0) continue;
        const key = name.endsWith('.') ? name : `${name}.`;
        names.set(key, new Set([...(names.get(key) ?? []), ...addresses]));
      }
    }
  }
  return new Map(
    [...names]
      .toSorted(([a], [b]) => compareBytes(a, b))
      .map(([name, ips]) => [name, [...ips].toSorted(compareBytes)]),
  );
}
