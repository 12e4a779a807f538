import type { AgentLists, AgentService } from '../../model/agent-lists.ts';
import { type Build, parseBuild } from '../../model/release.ts';
import { type AgentClient, ApiError } from '../client.ts';
import { decodePolicy } from './policy.ts';
import { Reader } from './reader.ts';
import type {
  DaemonConfiguration,
  DebugInfo,
  Endpoint,
  Identity,
  IPListEntry,
  Port,
  Service,
} from './types.gen.ts';

/** What decides about traffic, as the agent tells it. */
export interface AgentPolicyState extends AgentLists {
  /** Name of its cluster. Undefined: the agent does not say. */
  clusterName: string | undefined;
  /** Undefined: the agent does not say. */
  hostFirewall: boolean | undefined;
  /** Whether it reads ClusterNetworkPolicy. Undefined: the agent does not say. */
  clusterNetworkPolicy: boolean | undefined;
  /** Which peers of the cluster CIDR rules select. Undefined: the agent does not say. */
  cidrMatchMode: ('nodes' | 'pods')[] | undefined;
  /** Whether nodes have labels of their own. Undefined: the agent does not say. */
  nodeLabels: boolean | undefined;
  /** Whether both address families are in use. Undefined: the agent does not say. */
  dualStack: boolean | undefined;
  build: Build | undefined;
  /** A JSON list: rules up to 1.18, entries from 1.19 on. */
  policy: string;
  enforcement: 'default' | 'always' | 'never';
  /** Whether pods accept all of their own node. */
  allowLocalhost: boolean;
}

/** Asks the agent for everything that its verdicts rest on. */
export async function readPolicyState(agent: AgentClient): Promise<AgentPolicyState> {
  const [identities, endpoints, policy, ips] = await Promise.all([
    agent.get('/identity'),
    agent.get('/endpoint'),
    agent.get('/policy'),
    agent.get('/ip').catch(whenMissing),
  ]);
  const [config, health, services] = await Promise.all([
    agent.get('/config').catch(whenMissing),
    agent.get('/healthz').catch(whenMissing),
    agent.get('/service').catch(whenMissing),
  ]);
  const enforcement = config?.at('status').at('realized').text('policy-enforcement');
  return {
    identities: identities.items().map(identityOf),
    endpoints: endpoints.items().flatMap(endpointOf),
    ips: ips ? ips.items().map(addressOf) : [],
    services: services ? services.items().flatMap(serviceOf) : [],
    clusterName: clusterNameOf(config),
    hostFirewall: isOn(health?.at('host-firewall').text('mode')),
    clusterNetworkPolicy: switchOf(config, 'EnableK8sClusterNetworkPolicy'),
    cidrMatchMode: cidrMatchModeOf(config),
    nodeLabels: switchOf(config, 'EnableNodeSelectorLabels'),
    dualStack: usesBothFamilies(config),
    build: parseBuild(health?.at('cilium').text('msg') ?? ''),
    policy: decodePolicy(policy).policy || '[]',
    enforcement: enforcement === 'always' || enforcement === 'never' ? enforcement : 'default',
    allowLocalhost: allowsLocalhost(endpoints),
  };
}

function isOn(mode: string | undefined): boolean | undefined {
  return mode === undefined || mode === '' ? undefined : mode === 'Enabled';
}

function clusterNameOf(config: Reader<DaemonConfiguration> | undefined): string | undefined {
  const map = config?.at('status').at('daemonConfigurationMap');
  const name = map?.present ? map.fields().ClusterName : undefined;
  return typeof name === 'string' && name !== '' ? name : undefined;
}

/** An option that the agent was started with, by its Go field name. */
function switchOf(config: Reader<DaemonConfiguration> | undefined, name: string): boolean | undefined {
  const status = config?.at('status');
  const found = status?.has('daemonConfigurationMap')
    ? status.at('daemonConfigurationMap').fields()[name]
    : undefined;
  return typeof found === 'boolean' ? found : undefined;
}

/** Undefined where the agent does not list the option: an empty list may be null. */
function cidrMatchModeOf(config: Reader<DaemonConfiguration> | undefined): ('nodes' | 'pods')[] | undefined {
  const map = config?.at('status').at('daemonConfigurationMap');
  const found = map?.present ? map.fields().PolicyCIDRMatchMode : undefined;
  if (found === null) return [];
  const modes: readonly unknown[] | undefined = Array.isArray(found) ? found : undefined;
  return modes?.filter((mode) => mode === 'nodes' || mode === 'pods');
}

