import { resolve } from 'node:path';
import type { Command } from 'commander';
import { examples, integer, stringSlice } from '../../cli/flags.ts';
import { readSettings } from '../../cli/hubble/settings.ts';
import type { Context } from '../../context.ts';
import { UsageError, UserError } from '../../errors.ts';
import type { CaptureFormat } from '../../hubble/captures/existing.ts';
import { REDACTIONS, type Redaction, redactor } from '../../hubble/captures/redact.ts';
import { CaptureWriter } from '../../hubble/captures/writer.ts';
import { frame, framesOf, withoutHead } from '../../hubble/grpc/frames.ts';
import { decode, encode } from '../../hubble/protobuf/codec.ts';
import { goJson } from '../../render/text/json.ts';
import { buildFilters, type FilterWord } from './observe/filter-builder.ts';
import { addFilterOptions, addSelectorOptions } from './observe/flags.ts';
import { type SelectorFlags, selectFlows } from './observe/selectors.ts';
import { readServer } from './observe/source-server.ts';

interface RecordFlags extends SelectorFlags {
  maxSize: number;
  maxFiles: number;
  redact: string[];
  format: CaptureFormat;
  fsync: boolean;
  reconnect: boolean;
  maxReconnects?: number;
}

const SYNC_MS = 1000;
const MIB = 1024 * 1024;

/** Declares `hubble record`. */
export function addHubbleRecordCommand(command: Command, ctx: Context): void {
  command
    .argument('<file>', 'capture to write; FILE.1 is the previous one after a rotation')
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
    .addOption(stringSlice('--redact <what>', `Fields to leave out: ${REDACTIONS.join(', ')}`))
    .option(
      '--format <format>',
      'Form of the records: json (one flow a line) or proto (as the server sent it, smaller)',
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
  if (flags.format !== 'json' && flags.format !== 'proto')
    throw new UsageError(`--format: "${flags.format}" is neither json nor proto`);
  const redact = flags.redact.length > 0 ? redactor(flags.redact.map(redactionOf)) : undefined;
  const settings = await readSettings(command, ctx);
  const selection = selectFlows(flags, ctx.clock.nowMs(), false);
  const query = { filters: buildFilters(words), selection, mask: [] };
  await using writer = await CaptureWriter.open(resolve(ctx.cwd, file), {
    maxBytes: flags.maxSize * MIB,
    maxFiles: flags.maxFiles,
    format: flags.format,
  });
  if (writer.removedBytes > 0)
    await ctx.err.write(
      `${file} ended in the middle of a record: its last ${writer.removedBytes} bytes are removed.\n`,
    );
  const record = (framed: Buffer): Buffer => {
    if (flags.format === 'proto' && !redact) return framed;
    const message = decode('observer.GetFlowsResponse', withoutHead(framed));
    const kept = redact && message.flow ? { ...message, flow: redact(message.flow) } : message;
    return flags.format === 'proto'
      ? frame(encode('observer.GetFlowsResponse', kept))
      : Buffer.from(`${goJson(kept)}\n`);
  };
  let count = 0;
  let syncedMs = ctx.clock.nowMs();
  try {
    for await (const batch of readServer(
      query,
      { ...flags, settings },
      (answers) => answers.flatMap((whole) => Array.from(framesOf(whole), record)),
      ctx,
    )) {
      await writer.append(Buffer.concat(batch));
      count += batch.length;
      if (flags.fsync && ctx.clock.nowMs() - syncedMs >= SYNC_MS) {
        await writer.sync();
        syncedMs = ctx.clock.nowMs();
      }
    }
  } finally {
    await ctx.err.write(`${count} records written to ${file}\n`);
  }
}

function redactionOf(word: string): Redaction {
  const known = REDACTIONS.find((name) => name === word);
  if (!known)
    throw new UserError(`--redact: "${word}" cannot be redacted`, {
      hint: `Known are ${REDACTIONS.join(', ')}.`,
    });
  return known;
}
