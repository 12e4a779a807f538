import type { RunResult } from '../helpers/run.ts';
import type { Random } from './random.ts';

/** An input: a command line, and what it will be given. Bytes are base64 behind `base64:`. */
export interface Input {
  argv: string[];
  data: Record<string, string>;
}

/** A reader that gets inputs. */
export interface Target {
  make(random: Random): Input;
  run(input: Input, signal: AbortSignal): Promise<RunResult>;
}

/** Makes a target, its servers and files; undefined with a reason where it cannot run here. */
export type OpenTarget = (folder: string, onClose: AsyncDisposableStack) => Promise<Target | string>;

const BASE64 = 'base64:';

/** Bytes as an input holds them. */
export function packed(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('utf8');
  const exact = Buffer.from(text).equals(Buffer.from(bytes)) && !text.startsWith(BASE64);
  return exact ? text : BASE64 + Buffer.from(bytes).toString('base64');
}

/** The bytes of a part of an input. */
export function unpacked(part: string | undefined): Buffer {
  if (part?.startsWith(BASE64)) return Buffer.from(part.slice(BASE64.length), 'base64');
  return Buffer.from(part ?? '');
}
