import { frame } from '../../hubble/grpc/frames.ts';
import { encode } from '../../hubble/protobuf/codec.ts';
import { compareTimestamps, formatTimestamp, parseTimestamp, type Timestamp } from '../../lib/timestamp.ts';
import type { GetAgentEventsRequest, AgentEvent as WireEvent } from '../../model/hubble.gen.ts';
import { type Agent, type AgentEvent, identityLabels } from '../agent/agent.ts';
import { GRPC_CODE, type GrpcCall, GrpcFailure } from './grpc-server.ts';
import { Ring } from './ring.ts';

const KEPT = 1023;

/** What the agent did, as Hubble tells it. */
export class AgentEvents {
  readonly #ring = new Ring(KEPT);
  readonly #events: { event: WireEvent; time: Timestamp }[] = [];
  readonly #stop: () => void;

  constructor(private readonly agent: Agent) {
    this.#add({ type: 'agent-started', timeMs: agent.startedMs });
    for (const endpoint of agent.state.endpoints) this.#add({ type: 'endpoint-created', endpoint });
    this.#stop = agent.watch((event) => this.#add(event));
  }

  /** Answers GetAgentEvents. */
  async get(request: GetAgentEventsRequest, call: GrpcCall): Promise<void> {
    if (request.first && request.follow)
      throw new GrpcFailure(GRPC_CODE.invalidArgument, 'first cannot be specified with follow');
    const ring = this.#ring;
    const since = request.since === undefined ? undefined : parseTimestamp(request.since);
    const until = request.until === undefined ? undefined : parseTimestamp(request.until);
    const limit = Number(request.number ?? 0);
    const stopAt = request.follow ? Number.POSITIVE_INFINITY : ring.end;
    let left = limit > 0 && !request.follow ? limit : Number.POSITIVE_INFINITY;
    let position = ring.start;
    if (!since && !request.first) {
      if (limit > 0) position = Math.max(ring.start, ring.end - limit);
      else if (request.follow) position = ring.end;
    }
    for (; position < stopAt && left > 0 && !call.signal.aborted; position++) {
      await ring.arrival(position, call.signal);
      if (call.signal.aborted) return;
      position = Math.max(position, ring.start);
      const entry = this.#events[ring.value(position)];
      if (!entry || (since && compareTimestamps(entry.time, since) < 0)) continue;
      if (until && compareTimestamps(entry.time, until) > 0) return;
      left--;
      await call.send(
        frame(
          encode('observer.GetAgentEventsResponse', {
            agent_event: entry.event,
            node_name: this.agent.world.self.fullName,
            time: formatTimestamp(entry.time),
          }),
        ),
      );
    }
  }

  close(): void {
    this.#stop();
  }

  #add(event: AgentEvent): void {
    const ms = event.type === 'agent-started' ? event.timeMs : this.agent.nowMs();
    const time = { seconds: Math.floor(ms / 1000), nanos: Math.round((ms % 1000) * 1e6) };
    const at = this.#ring.end % KEPT;
    this.#events[at] = { event: wireEvent(event), time };
    this.#ring.push(at, time.seconds, time.nanos);
    this.#ring.notify();
  }
}

function wireEvent(event: AgentEvent): WireEvent {
  switch (event.type) {
    case 'agent-started':
      return { type: 'AGENT_STARTED', agent_start: { time: new Date(event.timeMs).toISOString() } };
    case 'policy-updated':
    case 'policy-deleted':
      return {
        type: event.type === 'policy-updated' ? 'POLICY_UPDATED' : 'POLICY_DELETED',
        policy_update: {
          labels: event.labels,
          revision: String(event.revision),
          rule_count: String(event.rules),
        },
      };
    case 'endpoint-regenerated':
      return {
        type: 'ENDPOINT_REGENERATE_SUCCESS',
        endpoint_regenerate: { id: String(event.endpoint.id), labels: identityLabels(event.endpoint) },
      };
    case 'endpoint-created':
    case 'endpoint-deleted': {
      const [namespace, name] = event.endpoint.pod.split('/');
      return {
        type: event.type === 'endpoint-created' ? 'ENDPOINT_CREATED' : 'ENDPOINT_DELETED',
        endpoint_update: {
          id: String(event.endpoint.id),
          ...(namespace && name && { pod_name: name, namespace }),
        },
      };
    }
  }
}
