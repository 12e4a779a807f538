import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { errorCode, errorMessage, systemReason, UsageError, UserError } from '../../errors.ts';
import { parseDurationMs } from '../../lib/duration.ts';
import { isRecord } from '../../lib/record.ts';
import { parseYamlText } from '../../lib/yaml-text.ts';
import { KEYS, type Key } from '../../model/hubble-key.ts';
import { goDuration } from '../../render/text/duration.ts';
import { openArchive } from '../archive.ts';
import { chosenProfile, isPassedOver } from '../config-file.ts';
import { RunEverywhere } from '../everywhere.ts';
import { splitCsv } from '../flags.ts';
import type { Profile } from '../profile/file.ts';
import { HUBBLE_GLOBALS } from './keys.ts';

/** What a setting may hold, in the form of a config file. */
export type SettingValue = string | number | boolean | readonly string[];

/** What gives a setting its value, from first to last. */
export type SettingOrigin = 'flag' | 'environment' | 'profile' | 'file' | 'default';

/** Settings by key: the flag, else the environment, else the profile, else the config file, else the default. */
export interface Settings {
  /** Every setting by its key, sorted, as `config view` shows them. */
  readonly all: Readonly<Record<string, SettingValue>>;
  /** Whether the flag, the environment, the profile or the config file gives it. */
  has(key: string): boolean;
  /** Where its value comes from. */
  origin(key: string): SettingOrigin;
  /** Path of the config file, and the profile that counts. */
  readonly sources: { file: string; profile: Profile | undefined };
  text(key: string): string;
  flag(key: string): boolean;
  durationMs(key: string): number;
  list(key: string): string[];
  /** Texts of --allowlist or --denylist, which the environment and the file may give too. */
  filters(key: 'allowlist' | 'denylist'): string[];
  /** The clusters of --context, by the name of their context. Of several, `of` has the settings of each. */
  readonly contexts: readonly string[];
  of(context: string): Settings;
}

/** Reads what flags, environment and config file say, and turns on debugging where they do. */
export async function readSettings(command: Command, ctx: Context): Promise<Settings> {
  const named = given(command, 'config') ?? (ctx.env[variable('config')] || undefined);
  const path = named ?? defaultConfigPath(ctx);
  const file = await ctx.computing(() => readConfig(String(path), named !== undefined, ctx));
  const contexts = contextsOf(command);
  const [first] = contexts;
  // Who names a context means its relay, but for a node of it.
  const meant: Record<string, unknown> =
    first === undefined
      ? {}
      : { 'kube-context': first, ...(given(command, 'node') === undefined && { 'port-forward': true }) };
  // A variable that is empty counts as not set.
  const spoken = (name: string): unknown =>
    meant[name] ?? given(command, name) ?? (ctx.env[variable(name)] || undefined);
  const written = (name: string): unknown => plainSetting(file[name], name, String(path));
  const profile = await chosenProfile(textOrNone(given(command, 'profile')), ctx);
  const chosen = await ofProfile(profile, spoken, ctx);
  const find = (name: string): unknown => spoken(name) ?? chosen[name] ?? written(name);
  const all: Record<string, SettingValue> = {};
  for (const key of KEYS) {
    const initial = key.name === 'config' ? String(path) : key.initial;
    all[key.name] =
      settingOf(spoken(key.name) ?? chosen[key.name], key) ?? asWritten(written(key.name)) ?? initial;
  }
  const settings: Settings = {
    all,
    sources: { file: String(path), profile },
    has: (key) => find(key) !== undefined,
    origin: (key) => {
      if (meant[key] !== undefined || given(command, key) !== undefined) return 'flag';
      if (spoken(key) !== undefined) return 'environment';
      if (chosen[key] !== undefined) return 'profile';
      return written(key) === undefined ? 'default' : 'file';
    },
    text: (key) => String(all[key] ?? ''),
    flag: (key) => /^(1|t|true)$/i.test(String(all[key])),
    durationMs: (key) => durationOf(key, String(all[key])),
    list: (key) => listOf(all[key]),
    filters: (key) => {
      const value = find(key);
      return Array.isArray(value) ? value.map(String) : value === undefined ? [] : [String(value)];
    },
    contexts,
    of: (context) => settingsOf(context, settings),
  };
  if (contexts.length > 1) refuseOfSeveral(settings);
  ctx.globals.debug = settings.flag('debug');
  await readArchive(command, ctx);
  readNodes(command, settings, ctx);
  return settings;
}

