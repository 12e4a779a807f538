import type { Expectation } from './expectation.ts';
import type { External } from './external.ts';
import { isIpv6 } from './ip-text.ts';

/** A pod of the tests that runs. */
export interface TestPod {
  /** Name of its Deployment. */
  name: string;
  namespace: string;
  pod: string;
  container: string;
  node: string;
  ips: readonly string[];
  labels: Readonly<Record<string, string>>;
  isReady: boolean;
}

export interface TestService {
  name: string;
  namespace: string;
  ips: readonly string[];
  port: number;
  nodePort?: number;
}

export interface TestNode {
  name: string;
  ips: readonly string[];
}

/** What the tests go between. */
export interface World {
  namespace: string;
  /** `cluster.local` */
  domain: string;
  pods: readonly TestPod[];
  services: readonly TestService[];
  nodes: readonly TestNode[];
  /** Pods of the cluster DNS, and the address of its service. */
  dns: { serviceIp?: string; pods: readonly { name: string; node: string; ip: string }[] };
  families: readonly (4 | 6)[];
  external: External;
}

/** What a path leads to. */
export interface Target {
  kind: 'dns' | 'pod' | 'service' | 'nodeport' | 'host' | 'world';
  /** `namespace/name` of a pod or service, the name of a node, a name of DNS. */
  name: string;
  ip?: string;
  port?: number;
  /** The node that it runs on, or is. */
  node?: string;
  /** Of what is outside: the one that policies for the first leave out. */
  isOther?: boolean;
  /** The pods that a service leads to. */
  backends?: readonly TestPod[];
}

/** A command that is run in a pod, and what is expected of it. */
export interface Action {
  name: string;
  from: TestPod;
  to: Target;
  argv: readonly string[];
  expect: Expectation;
  /** Path of HTTP, where one counts. */
  path?: string;
}

/** Times of curl and ping. */
export interface CommandTimes {
  connectSeconds: number;
  maxSeconds: number;
}

const ALLOWED: Expectation = { exit: 0 };
const FORMAT = '%{local_ip}:%{local_port} -> %{remote_ip}:%{remote_port} = %{response_code}\\n';

/** curl as the reference has it. */
function curl(
  url: string,
  { connectSeconds, maxSeconds }: CommandTimes,
  more: readonly string[] = [],
): string[] {
  return [
    'curl',
    ...['--silent', '--fail', '--show-error'],
    ...['--connect-timeout', String(connectSeconds), '--max-time', String(maxSeconds)],
    ...more,
    ...['-w', FORMAT, '--output', '/dev/null'],
    url,
  ];
}

export function nslookup(name: string, server?: string): string[] {
  return ['nslookup', '-timeout=2', name, ...(server === undefined ? [] : [server])];
}

export function ping(ip: string): string[] {
  return ['ping', '-c', '1', ...(isIpv6(ip) ? ['-6'] : []), '-W', '2', ip];
}

function bracketed(ip: string): string {
  return isIpv6(ip) ? `[${ip}]` : ip;
}

/** `10.0.0.1:8080` or `[fd00::1]:8080`. */
export function endpointText(ip: string, port: number | undefined): string {
  return port === undefined ? ip : `${bracketed(ip)}:${port}`;
}

/** What an action is called in reports: `ns/src (ip) -> dst (ip:port)`. */
export function pathText({ from, to }: Pick<Action, 'from' | 'to'>): string {
  const isAlike = (ip: string) => to.ip === undefined || isIpv6(ip) === isIpv6(to.ip);
  const source = `${from.namespace}/${from.pod} (${from.ips.find(isAlike) ?? from.ips[0] ?? 'no address'})`;
  const address = to.ip === undefined ? '' : endpointText(to.ip, to.port);
  const other = address === '' || address === to.name ? to.name : `${to.name} (${address})`;
  return `${source} -> ${other}`;
}

/** What is asked of a name outside. */
export interface WorldRequest {
  expect?: Expectation;
  scheme?: 'http' | 'https';
  path?: string;
  isOther?: boolean;
}

/** Makes the actions of one world. */
export class Actions {
  constructor(
    readonly world: World,
    private readonly times: CommandTimes,
  ) {}

  pod(name: string): TestPod | undefined {
    return this.world.pods.find((pod) => pod.name === name);
  }

  clients(): TestPod[] {
    return this.world.pods.filter(({ labels }) => labels.kind === 'client');
  }

  echoes(): TestPod[] {
    return this.world.pods.filter(({ labels }) => labels.kind === 'echo');
  }

