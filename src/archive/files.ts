import { stat } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { errorMessage, systemReason, UserError } from '../errors.ts';
import { openFolder } from './folder.ts';
import { AGENT_INDEX, AGENTS, INDEX, LOG, parseTimedFile } from './layout.ts';
import type { EntrySource, Opened } from './source.ts';
import { openZip } from './zip.ts';

/** Larger files are not held in memory. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;
/** Of one file no more than this is looked at, however it is read. */
const MAX_STREAMED = 4 * 1024 * 1024 * 1024;

/** The files of an archive, a zip or the folder that it was unpacked to, by their names below its top folder. */
export class ArchiveFiles {
  private constructor(
    /** What the user calls the archive. */
    readonly label: string,
    private readonly opened: Opened,
    private readonly byName: ReadonlyMap<string, EntrySource>,
  ) {}

  /** Reads the names. Throws UserError where it is no archive, or one that no program makes. */
  static async open(path: string, label: string): Promise<ArchiveFiles> {
    const info = await stat(path).catch((cause: unknown) => {
      throw new UserError(`read ${label}: ${systemReason(cause)}`, { cause });
    });
    if (!info.isDirectory() && !info.isFile())
      throw new UserError(`read ${label}: it is neither a file nor a folder`);
    const opened = info.isDirectory() ? await openFolder(path, label) : await openZip(path, label);
    try {
      return new ArchiveFiles(label, opened, belowTop(opened.entries, label));
    } catch (error) {
      await opened.close();
      throw error;
    }
  }

  /** What a reader should know of the archive, a sentence each. */
  get notes(): readonly string[] {
    return this.opened.notes;
  }

  names(): IterableIterator<string> {
    return this.byName.keys();
  }

  has(name: string): boolean {
    return this.byName.has(name);
  }

  /** How large a file says to be, in bytes. */
  sizeOf(name: string): number {
    return this.byName.get(name)?.claimed ?? 0;
  }

  /** When a file was written, in ms since the epoch, where that is known. */
  modifiedMs(name: string): number | undefined {
    return this.byName.get(name)?.modifiedMs;
  }

  /** A file as it comes. Throws UserError where it is not there, or not to be read. */
  async *stream(name: string): AsyncGenerator<Buffer> {
    const entry = this.#entry(name);
    let size = 0;
    let crc = 0;
    try {
      const stream = await entry.open();
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        size += chunk.length;
        if (size > MAX_STREAMED)
          throw new UserError(`${this.label}: ${name} is larger than ${MAX_STREAMED / 1024 ** 3} GiB`);
        crc = crc32(chunk, crc);
        yield chunk;
      }
    } catch (error) {
      if (error instanceof UserError) throw error;
      throw new UserError(`${this.label}: ${name} cannot be read: ${errorMessage(error)}`, {
        hint: 'Is the archive whole? It may have been cut off, or changed on its way.',
        cause: error,
      });
    }
    if (entry.crc !== undefined && entry.crc !== crc)
      throw new UserError(`${this.label}: ${name} is damaged: its checksum is another one`, {
        hint: 'Is the archive whole? It may have been changed on its way.',
      });
  }

  /** A whole file. */
  async read(name: string, limit = MAX_FILE_BYTES): Promise<Buffer> {
    const tooLarge = () =>
      new UserError(`${this.label}: ${name} is larger than ${limit / 1024 / 1024} MiB, and is not read`);
    if (this.#entry(name).claimed > limit) throw tooLarge();
    const parts: Buffer[] = [];
    let size = 0;
    for await (const chunk of this.stream(name)) {
      size += chunk.length;
      if (size > limit) throw tooLarge();
      parts.push(chunk);
    }
    return Buffer.concat(parts, size);
  }

  close(): Promise<void> {
    return this.opened.close();
  }

  #entry(name: string): EntrySource {
    const entry = this.byName.get(name);
    if (entry) return entry;
    throw new UserError(`${this.label} has no file ${name}`);
  }
}

/** The names below the top folder, whatever that is called and whether it is there or not. */
function belowTop(entries: readonly EntrySource[], label: string): Map<string, EntrySource> {
  const tops = new Set<string>();
  for (const { name } of entries) {
    const top = topOf(name);
    if (top !== undefined) tops.add(top);
  }
  // The archives of an agent lie below the one of the cluster.
  const [top, ...others] = [...tops].filter(
    (one) => ![...tops].some((other) => one !== other && one.startsWith(other)),
  );
  if (top === undefined)
    throw new UserError(
      `${label} is no archive of a cluster: nothing in it has a name that "cilium sysdump" gives`,
      {
        hint: 'Name the zip that "cilium sysdump" wrote, or the folder that it was unpacked to.',
      },
    );
  if (others.length > 0)
    throw new UserError(
      `${label} holds several archives: ${[top, ...others].map((one) => one.slice(0, -1) || '.').join(', ')}`,
      {
        hint: 'Name the one that is meant.',
      },
    );
  const byName = new Map<string, EntrySource>();
  for (const entry of entries) {
    if (!entry.name.startsWith(top)) continue;
    const name = entry.name.slice(top.length);
    if (byName.has(name))
      throw new UserError(`${label} is not read: it has the file ${name} twice`, {
        hint: 'No program that collects makes such an archive: it is damaged, or was tampered with.',
      });
    byName.set(name, entry);
  }
  return byName;
}

/** What lies directly below the top, and nowhere else. */
function topOf(name: string): string | undefined {
  const slash = name.lastIndexOf('/') + 1;
  const [folder, base] = [name.slice(0, slash), name.slice(slash)];
  if (base === INDEX || base === LOG) return folder;
  const { stem = '', extension } = parseTimedFile(base) ?? {};
  if (extension === 'yaml' && /^(?:k8s-(?:nodes|pods)|cilium-(?:configmap|daemonset))$/.test(stem))
    return folder;
  const agent = new RegExp(`^(.*?)${AGENTS}/[^/]+/${AGENT_INDEX}$`).exec(name);
  return agent?.[1];
}
