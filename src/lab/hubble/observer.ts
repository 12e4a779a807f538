import { frame } from '../../hubble/grpc/frames.ts';
import { decode, encode } from '../../hubble/protobuf/codec.ts';
import { METHODS } from '../../hubble/protobuf/descriptor.gen.ts';
import type { MessageName } from '../../hubble/protobuf/schema.ts';
import { WireError } from '../../hubble/protobuf/wire.ts';
import { aborted } from '../../lib/until-aborted.ts';
import type { Messages, Namespace, Node } from '../../model/hubble.gen.ts';
import type { Agent } from '../agent/agent.ts';
import { agentRelease } from '../version.ts';
import { AgentEvents } from './agent-events.ts';
import { getFlows } from './flows.ts';
import {
  GRPC_CODE,
  type GrpcCall,
  GrpcFailure,
  type GrpcHandler,
  grpcServer,
  type HubbleServer,
} from './grpc-server.ts';
import type { FlowPlayer } from './player.ts';

type Method = keyof typeof METHODS;
type RequestOf<M extends Method> = Messages[(typeof METHODS)[M]['request']];
type ResponseOf<M extends Method> = Messages[(typeof METHODS)[M]['response']];

const SERVICES = ['', 'hubble.server.Observer', 'observer.Observer', 'peer.Peer'];

/** Hubble's services over the flows and the state of a lab. */
export class HubbleServices {
  readonly #events: AgentEvents;
  readonly #handlers: ReadonlyMap<string, GrpcHandler>;

  constructor(
    private readonly agent: Agent,
    readonly player: FlowPlayer,
  ) {
    this.#events = new AgentEvents(agent);
    this.#handlers = new Map<string, GrpcHandler>([
      this.#streaming('/observer.Observer/GetFlows', (request, call) => getFlows(request, call, player)),
      this.#streaming('/observer.Observer/GetAgentEvents', (request, call) =>
        this.#events.get(request, call),
      ),
      // A lab has no datapath that would say anything: who follows waits, everybody else is done.
      this.#streaming('/observer.Observer/GetDebugEvents', async ({ follow }, call) => {
        if (follow) await aborted(call.signal);
      }),
      this.#unary('/observer.Observer/GetNodes', () => ({ nodes: this.#nodes() })),
      this.#unary('/observer.Observer/GetNamespaces', () => ({ namespaces: this.#namespaces() })),
      this.#unary('/observer.Observer/ServerStatus', () => this.#status()),
      this.#streaming('/peer.Peer/Notify', (_, call) => this.#peers(call)),
      this.#unary('/grpc.health.v1.Health/Check', ({ service = '' }) => {
        if (!SERVICES.includes(service)) throw new GrpcFailure(GRPC_CODE.notFound, 'unknown service');
        return { status: 'SERVING' };
      }),
      this.#streaming('/grpc.health.v1.Health/Watch', async ({ service = '' }, call) => {
        const status = SERVICES.includes(service) ? 'SERVING' : 'SERVICE_UNKNOWN';
        await call.send(frame(encode('grpc.health.v1.HealthCheckResponse', { status })));
        await aborted(call.signal);
      }),
    ]);
  }

  /** A server of all services; not listening yet. */
  server(): HubbleServer {
    return grpcServer(this.#handlers, { 'hubble-server-version': agentRelease(this.agent.version) });
  }

  close(): void {
    this.#events.close();
  }

  #unary<M extends Method>(
    method: M,
    answer: (request: RequestOf<M>) => ResponseOf<M>,
  ): [string, GrpcHandler] {
    return this.#streaming(method, async (request, call) => {
      const name: MessageName = METHODS[method].response;
      await call.send(frame(encode(name, answer(request))));
    });
  }

  #streaming<M extends Method>(
    method: M,
    answer: (request: RequestOf<M>, call: GrpcCall) => Promise<void>,
  ): [string, GrpcHandler] {
    return [method, async (call) => answer(requestOf(method, call.request), call)];
  }

  #nodes(): Node[] {
    const { ring, beganMs } = this.player;
    const { world } = this.agent;
    return world.nodes.map((node) => {
      const up = node.health.node === 'ok';
      const here = node === world.self;
      const counters = {
        uptime_ns: nanos(this.agent.nowMs() - beganMs),
        num_flows: String(ring.size),
        max_flows: String(ring.capacity),
        seen_flows: String(ring.end),
      };
      return {
        name: node.fullName,
        version: agentRelease(this.agent.version),
        address: `${node.ipv4}:4244`,
        state: up ? 'NODE_CONNECTED' : 'NODE_UNAVAILABLE',
        tls: {},
        ...(here && counters),
      };
    });
  }

  #namespaces(): Namespace[] {
    const found = new Map<string, Namespace>();
    for (const flow of this.player.flows()) {
      for (const { cluster_name: cluster = this.agent.world.cluster.name, namespace } of [
        flow.source ?? {},
        flow.destination ?? {},
      ])
        if (namespace) found.set(`${cluster}/${namespace}`, { cluster, namespace });
    }
    return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, namespace]) => namespace);
  }

  #status(): ResponseOf<'/observer.Observer/ServerStatus'> {
    const { ring, beganMs, ratePerSecond } = this.player;
    const { nodes } = this.agent.world;
    const away = nodes.filter((node) => node.health.node !== 'ok').map((node) => node.fullName);
    return {
      num_flows: String(ring.size),
      max_flows: String(ring.capacity),
      seen_flows: String(ring.end),
      uptime_ns: nanos(this.agent.nowMs() - beganMs),
      num_connected_nodes: nodes.length - away.length,
      num_unavailable_nodes: away.length,
      ...(away.length > 0 && { unavailable_nodes: away }),
      version: `cilium-lab v${agentRelease(this.agent.version)}`,
      flows_rate: ratePerSecond,
    };
  }

  async #peers(call: GrpcCall): Promise<void> {
    for (const node of this.agent.world.nodes) {
      const change = { name: node.fullName, address: `${node.ipv4}:4244`, type: 'PEER_ADDED' } as const;
      await call.send(frame(encode('peer.ChangeNotification', change)));
    }
    await aborted(call.signal);
  }
}

function requestOf<M extends Method>(method: M, bytes: Buffer): RequestOf<M> {
  try {
    const name: MessageName = METHODS[method].request;
    return decode(name, bytes) as RequestOf<M>;
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw new GrpcFailure(GRPC_CODE.internal, `grpc: error unmarshalling request: ${error.message}`);
  }
}

function nanos(ms: number): string {
  return String(BigInt(Math.max(0, Math.round(ms))) * 1_000_000n);
}
