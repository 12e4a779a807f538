import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { errorMessage, UserError } from '../../errors.ts';
import { inside } from '../../lib/inside.ts';

/** A descriptor of the kernel, owned by the helper. */
export interface Handle {
  readonly __handle: unique symbol;
}

/** A walk under way, owned by the helper. */
export interface NativeWalk {
  readonly __walk: unique symbol;
}

/** A reader of events, owned by the helper. */
export interface NativeReader {
  readonly __reader: unique symbol;
}

/** Kinds of objects, as the helper numbers them. */
export const OBJECT_KINDS = ['other', 'map', 'program', 'link', 'btf'] as const;
export type ObjectKind = (typeof OBJECT_KINDS)[number];

/** What the C helper offers: bytes up and down, errors with the errno's name as `code`. */
export interface Native {
  openPin(path: string, flags: number): Handle;
  openId(kind: number, id: number, flags: number): Handle;
  /** The id behind `id`; 0 when there is none. */
  nextId(kind: number, id: number): number;
  kind(handle: Handle): number;
  fd(handle: Handle): number;
  info(handle: Handle): Buffer;
  btf(handle: Handle): Buffer;
  programMaps(handle: Handle): Buffer;
  pin(handle: Handle, path: string): void;
  /** Mounts a BPF file system that only root can enter. */
  mount(source: string, path: string): void;
  /** Unmounts what is at a path, even while somebody still looks at it. */
  unmount(path: string): void;
  detach(handle: Handle): void;
  /** Ids of the links on a hook of a device, u32 each; 0 for a program without one. */
  deviceLinks(ifindex: number, attachType: number): Buffer;
  close(handle: Handle): void;
  possibleCpus(): number;
  lookup(map: Handle, key: Uint8Array): Buffer | undefined;
  update(map: Handle, key: Uint8Array, value: Uint8Array, flags: number): void;
  updateHandle(map: Handle, key: Uint8Array, object: Handle, flags: number): void;
  remove(map: Handle, key: Uint8Array): boolean;
  removeBatch(map: Handle, keys: Uint8Array, single: boolean): number;
  create(
    type: number,
    keySize: number,
    valueSize: number,
    maxEntries: number,
    flags: number,
    name: string,
    inner: Handle | undefined,
  ): Handle;
  freeze(map: Handle): void;
  valueStride(map: Handle): number;
  walk(map: Handle, single: boolean): NativeWalk;
  walkNext(walk: NativeWalk, keys: Uint8Array, values: Uint8Array): Promise<number>;
  walkDone(walk: NativeWalk): boolean;
  walkSingle(walk: NativeWalk): boolean;
  events(map: Handle, pages: number): NativeReader;
  eventsRead(reader: NativeReader, room: Uint8Array, timeoutMs: number): Promise<number>;
  eventsClose(reader: NativeReader): void;
}

let loaded: Native | undefined;

/** Loads the helper when it is first needed; every other command runs without it. */
export function native(): Native {
  loaded ??= load();
  return loaded;
}

function load(): Native {
  const one = inside();
  const path = one?.file ?? helperPath();
  if (path === undefined)
    throw new UserError('the BPF helper of this installation is not built', {
      hint: 'Install a C compiler (gcc or clang, with linux-libc-dev), then run "npm run build" in the toolkit\'s folder.',
    });
  try {
    return (one ? one.helper() : createRequire(import.meta.url)(path)) as Native;
  } catch (error) {
    throw new UserError(`load the BPF helper ${path}: ${errorMessage(error)}`, {
      hint: 'It may have been built for another system: remove it and run "npm run build" in the toolkit\'s folder.',
      cause: error,
    });
  }
}

/** The helper lies in build/ of the package, above the bundle's chunks as above the sources. */
function helperPath(): string | undefined {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (let up = 0; up < 4; up++) {
    const path = join(folder, 'build/bpf.node');
    if (existsSync(path)) return path;
    folder = dirname(folder);
  }
  return undefined;
}
