import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Context } from '../context.ts';
import { errorCode, errorMessage, systemReason, UserError } from '../errors.ts';
import { parseYamlText } from '../lib/yaml-text.ts';
import type { Profile } from './profile/file.ts';

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

/** The name that stands for no profile. */
export const NO_PROFILE = 'none';

/** The file of profiles: `cilium/profiles.yaml` in the user's folder of configurations. Undefined where there is no home. */
export function profilesPath({ env }: Pick<Context, 'env'>): string | undefined {
  const base = env.XDG_CONFIG_HOME || (env.HOME && join(env.HOME, '.config'));
  return base ? join(base, 'cilium', 'profiles.yaml') : undefined;
}

/** The path of the file of profiles. Throws UserError where there is no home to keep one in. */
export function requiredPath(path: string | undefined): string {
  if (path !== undefined) return path;
  throw new UserError('there is no folder for profiles: neither XDG_CONFIG_HOME nor HOME is set');
}

/**
 * The profile that counts: the one that --profile names, else CILIUM_PROFILE, else the current one of the file. Nothing is
 * loaded where there is no such file.
 */
export async function chosenProfile(named: string | undefined, ctx: Context): Promise<Profile | undefined> {
  if (named === '')
    throw new UserError('--profile needs the name of a profile', { hint: 'None: --profile none' });
  const name = named ?? (ctx.env.CILIUM_PROFILE || undefined);
  if (name === NO_PROFILE) return undefined;
  const path = profilesPath(ctx);
  if (name === undefined && (path === undefined || !existsSync(path))) return undefined;
  const { openProfile } = await import('./profile/file.ts');
  try {
    return await openProfile(name, requiredPath(path));
  } catch (error) {
    // As with any file in the home of another user.
    if (name !== undefined || !(error instanceof UserError) || errorCode(error.cause) !== 'EACCES')
      throw error;
    await isPassedOver(path ?? '', error.cause, ctx);
    return undefined;
  }
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
