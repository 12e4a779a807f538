import { isRecord } from '../../lib/record.ts';
import { OWNER, OWNER_LABEL, PART, PART_LABEL } from '../../model/test-labels.ts';
import { ECHO_PORT } from './plan.ts';

/** An object that is applied. */
export interface AppliedObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; [field: string]: unknown };
  [field: string]: unknown;
}

/** Until when they are needed, as RFC 3339; a later run removes what is older. */
export const EXPIRES = 'cilium-toolkit.io/expires';
/** Left in place on purpose; another run may go on with them. */
export const KEPT = 'cilium-toolkit.io/kept';
/** The process that is at work in a namespace. */
export const HOLDER = 'cilium-toolkit.io/holder';
/** Selects everything of the tests. */
export const SELECTOR = `${OWNER_LABEL}=${OWNER},${PART_LABEL}=${PART}`;

/** What is deployed. */
export interface DeployPlan {
  namespace: string;
  /** RFC 3339. */
  expires: string;
  isKept: boolean;
  /** The process that is at work, where that can be told. */
  holder?: string | undefined;
  images: { client: string; echo: string };
  /** One image for all: its own program serves, and clients sleep. */
  isOneImage: boolean;
  serviceType: string;
  /** Values of the label kubernetes.io/hostname. */
  nodes: { first: string; second?: string };
  tolerations: readonly string[];
  namespaceLabels: Readonly<Record<string, string>>;
}

interface PodPlan {
  name: string;
  kind: 'client' | 'echo';
  labels: Readonly<Record<string, string>>;
  node: string;
  image: string;
  command?: readonly string[];
}

const CLIENT_COMMAND = ['/usr/bin/pause'];
const SLEEP = ['sleep', '86400'];

/** All objects of a run, in the order in which they are applied. */
export function testObjects(plan: DeployPlan): AppliedObject[] {
  const pods = podPlans(plan);
  return [
    namespaceObject(plan),
    ...pods.flatMap((pod) => [
      serviceAccount(pod.name, plan),
      ...(pod.kind === 'echo' ? [service(pod.name, plan)] : []),
      deployment(pod, plan),
    ]),
  ];
}

function podPlans({ images, isOneImage, nodes }: DeployPlan): PodPlan[] {
  const command = isOneImage ? SLEEP : CLIENT_COMMAND;
  const client = (name: string, labels: Record<string, string>, node: string): PodPlan => ({
    name,
    kind: 'client',
    labels,
    node,
    image: images.client,
    command,
  });
  const echo = (name: string, labels: Record<string, string>, node: string): PodPlan => ({
    name,
    kind: 'echo',
    labels,
    node,
    image: images.echo,
  });
  const { first, second } = nodes;
  return [
    echo('echo-same-node', { other: 'echo' }, first),
    client('client', {}, first),
    client('client2', { other: 'client' }, first),
    ...(second === undefined ? [] : [client('client3', { other: 'client-other-node' }, second)]),
    ...(second === undefined ? [] : [echo('echo-other-node', { first: 'echo' }, second)]),
  ];
}

function marks({ expires, isKept }: Pick<DeployPlan, 'expires' | 'isKept'>) {
  return {
    labels: { [OWNER_LABEL]: OWNER, [PART_LABEL]: PART },
    annotations: { [EXPIRES]: expires, ...(isKept && { [KEPT]: 'true' }) },
  };
}

export function namespaceObject(
  plan: Pick<DeployPlan, 'namespace' | 'expires' | 'isKept' | 'holder' | 'namespaceLabels'>,
): AppliedObject {
  const { labels, annotations } = marks(plan);
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name: plan.namespace,
      labels: {
        ...labels,
        // Its pods have NET_RAW for ping.
        'pod-security.kubernetes.io/enforce': 'privileged',
        ...plan.namespaceLabels,
      },
      annotations: { ...annotations, ...(plan.holder !== undefined && { [HOLDER]: plan.holder }) },
    },
  };
}

type Marked = Pick<DeployPlan, 'namespace' | 'expires' | 'isKept'>;

function serviceAccount(name: string, plan: Marked): AppliedObject {
  return {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name, namespace: plan.namespace, ...marks(plan) },
  };
}

function deployment(pod: PodPlan, plan: Marked & Pick<DeployPlan, 'tolerations'>): AppliedObject {
  const { labels, annotations } = marks(plan);
  const { name, kind } = pod;
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: plan.namespace, labels: { ...labels, name, kind }, annotations },
    spec: {
      replicas: 1,
      selector: { matchLabels: { name } },
      template: {
        metadata: { labels: { ...labels, name, kind, ...pod.labels }, annotations },
        spec: podSpec(pod, plan.tolerations),
      },
    },
  };
}

