import { RE2JS } from 're2js';
import { enumType } from '../../hubble/protobuf/schema.ts';
import type { DropReason, Flow, Policy } from '../../model/hubble.gen.ts';
import type { Decision } from '../../policy/evaluate/decide/decide.ts';
import { protocolNumber } from '../../policy/evaluate/maps/ports.ts';
import type { Agent } from '../agent/agent.ts';
import { ruleLabels } from '../policy/rules.ts';
import type { ScenarioTraffic } from '../scenario/scenario.ts';
import { agentRelease } from '../version.ts';
import { clientPort, findPeer, type Peer } from './peers.ts';

/** Types of event: drop, trace, policy verdict, layer 7. */
const EVENT = { drop: 1, trace: 4, verdict: 5, l7: 129 } as const;

export interface Ends {
  from: Peer;
  to: Peer;
  protocol: string;
  port: number | undefined;
  clientPort: number;
  agent: Agent;
}

/** The flows that one conversation of a scenario makes under the policy in force; none when an end of it is gone. */
export function converse(traffic: ScenarioTraffic, agent: Agent, turn: number): Flow[] {
  const from = findPeer(traffic.from, agent, turn);
  const found = findPeer(traffic.to, agent, turn);
  // What passes between other nodes is not seen here.
  if (!from || !found || !(from.local || found.local)) return [];
  const to = traffic.name && !found.names ? { ...found, names: [traffic.name] } : found;
  const [port, protocol = traffic.dns ? 'UDP' : 'TCP'] = (traffic.port ?? '').split('/');
  const own = to.service?.port ?? (port ? Number(port) : undefined);
  const ends: Ends = {
    from,
    to,
    protocol: own === undefined ? 'ICMP' : protocol,
    port: own,
    clientPort: clientPort(traffic.from, traffic.to, turn),
    agent,
  };
  if (traffic.drop) return [dropped(ends, to.local ? 'INGRESS' : 'EGRESS', traffic.drop)];
  const { egress, ingress } = agent.policy.decide(from.identity, to.identity, {
    protocol: protocolNumber(ends.protocol === 'ICMP' ? 'ICMP' : ends.protocol),
    port: ends.port ?? 8,
  });
  const flows: Flow[] = [];
  if (from.local) flows.push(trace(ends, 'FROM_ENDPOINT', false));
  if (from.local && decided(egress)) flows.push(verdict(ends, 'EGRESS', egress));
  if (from.local && egress.answer === 'denied') return [...flows, dropped(ends, 'EGRESS', reasonOf(egress))];
  if (to.local && decided(ingress)) flows.push(verdict(ends, 'INGRESS', ingress));
  if (to.local && ingress.answer === 'denied') return [...flows, dropped(ends, 'INGRESS', reasonOf(ingress))];
  flows.push(trace(ends, to.local ? 'TO_ENDPOINT' : 'TO_NETWORK', false));
  const proxied = (from.local && egress.proxy) || (to.local && ingress.proxy);
  const direction = from.local && egress.proxy ? 'EGRESS' : 'INGRESS';
  const refused = [egress, ingress].some((decision) => refuses(decision, traffic));
  if (proxied && (traffic.http || traffic.dns)) {
    flows.push(l7Request(ends, traffic, direction, refused));
    flows.push(l7Response(ends, traffic, direction, refused));
  }
  if (!refused) flows.push(trace(ends, from.local ? 'TO_ENDPOINT' : 'TO_NETWORK', true));
  return flows;
}

function decided({ reason }: Decision): boolean {
  return reason.kind === 'rule' || reason.kind === 'default-deny';
}

function reasonOf({ reason }: Decision): string {
  return reason.kind === 'rule' ? 'POLICY_DENY' : 'POLICY_DENIED';
}

/** Whether the proxy of a decision turns the request down. */
function refuses({ proxy }: Decision, { http, dns }: ScenarioTraffic): boolean {
  const rules = proxy?.ports.flatMap((port) => port.l7 ?? []) ?? [];
  const httpRules = rules.flatMap((rule) => rule.http ?? []);
  if (http && httpRules.length > 0) {
    const fits = (expression: string | undefined, text: string) =>
      expression === undefined || RE2JS.compile(expression).matches(text);
    return !httpRules.some((rule) => fits(rule.method, http.method) && fits(rule.path, http.path));
  }
  const dnsRules = rules.flatMap((rule) => rule.dns ?? []);
  if (!dns || dnsRules.length === 0) return false;
  const query = dns.query.replace(/\.$/, '').toLowerCase();
  return !dnsRules.some(({ matchName, matchPattern = '' }) =>
    matchName
      ? matchName.replace(/\.$/, '').toLowerCase() === query
      : matchPattern === '*' ||
        new RegExp(`^${matchPattern.replaceAll('.', '\\.').replaceAll('*', '[-a-z0-9_]*')}$`).test(query),
  );
}

