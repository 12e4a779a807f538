import { resolve } from 'node:path';
import type { Command } from 'commander';
import { mergeValues, putPairs, type SetKind, type Values } from '../../cluster/install/set-values.ts';
import type { Context } from '../../context.ts';
import { errorMessage, UserError } from '../../errors.ts';
import type { HelmValues } from '../../kube/helm.ts';
import { isRecord } from '../../lib/record.ts';
import { parseYamlDocuments } from '../../lib/yaml-text.ts';
import { stringArray, stringSlice } from '../flags.ts';
import { type PolicyFile, readInput } from '../policy/files.ts';

/** Flags that give values for a chart. The reference registers each under two names. */
export interface ValueFlags {
  values: string[];
  helmValues: string[];
  set: string[];
  helmSet: string[];
  setString: string[];
  helmSetString: string[];
  setFile: string[];
  helmSetFile: string[];
}

/** Adds them. */
export function valueFlags(command: Command): Command {
  const sets: [string, string][] = [
    ['set', 'Values on the command line, as key1=val1,key2=val2; may be repeated'],
    ['set-string', 'The same, each value a text'],
    ['set-file', 'The same, each value what the file holds that is named'],
  ];
  command.addOption(
    stringSlice(
      '-f, --values <files>',
      'Values in a YAML file or behind a URL; may be repeated, - for stdin',
    ),
  );
  command.addOption(stringSlice('--helm-values <files>', 'The same as --values').hideHelp());
  for (const [name, about] of sets) {
    command.addOption(stringArray(`--${name} <pairs>`, about));
    command.addOption(stringArray(`--helm-${name} <pairs>`, `The same as --${name}`).hideHelp());
  }
  return command;
}

/** The values of a command line. */
export interface GivenValues {
  /** In the order in which helm takes them, files first. */
  sources: HelmValues[];
  /** All of them together, without what stands behind URLs. */
  merged: Values;
  /** Files as they were read, for the check. */
  files: PolicyFile[];
  /** What the flags with pairs set. */
  pairs: Values;
  /** Places that only helm reads. */
  unread: string[];
}

/** Reads them. What is on the command line leaves it for a file: others on the machine see the words of a process. */
export async function readValues(
  flags: ValueFlags,
  more: readonly string[],
  ctx: Context,
): Promise<GivenValues> {
  const given: GivenValues = { sources: [], merged: {}, files: [], pairs: {}, unread: [] };
  for (const place of [...flags.values, ...flags.helmValues]) {
    if (/^[a-z][a-z0-9+.-]*:\/\//i.test(place)) {
      given.sources.push({ place });
      given.unread.push(place);
      continue;
    }
    const file = await readInput(place, ctx, 'Unable to read values');
    given.files.push(file);
    given.sources.push(place === '-' ? { text: file.text } : { place: resolve(ctx.cwd, place) });
    given.merged = mergeValues(given.merged, await valuesIn(file));
  }
  const base = given.merged;
  const read = async (path: string) => (await readInput(path, ctx, 'Unable to read values')).text;
  const sets: [SetKind, readonly string[]][] = [
    ['set', [...flags.set, ...flags.helmSet]],
    ['set-string', [...flags.setString, ...flags.helmSetString, ...more]],
    ['set-file', [...flags.setFile, ...flags.helmSetFile]],
  ];
  for (const [kind, texts] of sets)
    for (const text of texts) await putPairs(given.pairs, text, kind, base, read);
  if (Object.keys(given.pairs).length > 0) given.sources.push({ text: JSON.stringify(given.pairs) });
  given.merged = mergeValues(given.merged, given.pairs);
  return given;
}

/** The values in a file; of several documents helm takes the first. */
async function valuesIn({ file, text }: PolicyFile): Promise<Values> {
  const fail = (why: string) => new UserError(`Unable to read values: ${file}: ${why}`);
  try {
    const [first] = (await parseYamlDocuments(text)).documents;
    const [error] = first?.errors ?? [];
    if (error) throw fail(error.message);
    const value: unknown = first?.toJS() ?? {};
    if (isRecord(value)) return value;
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw fail(errorMessage(error));
  }
  throw fail('these are no values: a map of names and values is expected');
}
