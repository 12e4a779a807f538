import type { Release } from '../../model/release.ts';

/** What was renamed or removed. */
export interface Moved {
  old: string;
  /** Only these values of it, between bars. */
  value?: string;
  /** The first minor without it. */
  gone: number;
  /** What takes its place, by the minor since when; several where one became several. */
  to?: [number, ...string[]][];
  /** What takes its place, where that is no name. */
  instead?: string;
  /** What is to be known of it. */
  say?: string;
}

/** What schemas/config-facts.json holds. */
interface FactsFile {
  charts: readonly string[];
  values: Readonly<Record<string, string>>;
  keys: Readonly<Record<string, string>>;
  valuesMoved: readonly Moved[];
  keysMoved: readonly Moved[];
  valueSets: Readonly<Record<string, readonly (string | number)[]>>;
  configMap: Readonly<Record<string, { vals?: readonly string[] }>>;
}

/** JSON types that a schema allows. */
export type JsonType = 'boolean' | 'integer' | 'number' | 'string' | 'array' | 'object' | 'null';

const TYPES: Readonly<Record<string, JsonType>> = {
  b: 'boolean',
  i: 'integer',
  n: 'number',
  s: 'string',
  a: 'array',
  o: 'object',
  '0': 'null',
};

/** Names of one kind, Helm values or keys of the ConfigMap, as each release has them. */
export class Names {
  #table: Readonly<Record<string, string>>;
  readonly moved: readonly Moved[];
  readonly #ranges = new Map<string, [number, number][]>();
  #parents: Set<string> | undefined;
  #children: Map<string, string[]> | undefined;

  constructor(table: Readonly<Record<string, string>>, moved: readonly Moved[]) {
    this.#table = table;
    this.moved = moved;
  }

  /** The minors that have a name, as ranges; empty when none has. */
  rangesOf(name: string): readonly [number, number][] {
    let ranges = this.#ranges.get(name);
    if (!ranges) {
      const [text = ''] = this.#row(name);
      ranges = text === '' ? [] : text.split(',').map(rangeOf);
      this.#ranges.set(name, ranges);
    }
    return ranges;
  }

  has(name: string, minor: number): boolean {
    return this.rangesOf(name).some(([first, last]) => first <= minor && minor <= last);
  }

  /** The types that the chart's schema allows; undefined where it says nothing. */
  typesOf(name: string, minor: number): JsonType[] | undefined {
    const [, typed = '-'] = this.#row(name);
    if (typed === '-') return undefined;
    const letters = typed
      .split(',')
      .map((part) => part.split(':'))
      .findLast(([since]) => Number(since) <= minor)?.[1];
    if (!letters) return undefined;
    return [...letters].flatMap((letter) => TYPES[letter] ?? []);
  }

  /** Whether the chart copies all that is below a name: other children than the known ones are taken too. */
  isCopied(name: string): boolean {
    return this.#row(name)[2] === '*';
  }

  /** Whether nothing is known below a name. */
  isLeaf(name: string, minor: number): boolean {
    return !this.below(name).some((child) => this.has(child, minor));
  }

  /** All names directly below one; those of the root for ''. */
  below(name: string): readonly string[] {
    this.#children ??= Map.groupBy(Object.keys(this.#table), (path) =>
      path.slice(0, Math.max(0, path.lastIndexOf('.'))),
    );
    return this.#children.get(name) ?? [];
  }

  /** The names that a release has. */
  of(minor: number): string[] {
    return Object.keys(this.#table).filter((name) => this.has(name, minor));
  }

  /** Whether there are rows of what was moved below a name. */
  movesBelow(name: string): boolean {
    this.#parents ??= new Set(
      this.moved.flatMap(({ old }) => old.split('.').map((_, i, words) => words.slice(0, i).join('.'))),
    );
    return this.#parents.has(name);
  }

  /** The row for a name that was moved before a release, `*` filled in. The one that says most exactly what is meant. */
  movedBy(name: string, minor: number): Moved | undefined {
    const exact = this.moved.find(
      ({ old, value, gone }) => old === name && value === undefined && gone <= minor,
    );
    if (exact) return exact;
    for (const row of this.moved) {
      if (!row.old.endsWith('*') || row.gone > minor) continue;
      const prefix = row.old.slice(0, -1);
      if (!name.startsWith(prefix) || name.length === prefix.length) continue;
      const rest = name.slice(prefix.length);
      const to = row.to?.map(([since, ...paths]): [number, ...string[]] => [
        since,
        ...paths.map((path) => path.replace('*', rest)),
      ]);
      return { ...row, old: name, ...(to && { to }) };
    }
    return undefined;
  }

  #row(name: string): string[] {
    return Object.hasOwn(this.#table, name) ? (this.#table[name] ?? '').split(' ') : [];
  }
}

