import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Agent } from '../agent/agent.ts';
import { ipcache } from '../agent/ipcache.ts';
import type { ClusterName, PodRunner, PodToRun } from '../kube/workloads/runner.ts';
import type { LabService } from '../state/state.ts';
import type { LabNode } from '../world/world.ts';
import { workOf } from './containers.ts';
import { goneScript, nodeScript, podScript } from './network.ts';
import { type EnforcedEndpoint, policyRules } from './policy-rules.ts';
import type { DnsFacts } from './programs/dns-server.ts';
import { PING, programOf } from './programs.ts';
import { type MachineCommand, quoted, Sandbox, SYSTEM_PATH } from './sandbox.ts';
import { serviceRules } from './services.ts';

/** Where pods look names up. */
export const DNS_ADDRESS = '10.96.0.10';
const DOMAIN = 'cluster.local';
const READY_MS = 10_000;

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
  #count = 0;
  #services: readonly LabService[] = [];
  #rules = new Map<string, string>();
  #facts: DnsFacts = { addresses: {}, services: {} };

  private constructor(
    readonly sandbox: Sandbox,
    private readonly nodes: readonly LabNode[],
    private readonly log: (line: string) => void,
  ) {}

  static async open(
    dir: string,
    nodes: readonly LabNode[],
    log: (line: string) => void,
  ): Promise<SandboxPods> {
    const sandbox = await Sandbox.open(join(dir, 'pods'));
    try {
      const pods = new SandboxPods(sandbox, nodes, log);
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
    const lines = [`mkdir -p ${quoted(bin)}`];
    for (const name of REPLACED) {
      if (SYSTEM_PATH.split(':').some((folder) => existsSync(join(folder, name)))) continue;
      const { command, args } = name === 'ping' ? { command: '', args: [] } : programOf(name);
      const text =
        name === 'ping' ? PING : `#!/bin/sh\nexec ${[command, ...args].map(quoted).join(' ')} "$@"\n`;
      lines.push(`cat >${quoted(join(bin, name))} <<'END-OF-FILE'\n${text}END-OF-FILE`);
    }
    lines.push(`chmod -R 755 ${quoted(bin)}`);
    for (const [i, node] of this.nodes.entries()) {
      const file = join(dir, `node-${i}`);
      this.#files.set(node.name, file);
      const others = this.nodes.filter((other) => other !== node);
      lines.push(nodeScript(file, i, node, others));
    }
    await this.sandbox.run(lines.join('\n'));
  }

  /** Has the node of an agent enforce what its endpoints should. */
  enforceFor(agent: Agent): void {
    const file = this.#files.get(agent.world.self.name);
    if (file === undefined) throw new Error(`there is no node ${agent.world.self.name}`);
    agent.enforce = async (wanted) => {
      const endpoints = agent.state.endpoints.flatMap((endpoint): EnforcedEndpoint[] => {
        const policy = wanted.get(endpoint.id);
        if (endpoint.kind !== 'pod' || !policy) return [];
        const { id, interfaceName: link, ipv4, ipv6, options } = endpoint;
        const addresses = [ipv4, ipv6].filter((ip) => ip !== undefined);
        return [{ id, link, addresses, policy, isAudited: options.PolicyAuditMode === 'Enabled' }];
      });
      const rules = policyRules({
        endpoints,
        identities: ipcache(agent),
        router: agent.world.self.router.ipv4,
      });
      await this.#load([[file, rules]]);
    };
    agent.refresh('pods run');
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
      `mount --bind ${quoted(`${own}.resolv`)} /etc/resolv.conf`,
      `mount --bind ${quoted(`${own}.hosts`)} /etc/hosts`,
      `hostname ${quoted(plain(endpoint ? name : nodeName))}`,
      'exec sleep infinity',
    ].join(' && ');
    const told = await this.sandbox.run(
      [
        `cat >${quoted(`${own}.resolv`)} <<'END'\n${resolver}END`,
        `cat >${quoted(`${own}.hosts`)} <<'END'\n${hosts}END`,
        `nsenter --net=${quoted(file)} unshare --mount --uts sh -c ${quoted(settle)} >/dev/null 2>&1 &`,
        'echo "$!"',
        // The first process is the pod: what follows it is there when it sleeps.
        `for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do case "$(cat /proc/$!/comm)" in sleep) exit 0; esac; sleep 0.05; done; exit 1`,
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
        `for p in /proc/[0-9]*; do [ "$(readlink $p/ns/net)" = "$(nsenter --net=${quoted(running.file)} readlink /proc/self/ns/net)" ] && kill -9 "\${p#/proc/}" || :; done`,
        goneScript(running.file, nodeFile, running.link),
      );
    }
    await this.sandbox.run(lines.join('\n'));
  }

  async serve(services: readonly LabService[], names: readonly ClusterName[]): Promise<void> {
    this.#services = services;
    await this.#translate([...this.#running.values()]);
    this.#facts = factsOf(names);
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
      if (file) wanted.set(file, serviceRules(this.#services, this.nodes, node, 'node'));
    }
    for (const { file, node, link } of running)
      if (link !== undefined) wanted.set(file, serviceRules(this.#services, this.nodes, node, 'pod'));
    const changed = [...wanted].filter(([file, rules]) => this.#rules.get(file) !== rules);
    if (changed.length === 0) return;
    await this.#load(changed);
    for (const [file, rules] of changed) this.#rules.set(file, rules);
  }

  /** Loads rules into networks, all of one network at once. */
  async #load(rules: readonly (readonly [file: string, rules: string])[]): Promise<void> {
    await this.sandbox.run(
      rules.map(([file, text]) => `nsenter --net=${quoted(file)} nft -f - <<'END'\n${text}END`).join('\n'),
    );
  }
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
