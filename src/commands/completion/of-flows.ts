import { connectHubble } from '../../cli/hubble/server.ts';
import { readSettings } from '../../cli/hubble/settings.ts';
import type { HubbleCalls } from '../../hubble/client.ts';
import type { Endpoint, Flow } from '../../model/hubble.gen.ts';
import { RESERVED_IDENTITIES } from '../../model/reserved-identity.ts';
import { type Candidate, distinct, type Source } from './place.ts';

/** So many flows tell who speaks at present. */
const LOOKED_AT = 500;

/** Asks the server that the line names. */
function asked(ask: (client: HubbleCalls) => Promise<readonly Candidate[]>): Source {
  return async ({ ctx, command }) => {
    await using client = await connectHubble(await readSettings(command, ctx), ctx);
    return await ask(client);
  };
}

/** What the newest flows name, each once. */
function seen(read: (flow: Flow) => readonly (Candidate | undefined)[]): Source {
  return asked(async (client) => {
    const found: Candidate[] = [];
    for await (const { flow } of client.stream('/observer.Observer/GetFlows', { number: String(LOOKED_AT) }))
      if (flow) found.push(...read(flow).filter((one) => one !== undefined));
    return distinct(found).toSorted((a, b) => (a.value < b.value ? -1 : 1));
  });
}

/** The same of either end of a flow. */
function seenAtEnds(read: (end: Endpoint) => readonly Candidate[]): Source {
  return seen(({ source, destination }) => [source, destination].flatMap((end) => (end ? read(end) : [])));
}

const plain = (value: string | undefined): Candidate | undefined =>
  value ? { value, meaning: '' } : undefined;

export const namespacesOfFlows: Source = asked(async (client) => {
  const { namespaces = [] } = await client.call('/observer.Observer/GetNamespaces', {});
  return namespaces.map(({ namespace = '', cluster = '' }) => ({ value: namespace, meaning: cluster }));
});

export const nodesOfFlows: Source = asked(async (client) => {
  const { nodes = [] } = await client.call('/observer.Observer/GetNodes', {});
  return nodes.map(({ name = '', version = '' }) => ({
    value: name.split('/').at(-1) ?? '',
    meaning: version,
  }));
});

/** Pods that spoke, as `namespace/name`. */
export const podsOfFlows: Source = seenAtEnds(({ namespace, pod_name: pod, workloads: [workload] = [] }) =>
  pod && namespace
    ? [{ value: `${namespace}/${pod}`, meaning: workload ? `${workload.kind} ${workload.name}` : '' }]
    : [],
);

export const workloadsOfFlows: Source = seenAtEnds(({ workloads = [], namespace }) =>
  workloads.map(({ kind, name }) => ({ value: `${kind}/${name}`, meaning: namespace ?? '' })),
);

export const labelsOfFlows: Source = seenAtEnds(({ labels = [], namespace, pod_name: pod }) =>
  labels.map((label) => ({
    value: label.replace(/^k8s:/, ''),
    meaning: pod ? `${namespace}/${pod}` : '',
  })),
);

export const clustersOfFlows: Source = seenAtEnds(({ cluster_name: cluster }) =>
  cluster ? [{ value: cluster, meaning: '' }] : [],
);

export const servicesOfFlows: Source = seen(({ source_service, destination_service }) =>
  [source_service, destination_service].map((one) =>
    one?.name ? { value: `${one.namespace}/${one.name}`, meaning: '' } : undefined,
  ),
);

export const fqdnsOfFlows: Source = seen(({ source_names = [], destination_names = [] }) =>
  [...source_names, ...destination_names].map(plain),
);

export const interfacesOfFlows: Source = seen(({ interface: one }) => [plain(one?.name)]);

/** Reserved identities by name, then those that spoke by number. */
export const identitiesOfFlows: Source = seenAtEnds(({ identity, labels = [], namespace, pod_name: pod }) =>
  identity ? [{ value: String(identity), meaning: pod ? `${namespace}/${pod}` : labels.join(' ') }] : [],
);

export const reservedNames: Source = () =>
  RESERVED_IDENTITIES.filter(Boolean).map((value, i) => ({ value, meaning: `identity ${i}` }));
