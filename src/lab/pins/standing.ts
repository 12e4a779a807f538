import type { Flow } from '../../model/hubble.gen.ts';
import type { Agent } from '../agent/agent.ts';
import { converse } from '../hubble/conversation.ts';

/** Client ports of connections that stand begin here. */
const FIRST_PORT = 32_768;

/**
 * A packet of each connection that the scenario keeps open (`connections` of its traffic), as far as the policy in
 * force lets it.
 */
export function standingFlows(agent: Agent): Flow[] {
  return (agent.world.scenario.traffic ?? []).flatMap((traffic) => {
    const { connections = 0 } = traffic;
    if (connections === 0) return [];
    const packet = converse(traffic, agent, 0).find(
      (flow) =>
        flow.verdict === 'FORWARDED' &&
        flow.is_reply === false &&
        String(flow.trace_observation_point).startsWith('TO_'),
    );
    if (!packet) return [];
    return Array.from({ length: connections }, (_, i) => fromPort(packet, FIRST_PORT + i));
  });
}

function fromPort(flow: Flow, source_port: number): Flow {
  const { TCP, UDP, SCTP } = flow.l4 ?? {};
  return {
    ...flow,
    l4: {
      ...(TCP && { TCP: { ...TCP, source_port } }),
      ...(UDP && { UDP: { ...UDP, source_port } }),
      ...(SCTP && { SCTP: { ...SCTP, source_port } }),
    },
  };
}
