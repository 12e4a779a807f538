import type { Command } from 'commander';
import { apiType } from '../agent/decode/shapes.ts';
import type { Context } from '../context.ts';
import { UsageError, UserError } from '../errors.ts';
import { renderOutput } from '../render/text/output.ts';
import { sanitize } from '../render/text/sanitize.ts';

/** What `outputOption()` adds to a command. */
export interface OutputFlag {
  output: string;
}

/** Prints a value of the API for `-o json|yaml|jsonpath=…`; `type` names its model (`Endpoint[]`). */
export async function writeStructured(
  ctx: Context,
  format: string,
  value: unknown,
  type?: string,
): Promise<void> {
  const text = await renderOutput(value, format, type ? { type: () => apiType(type) } : {});
  // JSON and YAML escape for themselves; jsonpath prints strings as they are, which only programs may read.
  const raw = ctx.out.isTTY && format.startsWith('jsonpath');
  await ctx.out.write(raw ? sanitize(text) : text);
}

/** Puts what was attempted in front of an error: `.catch(failed('cannot get the endpoint list'))`. */
export function failed(what: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`${what}: ${error.message}`, {
      cause: error,
      exitCode: error.exitCode,
      hint: error.hint,
    });
  };
}

/** The only argument of a verb, or the usage error that says which one is missing. */
export function requiredArgument(command: Command, value: string | undefined, name: string): string {
  if (value) return value;
  const what = value === '' ? 'Empty' : 'Missing';
  throw new UsageError(`${what} ${name} argument`, {
    hint: `Run "cilium ${pathOf(command)} --help" for its arguments.`,
  });
}

function pathOf(command: Command): string {
  return command.parent?.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name();
}

/** A number as Go's ParseInt with base 0 reads it (`0x` and `0b` prefixes allowed); undefined when it is none. */
export function parseGoInteger(text: string): number | undefined {
  const match = /^([+-]?)(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|[1-9]\d*|0)$/.exec(text);
  if (!match?.[2]) return undefined;
  const digits = /^0[0-7]/.test(match[2]) ? `0o${match[2].slice(1)}` : match[2];
  const n = Number(digits);
  return Number.isSafeInteger(n) ? (match[1] === '-' ? -n : n) : undefined;
}

/** The value of a flag of the whole family, given behind the verb or before it; undefined when it was not given. */
export function familyFlag<T>(command: Command, name: string): T | undefined {
  for (let here: Command | null = command; here; here = here.parent)
    if (here.getOptionValueSource(name) === 'cli') return here.getOptionValue(name) as T;
  return undefined;
}