/** The names of --context, of a verb that takes several. */
function contextsOf(command: Command): readonly string[] {
  const names = given(command, 'context');
  if (!Array.isArray(names)) return [];
  const contexts = names.map(String);
  if (contexts.includes('')) throw new UsageError('--context needs the name of a context of the kubeconfig');
  const twice = contexts.find((name, i) => contexts.indexOf(name) < i);
  if (twice !== undefined)
    throw new UsageError(`--context "${twice}" is given twice: each of its flows would come twice`);
  const other = ['kube-context', 'server', 'input-file'].find((flag) => given(command, flag) !== undefined);
  if (other !== undefined)
    throw new UsageError(`--context and --${other} cannot be used together: each says who is asked`);
  return contexts;
}

/** Settings of one relay: those of several clusters do not get what the environment, the profile or the config file says of it. */
const OF_ONE: readonly string[] = ['port-forward-port', 'basic-auth-username', 'basic-auth-password'];

/** The settings of one of the clusters that --context names. */
function settingsOf(context: string, all: Settings): Settings {
  const isLeftOut = (key: string) => all.contexts.length > 1 && OF_ONE.includes(key);
  return {
    ...all,
    contexts: [context],
    has: (key) => !isLeftOut(key) && all.has(key),
    text: (key) => (key === 'kube-context' ? context : isLeftOut(key) ? '' : all.text(key)),
  };
}

function refuseOfSeveral({ contexts, origin }: Settings): void {
  const one = OF_ONE.find((key) => origin(key) === 'flag');
  if (one !== undefined)
    throw new UsageError(`--${one} is of one relay, and --context names ${contexts.length}`);
}

/** Refuses several clusters, for a verb that asks one server. */
export function requireOneContext({ contexts }: Settings): void {
  if (contexts.length > 1)
    throw new UsageError(`--context is given ${contexts.length} times, and this verb asks one server`, {
      hint: 'Ask each by itself. Flows of several clusters are merged by observe, map, report, record, ui and export otlp.',
    });
}

