import { UserError } from '../../errors.ts';
import { splitHostPort } from '../../lib/address.ts';

/** What a cluster has of which others need to know. */
export interface MeshFacts {
  config: Readonly<Record<string, string>>;
  service: MeshService;
  /** The authority of its certificates, as PEM. */
  ca: string;
  nodes: () => Promise<MeshNode[]>;
}

/** The Service of the mesh's API server. */
export interface MeshService {
  spec?: {
    type?: string;
    clusterIP?: string;
    ports?: { port?: number; nodePort?: number }[];
  };
  status?: { loadBalancer?: { ingress?: { ip?: string; hostname?: string }[] } };
}

export interface MeshNode {
  name: string;
  addresses: { type?: string; address?: string }[];
}

/** How a cluster is reached by others. */
export interface Access {
  serviceType: string;
  ips: string[];
  port: number;
  clusterId: string;
  clusterName: string;
  ca: string;
  /** Protocol of its tunnels; empty where packets are routed. */
  tunnel: string;
  maxConnected: number;
}

/** Where the work tells what it meets, and how names are looked up. */
export interface AccessHelp {
  log: (line: string) => Promise<void>;
  resolve: (host: string) => Promise<string[]>;
}

const DEFAULT_MAX_CONNECTED = 255;

/** The name of a cluster as its ConfigMap has it. Throws UserError where there is none. */
function nameIn(config: Readonly<Record<string, string>>): string {
  const name = config['cluster-name'];
  if (name !== undefined) return name;
  throw new UserError('cluster-name is not set in ConfigMap "cilium-config"');
}

/** How many clusters a mesh may have, which decides the form of identities. */
function maxConnectedOf(config: Readonly<Record<string, string>>): number {
  const given = config['max-connected-clusters'];
  if (given === undefined) return DEFAULT_MAX_CONNECTED;
  if (/^\d+$/.test(given)) return Number(given);
  throw new UserError(`unable to parse max-connected-clusters: ${JSON.stringify(given)} is no number`);
}

/** Works out how a cluster is reached: by the endpoints that are given, else by its Service. */
export async function accessOf(
  { config, service, ca, nodes }: MeshFacts,
  endpoints: readonly string[],
  help: AccessHelp,
): Promise<Access> {
  const serviceType = service.spec?.type ?? 'ClusterIP';
  const { ips, port } =
    endpoints.length > 0 ? givenEndpoints(endpoints) : await placeOf(serviceType, service, nodes, help);
  if (ips.length === 0) throw new UserError('unable to derive service IPs automatically');
  const tunnel = config['routing-mode'] === 'tunnel' ? (config['tunnel-protocol'] ?? 'vxlan') : '';
  return {
    serviceType,
    ips,
    port,
    clusterId: config['cluster-id'] ?? '',
    clusterName: nameIn(config),
    ca,
    tunnel,
    maxConnected: maxConnectedOf(config),
  };
}

function givenEndpoints(endpoints: readonly string[]): { ips: string[]; port: number } {
  const found = endpoints.map((endpoint) => {
    const place = splitHostPort(endpoint);
    if (!place || !(place.port > 0) || place.host === '')
      throw new UserError(`invalid endpoint "${endpoint}", must be IP:PORT`);
    return place;
  });
  const [first, ...others] = found;
  const port = first?.port ?? 0;
  const other = others.find((one) => one.port !== port);
  if (other)
    throw new UserError(
      `port mismatch (${port} != ${other.port}), all endpoints must use the same port number`,
    );
  return { ips: found.map(({ host }) => host), port };
}

async function placeOf(
  type: string,
  { spec, status }: MeshService,
  nodes: MeshFacts['nodes'],
  { log, resolve }: AccessHelp,
): Promise<{ ips: string[]; port: number }> {
  const [first] = spec?.ports ?? [];
  if (!first && ['ClusterIP', 'NodePort', 'LoadBalancer'].includes(type))
    throw new UserError('port of service could not be derived, service has no ports');
  const { port = 0, nodePort = 0 } = first ?? {};
  switch (type) {
    case 'ClusterIP': {
      if (port === 0) throw new UserError('port is not set in service');
      const ip = spec?.clusterIP;
      if (!ip) throw new UserError('IP of service could not be derived, service has no ClusterIP');
      return { ips: [ip], port };
    }
    case 'NodePort': {
      if (nodePort === 0) throw new UserError('nodeport is not set in service');
      const ip = (await nodes()).map(addressOf).find((one) => one !== undefined);
      await log(
        '⚠️  Service type NodePort detected! Service may fail when nodes are removed from the cluster!',
      );
      return { ips: ip === undefined ? [] : [ip], port: nodePort };
    }
    case 'LoadBalancer': {
      const ips: string[] = [];
      for (const { ip, hostname } of status?.loadBalancer?.ingress ?? []) {
        if (!hostname) {
          if (ip) ips.push(ip);
          continue;
        }
        await log('Hostname based ingress detected, trying to resolve it');
        try {
          ips.push(...(await resolve(hostname)));
          await log('Hostname resolved, using the found ip(s)');
        } catch (error) {
          await log(
            `Could not resolve the hostname of the ingress, falling back to the static IP. Error: ${error instanceof Error ? error.message : error}`,
          );
          if (ip) ips.push(ip);
        }
      }
      return { ips, port };
    }
    default:
      return { ips: [], port: 0 };
  }
}

/** Of the addresses of a node the last external one, else the first internal one. */
function addressOf({ addresses }: MeshNode): string | undefined {
  const of = (type: string) => addresses.filter((one) => one.type === type && one.address);
  return (of('ExternalIP').at(-1) ?? of('InternalIP')[0])?.address;
}
