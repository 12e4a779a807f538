import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Document } from 'yaml';
import { errorCode, errorMessage, systemReason, UserError } from '../../errors.ts';
import { fileBehind, rewriteAtomically } from '../../lib/atomic-file.ts';
import { parseDurationMs } from '../../lib/duration.ts';
import { Locked, lockFile } from '../../lib/file-lock.ts';
import { makeFolder } from '../../lib/make-folder.ts';
import { nearest } from '../../lib/nearest.ts';
import { isRecord } from '../../lib/record.ts';
import { parseYamlDocuments } from '../../lib/yaml-text.ts';
import { PROFILE_KEYS, type ProfileKey, type ProfileValue } from './keys.ts';

/** Settings under a name. */
export interface Profile {
  name: string;
  /** The file that it stands in. */
  path: string;
  settings: Readonly<Record<string, ProfileValue>>;
}

/** What the file of profiles says. */
export interface Profiles {
  path: string;
  /** The one that counts where none is named. */
  current: string | undefined;
  /** As they are written, by name. */
  byName: Readonly<Record<string, unknown>>;
  document: Document | undefined;
}

/** Reads the file of profiles. One that is not there has none. Throws UserError for one that cannot be read or is none. */
export async function readProfiles(path: string): Promise<Profiles> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT' || errorCode(cause) === 'ENOTDIR')
      return { path, current: undefined, byName: {}, document: undefined };
    throw new UserError(`read profiles ${path}: ${systemReason(cause)}`, { cause });
  }
  const document = await documentOf(text, path);
  const value: unknown = document.toJS() ?? {};
  const fault = (what: string) => new UserError(`profiles ${path}: ${what}`, { hint: EXAMPLE });
  if (!isRecord(value)) throw fault('expected the keys "current" and "profiles"');
  for (const key of Object.keys(value))
    if (!['current', 'profiles'].includes(key))
      throw fault(`unknown key "${key}"${suggestion(key, ['current', 'profiles'])}`);
  const { current, profiles = {} } = value;
  if (current !== undefined && current !== null && typeof current !== 'string')
    throw fault('current: expected the name of a profile');
  if (profiles !== null && !isRecord(profiles))
    throw fault('profiles: expected a name and settings for each');
  return { path, current: current || undefined, byName: isRecord(profiles) ? profiles : {}, document };
}

const EXAMPLE =
  'For example, each on a line of its own: "profiles:", "  prod:", "    context: prod". "cilium profile set" writes it.';

async function documentOf(text: string, path: string): Promise<Document> {
  let found: Document | undefined;
  try {
    const { documents, lines } = await parseYamlDocuments(text);
    [found] = documents;
    const [error] = found?.errors ?? [];
    if (error) {
      const { line, col } = lines.linePos(error.pos[0]);
      throw new UserError(`${path}:${line}:${col}: ${error.message.split('\n')[0]}`, {
        hint: 'Mend it, or remove the file to start anew.',
      });
    }
    if (documents.length > 1) throw new UserError(`profiles ${path}: expected one document`);
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    throw new UserError(`profiles ${path}: ${errorMessage(cause)}`, { cause });
  }
  return found ?? new (await import('yaml')).Document({});
}

function suggestion(word: string, names: readonly string[]): string {
  const near = nearest(word, names);
  return near === undefined ? '' : ` (did you mean ${near}?)`;
}

/** The profile of a name, every setting of it checked. Throws UserError where there is none. */
export async function openProfile(name: string | undefined, path: string): Promise<Profile | undefined> {
  const profiles = await readProfiles(path);
  const wanted = name ?? profiles.current;
  if (wanted === undefined) return undefined;
  return profileNamed(wanted, profiles, name === undefined);
}

