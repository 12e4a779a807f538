import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../../errors.ts';
import { shellWord } from '../../lib/shell-word.ts';
import type { Flow } from '../../model/hubble.gen.ts';
import type { Agent } from '../agent/agent.ts';
import { ipcache } from '../agent/ipcache.ts';
import { seenFlows } from '../hubble/seen.ts';
import type { ClusterName, PodRunner, PodToRun } from '../kube/workloads/runner.ts';
import type { EndpointPolicyFacts } from '../policy/policy.ts';
import type { LabService } from '../state/state.ts';
import type { LabNode } from '../world/world.ts';
import { workOf } from './containers.ts';
import { checkFaults, type Fault, lossRules, SPARED_NAMESPACE } from './faults.ts';
import { goneScript, nodeScript, podScript } from './network.ts';
import { NodeProxy } from './node-proxy.ts';
import { type EnforcedEndpoint, PROXY, policyRules } from './policy-rules.ts';
import type { DnsFacts } from './programs/dns-server.ts';
import { PING, programOf } from './programs.ts';
import { type MachineCommand, Sandbox, SYSTEM_PATH } from './sandbox.ts';
import { serviceRules } from './services.ts';
import { TraceReader } from './trace.ts';

/** Where pods look names up. */
const DNS_ADDRESS = '10.96.0.10';
const DOMAIN = 'cluster.local';
const READY_MS = 30_000;
/** So long it is waited until nft listens, and how often that is looked for. */
const LISTENS_MS = 5000;
const LOOK_MS = 10;
/** Netfilter among the protocols of netlink, and its group for traces. */
const [NETFILTER, TRACES] = [12, 0x100];

interface Running {
  node: LabNode;
  /** Of its network; that of the node for a pod of the host's. */
  file: string;
  link: string | undefined;
  /** Of the process that is the pod, as the sandbox counts. */
  pid: number;
  server: ChildProcess | undefined;
  isDns: boolean;
}

/** Programs that pods find although the machine has none. */
const REPLACED = ['nslookup', 'dig', 'ping'] as const;

/** Runs pods as processes of a sandbox, each in a network of its own. */
export class SandboxPods implements PodRunner {
  readonly #running = new Map<string, Running>();
  readonly #files = new Map<string, string>();
  readonly #closers: (() => void)[] = [];
  #count = 0;
  #services: readonly LabService[] = [];
  #rules = new Map<string, string>();
  #facts: DnsFacts = { addresses: {}, services: {} };

  private constructor(
    readonly sandbox: Sandbox,
    private readonly nodes: readonly LabNode[],
    private readonly log: (line: string) => void,
    private readonly faults: ReadonlySet<Fault>,
  ) {}

  static async open(
    dir: string,
    nodes: readonly LabNode[],
    log: (line: string) => void,
    faults: ReadonlySet<Fault>,
  ): Promise<SandboxPods> {
    checkFaults(faults, nodes);
    const sandbox = await Sandbox.open(join(dir, 'pods'));
    try {
      const pods = new SandboxPods(sandbox, nodes, log, faults);
      await pods.#prepare();
      return pods;
    } catch (error) {
      await sandbox.close();
      throw error;
    }
  }

