import { readFileSync, statSync } from 'node:fs';
import { Option } from 'commander';
import type { Answer } from '../agent/decode/answer.ts';
import { apiType } from '../agent/decode/shapes.ts';
import type { Context } from '../context.ts';
import { systemReason, UserError } from '../errors.ts';
import { renderOutput, unknownFormat } from '../render/text/output.ts';
import { releaseOfAgent } from './release.ts';

/** What `outputOption()` adds to a command. */
export interface OutputFlag {
  output: string;
}

/** What a list takes beside documents: all that it knows, and only what its entries are called. */
export const LIST_FORMATS = ['wide', 'name'] as const;

const WITH_VALUE = ['jsonpath=', 'jsonpath-file=', 'custom-columns='];

/** Whether a format prints a document, which no flag of a table applies to. */
export function isStructured(format: string): boolean {
  return ['json', 'yaml'].includes(format) || WITH_VALUE.some((prefix) => format.startsWith(prefix));
}

/** Whether a format is a table, to which its flags apply. */
export function isTableForm(format: string): boolean {
  return ['', 'table', 'summary', ...LIST_FORMATS].includes(format);
}

/**
 * `-o json|yaml|jsonpath='{}'`, as the in-agent CLI takes it, what kubectl has beside them, and formats of the verb's own.
 * Others are refused before anything is asked or written.
 */
export function outputOption(...own: readonly string[]): Option {
  const formats = ["json| yaml| jsonpath='{}'", 'jsonpath-file=', 'custom-columns=', ...own];
  return new Option('-o, --output <format>', formats.join('| '))
    .argParser((value: string) => {
      if (!isStructured(value) && !['', ...own].includes(value)) throw unknownFormat(value, own);
      return withTemplate(value);
    })
    .default('', '');
}

/** The same of a verb that has it in the reference and prints no answer. */
export function idleOutputOption(): Option {
  const option = outputOption();
  option.description = 'Accepted for compatibility; has no effect';
  return option;
}

/** `jsonpath-file=FILE` as `jsonpath=` with what the file holds; any other format as it is. */
export function withTemplate(format: string): string {
  const file = /^jsonpath-file=(.*)$/s.exec(format)?.[1];
  return file === undefined ? format : `jsonpath=${templateIn(file)}`;
}

/** The template that a file holds, without the line break at its end. */
function templateIn(file: string): string {
  const what = `-o jsonpath-file: ${file === '' ? 'the name of a file is missing' : file}`;
  try {
    if (!statSync(file).isFile()) throw new UserError(`${what}: expected a file`);
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(file === '' ? what : `${what}: ${systemReason(error)}`, { cause: error });
  }
}

/** Prints a value of the API for `-o json|yaml|jsonpath=…`; `type` names its model (`Endpoint[]`). */
export async function writeStructured(
  ctx: Context,
  format: string,
  value: unknown,
  type?: string,
): Promise<void> {
  const ofAgent = { type: () => apiType(type ?? ''), release: () => releaseOfAgent(ctx) };
  const text = await renderOutput(value, format, type ? ofAgent : {});
  await ctx.out.write(text);
}

/** Prints an answer of the agent as it came. */
export function writeAnswer(ctx: Context, format: string, answer: Answer<unknown>): Promise<void> {
  return writeStructured(ctx, format, answer.document, answer.type);
}
