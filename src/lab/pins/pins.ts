import type { KernelError } from '../../bpf/kernel/errors.ts';
import { globalsFolder } from '../../bpf/kernel/pins.ts';
import { index32, value64 } from '../../bpf/layouts/common.ts';
import { encode } from '../../bpf/maps/codec.ts';
import type { Clock } from '../../context.ts';
import { makeFolder } from '../../lib/make-folder.ts';
import type { Flow } from '../../model/hubble.gen.ts';
import type { Release } from '../../model/release.ts';
import type { Agent } from '../agent/agent.ts';
import { policyPinName } from '../pin-names.ts';
import type { LabIdentity, LabState } from '../state/state.ts';
import { pinsRelease } from '../version.ts';
import { mountBpffs, unmountBpffs } from './bpffs.ts';
import { Connections } from './connections.ts';
import { endpointEntries, ipcacheEntries, nodeEntries, policyEntries } from './contents.ts';
import { Counters } from './counters.ts';
import { formOf, type MapForm } from './forms.ts';
import { PinnedMap } from './map.ts';
import { serviceEntries } from './services.ts';
import { MAP_SPECS, policySpec } from './specs.ts';
import { standingFlows } from './standing.ts';
import { PacketReader } from './tracked.ts';

/** How often what was played is written into the maps. */
const FLUSH_MS = 1000;
/** How often connections that stand are seen to be there. */
const STANDING_SECONDS = 30;
/** Different flows of one flush: the others of that second leave nothing. */
const MAX_FLOWS = 8192;
/** Failures of the kernel that are written to the lab's log. */
const MAX_COMPLAINTS = 20;

const SERVICE_MAPS = {
  services4: 'cilium_lb4_services_v2',
  services6: 'cilium_lb6_services_v2',
  backends4: 'cilium_lb4_backends_v3',
  backends6: 'cilium_lb6_backends_v3',
  reverse4: 'cilium_lb4_reverse_nat',
  reverse6: 'cilium_lb6_reverse_nat',
} as const;

const CONFIG = { utimeOffset: 0, agentLiveness: 1 };
/** Units of 512 ns, in which the datapath counts the time of day. */
const NS_PER_UTIME = 512n;

/**
 * The maps of a lab, pinned in a bpffs of its own as an agent pins them on a node: they follow the state of the agent
 * and the traffic that is played. No program is loaded.
 */
export class Pins {
  readonly #maps = new Map<string, PinnedMap>();
  readonly #policyMaps = new Map<number, PinnedMap>();
  readonly #connections: Connections;
  readonly #counters = new Counters();
  readonly #played = new Map<Flow, number>();
  readonly #folder: string;
  readonly #release: Release;
  readonly #stops: (() => void)[] = [];
  #reader: PacketReader;
  #localIdentities: readonly LabIdentity[] = [];
  #standingChecked = Number.NEGATIVE_INFINITY;
  #complaints = 0;

