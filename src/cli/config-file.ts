import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Context } from '../context.ts';
import { errorCode, errorMessage, systemReason, UserError } from '../errors.ts';
import { parseYamlText } from '../lib/yaml-text.ts';

/** What a config file may set for the whole in-agent family. */
export interface FileSettings {
  host?: string;
  debug?: boolean;
}

const NAMES = ['.cilium.yaml', '.cilium.yml', '.cilium.json'];

/**
 * Settings of the file that `--config` names, else of the first of $HOME/.cilium.yaml, .yml and .json. A file that
 * was named must be there and be right; one that was found must be right. What cannot be read without having been
 * named, such as a file in the home of another user, is passed over with a note.
 */
export async function readConfigFile(named: string | undefined, ctx: Context): Promise<FileSettings> {
  const home = ctx.env.HOME;
  const candidates = named ? [named] : home ? NAMES.map((name) => join(home, name)) : [];
  for (const path of candidates) {
    let text: string;
    try {
      text = readFileSync(path, 'utf8');
    } catch (cause) {
      if (named) throw new UserError(`read config file ${path}: ${systemReason(cause)}`, { cause });
      if (await isPassedOver(path, cause, ctx)) return {};
      continue;
    }
    let settings: unknown;
    try {
      settings = (await parseYamlText(text)) ?? {};
    } catch (cause) {
      throw new UserError(`config file ${path}: ${errorMessage(cause)}`, { cause });
    }
    return check(settings, path);
  }
  return {};
}

/**
 * Whether a file that nobody named is there and cannot be read, which is then told. The program does without it, as a
 * verb must not fail for a home that is not its own.
 */
export async function isPassedOver(path: string, cause: unknown, ctx: Context): Promise<boolean> {
  const code = errorCode(cause);
  if (code === 'ENOENT' || code === 'ENOTDIR') return false;
  await ctx.err.write(`Config file ${path} is passed over: ${systemReason(cause)}\n`);
  return true;
}

function check(settings: unknown, path: string): FileSettings {
  if (typeof settings !== 'object' || settings === null || Array.isArray(settings))
    throw new UserError(
      `config file ${path}: expected keys and values, such as "host: unix:///var/run/cilium/cilium.sock"`,
    );
  const found: FileSettings = {};
  for (const [key, value] of Object.entries(settings)) {
    const name = key.toLowerCase();
    if (name === 'host') {
      if (typeof value !== 'string') throw new UserError(`config file ${path}: host: expected a string`);
      found.host = value;
    } else if (name === 'debug') {
      if (typeof value !== 'boolean')
        throw new UserError(`config file ${path}: debug: expected true or false`);
      found.debug = value;
    }
  }
  return found;
}
