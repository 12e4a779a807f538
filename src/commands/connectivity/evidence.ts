import { recordedFlowsOf } from '../../cli/hubble/recorded.ts';
import { loadEngine } from '../../cli/policy/inputs.ts';
import { isIpv6 } from '../../cluster/connectivity/ip-text.ts';
import type { Target, TestPod } from '../../cluster/connectivity/plan.ts';
import type { Decided, Evidence, SeenFlow } from '../../cluster/connectivity/suspect.ts';
import type { Context } from '../../context.ts';
import { errorMessage } from '../../errors.ts';
import { HubbleClient } from '../../hubble/client.ts';
import type { AgentPod } from '../../kube/agents.ts';
import type { KubeClient } from '../../kube/client.ts';
import { openRoadTo } from '../../kube/road.ts';
import { formatJson } from '../../lib/exact-json.ts';
import type { Flow, Policy } from '../../model/hubble.gen.ts';
import { Peers } from '../../policy/evaluate/decide/peers.ts';
import { type Why, why } from '../../policy/reports/why.ts';
import { VERSION } from '../../version.ts';

/** Where an agent serves Hubble in its container. */
const HUBBLE_SOCKET = '/var/run/cilium/hubble.sock';
const HUBBLE_MS = 5_000;
/** Clocks of nodes and of this machine differ. */
const CLOCKS_MS = 5_000;
/** Longer than an attempt takes. */
const EARLIER_MS = 60_000;
/** Flows come to Hubble a moment after the packets. */
const [LOOKS, LOOK_MS] = [3, 400];
const MAX_FLOWS = 200;

/** One end of a path. */
export interface PathEnd {
  /** `namespace/name` of a pod. */
  pod?: string | undefined;
  ips: readonly string[];
}

/** A path as flows and rules have it. */
export interface PathQuestion {
  from: PathEnd & { pod: string };
  /** Several pods where it leads to a service. */
  to: readonly PathEnd[];
  /** ICMP when absent. */
  port?: number | undefined;
  protocol: 'TCP' | 'UDP' | 'ICMP';
  sinceMs: number;
  /** Flows of something before it. */
  earlier?: ReadonlySet<string>;
}

/** What of a path is asked for. */
export function questionOf(
  from: TestPod,
  target: Target,
  dns: readonly string[],
  sinceMs: number,
): PathQuestion {
  const source = { pod: `${from.namespace}/${from.pod}`, ips: from.ips };
  const pod = (one: TestPod): PathEnd => ({ pod: `${one.namespace}/${one.pod}`, ips: one.ips });
  const own: PathEnd = {
    ...(target.kind === 'pod' && { pod: target.name }),
    ips: target.ip ? [target.ip] : [],
  };
  switch (target.kind) {
    case 'dns':
      return { from: source, to: dns.map((ip) => ({ ips: [ip] })), port: 53, protocol: 'UDP', sinceMs };
    case 'host':
      return { from: source, to: [own], protocol: 'ICMP', sinceMs };
    case 'service':
    case 'nodeport': {
      // Policy sees the pods behind it.
      const backends = (target.backends ?? []).map(pod);
      return {
        from: source,
        to: [...backends, own],
        port: target.backends ? ECHO : target.port,
        protocol: 'TCP',
        sinceMs,
      };
    }
    default:
      return { from: source, to: [own], port: target.port, protocol: 'TCP', sinceMs };
  }
}

const ECHO = 8080;

/** Reads what the cluster knows of paths: flows of the agents of their nodes, and what its rules decide. */
export class EvidenceReader {
  constructor(
    private readonly client: KubeClient,
    /** By node. */
    private readonly agents: ReadonlyMap<string, AgentPod>,
    private readonly ctx: Context,
  ) {}

  async read(question: PathQuestion, nodes: readonly string[], waits = true): Promise<Evidence> {
    const { flows, trouble } = await this.flows(question, nodes, waits);
    const seen = flows.map(seenFlow);
    const decided = await this.decide(question, flows.find(isDrop));
    return {
      flows: seen,
      ...(trouble !== undefined && { flowsTrouble: trouble }),
      ...(typeof decided === 'string' ? { decidedTrouble: decided } : { decided }),
    };
  }

