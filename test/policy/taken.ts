import { formatLabel } from '../../src/model/label.ts';
import { Identities, identityOf } from '../../src/policy/evaluate/selectors/identities.ts';
import type { Known } from './worlds.ts';

/** Takes one piece of knowledge away. */
export type Take = (known: Known) => void;

const isPod = (id: number) => id >= 100 && id < 1 << 24;
const isGiven = (label: string) => /^(reserved|cidr|fqdn):/.test(label);

/** Each takes away one piece of what is known of a cluster. */
export const TAKEN: readonly (readonly [name: string, take: Take])[] = [
  ['the labels of pods', (known) => relabel(known, (label, id) => !isPod(id) || isGiven(label))],
  ['the labels of nodes', (known) => relabel(known, (label, id) => isPod(id) || isGiven(label))],
  [
    'the labels of namespaces and accounts',
    (known) => relabel(known, (label) => !/namespace\.labels|serviceaccount/.test(label)),
  ],
  ['the name of the cluster', takeClusterName],
  ['DNS names', (known) => relabel(known, (label) => !label.startsWith('fqdn:'))],
  ['pods', (known) => keep(known, (id) => !isPod(id))],
  [
    'the endpoints of every second pod',
    ({ state }) => {
      state.endpoints = state.endpoints.filter(({ identity }) => !isPod(identity) || identity % 2 === 1);
    },
  ],
  ['prefixes', (known) => keep(known, (id) => id < 1 << 24)],
  ['reserved identities', (known) => keep(known, (id) => id >= 100)],
  ['all identities', (known) => keep(known, () => false)],
  [
    'the host firewall',
    ({ state, settings }) => {
      delete state.hostFirewall;
      delete settings.hostFirewall;
    },
  ],
  [
    'services',
    ({ state }) => {
      state.objects.services = [];
    },
  ],
  [
    'groups of prefixes',
    ({ state }) => {
      state.objects.cidrGroups = [];
    },
  ],
  [
    'named ports',
    ({ state }) => {
      for (const endpoint of state.endpoints) delete endpoint.namedPorts;
    },
  ],
  [
    'endpoints',
    ({ state }) => {
      state.endpoints = [];
    },
  ],
  [
    'names of pods',
    ({ state }) => {
      state.pods.clear();
    },
  ],
  [
    'addresses',
    ({ state, settings }) => {
      state.addresses = [];
      delete settings.dualStack;
    },
  ],
  [
    'address families',
    ({ settings }) => {
      delete settings.dualStack;
    },
  ],
  [
    'the release',
    ({ settings }) => {
      delete settings.release;
    },
  ],
  [
    'the options of the agents',
    ({ settings }) => {
      delete settings.clusterNetworkPolicy;
      delete settings.nodeLabels;
    },
  ],
  [
    'whom CIDR rules select',
    ({ state, settings }) => {
      delete state.cidrMatchMode;
      delete settings.cidrMatchMode;
    },
  ],
];

/** Labels of other clusters stay: pods without one count as those of the own cluster. */
function takeClusterName(known: Known): void {
  const { state, settings } = known;
  const own = settings.clusterName ?? new Identities(state.identities).clusterName(state.endpoints);
  delete settings.clusterName;
  relabel(known, (label) => label !== `k8s:io.cilium.k8s.policy.cluster=${own}`);
}

function relabel({ state }: Known, stays: (label: string, id: number) => boolean): void {
  state.identities = state.identities.map(({ id, labels }) =>
    identityOf(
      id,
      labels.map(formatLabel).filter((label) => stays(label, id)),
    ),
  );
}

function keep({ state }: Known, stays: (id: number) => boolean): void {
  state.identities = state.identities.filter(({ id }) => stays(id));
  state.endpoints = state.endpoints.filter(({ identity }) => stays(identity));
}

/** A copy from which pieces can be taken. */
export function copyOf({ state, settings }: Known): Known {
  const { identities, endpoints, addresses, pods, objects, ...others } = state;
  return {
    state: {
      ...others,
      identities: [...identities],
      endpoints: endpoints.map((endpoint) => ({ ...endpoint })),
      addresses: [...addresses],
      pods: new Map(pods),
      objects: { ...objects },
    },
    settings: { ...settings },
  };
}
