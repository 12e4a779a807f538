import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Context } from '../../context.ts';
import { errorMessage, UserError } from '../../errors.ts';

const PACKAGE = '@duckdb/node-api';
/** What `--install` installs: the release that this was tried with. */
export const DUCKDB = `${PACKAGE}@1.5.6-r.1`;

/** What is used of DuckDB's package for Node. */
interface DuckDb {
  DuckDBInstance: {
    create(path: string, options: Record<string, string>): Promise<{ connect(): Promise<Connection> }>;
  };
  JsonDuckDBValueConverter: Converter;
}

interface Connection {
  stream(sql: string): Promise<{
    columnNames(): readonly string[];
    deduplicatedColumnNames(): readonly string[];
    yieldConvertedRows(converter: Converter): AsyncIterable<readonly (readonly unknown[])[]>;
    readonly returnType: number;
  }>;
  run(sql: string): Promise<unknown>;
  interrupt(): void;
  closeSync(): void;
}

/** Makes a plain value of one of DuckDB's; it is handed itself for the parts of one. */
type Converter = (value: unknown, type: unknown, self: Converter) => unknown;

/** What a statement answers. Whole numbers that a double cannot hold are bigints; so are those of columns that may have such. */
export interface DuckAnswer {
  names: readonly string[];
  /** The same, of which no two are alike. */
  keys: readonly string[];
  rows: AsyncIterable<readonly (readonly unknown[])[]>;
}

/** An open database. What it says of a statement is a UserError. */
export interface DuckConnection {
  ask(sql: string): Promise<DuckAnswer>;
  /** Ends the statement that runs. */
  interrupt(): void;
  closeSync(): void;
}

/** Where `--install` puts the package. */
export function duckDbFolder({ env }: Pick<Context, 'env'>): string {
  const data = env.XDG_DATA_HOME || join(env.HOME ?? '/', '.local/share');
  return join(data, 'cilium-toolkit/duckdb');
}

/**
 * Opens a database in memory with the DuckDB that is found: below the folder of `--install`, or where this program
 * finds packages of its own. It is not looked for below the working folder, where a stranger may have put another program.
 * It is no part of this program, because it has 70 MB. What does not fit into memory is put into `work`.
 */
export async function openDuckDb(
  ctx: Context,
  { memoryMib, work }: { memoryMib: number; work: string },
): Promise<DuckConnection> {
  const { DuckDBInstance, JsonDuckDBValueConverter: plain } = find(ctx);
  const options = { memory_limit: `${memoryMib}MiB`, temp_directory: join(work, 'spilled') };
  const connection = await refusing(async () => (await DuckDBInstance.create(':memory:', options)).connect());
  const exact: Converter = (value, type, self) =>
    typeof value === 'bigint' ? value : plain(value, type, self);
  const rowsOf = async function* (sql: string, answer: Awaited<ReturnType<Connection['stream']>>) {
    yield* answer.yieldConvertedRows(exact);
    if (answer.returnType !== FAILED) return;
    ctx.signal.throwIfAborted();
    throw refused(await whyOf(connection, sql), 'What was printed before is not all of the answer.');
  };
  return {
    ask: async (sql) => {
      const answer = await refusing(() => connection.stream(sql));
      const [names, keys] = [answer.columnNames(), answer.deduplicatedColumnNames()];
      return { names, keys, rows: rowsOf(sql, answer) };
    },
    interrupt: () => connection.interrupt(),
    closeSync: () => connection.closeSync(),
  };
}

/** Type of an answer that came to an end because something failed: its rows just end. */
const FAILED = 0;

/** Why a statement fails that has answered already. The package does not tell: only one that gives no rows is refused. */
async function whyOf(connection: Connection, sql: string): Promise<unknown> {
  return connection.run(`EXPLAIN ANALYZE ${sql}`).then(
    () => new Error('the statement failed before its end, and DuckDB does not say why'),
    (cause: unknown) => cause,
  );
}

async function refusing<T>(act: () => Promise<T>): Promise<T> {
  return act().catch((cause: unknown) => {
    throw refused(cause);
  });
}

/** What DuckDB says is wrong, with what helps. */
function refused(cause: unknown, otherwise?: string): UserError {
  const text = errorMessage(cause)
    .replace(/^Error: /, '')
    .trim();
  const hint = /^Out of Memory/.test(text)
    ? 'Give it more with --memory, and TMPDIR a disk with room.'
    : /^(?:Binder|Catalog|Failed to extract|Parser)\b/.test(text)
      ? 'The table is "flows"; "hubble query --schema" lists its columns.'
      : otherwise;
  return new UserError(text, { hint, cause });
}

function find(ctx: Context): DuckDb {
  const places = [duckDbFolder(ctx), import.meta.dirname];
  for (const place of places) {
    const require = createRequire(pathToFileURL(join(place, 'from.js')));
    let path: string;
    try {
      path = require.resolve(PACKAGE);
    } catch {
      continue;
    }
    let duck: Partial<DuckDb>;
    try {
      duck = require(path) as Partial<DuckDb>;
    } catch (cause) {
      throw new UserError(`DuckDB in ${path} cannot be loaded: ${errorMessage(cause)}`, {
        hint: 'Install it again: hubble query --install.',
        cause,
      });
    }
    const { DuckDBInstance, JsonDuckDBValueConverter } = duck;
    if (DuckDBInstance && JsonDuckDBValueConverter) return { DuckDBInstance, JsonDuckDBValueConverter };
    throw new UserError(`DuckDB in ${path} is of a release that is not known here`, {
      hint: 'Install the one that was tried: hubble query --install.',
    });
  }
  throw new UserError('hubble query needs DuckDB, which is no part of this program', {
    hint: `"hubble query --install" puts ${PACKAGE} (70 MB) into ${duckDbFolder(ctx)}.`,
  });
}

/** A text as SQL has it. */
export function sqlText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A path as DuckDB has it, which takes some characters of a name for those of a pattern. */
export function sqlPath(path: string): string {
  return sqlText(path.replace(/[*?[]/g, '[$&]'));
}
