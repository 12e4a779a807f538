import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { errorCode, systemReason, UserError } from '../../errors.ts';
import { writeAtomically } from '../../lib/atomic-file.ts';
import { Locked, lockFile } from '../../lib/file-lock.ts';
import type { GetFlowsResponse } from '../../model/hubble.gen.ts';
import { idOfJournal, journalName, partName } from './names.ts';
import { encodePart } from './part.ts';
import { partitionOf } from './partition.ts';

/** Rows that are held before they become files, letters of their lines, and how long they are held. */
export interface FolderBounds {
  rows: number;
  letters: number;
  ms: number;
}

const BOUNDS: FolderBounds = { rows: 20_000, letters: 32 * 1024 * 1024, ms: 5 * 60_000 };
const LOCK = '.lock';
const NEWLINE = 0x0a;

/** A record that is held: its line without the end, and the folder that it belongs into. */
interface Row {
  line: string;
  partition: string;
}

/**
 * Records flows into a folder of Parquet files, a folder for each day, hour and namespace. What is no file yet stands in a
 * journal of JSON lines, so that nothing is lost that was synced: it becomes files when the folder is opened again.
 * Files appear whole. Their names come from the journal, so that what is written twice after a crash is one file.
 */
export class ParquetFolder implements AsyncDisposable {
  #rows: Row[] = [];
  #letters = 0;
  #sinceMs = 0;
  #id = randomUUID();
  #journal: Awaited<ReturnType<typeof open>> | undefined;
  /** Something could not be written: what is held stays in the journal. */
  #isBroken = false;

  private constructor(
    readonly path: string,
    private readonly unlock: () => Promise<void>,
    private readonly bounds: FolderBounds,
    private readonly nowMs: () => number,
  ) {}

  /** Records that were found in the journal of an earlier run and are files now. */
  recovered = 0;
  /** Lines of such a journal that are no records. */
  damaged = 0;

  /** Opens a folder, new or to be continued. Throws UserError when somebody else records into it. */
  static async open(
    path: string,
    nowMs: () => number,
    parse: (line: string) => GetFlowsResponse | undefined,
    bounds: Partial<FolderBounds> = {},
  ): Promise<ParquetFolder> {
    await refusing(path, 'write', () => mkdir(path, { recursive: true, mode: 0o700 }));
    const unlock = await takeLock(path);
    const folder = new ParquetFolder(path, unlock, { ...BOUNDS, ...bounds }, nowMs);
    try {
      await folder.#recover(parse);
    } catch (error) {
      await unlock();
      throw error;
    }
    return folder;
  }

  async #recover(parse: (line: string) => GetFlowsResponse | undefined): Promise<void> {
    for (const name of await readdir(this.path)) {
      const id = idOfJournal(name);
      if (id === undefined) continue;
      const bytes = await refusing(join(this.path, name), 'read', () => readFile(join(this.path, name)));
      // The last line may have been cut by what ended the program.
      const whole = bytes.subarray(0, bytes.lastIndexOf(NEWLINE) + 1).toString();
      const lines = whole.split('\n').slice(0, -1);
      const rows = lines.flatMap((line): Row[] => {
        const flow = parse(line)?.flow;
        return flow ? [{ line, partition: partitionOf(flow) }] : [];
      });
      this.recovered += rows.length;
      this.damaged += lines.length - rows.length;
      await this.#writeParts(rows, id);
      await this.#removeLeftovers(id);
      await rm(join(this.path, name));
    }
  }

  /** Removes what was being written of a part when the program ended. */
  async #removeLeftovers(id: string): Promise<void> {
    for (const name of await readdir(this.path, { recursive: true }))
      if (basename(name).startsWith(`.${partName(id)}.`)) await rm(join(this.path, name), { force: true });
  }

  /** Appends records, whose lines are as they are printed; those without a flow are left out. Makes files of what has waited long enough. */
  async append(records: readonly { line: string; message: GetFlowsResponse }[]): Promise<number> {
    try {
      return await this.#append(records);
    } catch (error) {
      this.#isBroken = true;
      throw error;
    }
  }

  async #append(records: readonly { line: string; message: GetFlowsResponse }[]): Promise<number> {
    const rows = records.flatMap(({ line, message: { flow } }): Row[] =>
      flow ? [{ line, partition: partitionOf(flow) }] : [],
    );
    if (rows.length > 0) await this.#keep(rows);
    const { rows: most, letters, ms } = this.bounds;
    if (this.#rows.length >= most || this.#letters >= letters || this.nowMs() - this.#sinceMs >= ms)
      await this.flush();
    return rows.length;
  }

  async #keep(rows: readonly Row[]): Promise<void> {
    if (this.#rows.length === 0) this.#sinceMs = this.nowMs();
    this.#journal ??= await refusing(this.path, 'write', () => open(this.#journalPath(), 'ax', 0o600));
    const journal = this.#journal;
    await refusing(this.path, 'write', () =>
      journal.appendFile(rows.map(({ line }) => `${line}\n`).join('')),
    );
    for (const row of rows) {
      this.#rows.push(row);
      this.#letters += row.line.length;
    }
  }

  /** Makes sure that what was appended survives a crash of the machine. */
  async sync(): Promise<void> {
    await refusing(this.path, 'write', async () => this.#journal?.datasync());
  }

  /** Makes files of what is held. */
  async flush(): Promise<void> {
    if (this.#rows.length === 0) return;
    await this.#writeParts(this.#rows, this.#id);
    await this.#journal?.close();
    await rm(this.#journalPath(), { force: true });
    this.#journal = undefined;
    this.#rows = [];
    this.#letters = 0;
    this.#id = randomUUID();
  }

  #journalPath(): string {
    return join(this.path, journalName(this.#id));
  }

  async #writeParts(rows: readonly Row[], id: string): Promise<void> {
    for (const [partition, part] of Map.groupBy(rows, (row) => row.partition)) {
      const folder = join(this.path, partition);
      await refusing(folder, 'write', () => mkdir(folder, { recursive: true, mode: 0o700 }));
      const bytes = encodePart(part.map(({ line }) => line));
      await refusing(folder, 'write', () => writeAtomically(join(folder, partName(id)), bytes));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      if (!this.#isBroken) await this.flush();
    } finally {
      await this.#journal?.close();
      await this.unlock();
    }
  }
}

async function takeLock(path: string): Promise<() => Promise<void>> {
  if (!(await stat(path)).isDirectory())
    throw new UserError(`${path} is no folder`, { hint: 'Parquet files are written into a folder.' });
  try {
    return await lockFile(join(path, LOCK));
  } catch (cause) {
    if (!(cause instanceof Locked)) throw new UserError(`open ${path}: ${systemReason(cause)}`, { cause });
    throw new UserError(`${path} is being recorded into by ${cause.holder ?? 'another process'}`, {
      cause,
      hint: 'Record into another folder.',
    });
  }
}

async function refusing<T>(path: string, verb: 'read' | 'write', act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    if (errorCode(cause) === undefined) throw cause;
    throw new UserError(`${verb} ${path}: ${systemReason(cause)}`, {
      cause,
      hint: 'What was recorded before is kept. Free some space, or name a folder that can be written.',
    });
  }
}
