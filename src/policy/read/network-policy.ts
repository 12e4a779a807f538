import { isRecord } from '../../lib/record.ts';
import { NAMESPACE_LABELS, POD_NAMESPACE } from '../../model/label.ts';
import type { LabelSelector } from '../../model/selector.ts';
import { checkCidrRule } from '../language/check-peers.ts';
import { portNumber } from '../language/check-ports.ts';
import { PLAIN_SELECTOR } from '../language/decode-peers.ts';
import { type Cursor, type Decode, list, object, oneOf, text } from '../language/decoders.ts';
import type { EgressRule, IngressRule, PortProtocol, PortRule, Rule } from '../rule.ts';
import { derivedLabels, type ObjectName, withLabel } from './kubernetes-object.ts';

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
      at.fail('combination', '"ipBlock" cannot be combined with a selector', 'Use two peers.', ['ipBlock']);
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
      decode: list(oneOf(['Ingress', 'Egress'], (word) => `"${word}" is not a policy type`)),
    },
  },
});

function portOf(): Decode<NetworkPolicyPort> {
  return object<NetworkPolicyPort>({
    name: 'a port',
    fields: {
      port: {
        decode: (value, at) => (typeof value === 'number' ? String(value) : text(portName)(value, at)),
      },
      endPort: {
        decode: (value, at) =>
          typeof value === 'number' ? value : at.fail('type', 'expected a whole number'),
        since: '1.16',
      },
      protocol: { decode: oneOf(['TCP', 'UDP', 'SCTP'], (word) => `"${word}" is not a protocol`) },
    },
    check: checkNetworkPort,
  });
}

function portName(name: string, at: Cursor): string | undefined {
  return name === '' ? at.fail('port', 'Port must be specified', 'Leave it out for every port.') : name;
}

function checkNetworkPort({ port, endPort }: NetworkPolicyPort, at: Cursor): void {
  if (port === undefined && !at.reaches('1.14'))
    at.warn(
      'no-effect',
      `Cilium ${at.options.target} matches no traffic by a protocol without a port`,
      'Agents take it for every port from 1.14 on. Write the numbers.',
    );
  const number = port === undefined ? undefined : portNumber(port);
  if (port !== undefined && (number === undefined || number === 0))
    at.fail(
      'port',
      `${JSON.stringify(port)} is not a valid port`,
      'A number from 1 to 65535, or a port name.',
      ['port'],
    );
  if (endPort === undefined) return;
  if (number === undefined || Number.isNaN(number))
    at.fail('end-port', '"endPort" needs a "port" that is a number', undefined, ['endPort']);
  else if (!Number.isInteger(endPort) || endPort < number || endPort > 65535)
    at.fail('end-port', '"endPort" must be between "port" and 65535', undefined, ['endPort']);
}

/** Checks a Kubernetes NetworkPolicy's spec and turns it into the rule that the agent makes of it. */
export function decodeNetworkPolicy(spec: unknown, owner: ObjectName, at: Cursor): Rule | undefined {
  if (!isRecord(spec)) return at.fail('missing', 'a NetworkPolicy must have a "spec"');
  const policy = NETWORK_POLICY(spec, at);
  if (policy === undefined) return undefined;
  const types = policy.policyTypes ?? [];
  warnOfTypes(policy, at);
  warnOfOwnNamespace(policy, owner.namespace, at);
  const ingress = (policy.ingress ?? []).flatMap(({ from, ports }) =>
    ingressRules(from, ports, owner.namespace),
  );
  const egress = (policy.egress ?? []).flatMap(({ to, ports }) => egressRules(to, ports, owner.namespace));
  const closesIngress = types.includes('Ingress') || !types.includes('Egress');
  // The agent denies a direction without rules by a rule that allows nothing.
  if (ingress.length === 0 && closesIngress) ingress.push({});
  if (egress.length === 0 && types.includes('Egress')) egress.push({});
  return {
    endpointSelector: withLabel(
      withSource(policy.podSelector ?? {}, 'k8s:'),
      `k8s:${POD_NAMESPACE}`,
      owner.namespace,
    ),
    ...(ingress.length > 0 && { ingress }),
    ...(egress.length > 0 && { egress }),
    labels: derivedLabels(owner),
    enableDefaultDeny: { ingress: ingress.length > 0, egress: egress.length > 0 },
  };
}

/** Kubernetes ignores the rules of a direction that `policyTypes` leaves out. Agents apply them. */
function warnOfTypes({ policyTypes = [], ingress = [], egress = [] }: NetworkPolicySpec, at: Cursor): void {
  if (policyTypes.length === 0) return;
  const warn = (section: 'ingress' | 'egress', type: 'Ingress' | 'Egress') =>
    at.warn(
      'policy-types',
      `"policyTypes" does not name ${type}: agents apply the rules of "${section}" all the same and deny all other ${section}`,
      `Kubernetes ignores them. Add ${type} to "policyTypes", or remove the rules.`,
      [section],
    );
  if (ingress.length > 0 && !policyTypes.includes('Ingress')) warn('ingress', 'Ingress');
  if (egress.length > 0 && !policyTypes.includes('Egress')) warn('egress', 'Egress');
}

/** What the evaluator makes of it, `ingressSelectors` says. */
function warnOfOwnNamespace({ ingress = [] }: NetworkPolicySpec, namespace: string, at: Cursor): void {
  if (at.options.target === undefined || !at.reaches('1.19') || !at.before('1.20')) return;
  for (const [i, { from = [] }] of ingress.entries())
    for (const [j, { ipBlock }] of from.entries())
      if (ipBlock)
        at.warn(
          'own-namespace',
          `agents of 1.19 let all pods of the namespace "${namespace}" in by this block, too`,
          'That is a fault of theirs, unless they run with policy-default-local-cluster: "false". Use "fromCIDRSet" of a CiliumNetworkPolicy, or agents of 1.20.',
          ['ingress', i, 'from', j, 'ipBlock'],
        );
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

function peerSelector({ podSelector = {}, namespaceSelector }: Peer, namespace: string): LabelSelector {
  if (namespaceSelector) return selectorOfPods(podSelector, namespaceSelector);
  return withLabel(withSource(podSelector, 'k8s:'), `k8s:${POD_NAMESPACE}`, namespace);
}

/** The pods with these labels in the namespaces with those. Everything else has no namespace. */
export function selectorOfPods(podSelector: LabelSelector, namespaceSelector: LabelSelector): LabelSelector {
  const pods = withSource(podSelector, 'k8s:');
  const namespaces = withSource(namespaceSelector, `k8s:${NAMESPACE_LABELS}.`);
  const everywhere =
    Object.keys(namespaces.matchLabels ?? {}).length + (namespaces.matchExpressions?.length ?? 0) === 0;
  const labels = Object.entries({ ...pods.matchLabels, ...namespaces.matchLabels });
  const expressions = [
    ...(pods.matchExpressions ?? []),
    ...(namespaces.matchExpressions ?? []),
    ...(everywhere ? [{ key: `k8s:${POD_NAMESPACE}`, operator: 'Exists' as const }] : []),
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
