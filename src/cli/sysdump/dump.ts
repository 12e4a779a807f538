import { once } from 'node:events';
import type { TaskFile } from '../../archive/layout.ts';
import { ZipWriter } from '../../archive/zip-writer.ts';
import type { Redactor } from '../../cluster/sysdump/redact/redactor.ts';

/** Where the contents of a file go. Resolves when more may follow. */
export type Sink = (part: Uint8Array | string) => Promise<void>;

export interface FileOptions {
  /** Its secrets are replaced already, or it is packed, where none can be found: it is not looked at. */
  isClean?: boolean;
  /** Of a file that breaks off, what is there is kept. Default: nothing of it is. */
  keepsPart?: boolean;
}

const PIECE = 64 * 1024;

/** The archive while it is made: every file passes the redaction on its way. */
export class Dump {
  readonly #names = new Set<string>();

  private constructor(
    private readonly writer: ZipWriter,
    readonly top: string,
    /** The part of names that says when. */
    readonly time: string,
    readonly redactor: Redactor,
    private readonly now: () => Date,
  ) {}

  static async create(
    path: string,
    { top, time, redactor, now }: { top: string; time: string; redactor: Redactor; now: () => Date },
  ): Promise<Dump> {
    return new Dump(await ZipWriter.create(path), top, time, redactor, now);
  }

  get size(): number {
    return this.writer.size;
  }

  get count(): number {
    return this.writer.count;
  }

  /** Whether a file has this name; from now on one has. */
  claim(name: string): boolean {
    if (this.#names.has(name)) return false;
    this.#names.add(name);
    return true;
  }

  /** Writes a file below the top. Where `fill` throws, so does this, and the file is there only with `keepsPart`. */
  async file(
    name: string,
    fill: (sink: Sink) => Promise<void>,
    { isClean = false, keepsPart = false }: FileOptions = {},
  ): Promise<TaskFile> {
    let free = name;
    for (let n = 2; !this.claim(free); n++) free = name.replace(/(\.[a-z]+)?$/, (end) => `-${n}${end}`);
    const entry = this.writer.entry(`${this.top}/${free}`, this.now());
    const clean = isClean ? undefined : this.redactor.stream(free);
    let pending: string[] = [];
    let length = 0;
    const put = async (bytes: Uint8Array) => {
      const out = clean ? clean.push(bytes) : bytes;
      if (out.length > 0) await entry.write(out);
    };
    const flush = async () => {
      if (length === 0) return;
      const text = pending.join('');
      pending = [];
      length = 0;
      await put(Buffer.from(text, 'utf8'));
    };
    const sink: Sink = async (part) => {
      if (typeof part === 'string') {
        pending.push(part);
        length += part.length;
        if (length >= PIECE) await flush();
        return;
      }
      await flush();
      await put(part);
    };
    const finish = async (): Promise<TaskFile> => {
      await flush();
      const rest = clean?.end();
      if (rest?.length) await entry.write(rest);
      return { file: free, bytes: await entry.close() };
    };
    let isEmpty = true;
    try {
      await fill((part) => {
        isEmpty &&= part.length === 0;
        return sink(part);
      });
    } catch (error) {
      if (!keepsPart || isEmpty) {
        await entry.discard();
        this.#names.delete(free);
        throw error;
      }
      throw new Broken(error, await finish());
    }
    return await finish();
  }

  close(): Promise<void> {
    return this.writer.close();
  }
}

/** A file broke off, and what was there of it is kept. */
export class Broken extends Error {
  override name = 'Broken';
  constructor(
    override readonly cause: unknown,
    readonly file: TaskFile,
  ) {
    super('the file broke off', { cause });
  }
}

/** Hands on the bytes of a stream. */
export async function copyTo(sink: Sink, stream: NodeJS.ReadableStream): Promise<void> {
  for await (const part of stream) await sink(part as Buffer);
}

/** Lets a write to a stream of Node's wait until more may follow. */
export async function feed(stream: NodeJS.WritableStream, bytes: Uint8Array): Promise<void> {
  if (!stream.write(bytes)) await once(stream, 'drain');
}