function usesBothFamilies(config: Reader<DaemonConfiguration> | undefined): boolean | undefined {
  const addressing = config?.at('status').at('addressing');
  if (!addressing?.present) return undefined;
  return addressing.at('ipv4').flag('enabled') && addressing.at('ipv6').flag('enabled');
}

/** Accepts that the agent has no data or no such call. Other failures are errors: they would silently change verdicts. */
function whenMissing(error: unknown): undefined {
  if (error instanceof ApiError && (error.status === 404 || error.isUnknownPath)) return undefined;
  throw error;
}

/** The lists in the agent's debug information (`cilium debuginfo -o json`), and whether its host firewall is on. */
export function decodeDebugLists(
  document: unknown,
  file: string,
): AgentLists & Pick<AgentPolicyState, 'hostFirewall'> {
  const info = new Reader<DebugInfo>(file, document);
  return {
    identities: [],
    endpoints: info.at('endpoint-list').items().flatMap(endpointOf),
    ips: info.at('endpoint-list').items().flatMap(addressesOf),
    services: info.at('service-list').items().flatMap(serviceOf),
    hostFirewall: isOn(info.at('cilium-status').at('host-firewall').text('mode')),
  };
}

function identityOf(identity: Reader<Identity>): AgentLists['identities'][number] {
  return { id: identity.need('id').asInteger(), labels: identity.texts('labels') };
}

/** Nothing for an endpoint without an identity: it is being made. */
function endpointOf(endpoint: Reader<Endpoint>): AgentLists['endpoints'] {
  const status = endpoint.at('status');
  const identity = status.at('identity');
  if (!identity.has('id')) return [];
  const ports = status.as<{ 'named-ports'?: Port[] }>().at('named-ports');
  const names = status.at('external-identifiers');
  const pod = names.text('pod-name') || names.text('k8s-pod-name');
  return [
    {
      id: endpoint.need('id').asInteger(),
      identity: identity.integer('id'),
      labels: identity.texts('labels'),
      ...(ports.present && {
        namedPorts: ports.items().map((port) => ({
          name: port.text('name'),
          port: port.integer('port'),
          protocol: port.text('protocol') || 'TCP',
        })),
      }),
      ...(pod.includes('/') && { pod }),
    },
  ];
}

/** The addresses of an endpoint. */
function addressesOf(endpoint: Reader<Endpoint>): AgentLists['ips'] {
  const status = endpoint.at('status');
  const identity = status.at('identity');
  if (!identity.has('id')) return [];
  return status
    .at('networking')
    .at('addressing')
    .items()
    .flatMap((pair) => [
      { ip: pair.text('ipv4'), length: 32 },
      { ip: pair.text('ipv6'), length: 128 },
    ])
    .filter(({ ip }) => ip !== '')
    .map(({ ip, length }) => ({ cidr: `${ip}/${length}`, identity: identity.integer('id') }));
}

function addressOf(entry: Reader<IPListEntry>): AgentLists['ips'][number] {
  const metadata = entry.at('metadata');
  const [name, namespace] = [metadata.text('name'), metadata.text('namespace')];
  return {
    cidr: entry.need('cidr').asText(),
    identity: entry.need('identity').asInteger(),
    ...(name && namespace && { pod: `${namespace}/${name}` }),
  };
}

/** Nothing for what serves only the node's own cluster scope: clients elsewhere have an entry of their own. */
function serviceOf(service: Reader<Service>): AgentService[] {
  const realized = service.at('status').at('realized');
  const given = realized.present ? realized : service.at('spec');
  const frontend = given.at('frontend-address');
  if (!frontend.has('ip') || frontend.text('scope') === 'internal') return [];
  const flags = given.at('flags');
  const policies = [flags.text('trafficPolicy'), flags.text('extTrafficPolicy')];
  return [
    {
      ip: frontend.text('ip'),
      port: frontend.integer('port'),
      protocol: frontend.text('protocol'),
      namespace: flags.text('namespace'),
      name: flags.text('name'),
      type: flags.text('type'),
      keepsClient: policies.includes('Local'),
      backends: given
        .at('backend-addresses')
        .items()
        .map((backend) => ({ ip: backend.text('ip'), port: backend.integer('port') })),
    },
  ];
}

/** The agent does not report `--allow-localhost`, but its maps show it. */
function allowsLocalhost(endpoints: Reader<Endpoint[]>): boolean {
  const closed = endpoints.items().flatMap((endpoint) => {
    const realized = endpoint.at('status').at('policy').at('realized');
    return ['ingress', 'both'].includes(realized.text('policy-enabled')) ? [realized] : [];
  });
  return closed.length > 0 && closed.every((each) => each.integers('allowed-ingress-identities').includes(1));
}
