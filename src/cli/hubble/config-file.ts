import { dirname } from 'node:path';
import { systemReason, UserError } from '../../errors.ts';
import { writeAtomically } from '../../lib/atomic-file.ts';
import { parseDurationMs } from '../../lib/duration.ts';
import { makeFolder } from '../../lib/make-folder.ts';
import { compareBytes } from '../../lib/order.ts';
import { type Key, keyOf } from '../../model/hubble-key.ts';
import { goYaml } from '../../render/text/yaml.ts';
import { splitCsv } from '../flags.ts';
import { readOwnConfig, type SettingValue } from './settings.ts';

/** Writes settings into a config file; its other keys survive. Creates the file and its folder. */
export async function writeConfig(
  path: string,
  changes: Readonly<Record<string, SettingValue>>,
): Promise<void> {
  if (path === '')
    throw new UserError('no config file: there is no home folder to keep one in', {
      hint: 'Name one with --config.',
    });
  const merged = { ...(await readOwnConfig(path)), ...changes };
  const sorted = Object.fromEntries(Object.entries(merged).toSorted(([a], [b]) => compareBytes(a, b)));
  try {
    makeFolder(dirname(path), 0o750);
    await writeAtomically(path, goYaml(sorted));
  } catch (cause) {
    throw new UserError(`write config file ${path}: ${systemReason(cause)}`, { cause });
  }
}

/** The key of a name, or an error that says there is none. */
export function requiredKey(name: string): Key {
  const key = keyOf(name);
  if (key === undefined)
    throw new UserError(`unknown key: ${name}`, { hint: 'Run "hubble config view" for the keys there are.' });
  return key;
}

/** Text of the command line as a value of the key's type; empty text means the default. */
export function parseSetting(key: Key, text: string): SettingValue {
  if (text === '') return key.type === 'uint16' ? Number(key.initial) : key.initial;
  const invalid = (expected: string) =>
    new UserError(`invalid value "${text}" for key ${key.name}: expected ${expected}`);
  switch (key.type) {
    case 'bool':
      if (!/^(1|0|t|f|true|false)$/i.test(text)) throw invalid('true or false');
      return /^(1|t|true)$/i.test(text);
    case 'duration':
      if (parseDurationMs(text) === undefined) throw invalid('a duration such as 5s or 1m30s');
      return text;
    case 'uint16':
      if (!/^\d+$/.test(text) || Number(text) > 65_535) throw invalid('a port from 0 to 65535');
      return Number(text);
    case 'stringSlice':
      return splitCsv(text.replace(/^\[(.*)\]$/s, '$1'));
    default:
      return text;
  }
}