function podSpec({ name, kind, node, image, command }: PodPlan, tolerations: readonly string[]): object {
  const serves = kind === 'echo';
  return {
    serviceAccountName: name,
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: 0,
    nodeSelector: { 'kubernetes.io/hostname': node },
    ...(tolerations.length > 0 && {
      tolerations: tolerations.map((key) => ({ key, operator: 'Exists' })),
    }),
    containers: [
      {
        name,
        image,
        imagePullPolicy: 'IfNotPresent',
        ...(command && { command }),
        securityContext: { capabilities: { add: ['NET_RAW'] } },
        ...(serves && {
          env: [{ name: 'PORT', value: String(ECHO_PORT) }],
          ports: [{ name: 'http-8080', containerPort: ECHO_PORT, protocol: 'TCP' }],
          readinessProbe: {
            httpGet: { path: '/', port: ECHO_PORT },
            periodSeconds: 1,
            timeoutSeconds: 2,
            failureThreshold: 3,
          },
        }),
      },
    ],
  };
}

function service(name: string, plan: DeployPlan): AppliedObject {
  const { labels, annotations } = marks(plan);
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: plan.namespace, labels: { ...labels, kind: 'echo' }, annotations },
    spec: {
      type: plan.serviceType,
      selector: { name },
      ipFamilyPolicy: 'PreferDualStack',
      ports: [{ name: 'http', port: ECHO_PORT, targetPort: ECHO_PORT, protocol: 'TCP' }],
    },
  };
}

/** What a policy's places stand for. */
export type Filling = Readonly<Record<string, string>>;

/** Ends the name of a policy whose ports are ranges around those of the plain one. */
export const WITH_RANGES = '-port-range';

/** A policy of policies.json, by its name; with the ending of ranges, the plain one with ranges of ports. */
export function policyDocument(
  policies: Readonly<Record<string, PolicyDocument>>,
  name: string,
): PolicyDocument | undefined {
  if (policies[name] || !name.endsWith(WITH_RANGES)) return policies[name];
  const plain = policies[name.slice(0, -WITH_RANGES.length)];
  return plain && { ...plain, spec: withRanges(plain.spec) as object };
}

/** The ranges that stand for a port: powers of two, which is one entry of a policy map. */
const RANGES: Readonly<Record<string, readonly [first: number, last: number]>> = {
  '80': [64, 127],
  '8080': [4096, 8191],
};

function withRanges(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withRanges);
  if (!isRecord(value)) return value;
  const range = RANGES[String(value.port)];
  if (range) {
    const [first, endPort] = range;
    return { ...value, port: typeof value.port === 'string' ? String(first) : first, endPort };
  }
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, withRanges(one)]));
}

/** The places that keep a policy from being filled in; none where it can be. */
export function missingPlaces({ spec }: PolicyDocument, filling: Filling): string[] {
  if (fill(spec, filling) !== undefined) return [];
  const places = new Set(Array.from(JSON.stringify(spec).matchAll(PLACE), ([, place = '']) => place));
  return [...places].filter((place) => filling[place] === undefined);
}

const PLACE = /\{([a-z][a-z0-9-]*)\}/g;

/**
 * Puts in what stands for places. What has a place without is undefined; a list goes on without it, unless nothing of it
 * is left.
 */
function fill(value: unknown, filling: Filling): unknown {
  if (typeof value === 'string') {
    const isOpen = Array.from(value.matchAll(PLACE)).some(([, place = '']) => filling[place] === undefined);
    return isOpen ? undefined : value.replaceAll(PLACE, (_, place: string) => filling[place] ?? '');
  }
  if (Array.isArray(value)) {
    const filled = value.map((one) => fill(one, filling)).filter((one) => one !== undefined);
    return filled.length === 0 && value.length > 0 ? undefined : filled;
  }
  if (!isRecord(value)) return value;
  const entries = Object.entries(value).map(([key, one]) => [key, fill(one, filling)] as const);
  return entries.some(([, one]) => one === undefined) ? undefined : Object.fromEntries(entries);
}

/** A policy as an object that is applied. Throws where a place in it is not filled. */
export function policyObject(
  document: PolicyDocument,
  name: string,
  plan: Marked,
  filling: Filling,
): AppliedObject {
  const { kind = 'CiliumNetworkPolicy', spec } = document;
  const filled = fill(spec, filling);
  if (filled === undefined)
    throw new Error(`policy ${name}: nothing stands for ${missingPlaces(document, filling).join(', ')}`);
  return {
    apiVersion: kind === 'NetworkPolicy' ? 'networking.k8s.io/v1' : 'cilium.io/v2',
    kind,
    metadata: { name, namespace: plan.namespace, ...marks(plan) },
    spec: filled,
  };
}

/** A policy as policies.json has it. */
export interface PolicyDocument {
  kind?: string;
  spec: object;
}

/** The policies that the tests apply, by name. */
export async function loadTestPolicies(): Promise<Readonly<Record<string, PolicyDocument>>> {
  const { default: json } = await import('../../../schemas/connectivity/policies.json', {
    with: { type: 'json' },
  });
  return json.policies as Record<string, PolicyDocument>;
}
