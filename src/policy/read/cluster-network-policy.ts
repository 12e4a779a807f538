import { isRecord } from '../../lib/record.ts';
import type { LabelSelector } from '../../model/selector.ts';
import type { Cursor } from '../language/decoders.ts';
import type {
  EgressRule,
  FqdnSelector,
  Order,
  Path,
  PortProtocol,
  PortRule,
  Protocol,
  Rule,
} from '../rule.ts';
import {
  CLUSTER_POLICY_SPEC,
  type Item,
  type Peer,
  type Ports,
  type ProtocolMatch,
  type Subject,
} from './cluster-policy-spec.ts';
import { derivedLabels, type ObjectName } from './kubernetes-object.ts';
import { selectorOfPods } from './network-policy.ts';

/** The rules of one ClusterNetworkPolicy of policy.networking.k8s.io/v1alpha2: each item of a direction is one. */
export interface OrderedRule {
  rule: Rule;
  /** Its place in the spec: `ingress`, 0. */
  part: Path;
  needsNodeLabels?: true;
}

/** Checks the spec as the API server and the agent do, and turns it into the rules that the agent makes of it. */
export function decodeClusterNetworkPolicy(spec: unknown, owner: ObjectName, at: Cursor): OrderedRule[] {
  if (!isRecord(spec)) {
    at.fail('missing', 'a ClusterNetworkPolicy must have a "spec"');
    return [];
  }
  const policy = CLUSTER_POLICY_SPEC(spec, at);
  if (!policy) return [];
  const nodes = (policy.egress ?? []).some(({ to = [] }) => to.some((peer) => peer.nodes !== undefined));
  if (nodes)
    at.warn(
      'option',
      'agents refuse a policy with the peer "nodes" unless they have the option enable-node-selector-labels, which is off by default',
    );
  const subject = podsOf(policy.subject);
  return (['ingress', 'egress'] as const).flatMap((section) =>
    (policy[section] ?? []).map((item, i): OrderedRule => {
      const { tier, priority } = policy;
      const order: Order = {
        tier,
        // The agent's own way of putting the rules of one object in a row.
        priority: priority + i / 100,
        ...(item.action === 'Pass' && { pass: true }),
      };
      const key = `${section}${item.action === 'Deny' ? 'Deny' : ''}` as const;
      return {
        part: [section, i],
        rule: {
          endpointSelector: subject,
          [key]: section === 'ingress' ? [ingressOf(item)] : egressOf(item),
          labels: derivedLabels(owner),
          enableDefaultDeny: { ingress: false, egress: false },
          order,
        },
        ...(nodes && { needsNodeLabels: true }),
      };
    }),
  );
}

function podsOf({ namespaces, pods }: Subject): LabelSelector {
  return selectorOfPods(pods?.podSelector ?? {}, pods ? (pods.namespaceSelector ?? {}) : (namespaces ?? {}));
}

function ingressOf({ from = [], protocols }: Item) {
  const { pods, namespaces } = peersOf(from);
  return {
    ...(pods.length > 0 && { fromEndpoints: pods }),
    ...(namespaces.length > 0 && { fromNamespaces: namespaces }),
    ...portsOf(protocols),
  };
}

/** With names as peers the agent also lets the DNS requests for them pass, through its proxy. */
function egressOf({ to = [], protocols }: Item): EgressRule[] {
  const { pods, namespaces } = peersOf(to);
  const nodes = to.flatMap((peer) => peer.nodes ?? []);
  const networks = to.flatMap((peer) => peer.networks ?? []);
  const names = to.flatMap((peer) => peer.domainNames ?? []).map(fqdnOf);
  const rule: EgressRule = {
    ...(pods.length > 0 && { toEndpoints: pods }),
    ...(namespaces.length > 0 && { toNamespaces: namespaces }),
    ...(nodes.length > 0 && { toNodes: nodes.map(ofNodes) }),
    ...(networks.length > 0 && { toCIDR: networks }),
    ...(names.length > 0 && { toFQDNs: names }),
    ...portsOf(protocols),
  };
  return names.length > 0 ? [rule, dnsRequests(names)] : [rule];
}

function peersOf(peers: readonly Peer[]): { pods: LabelSelector[]; namespaces: LabelSelector[] } {
  return {
    pods: peers.filter(({ pods }) => pods).map(podsOf),
    namespaces: peers.filter(({ namespaces }) => namespaces).map(podsOf),
  };
}

function ofNodes({ matchLabels, matchExpressions }: LabelSelector): LabelSelector {
  const labels = Object.entries(matchLabels ?? {}).map(([key, value]) => [`node:${key}`, value]);
  return {
    ...(labels.length > 0 && { matchLabels: Object.fromEntries(labels) }),
    ...(matchExpressions && {
      matchExpressions: matchExpressions.map((line) => ({ ...line, key: `node:${line.key}` })),
    }),
  };
}

/** A leading `*` stands for any number of labels. */
function fqdnOf(name: string): FqdnSelector {
  return name.startsWith('*') ? { matchPattern: `*${name}` } : { matchName: name };
}

function dnsRequests(names: readonly FqdnSelector[]): EgressRule {
  return {
    toNamespaces: [{ matchLabels: { 'any:k8s-app': 'kube-dns' } }],
    toPorts: [
      {
        ports: ['dns', 'dns-tcp'].map((port) => ({ port, protocol: 'ANY' })),
        rules: { dns: [...names] },
      },
    ],
  };
}

function portsOf(protocols: readonly ProtocolMatch[] | undefined): { toPorts?: PortRule[] } {
  if (!protocols) return {};
  return { toPorts: protocols.map((match) => ({ ports: [portOf(match)] })) };
}

function portOf({ tcp, udp, sctp, destinationNamedPort = '' }: ProtocolMatch): PortProtocol {
  const found: readonly (readonly [Protocol, Ports | undefined])[] = [
    ['TCP', tcp],
    ['UDP', udp],
    ['SCTP', sctp],
  ];
  for (const [protocol, ports] of found) {
    if (!ports) continue;
    const { number, range } = ports.destinationPort ?? {};
    if (range) return { port: String(range.start), endPort: range.end, protocol };
    return { port: String(number ?? 0), protocol };
  }
  return { port: destinationNamedPort.toLowerCase(), protocol: 'ANY' };
}
