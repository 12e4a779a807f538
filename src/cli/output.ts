import { Option } from 'commander';
import type { Answer } from '../agent/decode/answer.ts';
import { apiType } from '../agent/decode/shapes.ts';
import type { Context } from '../context.ts';
import { renderOutput, unknownFormat } from '../render/text/output.ts';

/** What `outputOption()` adds to a command. */
export interface OutputFlag {
  output: string;
}

/**
 * `-o json|yaml|jsonpath='{}'`, as the in-agent CLI takes it, and formats of the verb's own. Others are refused before
 * anything is asked or written.
 */
export function outputOption(...own: readonly string[]): Option {
  return new Option('-o, --output <format>', ["json| yaml| jsonpath='{}'", ...own].join('| '))
    .argParser((value: string) => {
      const prefixes = ['jsonpath=', ...own.filter((format) => format.endsWith('='))];
      if (
        !['', 'json', 'yaml', ...own].includes(value) &&
        !prefixes.some((prefix) => value.startsWith(prefix))
      )
        throw unknownFormat(value, own);
      return value;
    })
    .default('', '');
}

/** Prints a value of the API for `-o json|yaml|jsonpath=…`; `type` names its model (`Endpoint[]`). */
export async function writeStructured(
  ctx: Context,
  format: string,
  value: unknown,
  type?: string,
): Promise<void> {
  const text = await renderOutput(value, format, type ? { type: () => apiType(type) } : {});
  await ctx.out.write(text);
}

/** Prints an answer of the agent as it came. */
export function writeAnswer(ctx: Context, format: string, answer: Answer<unknown>): Promise<void> {
  return writeStructured(ctx, format, answer.document, answer.type);
}
