import type { Flow } from '../../model/hubble.gen.ts';
import { protocolNumber } from '../../policy/evaluate/maps/ports.ts';
import type { Agent } from '../agent/agent.ts';
import { base, dropped, type Ends, l7Request, l7Response, trace, verdict } from './conversation.ts';
import { peerAt } from './peers.ts';

/** What the rules of a node did with a packet at one end of it. */
export type Outcome = 'allow' | 'proxy' | 'none' | 'deny' | 'auth';

/** A packet that a node has seen. */
export interface SeenPacket {
  source: string;
  destination: string;
  protocol: 'TCP' | 'UDP' | 'ICMP';
  sourcePort: number;
  destinationPort: number;
  /** Of TCP: `SYN`, `ACK`, `FIN`, `RST`. */
  flags: readonly string[];
  isReply: boolean;
  egress?: Outcome;
  ingress?: Outcome;
}

const REASONS: Readonly<Record<string, string>> = {
  none: 'POLICY_DENIED',
  deny: 'POLICY_DENY',
  auth: 'AUTH_REQUIRED',
};

/** The flows that an agent tells of a packet: verdicts of policies, then where it went, or why it was dropped. */
export function seenFlows(packet: SeenPacket, agent: Agent): Flow[] {
  const { isReply, egress, ingress } = packet;
  // Ends are those of the connection.
  const ends: Ends = {
    from: peerAt(isReply ? packet.destination : packet.source, agent),
    to: peerAt(isReply ? packet.source : packet.destination, agent),
    protocol: packet.protocol,
    port: packet.protocol === 'ICMP' ? undefined : isReply ? packet.sourcePort : packet.destinationPort,
    clientPort: isReply ? packet.destinationPort : packet.sourcePort,
    agent,
  };
  const { from, to } = ends;
  if (!from.local && !to.local) return [];
  const seen = (flow: Flow): Flow => withFlags(flow, packet.flags);
  if (isReply) return [seen(trace(ends, from.local ? 'TO_ENDPOINT' : 'TO_NETWORK', true))];
  const flows: Flow[] = [];
  const decision = agent.policy.decide(from.identity, to.identity, {
    protocol: protocolNumber(packet.protocol),
    port: ends.port ?? 8,
  });
  for (const [direction, outcome, peer, decided] of [
    ['EGRESS', egress, from, decision.egress],
    ['INGRESS', ingress, to, decision.ingress],
  ] as const) {
    if (outcome === undefined || !peer.local) continue;
    const reason = REASONS[outcome];
    if (reason !== undefined) {
      // The rules of the node have the last word, whatever the policy would say.
      flows.push({
        ...base(ends, false),
        event_type: { type: 5 },
        traffic_direction: direction,
        verdict: 'DROPPED',
        ...pickReason(dropped(ends, direction, reason)),
      });
      flows.push(dropped(ends, direction, reason));
      return flows.map(seen);
    }
    if (decided.reason.kind === 'rule' && decided.answer === 'allowed')
      flows.push(verdict(ends, direction, decided));
  }
  if (egress === 'proxy' || ingress === 'proxy') return flows.map(seen);
  flows.push(trace(ends, to.local ? 'TO_ENDPOINT' : 'TO_NETWORK', false));
  return flows.map(seen);
}

function pickReason({ drop_reason, drop_reason_desc }: Flow): Flow {
  return {
    ...(drop_reason !== undefined && { drop_reason }),
    ...(drop_reason_desc !== undefined && { drop_reason_desc }),
  };
}

function withFlags(flow: Flow, flags: readonly string[]): Flow {
  if (!flow.l4?.TCP || flags.length === 0) return flow;
  return {
    ...flow,
    l4: { TCP: { ...flow.l4.TCP, flags: Object.fromEntries(flags.map((flag) => [flag, true])) } },
    Summary: `TCP Flags: ${flags.join(', ')}`,
  };
}

/** A request that a proxy has seen, and what became of it. */
export interface SeenRequest {
  source: string;
  sourcePort: number;
  destination: string;
  port: number;
  protocol: 'TCP' | 'UDP';
  direction: 'EGRESS' | 'INGRESS';
  isRefused: boolean;
  /** Set where it has been answered. */
  answer?: { code: number; latencyMs: number; addresses: string[] };
  http?: { method: string; path: string; host: string };
  query?: string;
}

/** The flow of a request, or of its answer: of one that was refused both. */
export function requestFlows(seen: SeenRequest, agent: Agent): Flow[] {
  const { http, query, answer, direction, isRefused } = seen;
  const ends: Ends = {
    from: peerAt(seen.source, agent),
    to: { ...peerAt(seen.destination, agent), ...(http && { names: [http.host] }) },
    protocol: seen.protocol,
    port: seen.port,
    clientPort: seen.sourcePort,
    agent,
  };
  const said = {
    from: '',
    to: '',
    ...(http && {
      http: {
        method: http.method,
        path: http.path,
        code: answer?.code ?? 403,
        latencyMs: answer?.latencyMs ?? 0,
      },
    }),
    ...(query !== undefined && {
      dns: { query, ips: answer?.addresses ?? [], rcode: answer?.code ?? 5 },
    }),
  };
  if (isRefused) return [l7Request(ends, said, direction, true), l7Response(ends, said, direction, true)];
  return [answer ? l7Response(ends, said, direction, false) : l7Request(ends, said, direction, false)];
}
