import { resolve } from 'node:path';
import type { Context } from '../../context.ts';
import { parseRecord } from '../../hubble/captures/record-line.ts';
import { ParquetFolder } from '../../hubble/parquet/folder.ts';
import { ProtoJsonError } from '../../hubble/protobuf/protojson.ts';
import { keepHeapSmall } from '../../lib/small-heap.ts';
import { withPauses } from '../../lib/with-pauses.ts';
import type { Flow, GetFlowsResponse } from '../../model/hubble.gen.ts';
import { goJson } from '../../render/text/json.ts';
import { countLoss, LossCounter } from './observe/loss.ts';
import type { Messages } from './observe/messages.ts';

const SYNC_MS = 1000;
/** What is written is garbage at once, buffers above all. */
const HEAP_GROWTH_PERCENT = 50;

/** Records messages into a folder of Parquet files until they end; returns how many. */
export async function recordParquet(
  read: (signal: AbortSignal) => Messages,
  folder: string,
  { fsync, redact }: { fsync: boolean; redact: ((flow: Flow) => Flow) | undefined },
  ctx: Context,
): Promise<number> {
  keepHeapSmall(HEAP_GROWTH_PERCENT);
  const { uptimeMs, sleep } = ctx.clock;
  await using parquet = await ParquetFolder.open(resolve(ctx.cwd, folder), uptimeMs, parsed);
  if (parquet.recovered > 0)
    await ctx.err.write(`${parquet.recovered} records of a run that ended early are files now.\n`);
  if (parquet.damaged > 0)
    await ctx.err.write(`${parquet.damaged} lines of what it left are damaged, and left out.\n`);
  let count = 0;
  let syncedMs = uptimeMs();
  const loss = new LossCounter();
  const counted = (signal: AbortSignal) => countLoss(read(signal), loss);
  for await (const batch of withPauses(counted, { ms: SYNC_MS, signal: ctx.signal, sleep })) {
    const records = batch.map((message) => {
      const kept = redact && message.flow ? { ...message, flow: redact(message.flow) } : message;
      return { line: goJson(kept), message: kept };
    });
    count += await parquet.append(records);
    if (!fsync || uptimeMs() - syncedMs < SYNC_MS) continue;
    await parquet.sync();
    syncedMs = uptimeMs();
  }
  if (loss.line !== '') await ctx.err.write(`Not in the tables: ${loss.line}\n`);
  return count;
}

/** The record of a line; undefined for what is none. */
function parsed(line: string): GetFlowsResponse | undefined {
  try {
    return parseRecord(line, { ignoreUnknown: true });
  } catch (error) {
    if (error instanceof ProtoJsonError) return undefined;
    throw error;
  }
}