  async #prepare(): Promise<void> {
    const { dir } = this.sandbox;
    const bin = join(dir, 'bin');
    const lines = [`mkdir -p ${shellWord(bin)}`];
    for (const name of REPLACED) {
      if (SYSTEM_PATH.split(':').some((folder) => existsSync(join(folder, name)))) continue;
      const { command, args } = name === 'ping' ? { command: '', args: [] } : programOf(name);
      const text =
        name === 'ping' ? PING : `#!/bin/sh\nexec ${[command, ...args].map(shellWord).join(' ')} "$@"\n`;
      lines.push(`cat >${shellWord(join(bin, name))} <<'END-OF-FILE'\n${text}END-OF-FILE`);
    }
    lines.push(`chmod -R 755 ${shellWord(bin)}`);
    for (const [i, node] of this.nodes.entries()) {
      const file = join(dir, `node-${i}`);
      this.#files.set(node.name, file);
      const others = this.nodes.filter((other) => other !== node);
      lines.push(nodeScript(file, i, node, others));
    }
    await this.sandbox.run(lines.join('\n'));
    const [first, last] = [this.nodes[0], this.nodes.at(-1)];
    if (!this.faults.has('node-to-node') || !first || !last) return;
    await this.#load([
      [this.#files.get(first.name) ?? '', lossRules(last)],
      [this.#files.get(last.name) ?? '', lossRules(first)],
    ]);
  }

  /** The node that faults of one node are planted on. */
  #isFaulty(node: LabNode, fault: Fault): boolean {
    return this.faults.has(fault) && node.name === this.nodes.at(-1)?.name;
  }

  /** The services as a node translates them. */
  #servicesOf(node: LabNode): readonly LabService[] {
    const isPlanted = ({ flags }: LabService) =>
      flags.namespace !== SPARED_NAMESPACE && !(flags.namespace === 'default' && flags.name === 'kubernetes');
    // Of the node on which whoever asks is likely to be.
    if (this.faults.has('service') && node === this.nodes[0])
      return this.#services.filter((one) => !isPlanted(one));
    if (!this.faults.has('service-backend')) return this.#services;
    const dead = node.podCIDR.replace(/\d+\/\d+$/, '250');
    return this.#services.map((service) =>
      isPlanted(service)
        ? {
            ...service,
            'backend-addresses': service['backend-addresses'].map((backend) => ({ ...backend, ip: dead })),
          }
        : service,
    );
  }

  /** Has the node of an agent enforce what its endpoints should; `show` gets the flows that the node sees. */
  enforceFor(agent: Agent, show: (flow: Flow) => void): void {
    const file = this.#files.get(agent.world.self.name);
    if (file === undefined) throw new Error(`there is no node ${agent.world.self.name}`);
    const proxy = new NodeProxy(this.sandbox, file, agent, show);
    let stopWatching = () => {};
    this.#closers.push(
      () => proxy.close(),
      () => stopWatching(),
    );
    agent.enforce = async (wanted) => {
      const isProxied = [...wanted.values()].some(({ entries }) => entries.some((entry) => entry.proxy));
      if (isProxied) await proxy.ready();
      const endpoints = agent.state.endpoints.flatMap((endpoint): EnforcedEndpoint[] => {
        const policy = wanted.get(endpoint.id);
        if (endpoint.kind !== 'pod' || !policy) return [];
        const { id, interfaceName: link, ipv4, ipv6, options } = endpoint;
        const addresses = [ipv4, ipv6].filter((ip) => ip !== undefined);
        const isWrong =
          this.#isFaulty(agent.world.self, 'policy') && !endpoint.pod.startsWith(`${SPARED_NAMESPACE}/`);
        return [
          {
            id,
            link,
            addresses,
            policy: isWrong ? closedTo(policy) : policy,
            isAudited: options.PolicyAuditMode === 'Enabled',
          },
        ];
      });
      const rules = policyRules({
        endpoints,
        identities: ipcache(agent),
        router: agent.world.self.router.ipv4,
        callers: isProxied ? proxy.callers() : new Map(),
      });
      await this.#load([[file, rules]]);
      // nft tells of the rules that were there when it began: of later ones it does not know what they say.
      stopWatching();
      await this.#listens(file, false);
      stopWatching = this.#watch(file, agent, show);
      await this.#listens(file, true);
    };
    agent.refresh('pods run');
  }

  /** Waits until nft listens for the packets of a network, or does so no longer: what happens before is not told of. */
  async #listens(file: string, isMeant: boolean): Promise<void> {
    const look = `nsenter --net=${shellWord(file)} cat /proc/self/net/netlink`;
    for (const end = performance.now() + LISTENS_MS; performance.now() < end; ) {
      const sockets = (await this.sandbox.run(look)).split('\n').map((line) => line.split(/ +/));
      const listens = sockets.some(
        ([, protocol, , groups = '']) =>
          Number(protocol) === NETFILTER && (Number.parseInt(groups, 16) & TRACES) !== 0,
      );
      if (listens === isMeant) return;
      await new Promise((wait) => setTimeout(wait, LOOK_MS));
    }
  }

  /** Tells of the packets of a node's rules; returns how to stop. */
  #watch(file: string, agent: Agent, show: (flow: Flow) => void): () => void {
    const { ipv4: router } = agent.world.self.router;
    const ports: ReadonlySet<number> = new Set(Object.values(PROXY));
    const reader = new TraceReader((packet) => {
      // How a node leads packets to its proxy and back is its own affair.
      const { source, sourcePort, destination, destinationPort } = packet;
      if (source === router && (ports.has(sourcePort) || sourcePort < 20_000)) return;
      if (destination === router && (ports.has(destinationPort) || destinationPort < 20_000)) return;
      for (const flow of seenFlows(packet, agent)) show(flow);
    });
    const { command, args } = this.sandbox.inNetwork(file, 'nft', 'monitor', 'trace');
    // In a group of its own: what enters namespaces does not take along what it began there.
    const env = { PATH: SYSTEM_PATH, LC_ALL: 'C' };
    const child = spawn(command, args, { env, cwd: '/', detached: true });
    child.stdout.setEncoding('utf8').on('data', (text: string) => reader.read(text));
    child.stderr.on('data', (bytes: Buffer) => this.log(`flows: ${bytes.toString().trim()}`));
    child.on('error', (error) => this.log(`flows: ${error.message}`));
    return () => {
      reader.close();
      if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch (error) {
        if (errorCode(error) !== 'ESRCH') throw error;
      }
    };
  }

  async start({ pod, node: nodeName, endpoint }: PodToRun): Promise<void> {
    const { uid, name, namespace = '' } = pod.metadata;
    const node = this.nodes.find((one) => one.name === nodeName);
    const nodeFile = this.#files.get(nodeName);
    if (!node || nodeFile === undefined) throw new Error(`there is no node ${nodeName}`);
    const own = join(this.sandbox.dir, `pod-${++this.#count}`);
    const file = endpoint ? own : nodeFile;
    if (endpoint) await this.sandbox.run(podScript(file, nodeFile, endpoint, node));
    const plain = (text: string) => text.replaceAll(/[^a-z0-9.-]/g, '-');
    const resolver = `search ${plain(namespace)}.svc.${DOMAIN} svc.${DOMAIN} ${DOMAIN}\nnameserver ${DNS_ADDRESS}\noptions ndots:5\n`;
    const hosts = `127.0.0.1\tlocalhost\n::1\tlocalhost\n${endpoint?.ipv4 ?? node.ipv4}\t${plain(name)}\n`;
    const settle = [
      `mount --bind ${shellWord(`${own}.resolv`)} /etc/resolv.conf`,
      `mount --bind ${shellWord(`${own}.hosts`)} /etc/hosts`,
      `hostname ${shellWord(plain(endpoint ? name : nodeName))}`,
      'exec sleep infinity',
    ].join(' && ');
    const told = await this.sandbox.run(
      [
        `cat >${shellWord(`${own}.resolv`)} <<'END'\n${resolver}END`,
        `cat >${shellWord(`${own}.hosts`)} <<'END'\n${hosts}END`,
        `nsenter --net=${shellWord(file)} unshare --mount --uts sh -c ${shellWord(settle)} >/dev/null 2>&1 &`,
        'echo "$!"',
        // The first process is the pod: what follows it is there when it sleeps.
        `for i in $(seq ${(READY_MS / 1000) * 20}); do case "$(cat /proc/$!/comm)" in sleep) exit 0; esac; sleep 0.05; done; exit 1`,
      ].join('\n'),
    );
    const work = workOf(pod);
    const running: Running = {
      node,
      file,
      link: endpoint?.interfaceName,
      pid: Number.parseInt(told, 10),
      server: undefined,
      isDns: work.dns.length > 0,
    };
    this.#running.set(uid, running);
    if (endpoint) await this.#translate([running]);
    if (work.http.length > 0 || work.dns.length > 0) {
      const program = programOf('serve', work.http.join(','), work.dns.join(','), name);
      running.server = await this.#serve(running, program, `${namespace}/${name}`);
      this.#teach(running);
    }
  }

  async stop(uid: string): Promise<void> {
    const running = this.#running.get(uid);
    if (!running) return;
    this.#running.delete(uid);
    running.server?.stdin?.end();
    running.server?.kill('SIGKILL');
    const lines = [`kill -9 ${running.pid} || :`];
    const nodeFile = this.#files.get(running.node.name) ?? '';
    if (running.link !== undefined) {
      this.#rules.delete(running.file);
      // Whatever else runs in its network ends with it.
      lines.push(
        `for p in /proc/[0-9]*; do [ "$(readlink $p/ns/net)" = "$(nsenter --net=${shellWord(running.file)} readlink /proc/self/ns/net)" ] && kill -9 "\${p#/proc/}" || :; done`,
        goneScript(running.file, nodeFile, running.link),
      );
    }
    await this.sandbox.run(lines.join('\n'));
  }

  async serve(services: readonly LabService[], names: readonly ClusterName[]): Promise<void> {
    this.#services = services;
    await this.#translate([...this.#running.values()]);
    this.#facts = {
      ...factsOf(names),
      isSilent: this.faults.has('dns'),
      knowsNothing: this.faults.has('dns-names'),
    };
    for (const running of this.#running.values()) this.#teach(running);
  }

  /** How to run a command in a pod; undefined where no such pod runs. */
  command(uid: string, words: readonly string[]): MachineCommand | undefined {
    const running = this.#running.get(uid);
    if (!running) return undefined;
    const environment = { PATH: `${SYSTEM_PATH}:${join(this.sandbox.dir, 'bin')}`, HOME: '/root' };
    return this.sandbox.beside(running.pid, environment, words);
  }

  async close(): Promise<void> {
    for (const close of this.#closers) close();
    for (const { server } of this.#running.values()) server?.kill('SIGKILL');
    await this.sandbox.close();
  }

  async #serve(running: Running, { command, args }: MachineCommand, name: string): Promise<ChildProcess> {
    const outer = this.sandbox.beside(running.pid, { PATH: SYSTEM_PATH }, [command, ...args]);
    const child = spawn(outer.command, outer.args, { env: { PATH: SYSTEM_PATH }, cwd: '/' });
    child.stdin.on('error', () => {});
    let complaint = '';
    child.stderr.on('data', (bytes: Buffer) => {
      complaint = bytes.toString();
      this.log(`pod ${name}: ${complaint.trim()}`);
    });
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('its program does not answer')), READY_MS);
      const settle = (end: () => void) => {
        clearTimeout(timer);
        end();
      };
      child.stdout.once('data', () => settle(resolve));
      child.once('close', (code) =>
        settle(() => reject(new Error(`its program ended with ${code}: ${complaint.trim()}`))),
      );
      child.once('error', (error) => settle(() => reject(error)));
    });
    return child;
  }

  /** Tells a DNS server what it is to know. */
  #teach({ isDns, server }: Running): void {
    if (isDns) server?.stdin?.write(`${JSON.stringify(this.#facts)}\n`);
  }

  /** Brings the rules for services of these networks, and those of the nodes, up to date. */
  async #translate(running: readonly Running[]): Promise<void> {
    const wanted = new Map<string, string>();
    for (const node of this.nodes) {
      const file = this.#files.get(node.name);
      if (file) wanted.set(file, serviceRules(this.#servicesOf(node), this.nodes, node, 'node'));
    }
    for (const { file, node, link } of running)
      if (link !== undefined) wanted.set(file, serviceRules(this.#servicesOf(node), this.nodes, node, 'pod'));
    const changed = [...wanted].filter(([file, rules]) => this.#rules.get(file) !== rules);
    if (changed.length === 0) return;
    await this.#load(changed);
    for (const [file, rules] of changed) this.#rules.set(file, rules);
  }

  /** Loads rules into networks, all of one network at once. */
  async #load(rules: readonly (readonly [file: string, rules: string])[]): Promise<void> {
    await this.sandbox.run(
      rules.map(([file, text]) => `nsenter --net=${shellWord(file)} nft -f - <<'END'\n${text}END`).join('\n'),
    );
  }
}

/** A policy that lets nothing in. */
function closedTo(policy: EndpointPolicyFacts): EndpointPolicyFacts {
  return {
    ...policy,
    ingress: { ...policy.ingress, enforced: true },
    entries: policy.entries.filter(({ direction }) => direction !== 'ingress'),
  };
}

function factsOf(names: readonly ClusterName[]): DnsFacts {
  const facts: DnsFacts = { addresses: {}, services: {} };
  for (const { name, addresses, ports } of names) {
    const full = `${name}.${DOMAIN}`;
    facts.addresses[full] = addresses;
    for (const { service, port } of ports) {
      const key = `${service}.${full}`;
      facts.services[key] = [...(facts.services[key] ?? []), { port, target: full }];
    }
  }
  return facts;
}
