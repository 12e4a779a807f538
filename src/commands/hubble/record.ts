import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { examples, integer, stringArray } from '../../cli/flags.ts';
import { redactOption, redactorOf } from '../../cli/hubble/redact.ts';
import { readSettings } from '../../cli/hubble/settings.ts';
import { withProgress } from '../../cli/progress.ts';
import type { Context } from '../../context.ts';
import { UsageError, UserError } from '../../errors.ts';
import type { CaptureFormat } from '../../hubble/captures/existing.ts';
import { expandInputs } from '../../hubble/captures/reader.ts';
import { CaptureWriter } from '../../hubble/captures/writer.ts';
import { frame, framesOf, withoutHead } from '../../hubble/grpc/frames.ts';
import { decode, encode } from '../../hubble/protobuf/codec.ts';
import { withPauses } from '../../lib/with-pauses.ts';
import { goJson } from '../../render/text/json.ts';
import { buildFilters } from './observe/filter-builder.ts';
import type { FilterWord } from './observe/filter-tracker.ts';
import { addFilterOptions, addSelectorOptions } from './observe/flags.ts';
import { limitOf } from './observe/limit.ts';
import { openMessages, partial } from './observe/messages.ts';
import { type SelectorFlags, selectFlows } from './observe/selectors.ts';
import { readServer } from './observe/source-server.ts';

interface RecordFlags extends SelectorFlags {
  maxSize: number;
  maxFiles: number;
  redact: string[];
  format: CaptureFormat | 'parquet';
  inputFile: string[];
  fsync: boolean;
  reconnect: boolean;
  maxReconnects?: number;
}

const SYNC_MS = 1000;
const MIB = 1024 * 1024;

/** Declares `hubble record`. */
export function addHubbleRecordCommand(command: Command, ctx: Context): void {
  command
    .argument(
      '<file>',
      'capture to write, FILE.1 is the previous one after a rotation; with --format parquet a folder',
    )
    .addOption(
      stringArray(
        '--input-file <file>',
        'With --format parquet: take the flows of a capture, a folder of captures or a glob',
      ),
    )
    .addOption(
      integer('--max-size <MiB>', 'Rotate before a file grows larger than this; 0 disables rotation', {
        min: 0,
      }).default(100),
    )
    .addOption(
      integer('--max-files <n>', 'Number of files to keep, including the current one', {
        min: 1,
        max: 1000,
      }).default(10),
    )
    .addOption(redactOption())
    .option(
      '--format <format>',
      'Form of the records: json (one flow a line), proto (as the server sent it, smaller) or parquet (a folder of tables for other programs)',
      'json',
    )
    .option('--no-fsync', 'Do not force records to disk every second')
    .addOption(
      integer(
        '--max-reconnects <n>',
        'Reconnection attempts in a row when the stream breaks (default: no limit)',
        {
          min: 0,
        },
      ),
    )
    .option('--no-reconnect', 'Exit when the stream breaks');
  addSelectorOptions(command);
  const words = addFilterOptions(command.optionsGroup('Filters Flags:'));
  command.addHelpText(
    'after',
    examples(
      'hubble record flows.jsonl --follow --max-size 100 --max-files 5',
      'hubble record incident.jsonl --since 15m --redact http,dns',
      'hubble record flows/ --follow --format parquet',
      "hubble observe --input-file flows.jsonl --where 'verdict = DROPPED'",
    ),
  );
  command.action((file: string, flags: RecordFlags) => runHubbleRecord(file, flags, words, command, ctx));
}

/** Records until the stream ends or Ctrl-C does. */
export async function runHubbleRecord(
  file: string,
  flags: RecordFlags,
  words: readonly FilterWord[],
  command: Command,
  ctx: Context,
): Promise<void> {
  if (flags.format !== 'json' && flags.format !== 'proto' && flags.format !== 'parquet')
    throw new UsageError(`--format: "${flags.format}" is neither json, proto nor parquet`);
  if (flags.inputFile.length > 0 && flags.format !== 'parquet')
    throw new UsageError('--input-file goes with --format parquet: a capture is there already');
  const redact = redactorOf(flags.redact);
  const settings = await readSettings(command, ctx);
  const fromFile = flags.inputFile.length > 0;
  const selection = selectFlows(flags, ctx.clock.nowMs(), fromFile);
  const query = { filters: buildFilters(words), selection, mask: [] };
  const { format } = flags;
  if (format === 'parquet') {
    const { recordParquet } = await import('./record-parquet.ts');
    const limit = fromFile ? limitOf(selection) : undefined;
    const read = await openMessages({ flags, settings, query, limit }, ctx);
    await refuseItself(flags.inputFile, file, ctx);
    const count = await recordParquet(read, file, { fsync: flags.fsync, redact }, ctx);
    return ctx.err.write(`${count} records written to ${file}\n`);
  }
  await using writer = await CaptureWriter.open(resolve(ctx.cwd, file), {
    maxBytes: flags.maxSize * MIB,
    maxFiles: flags.maxFiles,
    format,
  });
  if (writer.removedBytes > 0)
    await ctx.err.write(
      `${file} ended in the middle of a record: its last ${writer.removedBytes} bytes are removed.\n`,
    );
  const record = (framed: Buffer): Buffer => {
    if (format === 'proto' && !redact) return framed;
    const message = decode('observer.GetFlowsResponse', withoutHead(framed));
    const kept = redact && message.flow ? { ...message, flow: redact(message.flow) } : message;
    return format === 'proto'
      ? frame(encode('observer.GetFlowsResponse', kept))
      : Buffer.from(`${goJson(kept)}\n`);
  };
  let count = 0;
  const { uptimeMs, sleep } = ctx.clock;
  let syncedMs = uptimeMs();
  const access = { ...flags, settings, onPartial: partial(ctx) };
  const records = (answers: readonly Buffer[]) =>
    answers.flatMap((whole) => Array.from(framesOf(whole), record));
  const all = async (told: Context) => {
    const read = (signal: AbortSignal) => readServer(query, access, records, told, signal);
    for await (const batch of withPauses(read, { ms: SYNC_MS, signal: ctx.signal, sleep })) {
      await writer.append(Buffer.concat(batch));
      count += batch.length;
      if (!flags.fsync || uptimeMs() - syncedMs < SYNC_MS) continue;
      await writer.sync();
      syncedMs = uptimeMs();
    }
  };
  try {
    await withProgress(ctx, () => `${count} records written`, all);
  } finally {
    await ctx.err.write(`${count} records written to ${file}\n`);
  }
}

/** Refuses a folder that is read and written at once: each of its records would be there twice. */
async function refuseItself(inputs: readonly string[], folder: string, { cwd }: Context): Promise<void> {
  const target = await realpath(resolve(cwd, folder)).catch(() => undefined);
  if (target === undefined) return;
  for (const file of await expandInputs(inputs, cwd)) {
    const real = await realpath(file).catch(() => '');
    if (real.startsWith(`${target}/`))
      throw new UserError(`--input-file: ${file} is in ${folder}, which is written`, {
        hint: 'Each of its records would be there twice. Record into another folder.',
      });
  }
}