/** The same of a file that was read; `isCurrent` where the file itself names it. */
export function profileNamed(
  name: string,
  { path, byName }: Pick<Profiles, 'path' | 'byName'>,
  isCurrent = false,
): Profile {
  const names = Object.keys(byName);
  if (!Object.hasOwn(byName, name))
    throw new UserError(
      isCurrent
        ? `profiles ${path}: current: there is no profile "${name}"`
        : `there is no profile "${name}"`,
      {
        hint:
          names.length > 0
            ? `Profiles: ${names.join(', ')}.${isCurrent ? ' Choose one: cilium profile use NAME' : ''}`
            : `Make it: cilium profile set ${name} KEY=VALUE`,
      },
    );
  const written = byName[name] ?? {};
  const where = `profiles ${path}: ${name}`;
  if (!isRecord(written)) throw new UserError(`${where}: expected settings, such as "context: prod"`);
  const settings: Record<string, ProfileValue> = {};
  for (const [key, value] of Object.entries(written))
    settings[key] = checked(keyNamed(key, where), value, where);
  if (settings.host !== undefined && settings.node !== undefined)
    throw new UserError(`${where}: host and node each say which agent is asked: keep one`);
  return { name, path, settings };
}

/** The setting of a name. Throws UserError, with the nearest, where there is none. */
export function keyNamed(name: string, where: string): ProfileKey {
  const key = PROFILE_KEYS.find((one) => one.name === name);
  if (key) return key;
  const names = PROFILE_KEYS.map((one) => one.name);
  throw new UserError(`${where}: unknown key "${name}"${suggestion(name, names)}`, {
    hint: `Keys: ${names.join(', ')}.`,
  });
}

function checked({ name, type }: ProfileKey, value: unknown, where: string): ProfileValue {
  const fault = (expected: string) => new UserError(`${where}: ${name}: expected ${expected}`);
  switch (type) {
    case 'truth':
      if (typeof value !== 'boolean') throw fault('true or false');
      return value;
    case 'texts': {
      const list = Array.isArray(value) ? value : [value];
      if (!list.every((one) => typeof one === 'string')) throw fault('a list of texts');
      return list;
    }
    case 'duration':
      if (typeof value !== 'string' || parseDurationMs(value) === undefined)
        throw fault('a duration such as 5s or 1m30s');
      return value;
    case 'text':
      if (typeof value !== 'string' || value === '') throw fault('a text');
      return value;
  }
}

/** What was typed for a setting, as the file holds it. Throws UserError for what it cannot be. */
export function typedValue(key: ProfileKey, text: string): ProfileValue {
  const value = key.type === 'truth' ? { true: true, false: false }[text] : text;
  return checked(key, key.type === 'texts' ? text.split(',') : value, 'profile');
}

/** How the document of the file is to be changed. */
export type ProfilesEdit = (document: Document) => void;

/**
 * Changes the file, with its comments, its mode and what else it says. `change` gets what the file says and returns the edit, or
 * nothing where all is as it should be; it is asked again once nobody else can change the file. Throws UserError.
 */
export async function changeProfiles(
  path: string,
  change: (profiles: Profiles) => ProfilesEdit | undefined,
): Promise<void> {
  // Nothing is made for a change that is refused.
  if (!change(await readProfiles(path))) return;
  const release = await lockProfiles(path);
  try {
    const profiles = await readProfiles(path);
    const edit = change(profiles);
    if (!edit) return;
    const document = profiles.document ?? (await documentOf('', path));
    const { isMap } = await import('yaml');
    if (!isMap(document.contents)) document.contents = document.createNode({});
    edit(document);
    await rewriteAtomically(path, document.toString({ lineWidth: 0 })).catch(refuseWrite(path));
  } finally {
    await release();
  }
}

/** How long another process may take to change the file. */
const WAIT_MS = 5000;

async function lockProfiles(path: string): Promise<() => Promise<void>> {
  const lock = `${await fileBehind(path)}.lock`;
  const end = performance.now() + WAIT_MS;
  for (;;)
    try {
      makeFolder(dirname(lock), 0o700);
      return await lockFile(lock);
    } catch (cause) {
      if (!(cause instanceof Locked)) throw refuseWrite(path)(cause);
      if (performance.now() > end)
        throw new UserError(`write profiles ${path}: ${cause.holder ?? 'another process'} holds ${lock}`, {
          cause,
          hint: 'If nothing changes profiles now, remove that file.',
        });
      await setTimeout(20);
    }
}

function refuseWrite(path: string): (cause: unknown) => never {
  return (cause) => {
    throw new UserError(`write profiles ${path}: ${systemReason(cause)}`, { cause });
  };
}
