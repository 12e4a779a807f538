import { KernelError } from '../../bpf/kernel/errors.ts';
import { type BpfMap, openLinkById, openObjects, openProgramById } from '../../bpf/kernel/objects.ts';
import { isMap, openPins } from '../../bpf/kernel/pins.ts';
import { type MapUsage, readMapUsage } from '../../bpf/kernel/usage.ts';
import { endpointOf, knownMap } from '../../bpf/layouts/catalogue.ts';
import { ENDPOINTS } from '../../bpf/layouts/endpoints.ts';
import { IPCACHE, IPCACHE_STATIC_BITS } from '../../bpf/layouts/ipcache.ts';
import { variantOf } from '../../bpf/layouts/map-layout.ts';
import { POLICY } from '../../bpf/layouts/policy.ts';
import { readRecords } from '../../bpf/maps/records.ts';
import { summarizeMaps } from '../../bpf/maps/summary.ts';
import type { BpfMapRow } from '../../model/bpf-map.ts';
import { NEWEST_RELEASE } from '../../model/release.ts';

/** An endpoint as the agent knows it. */
export interface KnownEndpoint {
  id: number;
  identity: number | undefined;
  addresses: string[];
  ifindex: number | undefined;
  state: string;
  name: string;
}

/** What the agent says; undefined when it does not answer. */
export interface AgentFacts {
  endpoints: KnownEndpoint[];
  /** Undefined where it is not known. */
  identities: ReadonlySet<number> | undefined;
  /** Whether services are handled at the socket. */
  socketLb: boolean;
  /** Whether the agent loads no programs, as one in dry mode or one that a lab plays. */
  dryMode: boolean;
}

/** What the kernel holds. */
export interface KernelFacts {
  maps: BpfMapRow[];
  /** Identities with an entry in each endpoint's policy map. */
  policyIdentities: Map<number, Set<number>>;
  /** Prefix such as `10.0.0.1/32` → identity. */
  ipcache: Map<string, number>;
  /** Address → endpoint id, from the endpoint map. */
  lxc: Map<string, { id: number; ifindex: number }>;
  programs: { id: number; name: string }[];
  usage: MapUsage;
  links: { type: string; programId: number; ifindex: number | undefined }[];
  broken: { path: string; error: string }[];
  /** Why the kernel does not list its programs and links; undefined when it does. */
  unlisted?: string;
  /** Why nothing is known for a check, by its name. */
  untold?: Readonly<Record<string, string>>;
}

/** Reads everything that the checks compare. Writes nothing. */
export async function readKernelFacts(bpfRoot: string): Promise<KernelFacts> {
  const facts: KernelFacts = {
    maps: [],
    policyIdentities: new Map(),
    ipcache: new Map(),
    lxc: new Map(),
    programs: [],
    links: [],
    usage: { programsOf: new Map(), usedByName: new Map() },
    broken: [],
  };
  const onBroken = ({ path, error }: { path: string; error: KernelError }) =>
    facts.broken.push({ path, error: error.message });
  for await (const row of summarizeMaps(bpfRoot, { count: true, onBroken })) facts.maps.push(row);
  for (const { path, object } of openPins(bpfRoot)) {
    if (isMap(object)) await readContents(object, path.slice(path.lastIndexOf('/') + 1), facts);
  }
  try {
    readLists(facts);
  } catch (error) {
    // With CAP_BPF alone pins can be opened, and lists are refused.
    if (!(error instanceof KernelError && error.code === 'EPERM')) throw error;
    facts.unlisted = error.message;
  }
  return facts;
}

function readLists(facts: KernelFacts): void {
  facts.usage = readMapUsage();
  for (const program of openObjects('program', openProgramById)) {
    facts.programs.push({ id: program.info.id, name: program.info.name });
  }
  for (const { info } of openObjects('link', openLinkById)) {
    facts.links.push({ type: info.type, programId: info.programId, ifindex: info.ifindex });
  }
}

async function readContents(map: BpfMap, name: string, facts: KernelFacts): Promise<void> {
  const layout = knownMap(name);
  // What is only named like a map of the agent is left alone.
  if (!layout || !variantOf(layout, { pin: name, ...map.info }, NEWEST_RELEASE)) return;
  const policyOf = layout === POLICY ? endpointOf(name) : undefined;
  if (policyOf !== undefined) {
    const identities = (await readRecords(map, POLICY)).map(({ key }) => key.identity);
    facts.policyIdentities.set(policyOf, new Set(identities));
  } else if (layout === IPCACHE) {
    for (const { key, value } of await readRecords(map, IPCACHE))
      facts.ipcache.set(`${key.ip}/${key.prefixLength - IPCACHE_STATIC_BITS}`, value.identity);
  } else if (layout === ENDPOINTS) {
    for (const { key, value } of await readRecords(map, ENDPOINTS))
      facts.lxc.set(key.ip, { id: value.endpointId, ifindex: value.ifindex });
  }
}
