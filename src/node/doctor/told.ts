import { parsePlainJson } from '../../lib/exact-json.ts';
import { isRecord } from '../../lib/record.ts';
import type { KernelFacts } from './facts.ts';

/** What the agent's own program printed of its maps; undefined where that is not known. */
export interface ToldMaps {
  /** `bpf endpoint list`, as text or JSON. */
  endpoints: string | undefined;
  /** `bpf ipcache list`, as text or JSON. */
  ipcache: string | undefined;
  /** `bpf policy get --all -n` as text, or with -o json. */
  policy: string | undefined;
}

const NO_KERNEL = 'what is read is an archive, which does not tell this of the kernel';

/** What is known of a kernel by what was printed of its maps. Checks that nothing is known for say so. */
export function kernelFactsOf({ endpoints, ipcache, policy }: ToldMaps): KernelFacts {
  const missing = (words: string) => `what "${words}" printed was not collected`;
  const facts: KernelFacts = {
    maps: [],
    policyIdentities: new Map(),
    ipcache: new Map(),
    lxc: new Map(),
    programs: [],
    links: [],
    usage: { programsOf: new Map(), usedByName: new Map() },
    broken: [],
    untold: {
      pins: NO_KERNEL,
      'map pressure': NO_KERNEL,
      'stale pins': NO_KERNEL,
      'orphaned pins': NO_KERNEL,
      'programs on endpoints': NO_KERNEL,
      'socket load balancing': NO_KERNEL,
      ...(endpoints === undefined && { 'endpoint map': missing('bpf endpoint list') }),
      ...(ipcache === undefined && { ipcache: missing('bpf ipcache list') }),
      ...(policy === undefined && {
        'policy maps': missing('bpf policy get --all -n'),
        'policy identities': missing('bpf policy get --all -n'),
      }),
    },
  };
  if (endpoints !== undefined) {
    facts.maps.push(mapNamed('cilium_lxc'));
    for (const [key, value] of pairsIn(endpoints)) {
      const [, id] = /(?:^|\s)id=(\d+)/.exec(value) ?? [];
      const [, ifindex] = /ifindex=(\d+)/.exec(value) ?? [];
      const address = key.replace(/:0$/, '').replace(/^\[(.*)\]$/, '$1');
      facts.lxc.set(address, { id: Number(id ?? 0), ifindex: Number(ifindex ?? 0) });
    }
  }
  if (ipcache !== undefined) {
    facts.maps.push(mapNamed('cilium_ipcache'));
    for (const [prefix, value] of pairsIn(ipcache)) {
      // Up to 1.12 the number stands alone.
      const [, identity] = /^(?:identity=)?(\d+)\b/.exec(value) ?? [];
      if (identity !== undefined) facts.ipcache.set(prefix, Number(identity));
    }
  }
  for (const { path, identities } of policiesIn(policy ?? '')) {
    const name = path.slice(path.lastIndexOf('/') + 1);
    const endpoint = Number(/_(\d+)$/.exec(name)?.[1] ?? Number.NaN);
    if (Number.isNaN(endpoint)) continue;
    facts.maps.push({ ...mapNamed(name), path, feature: 'policy', endpoint });
    facts.policyIdentities.set(endpoint, new Set(identities));
  }
  return facts;
}

function mapNamed(name: string): KernelFacts['maps'][number] {
  return {
    name,
    type: '',
    keySize: 0,
    valueSize: 0,
    entries: undefined,
    maxEntries: 0,
    pressure: undefined,
    memoryBytes: 0,
    flags: [],
    id: 0,
    feature: '',
    endpoint: undefined,
    programs: [],
    path: name,
  };
}

function jsonIn(text: string): unknown {
  try {
    return parsePlainJson(text);
  } catch {
    return undefined;
  }
}

/** Keys and values of a map, of a table of two columns or of JSON. */
function pairsIn(text: string): [string, string][] {
  const value = jsonIn(text);
  if (isRecord(value))
    return Object.entries(value).flatMap(([key, values]) =>
      Array.isArray(values) ? values.map((one): [string, string] => [key, String(one)]) : [],
    );
  return text.split('\n').flatMap((line): [string, string][] => {
    const [, key, rest] = /^(\S+)\s+(\S.*?)\s*$/.exec(line) ?? [];
    return key === undefined || rest === undefined || !/[.:]/.test(key) ? [] : [[key, rest]];
  });
}

/** The policy maps, and the identities that each names. */
function policiesIn(text: string): { path: string; identities: number[] }[] {
  const value = jsonIn(text);
  if (Array.isArray(value))
    return value.filter(isRecord).map(({ Path, Content }) => ({
      path: String(Path ?? ''),
      identities: (Array.isArray(Content) ? Content : []).flatMap((entry: unknown) => {
        const key = isRecord(entry) && isRecord(entry.Key) ? entry.Key.Identity : undefined;
        return typeof key === 'number' ? [key] : [];
      }),
    }));
  const found: { path: string; identities: number[] }[] = [];
  for (const line of text.split('\n')) {
    const [, path] = /^(?:Path: )?(\/\S+?):?$/.exec(line.trim()) ?? [];
    if (path !== undefined) found.push({ path, identities: [] });
    const [, identity] = /^(?:Allow|Deny)\s+(?:Ingress|Egress)\s+(\d+)\s/.exec(line) ?? [];
    if (identity !== undefined) found.at(-1)?.identities.push(Number(identity));
  }
  return found;
}
