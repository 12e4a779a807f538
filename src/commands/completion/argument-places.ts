import { SHELLS } from '../../cli/completion/scripts.ts';
import * as agent from './of-agent.ts';
import * as cluster from './of-cluster.ts';
import * as machine from './of-machine.ts';
import { type Ask, anyOf, type Candidate, fixed, type Place, type Source, words } from './place.ts';

const ENDPOINT: Place = { values: agent.endpoints };
const RULES: Place = { files: ['yaml', 'yml', 'json'] };
const JSON_FILE: Place = { files: ['json'] };
const DIRECTIONS: Place = { values: fixed('ingress', 'egress') };
const LABELS_OF_RULES: Place = { values: agent.ruleLabels };

/** `global`, `endpoint ID` or `cluster ID`. */
const tablesOfConnections: Source = async (ask) => {
  if (ask.given[0] === 'endpoint') return ask.given.length === 1 ? agent.endpoints(ask) : [];
  if (ask.given.length > 0) return [];
  return [
    { value: 'global', meaning: 'the tables of all endpoints' },
    { value: 'endpoint', meaning: 'those of one endpoint' },
    { value: 'cluster', meaning: 'those of one cluster of a mesh' },
    ...(await anyOf(agent.endpoints)(ask)),
  ];
};

/** `available|advertised`, then the family, then whose. */
const routesOfBgp: Source = ({ given }) => {
  const [from, afi, safi] = given;
  const next: readonly string[] =
    from === undefined
      ? ['available', 'advertised']
      : afi === undefined
        ? ['ipv4', 'ipv6']
        : safi === undefined
          ? ['unicast']
          : ['vrouter', 'peer', 'neighbor'].includes(given.at(-1) ?? '')
            ? []
            : ['vrouter', 'peer'];
  return next.map((value): Candidate => ({ value, meaning: '' }));
};

const levels = words(async () => (await import('../../model/envoy.ts')).ENVOY_LEVELS);

/**
 * Arguments by the verb's path, in their order; the last place goes on. The first path that the verb's begins with decides.
 */
const ARGUMENTS: readonly [path: string, ...places: Place[]][] = [
  ['endpoint list'],
  ['endpoint config', ENDPOINT, { values: agent.endpointOptions }],
  ['endpoint', ENDPOINT, {}],
  ['bpf policy list'],
  ['bpf policy get', ENDPOINT, {}],
  ['bpf policy', ENDPOINT, DIRECTIONS, { values: agent.identities }, {}],
  ['bpf ct', { values: tablesOfConnections }],
  ['bpf nat', { values: ({ given }) => (given.length === 0 ? [{ value: 'cluster', meaning: '' }] : []) }],
  ['bpf maps dump', { values: machine.pinnedMaps, files: [] }, {}],
  ['bpf lb maglev get', { values: agent.services }, {}],
  ['identity get', { values: agent.identities }, {}],
  ['identity list', { values: agent.identityLabels }],
  ['map get', { values: agent.maps }, {}],
  ['map events', { values: agent.maps }, {}],
  ['service get', { values: agent.services }, {}],
  ['service delete', { values: agent.services }, {}],
  ['recorder get', { values: agent.recorders }, {}],
  ['recorder delete', { values: agent.recorders }, {}],
  ['config get', { values: agent.configNames }, {}],
  ['config lint', RULES],
  ['config set', { values: cluster.configKeys }, {}],
  ['config delete', { values: cluster.configKeys }, {}],
  ['config', { values: agent.configOptions }],
  ['connectivity check', { values: cluster.pods }, { values: cluster.pods }, {}],
  ['policy get', LABELS_OF_RULES],
  ['policy delete', LABELS_OF_RULES],
  ['policy import', RULES, {}],
  ['policy validate', RULES],
  ['policy convert', RULES],
  ['policy test', { files: ['yaml', 'yml'] }],
  ['statedb', { values: agent.tables }, {}],
  ['cleanup undo', JSON_FILE, {}],
  ['cleanup baseline', JSON_FILE, {}],
  ['cleanup diff', JSON_FILE, {}],
  ['bgp routes', { values: routesOfBgp }],
  ['bgp route-policies', { values: fixed('vrouter') }, {}],
  [
    'envoy admin config',
    { values: words(async () => Object.keys((await import('../../model/envoy.ts')).ENVOY_RESOURCES)) },
    {},
  ],
  ['envoy admin logging set global', { values: levels }, {}],
  [
    'envoy admin logging set loggers',
    {
      values: async (ask: Ask) => {
        const [, logger] = /^(\w+=)/.exec(ask.current) ?? [];
        return logger
          ? (await levels(ask)).map(({ value }) => ({ value: `${logger}${value}`, meaning: '' }))
          : [];
      },
    },
  ],
  ['profile show', { values: machine.profiles }, {}],
  ['profile delete', { values: machine.profiles }, {}],
  ['profile use', { values: machine.profilesOrNone }, {}],
  ['profile set', { values: machine.profiles }, { values: machine.profileSettings }],
  ['hubble record', { files: [] }, {}],
  ['hubble report', { files: [] }],
  ['hubble config get', { values: machine.hubbleKeys }],
  ['hubble config reset', { values: machine.hubbleKeys }],
  ['hubble config set', { values: machine.hubbleKeys }, { values: machine.hubbleSetting }, {}],
  ['hubble completion', { values: fixed(...SHELLS) }, {}],
  ['completion', { values: fixed(...SHELLS) }, {}],
];

/** What the next argument of the verb at `path` may be. */
export function argumentPlace({ path, given }: Pick<Ask, 'path' | 'given'>): Place {
  const name = path.join(' ');
  const [, ...places] =
    ARGUMENTS.find(([start]) => name === start || name.startsWith(`${start} `)) ?? ([''] as const);
  return places[given.length] ?? places.at(-1) ?? {};
}
