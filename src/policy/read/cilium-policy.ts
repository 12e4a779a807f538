import { isRecord } from '../../lib/record.ts';
import type { Label } from '../../model/label.ts';
import type { LabelSelector } from '../../model/selector.ts';
import { checkCidrRule, portNumber } from '../language/check-ports.ts';
import { PLAIN_SELECTOR } from '../language/decode-peers.ts';
import { type Cursor, type Decode, list, object, oneOf, text } from '../language/decoders.ts';
import type {
  EgressPeers,
  EgressRule,
  IngressPeers,
  IngressRule,
  OriginKind,
  PortProtocol,
  PortRule,
  Rule,
  Service,
} from '../rule.ts';

const NAMESPACE_KEY = 'io.kubernetes.pod.namespace';
const NAMESPACE_LABELS = 'io.cilium.k8s.namespace.labels';
const POLICY_LABEL = 'io.cilium.k8s.policy';

/** Who a Kubernetes object is. */
export interface ObjectName {
  kind: Exclude<OriginKind, 'rule'>;
  /** Empty for clusterwide objects. */
  namespace: string;
  name: string;
  uid?: string | undefined;
}

/** The labels that the agent derives from an object's name, by which its rules can be found and deleted. */
function derivedLabels({ kind, namespace, name, uid }: ObjectName): Label[] {
  const label = (key: string, value: string): Label => ({
    key: `${POLICY_LABEL}.${key}`,
    value,
    source: 'k8s',
  });
  return [
    label('derived-from', kind),
    label('name', name),
    ...(namespace === '' ? [] : [label('namespace', namespace)]),
    ...(uid ? [label('uid', uid)] : []),
  ];
}

/** Puts a rule of a CiliumNetworkPolicy or a clusterwide one into its namespace, as the agent does when it reads it. */
export function inNamespace(rule: Rule, owner: ObjectName): Rule {
  const { namespace } = owner;
  const subject = rule.endpointSelector && subjectIn(rule.endpointSelector, namespace);
  const matchesInit = hasSource(rule.endpointSelector, 'reserved:init');
  const peer = (selector: LabelSelector) => peerIn(selector, namespace, matchesInit);
  const ingress = <T extends IngressPeers>(item: T): T => ({
    ...item,
    ...(item.fromEndpoints && { fromEndpoints: item.fromEndpoints.map(peer) }),
    ...(item.fromRequires && { fromRequires: item.fromRequires.map(peer) }),
  });
  const egress = <T extends EgressPeers>(item: T): T => ({
    ...item,
    ...(item.toEndpoints && { toEndpoints: item.toEndpoints.map(peer) }),
    ...(item.toRequires && { toRequires: item.toRequires.map(peer) }),
    ...(item.toServices && { toServices: item.toServices.map((service) => serviceIn(service, namespace)) }),
  });
  const sorted = [...derivedLabels(owner), ...(rule.labels ?? [])].toSorted((a, b) =>
    a.key < b.key ? -1 : a.key > b.key ? 1 : 0,
  );
  const { endpointSelector, nodeSelector, labels, enableDefaultDeny, description, log, ...directions } = rule;
  return {
    ...(subject && { endpointSelector: subject }),
    ...(nodeSelector && { nodeSelector }),
    ...(directions.ingress && { ingress: directions.ingress.map(ingress) }),
    ...(directions.ingressDeny && { ingressDeny: directions.ingressDeny.map(ingress) }),
    ...(directions.egress && { egress: directions.egress.map(egress) }),
    ...(directions.egressDeny && { egressDeny: directions.egressDeny.map(egress) }),
    labels: sorted,
    enableDefaultDeny,
    ...(description && { description }),
    ...(log && { log }),
  };
}

function subjectIn(selector: LabelSelector, namespace: string): LabelSelector {
  if (namespace === '' || hasSource(selector, 'reserved:init')) return selector;
  return withLabel(selector, `k8s:${NAMESPACE_KEY}`, namespace);
}

function peerIn(selector: LabelSelector, namespace: string, matchesInit: boolean): LabelSelector {
  if (hasSource(selector, 'reserved:')) return selector;
  if (hasSource(selector, `k8s:${NAMESPACE_KEY}`, true) || hasSource(selector, `any:${NAMESPACE_KEY}`, true))
    return selector;
  if (namespace !== '') {
    const byNamespaceLabel = ['k8s', 'any'].some((source) =>
      hasSource(selector, `${source}:${NAMESPACE_LABELS}`),
    );
    return byNamespaceLabel ? selector : withLabel(selector, `k8s:${NAMESPACE_KEY}`, namespace);
  }
  if (matchesInit) return selector;
  // A clusterwide policy means pods, so a selector without a namespace asks for there being one.
  const { matchExpressions = [] } = selector;
  return {
    ...selector,
    matchExpressions: [...matchExpressions, { key: `k8s:${NAMESPACE_KEY}`, operator: 'Exists' }],
  };
}

