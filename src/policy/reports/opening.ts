import type { FlowRecord } from '../evaluate/decide/connections.ts';
import type { Peers } from '../evaluate/decide/peers.ts';
import { FlowTable } from './flow-table.ts';
import { suggest } from './suggest.ts';
import type { SuggestedPolicy } from './suggested-policy.ts';

/** What would allow a flow that policy dropped. */
export interface Opening {
  /** Undefined where no policy can be written, which the remarks say. */
  policy: SuggestedPolicy | undefined;
  remarks: string[];
}

const DNS_RULE =
  'The dns rule lets the agent learn which addresses names have, as rules with toFQDNs need. It allows all names; lookups work without it, too.';

/**
 * The policy that would allow a flow that was dropped for want of a rule: as `suggest` writes it when it sees the flow allowed, in
 * the direction that it was dropped in alone. The other end is left as it is: a policy of its own would close it to all else.
 */
export function openingFor(flow: FlowRecord, direction: 'ingress' | 'egress', peers: Peers): Opening {
  const table = new FlowTable(peers);
  const { drop_reason: _, drop_reason_desc: __, ...rest } = flow;
  table.add({ ...rest, verdict: 'FORWARDED' });
  const { suggestions, unnamed } = suggest(table);
  const found = suggestions.find(({ policy }) => (policy.spec[direction]?.length ?? 0) > 0);
  if (!found) {
    const [skipped] = table.skipped.keys();
    const why = unnamed.map((each) => each.why);
    return {
      policy: undefined,
      remarks: why.length > 0 ? why : skipped ? [`No rule is known: ${skipped}.`] : [],
    };
  }
  const { apiVersion, kind, metadata, spec } = found.policy;
  const { endpointSelector } = spec;
  return {
    policy: { apiVersion, kind, metadata, spec: { endpointSelector, [direction]: spec[direction] } },
    remarks: [...found.remarks, ...(direction === 'egress' && hasDnsRule(spec) ? [DNS_RULE] : [])],
  };
}

function hasDnsRule({ egress = [] }: SuggestedPolicy['spec']): boolean {
  return egress.some(({ toPorts = [] }) => toPorts.some(({ rules }) => rules?.dns !== undefined));
}