  #curl(url: string, more: readonly string[] = []): string[] {
    return curl(url, this.times, more);
  }

  /** A name of the cluster DNS. */
  lookup(from: TestPod, name: string, expect = ALLOWED): Action {
    return { name: 'nslookup', from, to: { kind: 'dns', name }, argv: nslookup(name), expect };
  }

  /** HTTP to each address of a pod. */
  toPod(from: TestPod, to: TestPod, { expect = ALLOWED, path = '/' } = {}): Action[] {
    return this.#addresses(to.ips).map((ip) => ({
      name: `curl-${family(ip)}`,
      from,
      to: { kind: 'pod', name: `${to.namespace}/${to.pod}`, ip, port: ECHO_PORT, node: to.node },
      argv: this.#curl(`http://${bracketed(ip)}:${ECHO_PORT}${path}`),
      expect,
      path,
    }));
  }

  /** HTTP to a service by its name. */
  toService(from: TestPod, service: TestService, expect = ALLOWED): Action {
    const host = this.nameOf(service);
    return {
      name: 'curl',
      from,
      to: { ...this.#serviceTarget(service), ...(service.ips[0] !== undefined && { ip: service.ips[0] }) },
      argv: this.#curl(`http://${host}:${service.port}/`),
      expect,
      path: '/',
    };
  }

  /** HTTP to the cluster IP of a service. */
  toServiceIp(from: TestPod, service: TestService, expect = ALLOWED): Action | undefined {
    const [ip] = service.ips;
    if (ip === undefined) return undefined;
    return {
      name: `curl-${family(ip)}`,
      from,
      to: { ...this.#serviceTarget(service), ip },
      argv: this.#curl(`http://${bracketed(ip)}:${service.port}/`),
      expect,
      path: '/',
    };
  }

  #serviceTarget(service: TestService): Target {
    return {
      kind: 'service',
      name: `${service.namespace}/${service.name}`,
      port: service.port,
      backends: this.world.pods.filter(({ labels }) => labels.name === service.name),
    };
  }

  nameOf({ name, namespace }: TestService): string {
    return `${name}.${namespace}.svc.${this.world.domain}`;
  }

  toHost(from: TestPod, node: TestNode, expect = ALLOWED): Action[] {
    return this.#addresses(node.ips).map((ip) => ({
      name: `ping-${family(ip)}`,
      from,
      to: { kind: 'host', name: node.name, ip, node: node.name },
      argv: ping(ip),
      expect,
    }));
  }

  toNodePort(from: TestPod, node: TestNode, service: TestService, expect = ALLOWED): Action[] {
    const { nodePort } = service;
    if (nodePort === undefined) return [];
    return this.#addresses(node.ips).map((ip) => ({
      name: `curl-${family(ip)}`,
      from,
      to: {
        ...this.#serviceTarget(service),
        kind: 'nodeport',
        name: `${service.namespace}/${service.name} at ${node.name}`,
        ip,
        port: nodePort,
        node: node.name,
      },
      argv: this.#curl(`http://${bracketed(ip)}:${nodePort}/`),
      expect,
      path: '/',
    }));
  }

  /** A URL of a name outside the cluster. */
  toWorld(
    from: TestPod,
    name: string,
    { expect = ALLOWED, scheme = 'https', path = '/', isOther = false }: WorldRequest = {},
  ): Action {
    const index = path === '/' ? '' : `-${path.slice(1)}`;
    return {
      name: `${scheme}-to-${name}${index}`,
      from,
      to: { kind: 'world', name, port: scheme === 'https' ? 443 : 80, ...(isOther && { isOther }) },
      argv: this.#curl(`${scheme}://${name}${path === '/' ? '' : path}`),
      expect,
      path,
    };
  }

  /** HTTPS to the two addresses outside, of each family that has some. */
  toExternalAddresses(from: TestPod, expect = ALLOWED): Action[] {
    return this.world.families.flatMap((number) => {
      const { ip, otherIp } = this.world.external[number] ?? {};
      return [ip, otherIp].flatMap((address, at): Action[] =>
        address === undefined
          ? []
          : [
              {
                name: `external-${address.replaceAll(/[.:]/g, '')}`,
                from,
                to: {
                  kind: 'world',
                  name: address,
                  ip: address,
                  port: 443,
                  ...(at === 1 && { isOther: true }),
                },
                argv: this.#curl(`https://${bracketed(address)}`),
                expect,
                path: '/',
              },
            ],
      );
    });
  }

  #addresses(ips: readonly string[]): string[] {
    return ips.filter((ip) => this.world.families.includes(isIpv6(ip) ? 6 : 4));
  }
}

/** The port that echo pods and their services serve HTTP on. */
export const ECHO_PORT = 8080;

function family(ip: string): string {
  return isIpv6(ip) ? 'ipv6' : 'ipv4';
}