function hasSource(selector: LabelSelector | undefined, prefix: string, whole = false): boolean {
  const keys = [
    ...Object.keys(selector?.matchLabels ?? {}),
    ...(selector?.matchExpressions ?? []).map(({ key }) => key),
  ];
  return keys.some((key) => (whole ? key === prefix : key.startsWith(prefix)));
}

function withLabel(selector: LabelSelector, key: string, value: string): LabelSelector {
  const entries = Object.entries({ ...selector.matchLabels, [key]: value });
  return {
    matchLabels: Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1))),
    ...(selector.matchExpressions && { matchExpressions: selector.matchExpressions }),
  };
}

function serviceIn({ k8sServiceSelector, k8sService }: Service, namespace: string): Service {
  return {
    ...(k8sServiceSelector && {
      k8sServiceSelector: {
        selector: k8sServiceSelector.selector,
        ...placed(k8sServiceSelector.namespace || namespace),
      },
    }),
    ...(k8sService && {
      k8sService: {
        ...(k8sService.serviceName && { serviceName: k8sService.serviceName }),
        ...placed(k8sService.namespace || namespace),
      },
    }),
  };
}

function placed(namespace: string): { namespace?: string } {
  return namespace === '' ? {} : { namespace };
}

/** The spec of a Kubernetes NetworkPolicy. */
interface NetworkPolicySpec {
  podSelector?: LabelSelector;
  ingress?: { from?: Peer[]; ports?: NetworkPolicyPort[] }[];
  egress?: { to?: Peer[]; ports?: NetworkPolicyPort[] }[];
  policyTypes?: ('Ingress' | 'Egress')[];
}

interface Peer {
  podSelector?: LabelSelector;
  namespaceSelector?: LabelSelector;
  ipBlock?: { cidr: string; except?: string[] };
}

interface NetworkPolicyPort {
  port?: string;
  endPort?: number;
  protocol?: 'TCP' | 'UDP' | 'SCTP';
}

const PEER = object<Peer>({
  name: 'a peer',
  fields: {
    podSelector: { decode: PLAIN_SELECTOR },
    namespaceSelector: { decode: PLAIN_SELECTOR },
    ipBlock: {
      decode: object<NonNullable<Peer['ipBlock']>>({
        name: 'an IP block',
        fields: { cidr: { decode: text(), required: true }, except: { decode: list(text()) } },
        check: checkCidrRule,
      }),
    },
  },
  check: ({ podSelector, namespaceSelector, ipBlock }, at) => {
    if (ipBlock && (podSelector || namespaceSelector))
      at.fail('combination', '"ipBlock" may not stand beside a selector', 'Write two peers.', ['ipBlock']);
    if (!ipBlock && !podSelector && !namespaceSelector)
      at.fail('peer', 'a peer must have a podSelector, a namespaceSelector or an ipBlock');
  },
});

const NETWORK_POLICY = object<NetworkPolicySpec>({
  name: 'the spec of a NetworkPolicy',
  fields: {
    podSelector: { decode: PLAIN_SELECTOR },
    ingress: {
      decode: list(
        object<NonNullable<NetworkPolicySpec['ingress']>[number]>({
          name: 'an ingress rule',
          fields: { from: { decode: list(PEER) }, ports: { decode: list(portOf()) } },
        }),
      ),
    },
    egress: {
      decode: list(
        object<NonNullable<NetworkPolicySpec['egress']>[number]>({
          name: 'an egress rule',
          fields: { to: { decode: list(PEER) }, ports: { decode: list(portOf()) } },
        }),
      ),
    },
    policyTypes: {
      decode: list(oneOf(['Ingress', 'Egress'], (word) => `"${word}" is no policy type`)),
    },
  },
});

function portOf(): Decode<NetworkPolicyPort> {
  return object<NetworkPolicyPort>({
    name: 'a port',
    fields: {
      port: { decode: (value, at) => (typeof value === 'number' ? String(value) : text()(value, at)) },
      endPort: {
        decode: (value, at) =>
          typeof value === 'number' ? value : at.fail('type', 'expected a whole number'),
        since: '1.16',
      },
      protocol: { decode: oneOf(['TCP', 'UDP', 'SCTP'], (word) => `"${word}" is no protocol`) },
    },
    check: checkNetworkPort,
  });
}

function checkNetworkPort({ port, endPort }: NetworkPolicyPort, at: Cursor): void {
  const number = port === undefined ? undefined : portNumber(port);
  if (port !== undefined && (number === undefined || number === 0))
    at.fail('port', `${JSON.stringify(port)} is no port`, 'A number from 1 to 65535, or a port name.', [
      'port',
    ]);
  if (endPort === undefined) return;
  if (number === undefined || Number.isNaN(number))
    at.fail('end-port', '"endPort" needs a "port" that is a number', undefined, ['endPort']);
  else if (!Number.isInteger(endPort) || endPort < number || endPort > 65535)
    at.fail('end-port', '"endPort" must lie between "port" and 65535', undefined, ['endPort']);
}

