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
    throw new UserError('the BPF helper of this installation is not built', { hint: howToGetIt() });
  try {
    return (one ? one.helper() : createRequire(import.meta.url)(path)) as Native;
  } catch (error) {
    throw new UserError(`load the BPF helper ${path}: ${errorMessage(error)}`, {
      hint: one
        ? 'This file may be meant for another system.'
        : `It may have been built for another system: remove it. ${howToGetIt()}`,
      cause: error,
    });
  }
}

/** The folders above the bundle's chunks as above the sources. */
function foldersAbove(): string[] {
  const folders = [dirname(fileURLToPath(import.meta.url))];
  for (let up = 0; up < 3; up++) folders.push(dirname(folders.at(-1) ?? ''));
  return folders;
}

/** A checkout builds the helper into build/; the npm package has one for each processor. */
function helperPath(): string | undefined {
  const places = ['build/bpf.node', `build/${process.platform}-${process.arch}/bpf.node`];
  return foldersAbove()
    .flatMap((folder) => places.map((place) => join(folder, place)))
    .find((path) => existsSync(path));
}

/** The checkout that this runs from; undefined where it is installed. */
function checkout(): string | undefined {
  return foldersAbove().find((folder) => existsSync(join(folder, 'scripts/build-native.mjs')));
}

function howToGetIt(): string {
  const folder = checkout();
  if (process.platform !== 'linux')
    return 'BPF maps are in the kernel of a Linux node: --node NAME asks the agent of that node.';
  return folder
    ? `Install a C compiler (gcc or clang, with linux-libc-dev), then run "npm run build" in ${folder}.`
    : `The npm package has none for ${process.platform} on ${process.arch}; build one from a checkout with a C compiler.`;
}