/** What is known of the configuration of Cilium, release by release. */
export interface Facts {
  values: Names;
  keys: Names;
  /** The values that a key of the ConfigMap, or a Helm value, may have in a release; undefined where that is not known. */
  valueSet(name: string, minor: number): string[] | undefined;
  /** The Helm values that a key of the ConfigMap is made of; empty where it is `extraConfig` alone that sets it. */
  valuesFor(key: string): readonly string[];
}

/** Keys whose values a Helm value has too, though the template computes them. */
const WHOLE_VALUES = [
  ['ipam', 'ipam.mode'],
  ['routing-mode', 'routingMode'],
  ['datapath-mode', 'bpf.datapathMode'],
] as const;

/** Reads what is known; the file is large, and is loaded once it is needed. */
export async function loadFacts(): Promise<Facts> {
  const { default: json } = await import('../../../schemas/config-facts.json', { with: { type: 'json' } });
  const file = json as unknown as FactsFile;
  const { configMap } = file;
  const sets = new Map(Object.entries(file.valueSets));
  // A Helm value that is all of a key has the key's values.
  for (const [key, { vals = [] }] of Object.entries(configMap)) {
    const set = sets.get(key);
    const [value, more] = vals;
    if (set && value !== undefined && more === undefined && !value.startsWith('$')) sets.set(value, set);
  }
  for (const [key, value] of WHOLE_VALUES) {
    const set = sets.get(key);
    if (set) sets.set(value, set);
  }
  return {
    values: new Names(file.values, file.valuesMoved),
    keys: new Names(file.keys, file.keysMoved),
    valueSet: (name, minor) => sets.get(name)?.flatMap((value) => memberOf(String(value), minor) ?? []),
    valuesFor: (key) => (Object.hasOwn(configMap, key) ? (configMap[key]?.vals ?? []) : []),
  };
}

function rangeOf(text: string): [number, number] {
  const [first = 0, last = first] = text.split('-').map(Number);
  return [first, last];
}

/** `auto (1.20)` is a value since then, `lb-only (plain Docker, until 1.18)` one up to then. */
function memberOf(text: string, minor: number): string | undefined {
  const [, value = text, until, release] = /^(\S*) \(.*?(until )?1\.(\d+)\)$/.exec(text) ?? [];
  if (release === undefined) return value;
  return (until === undefined ? minor >= Number(release) : minor <= Number(release)) ? value : undefined;
}

/** The number behind the dot, which is what the facts count by. */
export function minorOf(release: Release): number {
  return Number(release.split('.')[1]);
}

/** What sets a key of the ConfigMap in Helm's values: `path`, and `isWhole` when the value is written there as it is. */
export function helmValueFor(facts: Facts, key: string): { path: string; isWhole: boolean } {
  const values = facts.valuesFor(key).filter((path) => !path.startsWith('$'));
  const [only, more] = values;
  if (only !== undefined && more === undefined) return { path: only, isWhole: true };
  if (only !== undefined) return { path: values.join(', '), isWhole: false };
  const special: Readonly<Record<string, string>> = {
    'kube-proxy-replacement': 'kubeProxyReplacement',
    ipam: 'ipam.mode',
  };
  const named = Object.hasOwn(special, key) ? special[key] : undefined;
  return { path: named ?? `extraConfig.${key}`, isWhole: true };
}