  /** Flows of a path, of the agents of these nodes. */
  async flows(
    question: PathQuestion,
    nodes: readonly string[],
    waits: boolean,
  ): Promise<{ flows: Flow[]; trouble?: string }> {
    const troubles: string[] = [];
    for (let look = 1; ; look++) {
      const flows = new Map<string, Flow>();
      troubles.length = 0;
      for (const node of new Set(nodes)) {
        try {
          for (const flow of await this.#ask(node, question))
            if (isOfPath(flow, question)) flows.set(flow.uuid ?? formatJson(flow) ?? '', flow);
        } catch (error) {
          this.ctx.signal.throwIfAborted();
          troubles.push(`node ${node}: ${errorMessage(error)}`);
        }
      }
      const enough = flows.size > 0 || !waits || look === LOOKS || troubles.length > 0;
      if (enough)
        return {
          flows: [...flows.values()].toSorted((a, b) => ((a.time ?? '') < (b.time ?? '') ? -1 : 1)),
          ...(troubles.length > 0 && { trouble: troubles.join('; ') }),
        };
      await this.ctx.clock.sleep(LOOK_MS, this.ctx.signal);
    }
  }

  /** Flows of a pod that are there by now. */
  async seen({ namespace, pod, ips }: TestPod, nodes: readonly string[]): Promise<Set<string>> {
    const sinceMs = this.ctx.clock.nowMs() - EARLIER_MS;
    const question = { from: { pod: `${namespace}/${pod}`, ips }, sinceMs };
    const found = new Set<string>();
    for (const node of new Set(nodes))
      try {
        for (const { uuid } of await this.#ask(node, question)) if (uuid) found.add(uuid);
      } catch {
        // Why flows cannot be read is said where they are shown.
        this.ctx.signal.throwIfAborted();
      }
    return found;
  }

  async #ask(node: string, question: Pick<PathQuestion, 'from' | 'sinceMs'>): Promise<Flow[]> {
    const agent = this.agents.get(node);
    if (!agent) throw new Error('no agent of Cilium runs there');
    if (agent.trouble !== undefined) throw new Error(agent.trouble);
    const sinceMs = question.sinceMs - CLOCKS_MS;
    const { recorded } = this.client;
    if (recorded)
      return await recordedFlowsOf(recorded.recording, agent.pod, {
        pod: question.from.pod,
        sinceMs,
        limit: MAX_FLOWS,
      });
    const signal = AbortSignal.any([this.ctx.signal, AbortSignal.timeout(HUBBLE_MS)]);
    const dial = openRoadTo(this.client, agent);
    const hubble = new HubbleClient(
      {
        address: `unix://${HUBBLE_SOCKET}`,
        target: { network: 'unix', path: HUBBLE_SOCKET },
        dialTimeoutMs: HUBBLE_MS,
        dial: () => dial(HUBBLE_SOCKET, signal),
      },
      { version: VERSION, requestTimeoutMs: HUBBLE_MS, signal },
    );
    try {
      const found: Flow[] = [];
      const since = new Date(sinceMs).toISOString();
      const request = { number: String(MAX_FLOWS), since, whitelist: [{ source_pod: [question.from.pod] }] };
      for await (const { flow } of hubble.stream('/observer.Observer/GetFlows', request))
        if (flow) found.push(flow);
      return found;
    } catch (error) {
      if (signal.aborted && !this.ctx.signal.aborted)
        throw new Error(`Hubble did not answer within ${HUBBLE_MS / 1000} s`, { cause: error });
      throw error;
    } finally {
      await hubble.close();
    }
  }

  /** What the rules of the cluster decide, or why that is not known. */
  async decide(question: PathQuestion, seen?: Flow): Promise<Decided | string> {
    const flow = seen ?? flowOf(question);
    if (!flow) return 'the address that it leads to is not known';
    try {
      const { engine, state } = await loadEngine(this.ctx, { state: 'cluster', flows: [flow] });
      const answer = why(flow, engine, new Peers(engine, state));
      return typeof answer === 'string' ? answer : decidedOf(answer);
    } catch (error) {
      this.ctx.signal.throwIfAborted();
      return errorMessage(error);
    }
  }
}

function isDrop({ verdict }: Flow): boolean {
  return verdict === 'DROPPED';
}

/** Whether a flow goes to one of the ends, or to the port of a name server. */
function isOfPath(
  { uuid, IP, l4, destination, is_reply }: Flow,
  { to, port, protocol, earlier }: PathQuestion,
): boolean {
  if (is_reply === true || (uuid !== undefined && earlier?.has(uuid))) return false;
  const isTo = to.some(
    ({ pod, ips }) =>
      ips.includes(IP?.destination ?? '') ||
      (pod !== undefined && pod === `${destination?.namespace ?? ''}/${destination?.pod_name ?? ''}`),
  );
  if (protocol === 'ICMP') return isTo && (l4?.ICMPv4 !== undefined || l4?.ICMPv6 !== undefined);
  const own = l4?.TCP?.destination_port ?? l4?.UDP?.destination_port;
  if (port === 53) return own === 53;
  return isTo && (port === undefined || own === undefined || own === port);
}

/** The first packet of a connection, as Hubble would tell it. */
function flowOf({ from, to, port, protocol }: PathQuestion): Flow | undefined {
  const [first] = to;
  const destination = first?.ips[0];
  if (!first || destination === undefined) return undefined;
  const isSix = isIpv6(destination);
  const source = from.ips.find((ip) => isIpv6(ip) === isSix) ?? from.ips[0] ?? '';
  const end = ({ pod }: PathEnd) => {
    const [namespace = '', pod_name = ''] = pod?.split('/') ?? [];
    return pod === undefined ? {} : { namespace, pod_name };
  };
  const l4 =
    protocol === 'TCP'
      ? { TCP: { source_port: 40_000, destination_port: port ?? 0, flags: { SYN: true } } }
      : protocol === 'UDP'
        ? { UDP: { source_port: 40_000, destination_port: port ?? 0 } }
        : isSix
          ? { ICMPv6: { type: 128 } }
          : { ICMPv4: { type: 8 } };
  return {
    verdict: 'TRACED',
    is_reply: false,
    IP: { source, destination, ipVersion: isSix ? 'IPv6' : 'IPv4' },
    l4,
    source: end(from),
    destination: end(first),
    Type: 'L3_L4',
  };
}

function decidedOf({ verdict, egress, ingress }: Why): Decided {
  const sides = [egress, ingress];
  const denying = sides.filter(({ answer }) => answer === 'denied');
  const counting = denying.length > 0 ? denying : sides;
  const names = counting.flatMap(({ rules }) =>
    rules.map(({ kind, namespace, name }) => `${kind} ${[namespace, name].filter(Boolean).join('/')}`.trim()),
  );
  return {
    verdict,
    egress: { answer: egress.answer, text: egress.text },
    ingress: { answer: ingress.answer, text: ingress.text },
    ...(sides.some(({ proxy }) => proxy !== undefined) && { byProxy: true }),
    policies: [...new Set(names)],
  };
}

function seenFlow(flow: Flow): SeenFlow {
  const { uuid = '', time = '', node_name: node = '', IP, l4, verdict, traffic_direction } = flow;
  const pod = (end: Flow['source'], ip: string | undefined) =>
    end?.pod_name ? `${end.namespace ?? ''}/${end.pod_name}` : (ip ?? 'unknown');
  const port = l4?.TCP
    ? `${l4.TCP.destination_port ?? 0}/TCP`
    : l4?.UDP
      ? `${l4.UDP.destination_port ?? 0}/UDP`
      : l4?.ICMPv4 || l4?.ICMPv6
        ? 'ICMP'
        : '';
  const reason = String(flow.drop_reason_desc ?? '');
  return {
    uuid,
    time,
    node: node.split('/').at(-1) ?? '',
    from: pod(flow.source, IP?.source),
    to: pod(flow.destination, IP?.destination),
    port,
    verdict: String(verdict ?? ''),
    dropReason: reason === 'DROP_REASON_UNKNOWN' ? '' : reason,
    direction: traffic_direction === 'INGRESS' ? 'ingress' : traffic_direction === 'EGRESS' ? 'egress' : '',
    policies: [...(flow.egress_denied_by ?? []), ...(flow.ingress_denied_by ?? [])].map(policyName),
  };
}

function policyName({ kind = '', namespace = '', name = '' }: Policy): string {
  return `${kind} ${[namespace, name].filter(Boolean).join('/')}`.trim();
}