  private constructor(
    private readonly root: string,
    private readonly agent: Agent,
    private readonly clock: Pick<Clock, 'nowMs' | 'uptimeMs'>,
  ) {
    this.#folder = globalsFolder(root);
    this.#release = pinsRelease(agent.version);
    this.#reader = new PacketReader(agent);
    this.#connections = new Connections({
      put: (name, key, value) => this.#maps.get(name)?.put(key, value),
      remove: (name, key) => this.#maps.get(name)?.remove(key),
    });
  }

  /** Mounts a bpffs at `root` and pins the maps. Fails with the reason when that is not possible here. */
  static open(root: string, agent: Agent, clock: Pick<Clock, 'nowMs' | 'uptimeMs'>): Pins {
    mountBpffs(root);
    const pins = new Pins(root, agent, clock);
    try {
      pins.#create();
    } catch (error) {
      pins.close();
      throw error;
    }
    return pins;
  }

  /** Takes note of a flow that was played. */
  played(flow: Flow): void {
    const times = this.#played.get(flow);
    if (times !== undefined || this.#played.size < MAX_FLOWS) this.#played.set(flow, (times ?? 0) + 1);
  }

  /** Follows the agent from now on. */
  start(): void {
    this.flush();
    const timer = setInterval(() => this.flush(), FLUSH_MS);
    this.#stops.push(
      () => clearInterval(timer),
      this.agent.watchState((state, before) => this.#follow(state, before)),
      this.agent.watch((event) => {
        if (event.type !== 'endpoint-regenerated') return;
        this.#syncPolicy(event.endpoint.id);
        this.#reader = new PacketReader(this.agent);
        // All endpoints are regenerated in one go: once is enough.
        this.#standingChecked = Number.NEGATIVE_INFINITY;
      }),
    );
  }

  /** Writes what was played since the last time, and lets connections age. */
  flush(): void {
    const now = this.#seconds();
    for (const [flow, times] of this.#played) {
      const packet = this.#reader.read(flow);
      this.#connections.play(packet, times, now);
      this.#counters.play(packet, times);
    }
    this.#played.clear();
    if (now - this.#standingChecked >= STANDING_SECONDS) {
      this.#standingChecked = now;
      const packets = standingFlows(this.agent).map((flow) => this.#reader.read(flow));
      this.#connections.stand(
        packets.flatMap(({ connections }) => connections),
        now,
      );
    }
    this.#connections.age(now);
    this.#counters.flush((name, key, value) => this.#maps.get(name)?.put(key, value));
    this.#setConfig(CONFIG.agentLiveness, BigInt(Math.floor(this.clock.uptimeMs())) * 1_000_000n);
  }

  /** Unmounts: pins and maps are gone. */
  close(): void {
    for (const stop of this.#stops) stop();
    for (const map of [...this.#maps.values(), ...this.#policyMaps.values()]) map[Symbol.dispose]();
    unmountBpffs(this.root);
  }

  #create(): void {
    makeFolder(this.#folder);
    const { capacities = {} } = this.agent.world.scenario;
    for (const [name, spec] of Object.entries(MAP_SPECS)) {
      const maxEntries = capacities[name] ?? spec.maxEntries;
      const form = formOf(name, { ...spec, maxEntries }, this.#release);
      if (form) this.#maps.set(name, this.#pin(form));
    }
    this.#maps.get('cilium_node_map_v2')?.sync(nodeEntries(this.agent));
    const sinceBoot = BigInt(Math.floor(this.clock.nowMs() - this.clock.uptimeMs()));
    this.#setConfig(CONFIG.utimeOffset, (sinceBoot * 1_000_000n) / NS_PER_UTIME);
    this.#syncEndpoints();
    this.#syncServices(this.agent.state);
    for (const { id } of this.agent.state.endpoints) this.#syncPolicy(id);
  }

  #pin(form: MapForm): PinnedMap {
    return new PinnedMap(this.#folder, form, (error) => this.#complain(form.pin, error));
  }

  #follow(state: LabState, before: LabState): void {
    if (state.services !== before.services) this.#syncServices(state);
    const endpointsMoved = state.endpoints !== before.endpoints;
    const identities = this.agent.localIdentities();
    const sameIdentities =
      identities.length === this.#localIdentities.length &&
      identities.every((identity, i) => identity === this.#localIdentities[i]);
    if (endpointsMoved || !sameIdentities) this.#syncEndpoints();
    if (endpointsMoved) this.#followEndpoints(state, before);
    if (endpointsMoved || state.services !== before.services) this.#reader = new PacketReader(this.agent);
  }

  #followEndpoints(state: LabState, before: LabState): void {
    const kept = new Set(state.endpoints.map(({ id }) => id));
    for (const { id } of before.endpoints) if (!kept.has(id)) this.#forget(id);
    for (const { id } of state.endpoints) if (!this.#policyMaps.has(id)) this.#syncPolicy(id);
    const now = new Set(addressesOf(state));
    const gone = new Set([...addressesOf(before)].filter((ip) => !now.has(ip)));
    if (gone.size > 0)
      this.#connections.drop(({ direction, source, destination }) =>
        gone.has(direction === 'in' ? destination : source),
      );
  }

  #forget(endpoint: number): void {
    this.#policyMaps.get(endpoint)?.unpin();
    this.#policyMaps.delete(endpoint);
    for (const key of this.#counters.dropEndpoint(endpoint))
      this.#maps.get('cilium_policystats')?.remove(key);
  }

  #syncEndpoints(): void {
    this.#localIdentities = this.agent.localIdentities();
    this.#maps.get('cilium_lxc')?.sync(endpointEntries(this.agent));
    this.#maps.get('cilium_ipcache_v2')?.sync(ipcacheEntries(this.agent));
  }

  #syncServices(state: LabState): void {
    const entries = serviceEntries(state.services);
    for (const [kind, name] of Object.entries(SERVICE_MAPS))
      this.#maps.get(name)?.sync(entries[kind as keyof typeof SERVICE_MAPS]);
  }

  #syncPolicy(endpoint: number): void {
    let map = this.#policyMaps.get(endpoint);
    if (!map) {
      map = this.#pin({
        pin: policyPinName(endpoint, this.#release),
        spec: policySpec(this.#release),
        entry: (key, value) => [key, value],
      });
      this.#policyMaps.set(endpoint, map);
    }
    map.sync(policyEntries(this.agent.realized(endpoint).policy, this.#release));
  }

  #setConfig(index: number, value: bigint): void {
    this.#maps.get('cilium_runtime_config')?.put(encode(index32, { index }), encode(value64, { value }));
  }

  #seconds(): number {
    return Math.floor(this.clock.uptimeMs() / 1000);
  }

  #complain(name: string, error: KernelError): void {
    if (this.#complaints++ < MAX_COMPLAINTS) this.agent.log(`${name}: ${error.message}`);
  }
}

function* addressesOf({ endpoints }: LabState): Generator<string> {
  for (const { ipv4, ipv6 } of endpoints) {
    if (ipv4 !== undefined) yield ipv4;
    if (ipv6 !== undefined) yield ipv6;
  }
}
