import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { examples, integer, stringArray } from '../../cli/flags.ts';
import { DUCKDB, type DuckConnection, duckDbFolder, openDuckDb, sqlPath } from '../../cli/hubble/duckdb.ts';
import type { Context } from '../../context.ts';
import { errorMessage, systemReason, UsageError, UserError } from '../../errors.ts';
import { expandInputs } from '../../hubble/captures/reader.ts';
import { COLUMNS } from '../../hubble/columns.ts';
import { RECORD_COLUMN } from '../../hubble/parquet/partition.ts';
import { formatJson } from '../../lib/exact-json.ts';
import { makeRunFolder } from '../../lib/run-folder.ts';
import { goJson } from '../../render/text/json.ts';
import { sanitizeCell } from '../../render/text/sanitize.ts';
import { LIST_TABLE, tabulate } from '../../render/text/table.ts';
import { readFileMessages } from './observe/source-file.ts';
import { recordParquet } from './record-parquet.ts';

const FORMATS = ['table', 'json', 'csv'] as const;

interface QueryFlags {
  inputFile: string[];
  output: (typeof FORMATS)[number];
  schema?: boolean;
  install?: boolean;
  memory: number;
}

/** Declares `hubble query`. */
export function addHubbleQueryCommand(command: Command, ctx: Context): void {
  command
    .argument('[sql]', 'statement about the table "flows"; what it prints is the answer')
    .addOption(
      stringArray(
        '--input-file <file>',
        'Captures, folders of captures, folders of "hubble record --format parquet", or globs',
      ),
    )
    .addOption(new Option('-o, --output <format>', 'Form of the answer').choices(FORMATS).default('table'))
    .option('--schema', 'List the columns of "flows", and end')
    .addOption(integer('--memory <MiB>', 'Memory that DuckDB may take', { min: 64 }).default(512))
    .option('--install', 'Install DuckDB for this user with npm, and end')
    .addHelpText(
      'after',
      examples(
        'hubble query --schema',
        `hubble query "SELECT verdict, count(*) FROM flows GROUP BY 1" --input-file capture.jsonl.gz`,
        'hubble query "SELECT dst_workload, quantile_cont(latency_ns, 0.99) / 1e6 AS p99_ms FROM flows WHERE http_code < 500 GROUP BY 1" --input-file captures/',
      ),
    )
    .action((sql: string | undefined, flags: QueryFlags) => runHubbleQuery(sql, flags, ctx));
}

/** Asks DuckDB about captures, each as one table. */
export async function runHubbleQuery(
  sql: string | undefined,
  flags: QueryFlags,
  ctx: Context,
): Promise<void> {
  if (flags.schema) return ctx.out.write(columnList());
  if (flags.install) return install(ctx);
  if (sql === undefined || /^[\s;]*$/.test(sql))
    throw new UsageError('Missing SQL', {
      hint: 'Such as "SELECT verdict, count(*) FROM flows GROUP BY 1".',
    });
  if (flags.inputFile.length === 0)
    throw new UsageError('Missing --input-file: the captures to ask about', {
      hint: 'Record some: "hubble record flows/ --last 10000 --format parquet".',
    });
  const temporary = ctx.env.TMPDIR || tmpdir();
  await using work = await makeRunFolder(temporary, 'hubble-query-').catch((cause: unknown) => {
    throw new UserError(`write ${temporary}: ${systemReason(cause)}`, {
      hint: 'What does not fit into memory is put there. TMPDIR names another folder.',
      cause,
    });
  });
  let duck: DuckConnection | undefined;
  const interrupt = () => duck?.interrupt();
  ctx.signal.addEventListener('abort', interrupt, { once: true });
  try {
    duck = await openDuckDb(ctx, { memoryMib: flags.memory, work: work.path });
    const parts = await partsOf(flags.inputFile, work.path, ctx);
    // Captures end quietly where a signal ends their reading: what was read of them is no answer.
    ctx.signal.throwIfAborted();
    await openTable(duck, parts);
    await answer(duck, sql, flags.output, ctx);
  } finally {
    ctx.signal.removeEventListener('abort', interrupt);
    duck?.closeSync();
  }
}

function columnList(): string {
  const lines = [
    ...COLUMNS.map(({ name, type, about }) => [name, type, about]),
    [RECORD_COLUMN, 'STRING', 'the whole record as JSON'],
    [
      'date, hour, namespace',
      'STRING',
      'the folders that it stands in; the namespace of the destination, else of the source',
    ],
  ];
  return tabulate(
    ['COLUMN\tTYPE\tWHAT IT HOLDS', ...lines.map((line) => line.join('\t')), ''].join('\n'),
    LIST_TABLE,
  );
}

