import { readFileSync } from 'node:fs';
import { attempt, KernelError } from './errors.ts';
import {
  decodeLinkInfo,
  decodeMapInfo,
  decodeProgramInfo,
  type LinkInfo,
  MAP_TYPES,
  type MapInfo,
  type ProgramInfo,
} from './info.ts';
import { type Handle, native, OBJECT_KINDS, type ObjectKind } from './native.ts';

const BPF_F_RDONLY = 1 << 3;

/** How an update treats a key that is there or not. */
export const UPDATE = { any: 0, create: 1, replace: 2 } as const;

/** An open object of the kernel. Dispose of it: the descriptor is closed then. */
class KernelObject implements Disposable {
  constructor(
    readonly handle: Handle,
    /** Where it was opened from, for messages: a path or `map 12`. */
    readonly label: string,
  ) {}

  [Symbol.dispose](): void {
    native().close(this.handle);
  }

  pin(path: string): void {
    attempt(`pin ${this.label} at ${path}`, () => native().pin(this.handle, path));
  }
}

/** An open map. Read-only unless it was opened for writing. */
export class BpfMap extends KernelObject {
  readonly info: MapInfo;
  /** Bytes of one value as a look-up returns it: per-CPU maps hold one 8-byte aligned slot per possible CPU. */
  readonly valueStride: number;

  constructor(handle: Handle, label: string) {
    super(handle, label);
    this.info = attempt(`read info of ${label}`, () => decodeMapInfo(native().info(handle)));
    this.valueStride = native().valueStride(handle);
  }

  get isPerCpu(): boolean {
    return /percpu/.test(this.info.type);
  }

  lookup(key: Uint8Array): Buffer | undefined {
    return attempt(`look up in ${this.label}`, () => native().lookup(this.handle, key));
  }

  update(key: Uint8Array, value: Uint8Array, flags: number = UPDATE.any): void {
    attempt(`update ${this.label}`, () => native().update(this.handle, key, value, flags));
  }

  /** Puts an object into a map of maps or a program array. */
  updateObject(key: Uint8Array, object: BpfMap | BpfProgram): void {
    attempt(`update ${this.label}`, () => native().updateHandle(this.handle, key, object.handle, UPDATE.any));
  }

  /** Whether the key was there. */
  delete(key: Uint8Array): boolean {
    return attempt(`delete from ${this.label}`, () => native().remove(this.handle, key));
  }

  /** Deletes keys packed one behind the other; returns how many were there. */
  deleteMany(keys: Uint8Array, options: { single?: boolean } = {}): number {
    return attempt(`delete from ${this.label}`, () =>
      native().removeBatch(this.handle, keys, options.single ?? false),
    );
  }

  freeze(): void {
    attempt(`freeze ${this.label}`, () => native().freeze(this.handle));
  }

  /** Bytes of memory that the kernel charges for the map. */
  memoryBytes(): number {
    const match = /^memlock:\s*(\d+)/m.exec(fdinfo(this.handle));
    return match ? Number(match[1]) : 0;
  }
}

export class BpfProgram extends KernelObject {
  readonly info: ProgramInfo;
  constructor(handle: Handle, label: string) {
    super(handle, label);
    this.info = attempt(`read info of ${label}`, () => decodeProgramInfo(native().info(handle)));
  }

  /** Ids of the maps that the program uses. */
  mapIds(): number[] {
    const raw = attempt(`read maps of ${this.label}`, () => native().programMaps(this.handle));
    return Array.from({ length: raw.length / 4 }, (_, i) => raw.readUInt32LE(4 * i));
  }
}

export class BpfLink extends KernelObject {
  readonly info: LinkInfo;
  constructor(handle: Handle, label: string) {
    super(handle, label);
    this.info = attempt(`read info of ${label}`, () => decodeLinkInfo(native().info(handle)));
  }

  /** Takes the program off its hook; the object stays until its last pin and descriptor are gone. */
  detach(): void {
    attempt(`detach ${this.label}`, () => native().detach(this.handle));
  }
}

function fdinfo(handle: Handle): string {
  return readFileSync(`/proc/self/fdinfo/${native().fd(handle)}`, 'latin1');
}

function kindOf(handle: Handle): ObjectKind {
  return OBJECT_KINDS[native().kind(handle)] ?? 'other';
}

/** Opens whatever is pinned at `path`, read-only where the kernel has that (links have not). */
export function openPin(path: string): BpfMap | BpfProgram | BpfLink {
  const handle = attempt(`open pin ${path}`, () => {
    try {
      return native().openPin(path, BPF_F_RDONLY);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EINVAL')) throw error;
      return native().openPin(path, 0);
    }
  });
  try {
    switch (kindOf(handle)) {
      case 'map':
        return new BpfMap(handle, path);
      case 'program':
        return new BpfProgram(handle, path);
      case 'link':
        return new BpfLink(handle, path);
      default:
        throw new KernelError(`open pin ${path}`, new Error('neither a map nor a program nor a link'));
    }
  } catch (error) {
    native().close(handle);
    throw error;
  }
}

