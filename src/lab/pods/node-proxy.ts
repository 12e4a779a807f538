import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Flow } from '../../model/hubble.gen.ts';
import { protocolNumber } from '../../policy/evaluate/maps/ports.ts';
import type { Agent } from '../agent/agent.ts';
import { identityOfAddress } from '../agent/ipcache.ts';
import { requestFlows } from '../hubble/seen.ts';
import { allowsName, allowsRequest } from '../policy/requests.ts';
import { MAX_CALLERS, PROXY, portsFor } from './policy-rules.ts';
import type { ProxyQuestion } from './programs/proxy.ts';
import { programOf } from './programs.ts';
import { type Sandbox, SYSTEM_PATH } from './sandbox.ts';

const LOOK_MS = 5;

/** The proxy of a node: a process in the node's network that asks here what it may pass on. */
export class NodeProxy {
  #starting: Promise<void> | undefined;
  #child: ChildProcess | undefined;
  readonly #callers = new Map<string, number>();

  constructor(
    private readonly sandbox: Sandbox,
    private readonly network: string,
    private readonly agent: Agent,
    private readonly show: (flow: Flow) => void,
  ) {}

  /** Resolves when it takes connections, and knows for whom it may call. */
  async ready(): Promise<void> {
    this.#starting ??= this.#start();
    await this.#starting;
    const known = [...this.callers()].map(([address, place]) => [
      address,
      { egress: portsFor('egress', place), ingress: portsFor('ingress', place) },
    ]);
    this.#child?.stdin?.write(`${JSON.stringify({ callers: Object.fromEntries(known) })}\n`);
  }

  /** Addresses of pods with their places among the proxy's ports; what has one keeps it while it is there. */
  callers(): ReadonlyMap<string, number> {
    const { state, world } = this.agent;
    const here = [...state.endpoints.filter(({ kind }) => kind === 'pod'), ...world.remotePods];
    const addresses = new Set(here.flatMap(({ ipv4 }) => (ipv4 === undefined ? [] : [ipv4])));
    for (const address of this.#callers.keys()) if (!addresses.has(address)) this.#callers.delete(address);
    for (const address of addresses) {
      if (this.#callers.has(address)) continue;
      const taken = new Set(this.#callers.values());
      const place = Array.from({ length: MAX_CALLERS }, (_, i) => i).find((i) => !taken.has(i));
      if (place !== undefined) this.#callers.set(address, place);
    }
    return this.#callers;
  }

  close(): void {
    this.#child?.kill('SIGKILL');
  }

  async #start(): Promise<void> {
    const ports = [PROXY.egress, PROXY.ingress, PROXY.dns].map(String);
    const own = programOf('proxy', this.agent.world.self.router.ipv4, ...ports);
    const { command, args } = this.sandbox.inNetwork(this.network, own.command, ...own.args);
    const child = spawn(command, args, { env: { PATH: SYSTEM_PATH }, cwd: '/' });
    this.#child = child;
    child.stdin.on('error', () => {});
    child.stderr.on('data', (bytes: Buffer) => this.agent.log(`proxy: ${bytes.toString().trim()}`));
    child.on('close', () => {
      // The next change of the policy starts another one.
      this.#starting = undefined;
    });
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => reject(new Error(`the proxy ended with ${code}`)));
      createInterface({ input: child.stdout }).on('line', (line) => {
        if (line === 'ready') return resolve();
        void this.#answer(JSON.parse(line) as ProxyQuestion).then(
          (allowed) => child.stdin.write(`${JSON.stringify({ id: JSON.parse(line).id, allowed })}\n`),
          (error: unknown) => this.agent.log(`proxy: ${String(error)}`),
        );
      });
    });
  }

  async #answer(question: ProxyQuestion): Promise<boolean> {
    if (question.kind === 'answer') {
      this.#tell(question, false);
      if (question.addresses && question.addresses.length > 0) await this.#learn(question);
      return true;
    }
    const isAllowed = this.#decide(question);
    this.#tell(question, !isAllowed);
    return isAllowed;
  }

  #decide({ direction, source, destination, port, protocol, query, ...asked }: ProxyQuestion): boolean {
    const { agent } = this;
    const [own, other] = direction === 'egress' ? [source, destination] : [destination, source];
    const endpoint = agent.state.endpoints.find(({ ipv4 }) => ipv4 === own);
    if (!endpoint) return false;
    const rules = agent.policy.requestRules(endpoint, direction, identityOfAddress(agent, other), {
      protocol: protocolNumber(protocol) ?? 0,
      port,
    });
    if (!rules) return true;
    if (query !== undefined) return allowsName(rules, query);
    const { method = '', path = '', host = '', headers = {} } = asked;
    return allowsRequest(rules, { method, path, host, headers });
  }

  /** Remembers addresses of a name; resolves when what that allows is enforced. */
  async #learn({ source, query = '', addresses = [], ttl = 0 }: ProxyQuestion): Promise<void> {
    const { agent } = this;
    const endpoint = agent.state.endpoints.find(({ ipv4 }) => ipv4 === source);
    const fqdn = `${query}.`;
    const nowMs = agent.nowMs();
    const lookup = {
      fqdn,
      ips: addresses,
      ttl,
      'lookup-time': new Date(nowMs).toISOString(),
      'expiration-time': new Date(nowMs + ttl * 1000).toISOString(),
      'endpoint-id': endpoint?.id ?? 0,
      source: 'lookup' as const,
    };
    await agent.store.update((state) => ({
      ...state,
      dns: [
        ...state.dns.filter((one) => one.fqdn !== fqdn || one['endpoint-id'] !== lookup['endpoint-id']),
        lookup,
      ],
    }));
    while (agent.regenerating) await new Promise((wait) => setTimeout(wait, LOOK_MS));
  }

  #tell(question: ProxyQuestion, isRefused: boolean): void {
    const { direction, method, path, host, query, code, latencyMs = 0, addresses = [], ...ends } = question;
    const flows = requestFlows(
      {
        ...ends,
        direction: direction === 'egress' ? 'EGRESS' : 'INGRESS',
        isRefused,
        ...(method !== undefined && { http: { method, path: path ?? '/', host: host ?? '' } }),
        ...(query !== undefined && { query }),
        ...(code !== undefined && { answer: { code, latencyMs, addresses } }),
      },
      this.agent,
    );
    for (const flow of flows) this.show(flow);
  }
}