/** Files of Parquet for what is named: those there are, and others made of captures. */
async function partsOf(inputs: readonly string[], work: string, ctx: Context): Promise<string[]> {
  const files = await expandInputs(inputs, ctx.cwd);
  if (files.includes('-')) throw new UsageError('--input-file: stdin cannot be asked about; name a file');
  const ready = files.filter((file) => file.endsWith('.parquet'));
  const captures = files.filter((file) => !file.endsWith('.parquet'));
  if (captures.length === 0) return ready;
  const selection = { number: 0n, first: false, follow: false };
  const query = { filters: { allow: [], deny: [] }, selection, mask: [] };
  const read = (signal: AbortSignal) => readFileMessages(captures, query, ctx, signal);
  const made = join(work, 'flows');
  const count = await recordParquet(read, made, { fsync: false, redact: undefined }, ctx);
  if (count === 0) return ready;
  return [...ready, ...(await expandInputs([made], ctx.cwd)).filter((file) => file.endsWith('.parquet'))];
}

async function openTable(duck: DuckConnection, files: readonly string[]): Promise<void> {
  if (files.length === 0) throw new UserError('--input-file: the captures hold no flows');
  const tables: string[] = [];
  // DuckDB wants the same folders of all files of a table, and a folder above a recording may be called so too.
  for (const group of Map.groupBy(files, partitionsOf).values()) {
    const list = `[${group.map(sqlPath).join(', ')}]`;
    const union = await areDifferent(duck, list, group.length);
    tables.push(
      `SELECT * FROM read_parquet(${list}, hive_partitioning = true, hive_types_autocast = false, union_by_name = ${union})`,
    );
  }
  await duck.ask(`CREATE VIEW flows AS ${tables.join(' UNION ALL BY NAME ')}`);
}

/** What the folders of a file say of all its rows: `date hour namespace`. */
function partitionsOf(path: string): string {
  return [...path.matchAll(/\/([^/=]+)=[^/]*(?=\/)/g)].map(([, name]) => name).join(' ');
}

/**
 * Whether files have other columns than each other, as those of two releases may. Only then DuckDB is told so: it holds what it knows
 * of all of them at once, outside of the memory that it was given, which is a gigabyte for 7,000 files.
 */
async function areDifferent(duck: DuckConnection, list: string, count: number): Promise<boolean> {
  const { rows } = await duck.ask(
    `SELECT bool_or(files <> ${count}) FROM (SELECT count(*) AS files FROM parquet_schema(${list}) GROUP BY name, type)`,
  );
  for await (const [row] of rows) return row?.[0] === true;
  return false;
}

async function answer(
  duck: DuckConnection,
  sql: string,
  output: QueryFlags['output'],
  ctx: Context,
): Promise<void> {
  const { names, keys, rows: batches } = await duck.ask(sql);
  if (output === 'table') {
    const lines = [names.map((name) => sanitizeCell(name).toUpperCase()).join('\t')];
    for await (const rows of batches)
      for (const row of rows) lines.push(row.map((value) => sanitizeCell(cellText(value))).join('\t'));
    return ctx.out.write(tabulate(`${lines.join('\n')}\n`, LIST_TABLE));
  }
  if (output === 'csv') await ctx.out.write(`${names.map(csvCell).join(',')}\n`);
  for await (const rows of batches) {
    const lines = rows.map((row) =>
      output === 'csv'
        ? row.map(csvCell).join(',')
        : goJson(Object.fromEntries(keys.map((key, i) => [key, row[i] ?? null]))),
    );
    await ctx.out.write(lines.map((line) => `${line}\n`).join(''));
  }
}

function cellText(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'object' ? (formatJson(value) ?? '') : String(value);
}

/** A cell as RFC 4180 has it. */
function csvCell(value: unknown): string {
  const text = cellText(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Installs DuckDB with npm into a folder of this user. */
async function install(ctx: Context): Promise<void> {
  const folder = duckDbFolder(ctx);
  await mkdir(resolve(folder), { recursive: true });
  await ctx.err.write(`Installing DuckDB into ${folder}.\n`);
  const words = ['install', '--prefix', folder, '--no-audit', '--no-fund', '--loglevel=error', DUCKDB];
  const code = await new Promise<number>((done, fail) => {
    spawn('npm', words, { cwd: folder, env: ctx.env, stdio: ['ignore', 2, 2], signal: ctx.signal })
      .on('error', fail)
      .on('close', (status) => done(status ?? 1));
  }).catch((cause: unknown) => {
    throw new UserError(`npm could not be run: ${errorMessage(cause)}`, {
      hint: 'It comes with Node.js.',
      cause,
    });
  });
  if (code !== 0) throw new UserError('npm could not install DuckDB; what it said stands above');
  await ctx.err.write('DuckDB is installed.\n');
}
