import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { Context } from '../../context.ts';
import { errorCode, errorMessage, UserError } from '../../errors.ts';
import type { FlowRecord } from '../../policy/flow.ts';

/** A flow and the line that it was read from. */
export interface FlowLine {
  flow: FlowRecord;
  line: number;
}

/**
 * Reads flows line by line: the JSON that `hubble observe -o json` prints, also gzipped; `-` is stdin. Lines that hold
 * something else than a flow are stepped over.
 */
export async function* readFlows(ctx: Context, path: string): AsyncGenerator<FlowLine> {
  const lines = createInterface({ input: open(ctx, path), crlfDelay: Number.POSITIVE_INFINITY });
  let line = 0;
  try {
    for await (const text of lines) {
      line++;
      if (text.trim() === '') continue;
      const flow = flowOf(parse(text, path, line));
      if (flow) yield { flow, line };
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    const why = errorCode(error) === 'ENOENT' ? 'no such file' : errorMessage(error);
    throw new UserError(`cannot read ${path}: ${why}`, { cause: error });
  }
}

function open(ctx: Context, path: string): Readable {
  if (path === '-') return Readable.from(ctx.in);
  const file = createReadStream(resolve(ctx.cwd, path));
  if (!path.endsWith('.gz')) return file;
  const plain = createGunzip();
  file.on('error', (error) => plain.destroy(error));
  return file.pipe(plain);
}

function parse(text: string, path: string, line: number): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UserError(`${path}:${line}: not JSON: ${errorMessage(error)}`, {
      hint: 'Flows are read as "hubble observe -o json" prints them: one JSON object per line.',
      cause: error,
    });
  }
}

/** The flow of a GetFlows answer, or the object itself in the older form. */
export function flowOf(value: unknown): FlowRecord | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if ('flow' in value) return flowOf(value.flow);
  return 'verdict' in value || 'IP' in value ? (value as FlowRecord) : undefined;
}