export function base({ from, to, agent, ...ends }: Ends, reply: boolean): Flow {
  const [source, destination] = reply ? [to, from] : [from, to];
  const [sourcePort, destinationPort] = reply ? [ends.port, ends.clientPort] : [ends.clientPort, ends.port];
  const ports = { source_port: sourcePort ?? 0, destination_port: destinationPort ?? 0 };
  const l4 =
    ends.protocol === 'TCP'
      ? { TCP: { ...ports, flags: reply ? { SYN: true, ACK: true } : { SYN: true } } }
      : ends.protocol === 'UDP'
        ? { UDP: ports }
        : ends.protocol === 'SCTP'
          ? { SCTP: ports }
          : { ICMPv4: { type: reply ? 0 : 8 } };
  const { service } = to;
  const called = service && { name: service.name, namespace: service.namespace };
  return {
    emitter: { name: 'Hubble', version: agentRelease(agent.version) },
    ethernet: { source: source.mac, destination: destination.mac },
    IP: {
      source: source.ip,
      destination: destination.ip,
      ipVersion: source.ip.includes(':') ? 'IPv6' : 'IPv4',
    },
    l4,
    source: source.endpoint,
    destination: destination.endpoint,
    Type: 'L3_L4',
    node_name: agent.world.self.fullName,
    ...(source.names && { source_names: source.names }),
    ...(destination.names && { destination_names: destination.names }),
    ...(called && { [reply ? 'source_service' : 'destination_service']: called }),
    Summary: summaryOf(ends.protocol, reply),
  };
}

function summaryOf(protocol: string, reply: boolean): string {
  if (protocol === 'TCP') return reply ? 'TCP Flags: SYN, ACK' : 'TCP Flags: SYN';
  if (protocol === 'ICMP') return reply ? 'ICMPv4 EchoReply' : 'ICMPv4 EchoRequest';
  return protocol;
}

type Point = 'FROM_ENDPOINT' | 'TO_ENDPOINT' | 'TO_NETWORK';
const SUB_TYPES: Readonly<Record<Point, number>> = { TO_ENDPOINT: 0, FROM_ENDPOINT: 5, TO_NETWORK: 11 };

export function trace(ends: Ends, point: Point, reply: boolean): Flow {
  const subType = SUB_TYPES[point];
  const before = point === 'FROM_ENDPOINT';
  const receiver = reply ? ends.from.local : ends.to.local;
  return {
    ...base(ends, reply),
    verdict: 'FORWARDED',
    event_type: { type: EVENT.trace, ...(subType > 0 && { sub_type: subType }) },
    trace_observation_point: point,
    ...(!before && {
      traffic_direction: receiver ? 'INGRESS' : 'EGRESS',
      trace_reason: reply ? 'REPLY' : 'NEW',
      is_reply: reply,
    }),
    ...(point === 'TO_ENDPOINT' &&
      receiver && { interface: { index: receiver.interfaceIndex, name: receiver.interfaceName } }),
  };
}

export function verdict(ends: Ends, direction: 'INGRESS' | 'EGRESS', decision: Decision): Flow {
  const flow: Flow = {
    ...base(ends, false),
    event_type: { type: EVENT.verdict },
    traffic_direction: direction,
  };
  if (decision.answer === 'denied') {
    const reason = reasonOf(decision);
    return { ...flow, verdict: 'DROPPED', ...dropReason(reason) };
  }
  const by = allowedBy(decision, ends.agent);
  return {
    ...flow,
    verdict: decision.proxy ? 'REDIRECTED' : 'FORWARDED',
    policy_match_type: ends.port === undefined ? 1 : 2,
    is_reply: false,
    ...(by.length > 0 && { [direction === 'INGRESS' ? 'ingress_allowed_by' : 'egress_allowed_by']: by }),
  };
}

function allowedBy({ reason }: Decision, agent: Agent): Policy[] {
  if (reason.kind !== 'rule') return [];
  const { rule } = reason.part.rule.source;
  const name = rule.labels?.find(
    (label) => label.key === 'name' || label.key === 'io.cilium.k8s.policy.name',
  );
  return [
    {
      ...(name && { name: name.value, kind: 'CiliumNetworkPolicy' }),
      labels: ruleLabels(rule),
      revision: String(agent.state.policy.revision),
    },
  ];
}

