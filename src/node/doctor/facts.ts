import type { KernelError } from '../../bpf/kernel/errors.ts';
import { type BpfMap, openLinkById, openObjects, openProgramById } from '../../bpf/kernel/objects.ts';
import { isMap, openPins } from '../../bpf/kernel/pins.ts';
import { entriesOf, walk } from '../../bpf/kernel/reader.ts';
import { type MapUsage, readMapUsage } from '../../bpf/kernel/usage.ts';
import { endpointOf } from '../../bpf/layouts/catalogue.ts';
import {
  endpointInfo,
  endpointKey,
  ipcacheKey,
  policyKey,
  remoteEndpoint,
  remoteEndpoint117,
} from '../../bpf/layouts/structs.ts';
import { summarizeMaps } from '../../bpf/maps/summary.ts';
import type { BpfMapRow } from '../../model/bpf-map.ts';

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
  identities: ReadonlySet<number>;
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
    usage: readMapUsage(),
    broken: [],
  };
  const onBroken = ({ path, error }: { path: string; error: KernelError }) =>
    facts.broken.push({ path, error: error.message });
  for await (const row of summarizeMaps(bpfRoot, { count: true, onBroken })) facts.maps.push(row);
  for (const { path, object } of openPins(bpfRoot)) {
    if (isMap(object)) await readContents(object, path.slice(path.lastIndexOf('/') + 1), facts);
  }
  for (const program of openObjects('program', openProgramById)) {
    facts.programs.push({ id: program.info.id, name: program.info.name });
  }
  for (const { info } of openObjects('link', openLinkById)) {
    facts.links.push({ type: info.type, programId: info.programId, ifindex: info.ifindex });
  }
  return facts;
}

async function readContents(map: BpfMap, name: string, facts: KernelFacts): Promise<void> {
  const policyOf = /^cilium_policy_(?:v2_)?\d+$/.test(name) ? endpointOf(name) : undefined;
  if (policyOf !== undefined && map.info.keySize === policyKey.size) {
    const identities = new Set<number>();
    for await (const batch of walk(map))
      for (const { key } of entriesOf(batch)) identities.add(policyKey.decode(key).identity);
    facts.policyIdentities.set(policyOf, identities);
  } else if (/^cilium_ipcache(_v2)?$/.test(name) && map.info.keySize === ipcacheKey.size) {
    const value = map.info.valueSize === remoteEndpoint117.size ? remoteEndpoint117 : remoteEndpoint;
    for await (const batch of walk(map))
      for (const entry of entriesOf(batch)) {
        const { ip, prefixLength } = ipcacheKey.decode(entry.key);
        // The prefix counts the 32 bits before the address, which are always compared.
        facts.ipcache.set(`${ip}/${prefixLength - 32}`, value.decode(entry.value).identity);
      }
  } else if (
    name === 'cilium_lxc' &&
    map.info.keySize === endpointKey.size &&
    map.info.valueSize === endpointInfo.size
  ) {
    for await (const batch of walk(map))
      for (const entry of entriesOf(batch)) {
        const { endpointId: id, ifindex } = endpointInfo.decode(entry.value);
        facts.lxc.set(endpointKey.decode(entry.key).ip, { id, ifindex });
      }
  }
}