/** Opens a pinned map: read-only, unless `write` is set. */
export function openMap(path: string, options: { write?: boolean } = {}): BpfMap {
  const handle = attempt(`open pin ${path}`, () => native().openPin(path, options.write ? 0 : BPF_F_RDONLY));
  if (kindOf(handle) === 'map') return new BpfMap(handle, path);
  native().close(handle);
  throw new KernelError(`open pin ${path}`, new Error('it is not a map'));
}

/** Opens a map by its id: read-only, unless `write` is set. */
export function openMapById(id: number, options: { write?: boolean } = {}): BpfMap {
  const label = `map ${id}`;
  const flags = options.write ? 0 : BPF_F_RDONLY;
  return new BpfMap(
    attempt(`open ${label}`, () => native().openId(OBJECT_KINDS.indexOf('map'), id, flags)),
    label,
  );
}

export function openProgramById(id: number): BpfProgram {
  const label = `program ${id}`;
  return new BpfProgram(
    attempt(`open ${label}`, () => native().openId(OBJECT_KINDS.indexOf('program'), id, 0)),
    label,
  );
}

export function openLinkById(id: number): BpfLink {
  const label = `link ${id}`;
  return new BpfLink(
    attempt(`open ${label}`, () => native().openId(OBJECT_KINDS.indexOf('link'), id, 0)),
    label,
  );
}

/** Raw type information by its id. */
export function readBtf(id: number): Buffer {
  const handle = attempt(`open type information ${id}`, () =>
    native().openId(OBJECT_KINDS.indexOf('btf'), id, 0),
  );
  try {
    return attempt(`read type information ${id}`, () => native().btf(handle));
  } finally {
    native().close(handle);
  }
}

/** Ids of all loaded objects of a kind, in ascending order. */
export function* objectIds(kind: Exclude<ObjectKind, 'other'>): Generator<number> {
  const number = OBJECT_KINDS.indexOf(kind);
  for (let id = 0; ; ) {
    id = attempt(`list ${kind} ids`, () => native().nextId(number, id));
    if (id === 0) return;
    yield id;
  }
}

/** Opens every object of a kind, each closed before the next; one that vanishes meanwhile is passed over. */
export function* openObjects<T extends Disposable>(
  kind: 'map' | 'program' | 'link',
  open: (id: number) => T,
): Generator<T> {
  for (const id of objectIds(kind)) {
    try {
      using object = open(id);
      yield object;
    } catch (error) {
      if (!(error instanceof KernelError && error.code === 'ENOENT')) throw error;
    }
  }
}

/** Hooks of devices that links hang on, by the kernel's number (tcx and netkit). */
const DEVICE_HOOKS = { tcxIngress: 46, tcxEgress: 47, netkitPrimary: 54, netkitPeer: 55 } as const;
/** Kernels without such hooks, and devices of another kind. */
const NO_SUCH_HOOK = new Set(['EINVAL', 'E2BIG', 'EOPNOTSUPP', 'ENODEV', 'ENOTSUPP', 'ENXIO', 'EACCES']);

/**
 * Ids of the tcx and netkit links of a device of this network namespace. The list of all links does not tell: it holds
 * those of every namespace, and an interface index means another device in each.
 */
export function deviceLinkIds(ifindex: number): number[] {
  return Object.values(DEVICE_HOOKS).flatMap((hook) => {
    try {
      const raw = attempt(`list the BPF links of device ${ifindex}`, () =>
        native().deviceLinks(ifindex, hook),
      );
      return Array.from({ length: raw.length / 4 }, (_, i) => raw.readUInt32LE(4 * i)).filter(
        (id) => id !== 0,
      );
    } catch (error) {
      if (error instanceof KernelError && NO_SUCH_HOOK.has(error.code)) return [];
      throw error;
    }
  });
}

/** What a new map is to be. */
export interface MapSpec {
  type: (typeof MAP_TYPES)[number];
  keySize: number;
  valueSize: number;
  maxEntries: number;
  flags?: number;
  name?: string;
  /** Template of the inner maps of a map of maps. */
  inner?: BpfMap;
}

/** Creates a map. It lives until it is disposed of, or as long as it is pinned. */
export function createMap(spec: MapSpec): BpfMap {
  const name = (spec.name ?? '').slice(0, 15).replace(/[^\w.]/g, '_');
  const { type, keySize, valueSize, maxEntries, flags = 0, inner } = spec;
  const handle = attempt(`create ${type} map ${name}`, () =>
    native().create(MAP_TYPES.indexOf(type), keySize, valueSize, maxEntries, flags, name, inner?.handle),
  );
  return new BpfMap(handle, `map ${name}`);
}

/** CPUs that may ever be there: per-CPU maps hold a slot for each. */
export function possibleCpus(): number {
  return attempt('count CPUs', () => native().possibleCpus());
}