/** A drop reason by its name in Hubble's API. */
function dropReason(reason: string): Pick<Flow, 'drop_reason' | 'drop_reason_desc'> {
  const number = enumType('flow.DropReason').numbers.get(reason) ?? 0;
  return { drop_reason: number, drop_reason_desc: reason as DropReason };
}

export function dropped(ends: Ends, direction: 'INGRESS' | 'EGRESS', reason: string): Flow {
  const why = dropReason(reason);
  return {
    ...base(ends, false),
    verdict: 'DROPPED',
    ...why,
    event_type: { type: EVENT.drop, sub_type: why.drop_reason ?? 0 },
    traffic_direction: direction,
    file: { name: 'bpf_lxc.c', line: direction === 'INGRESS' ? 2260 : 1533 },
  };
}

export function l7Request(
  ends: Ends,
  traffic: ScenarioTraffic,
  direction: 'INGRESS' | 'EGRESS',
  refused: boolean,
): Flow {
  const { url, query } = asked(ends, traffic);
  const dns = { query, observation_source: 'proxy', qtypes: ['A'] };
  return {
    ...l7Base(ends, false, direction, refused),
    l7: traffic.http
      ? { type: 'REQUEST', http: { method: traffic.http.method, url, protocol: 'HTTP/1.1' } }
      : { type: 'REQUEST', dns },
    is_reply: false,
    Summary: traffic.http ? `HTTP/1.1 ${traffic.http.method} ${url}` : `DNS Query ${query} A`,
  };
}

export function l7Response(
  ends: Ends,
  traffic: ScenarioTraffic,
  direction: 'INGRESS' | 'EGRESS',
  refused: boolean,
): Flow {
  const { url, query } = asked(ends, traffic);
  const { http, dns } = traffic;
  const common = { ...l7Base(ends, true, direction, false), reply: true, is_reply: true };
  if (http) {
    const code = refused ? 403 : (http.code ?? 200);
    const latencyMs = http.latencyMs ?? 1.5;
    return {
      ...common,
      l7: {
        type: 'RESPONSE',
        latency_ns: String(Math.round(latencyMs * 1e6)),
        http: { code, method: http.method, url, protocol: 'HTTP/1.1' },
      },
      Summary: `HTTP/1.1 ${code} ${Math.floor(latencyMs)}ms (${http.method} ${url})`,
    };
  }
  const ips = refused ? [] : (dns?.ips ?? []);
  const rcode = refused ? 5 : (dns?.rcode ?? 0);
  const name =
    rcode === 3 ? 'Non-Existent Domain' : rcode === 5 ? 'Query Refused' : rcode === 2 ? 'Server Failure' : '';
  return {
    ...common,
    l7: {
      type: 'RESPONSE',
      dns: {
        query,
        ...(ips.length > 0 && { ips, ttl: 60 }),
        observation_source: 'proxy',
        ...(rcode > 0 && { rcode }),
        qtypes: ['A'],
        ...(ips.length > 0 && { rrtypes: ['A'] }),
      },
    },
    Summary:
      ips.length > 0
        ? `DNS Answer "${ips.join(',')}" TTL: 60 (Proxy ${query} A)`
        : `DNS Answer RCode: ${name || rcode} TTL: 4294967295 (Proxy ${query} A)`,
  };
}

function asked({ to }: Ends, { http, dns }: ScenarioTraffic): { url: string; query: string } {
  const host = to.service
    ? `${to.service.name}.${to.service.namespace}.svc`
    : (to.names?.[0] ?? to.endpoint.pod_name ?? to.ip);
  const query = dns?.query ?? '';
  return { url: `http://${host}${http?.path ?? ''}`, query: query.endsWith('.') ? query : `${query}.` };
}

function l7Base(ends: Ends, reply: boolean, direction: 'INGRESS' | 'EGRESS', refused: boolean): Flow {
  const { ethernet: _, l4, ...flow } = base(ends, reply);
  const ports = l4?.TCP ?? l4?.UDP ?? {};
  const plain = { source_port: ports.source_port ?? 0, destination_port: ports.destination_port ?? 0 };
  return {
    ...flow,
    l4: ends.protocol === 'UDP' ? { UDP: plain } : { TCP: plain },
    verdict: refused ? 'DROPPED' : 'FORWARDED',
    Type: 'L7',
    event_type: { type: EVENT.l7 },
    traffic_direction: direction,
  };
}