function textOrNone(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** What the profile says, by the keys of Hubble: of a server or a cluster that is named, nothing of another one. */
async function ofProfile(
  profile: Profile | undefined,
  spoken: (name: string) => unknown,
  { env }: Context,
): Promise<Readonly<Record<string, unknown>>> {
  if (!profile) return {};
  const { PROFILE_KEYS } = await import('../profile/keys.ts');
  const found = Object.fromEntries(
    PROFILE_KEYS.flatMap(({ name, hubble }) =>
      hubble === undefined || profile.settings[name] === undefined ? [] : [[hubble, profile.settings[name]]],
    ),
  );
  if (env.KUBECONFIG) delete found.kubeconfig;
  const context = spoken('kube-context');
  const isOther = context !== undefined && context !== found['kube-context'];
  if (spoken('server') !== undefined) delete found['port-forward'];
  if (spoken('server') !== undefined || isOther)
    for (const key of Object.keys(found)) if (/^(tls|basic-auth)/.test(key)) delete found[key];
  if (spoken('port-forward') !== undefined) delete found.server;
  return found;
}

/** Verbs that no archive answers, and what does instead. */
const LIVE: Readonly<Record<string, string>> = {
  record: 'Flows that it holds are printed by: hubble observe -o jsonpb --from ARCHIVE.',
  reflect: 'Ask a server for its API.',
  peers: 'The nodes that there were are listed by: hubble list nodes --from ARCHIVE.',
};

/** Opens the archive that is read instead of a server. */
async function readArchive(command: Command, ctx: Context): Promise<void> {
  const isOwn = command.options.some(
    ({ long, helpGroupHeading }) => long === '--from' && helpGroupHeading === HUBBLE_GLOBALS.title,
  );
  const from = isOwn ? given(command, 'from') : undefined;
  if (typeof from !== 'string') return;
  const other = ['server', 'port-forward', 'input-file', 'kubeconfig', 'kube-context', 'context'].find(
    (flag) => given(command, flag) !== undefined,
  );
  if (other !== undefined)
    throw new UsageError(
      `--from and --${other} cannot be used together: an archive is read, and nobody is asked`,
    );
  await openArchive(from, ctx);
  const hint = LIVE[command.name()];
  if (hint !== undefined)
    throw new UserError(
      `${command.name()} is about what a server tells while it runs, and ${from} is an archive of what was`,
      { hint },
    );
  if (given(command, 'follow') !== undefined)
    throw new UserError(
      `--follow is about what happens next, and ${from} is an archive: nothing comes any more`,
    );
}

/** Which agents of a cluster are asked instead of a server. Throws RunEverywhere when they are several. */
function readNodes(command: Command, settings: Settings, ctx: Context): void {
  const flags = ['node', 'all-nodes', 'limit-nodes', 'port-forward', 'server', 'input-file'] as const;
  const asked = flags.filter((flag) => given(command, flag) !== undefined).map((flag) => `--${flag}`);
  const [first, other] = asked;
  const isNode = first !== undefined && flags.slice(0, 3).some((flag) => first === `--${flag}`);
  if (!isNode) {
    if (given(command, 'concurrency') !== undefined)
      throw new UsageError('--concurrency needs --all-nodes or --limit-nodes');
    return;
  }
  if (other !== undefined && !(first === '--all-nodes' && other === '--limit-nodes'))
    throw new UsageError(`${first} and ${other} cannot be used together: each says who is asked`);
  const cluster = {
    kubeconfig: settings.text('kubeconfig') || undefined,
    context: settings.text('kube-context') || undefined,
    namespace: settings.has('kube-namespace') ? settings.text('kube-namespace') : undefined,
  };
  if (settings.contexts.length > 1)
    throw new UsageError(`${first} is of one cluster, and --context names ${settings.contexts.length}`, {
      hint: 'Ask each cluster by itself, or leave the nodes to the relays.',
    });
  const node = given(command, 'node');
  const selector = given(command, 'limit-nodes');
  if (node === '') throw new UsageError('--node needs the name of a node');
  if (selector === '')
    throw new UsageError('--limit-nodes needs labels, such as zone=a: --all-nodes asks every node');
  if (typeof node === 'string') {
    ctx.globals.elsewhere = { ...cluster, target: { node } };
    return;
  }
  refuseOfMany(command, first);
  const concurrency = Number(given(command, 'concurrency') ?? 10);
  const isJson = /^json/.test(String(command.opts<{ output?: unknown }>().output));
  throw new RunEverywhere(
    { ...cluster, selector: typeof selector === 'string' ? selector : undefined, concurrency },
    {
      ...(given(command, 'follow') !== undefined && { streams: true }),
      // Records of Hubble hold the name of their node; those of other verbs are lists.
      namesNode: isJson && command.options.some(({ long }) => long === '--follow'),
    },
  );
}

/** What makes one of many answers needs one server. */
function refuseOfMany(command: Command, flag: string): void {
  const verb = { record: 'record', otlp: 'export otlp' }[command.name()];
  const one = verb ?? (given(command, 'tui') === undefined ? undefined : '--tui');
  if (one !== undefined)
    throw new UsageError(`${flag} and ${one} cannot be used together`, {
      hint: 'Ask the relay (--port-forward), or one node (--node).',
    });
}

/** A value of the file, which is a text, a number, true or false, or a list of these. */
function plainSetting(value: unknown, key: string, path: string): unknown {
  if ((Array.isArray(value) ? value : [value]).some((item) => typeof item === 'object' && item !== null))
    throw new UserError(`config file ${path}: ${key}: expected a value or a list of values`);
  return value;
}

function variable(key: string): string {
  return `HUBBLE_${key.toUpperCase().replaceAll('-', '_')}`;
}

/** The value of a flag on the command or on one above it; undefined when it was not given. */
function given(command: Command, key: string): unknown {
  const name = key.replace(/-(\w)/g, (_, c: string) => c.toUpperCase());
  for (let here: Command | null = command; here; here = here.parent) {
    if (here.getOptionValueSource(name) === 'cli') return here.getOptionValue(name);
  }
  return undefined;
}

function settingOf(value: unknown, key: Key): SettingValue | undefined {
  if (value === undefined || value === null) return undefined;
  if (key.type === 'duration') return durationText(String(value));
  // The reference knows no way to write a uint16 as a number.
  if (key.type === 'uint16') return String(value);
  return asWritten(value);
}

/** What the file holds stays as it is there. */
function asWritten(value: unknown): SettingValue | undefined {
  if (value === undefined || value === null) return undefined;
  if (Array.isArray(value)) return value.map(String);
  return typeof value === 'boolean' || typeof value === 'number' ? value : String(value);
}

/** A duration as Go writes it: `90s` is `1m30s`. Text that is none stays, and fails where it is used. */
function durationText(text: string): string {
  const ms = parseDurationMs(text);
  return ms === undefined ? text : goDuration(Math.round(ms * 1e6));
}

function durationOf(key: string, text: string): number {
  const ms = parseDurationMs(text);
  if (ms === undefined)
    throw new UserError(
      `invalid argument "${text}" for "--${key}" flag: expected a duration such as 5s or 1m30s`,
    );
  return ms;
}

function listOf(value: SettingValue | undefined): string[] {
  if (Array.isArray(value)) return value.map(String);
  return value === undefined ? [] : splitCsv(String(value).replace(/^\[(.*)\]$/s, '$1'));
}

/** `<user config>/hubble/config.yaml`, else `~/.hubble/config.yaml`, else none. */
function defaultConfigPath(ctx: Context): string {
  const home = ctx.env.HOME;
  const base = ctx.env.XDG_CONFIG_HOME || (home && join(home, '.config'));
  return base ? join(base, 'hubble', 'config.yaml') : home ? join(home, '.hubble', 'config.yaml') : '';
}

/**
 * Keys and values of a config file. One that is missing or broken counts as empty, as in the reference; so does one
 * that cannot be read, unless it was named.
 */
async function readConfig(path: string, named: boolean, ctx: Context): Promise<Record<string, unknown>> {
  let text: string;
  try {
    text = readText(path);
  } catch (error) {
    if (!(error instanceof UserError) || named) throw error;
    await isPassedOver(path, error.cause, ctx);
    return {};
  }
  return parseConfig(path, text).catch((error: unknown) => {
    if (error instanceof UserError) return {};
    throw error;
  });
}

/** The text of a config file; empty when there is none. */
function readText(path: string): string {
  if (path === '') return '';
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const code = errorCode(cause);
    if (code === 'ENOENT' || code === 'ENOTDIR') return '';
    throw new UserError(`read config file ${path}: ${systemReason(cause)}`, { cause });
  }
}

/** The same for who writes the file anew: only a missing one counts as empty, of a broken one nothing may get lost. */
export async function readOwnConfig(path: string): Promise<Record<string, unknown>> {
  return parseConfig(path, readText(path));
}

async function parseConfig(path: string, text: string): Promise<Record<string, unknown>> {
  if (text === '') return {};
  let value: unknown;
  try {
    value = (await parseYamlText(text)) ?? {};
  } catch (cause) {
    throw new UserError(`config file ${path}: ${errorMessage(cause).split('\n')[0]}`, {
      hint: 'Mend it, or remove it to start from an empty one.',
      cause,
    });
  }
  if (!isRecord(value))
    throw new UserError(`config file ${path}: expected keys and values, such as "server: localhost:4245"`);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key.toLowerCase(), item]));
}