/** Checks a Kubernetes NetworkPolicy's spec and turns it into the rule that the agent makes of it. */
export function decodeNetworkPolicy(spec: unknown, owner: ObjectName, at: Cursor): Rule | undefined {
  if (!isRecord(spec)) return at.fail('missing', 'a NetworkPolicy must have a "spec"');
  const policy = NETWORK_POLICY(spec, at);
  if (policy === undefined) return undefined;
  const types = policy.policyTypes ?? [];
  const ingress = (policy.ingress ?? []).flatMap(({ from, ports }) =>
    ingressRules(from, ports, owner.namespace),
  );
  const egress = (policy.egress ?? []).flatMap(({ to, ports }) => egressRules(to, ports, owner.namespace));
  const closesIngress = types.includes('Ingress') || !types.includes('Egress');
  // A direction without rules is closed, which the agent says by one rule that allows nothing.
  if (ingress.length === 0 && closesIngress) ingress.push({});
  if (egress.length === 0 && types.includes('Egress')) egress.push({});
  return {
    endpointSelector: withLabel(
      withSource(policy.podSelector ?? {}, 'k8s:'),
      `k8s:${NAMESPACE_KEY}`,
      owner.namespace,
    ),
    ...(ingress.length > 0 && { ingress }),
    ...(egress.length > 0 && { egress }),
    labels: derivedLabels(owner),
    enableDefaultDeny: { ingress: ingress.length > 0, egress: egress.length > 0 },
  };
}

function ingressRules(
  from: Peer[] | undefined,
  ports: NetworkPolicyPort[] | undefined,
  namespace: string,
): IngressRule[] {
  const toPorts = portRules(ports);
  if (!from?.length) return [{ fromEndpoints: [{}], ...toPorts }];
  return from.map((peer) =>
    peer.ipBlock
      ? { fromCIDRSet: [peer.ipBlock], ...toPorts }
      : { fromEndpoints: [peerSelector(peer, namespace)], ...toPorts },
  );
}

function egressRules(
  to: Peer[] | undefined,
  ports: NetworkPolicyPort[] | undefined,
  namespace: string,
): EgressRule[] {
  const toPorts = portRules(ports);
  if (!to?.length) return [{ toEndpoints: [{}], ...toPorts }];
  return to.map((peer) =>
    peer.ipBlock
      ? { toCIDRSet: [peer.ipBlock], ...toPorts }
      : { toEndpoints: [peerSelector(peer, namespace)], ...toPorts },
  );
}

function portRules(ports: NetworkPolicyPort[] | undefined): { toPorts?: PortRule[] } {
  if (!ports?.length) return {};
  const one = ({ port = '0', endPort, protocol = 'TCP' }: NetworkPolicyPort): PortProtocol => ({
    port,
    ...(endPort !== undefined && { endPort }),
    protocol,
  });
  return { toPorts: ports.map((port) => ({ ports: [one(port)] })) };
}

function peerSelector({ podSelector, namespaceSelector }: Peer, namespace: string): LabelSelector {
  const pods = withSource(podSelector ?? {}, 'k8s:');
  if (!namespaceSelector) return withLabel(pods, `k8s:${NAMESPACE_KEY}`, namespace);
  const namespaces = withSource(namespaceSelector, `k8s:${NAMESPACE_LABELS}.`);
  const everywhere =
    Object.keys(namespaces.matchLabels ?? {}).length + (namespaces.matchExpressions?.length ?? 0) === 0;
  const labels = Object.entries({ ...pods.matchLabels, ...namespaces.matchLabels });
  const expressions = [
    ...(pods.matchExpressions ?? []),
    ...(namespaces.matchExpressions ?? []),
    ...(everywhere ? [{ key: `k8s:${NAMESPACE_KEY}`, operator: 'Exists' as const }] : []),
  ];
  return {
    ...(labels.length > 0 && {
      matchLabels: Object.fromEntries(labels.toSorted(([a], [b]) => (a < b ? -1 : 1))),
    }),
    ...(expressions.length > 0 && { matchExpressions: expressions }),
  };
}

function withSource({ matchLabels, matchExpressions }: LabelSelector, prefix: string): LabelSelector {
  return {
    ...(matchLabels && {
      matchLabels: Object.fromEntries(
        Object.entries(matchLabels).map(([key, value]) => [prefix + key, value]),
      ),
    }),
    ...(matchExpressions && {
      matchExpressions: matchExpressions.map((line) => ({ ...line, key: prefix + line.key })),
    }),
  };
}
