/** What `bpf maps list` says about one pinned map. */
export interface BpfMapRow {
  name: string;
  type: string;
  keySize: number;
  valueSize: number;
  /** Undefined where the kind of map does not tell, or nobody asked. */
  entries: number | undefined;
  maxEntries: number;
  /** Share of max entries in use, in percent; undefined for arrays, which are always full. */
  pressure: number | undefined;
  memoryBytes: number;
  flags: string[];
  id: number;
  /** What the map is for; '' for one that no release of the agent is known to pin. */
  feature: string;
  /** The endpoint that it belongs to. */
  endpoint: number | undefined;
  /** Names of the loaded programs that use it. */
  programs: readonly string[];
  path: string;
}

/** Some entries of a map, packed: key i at i × keySize, value i at i × valueStride. */
export interface PackedEntries {
  count: number;
  keys: Buffer;
  values: Buffer;
  keySize: number;
  valueStride: number;
}
