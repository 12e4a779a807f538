import { readConfig } from '../../agent/decode/config.ts';
import { listEndpoints } from '../../agent/decode/endpoints.ts';
import { listIdentities } from '../../agent/decode/identities.ts';
import { listMaps } from '../../agent/decode/maps.ts';
import { listServices } from '../../agent/decode/services.ts';
import { mutableOptions } from '../../agent/options.ts';
import { SHELLS } from '../../cli/completion-scripts.ts';
import type { Context } from '../../context.ts';

/** What may stand at a place of the command line, and what it means. */
export interface Candidate {
  value: string;
  meaning: string;
}

/** A key press does not wait longer than this for the agent. */
const PATIENCE_MS = 800;

type Source = (ctx: Context) => Promise<Candidate[]>;

/** Arguments, by the verb's path: the first pattern that the path begins with decides. */
const ARGUMENTS: readonly [path: string, source: Source][] = [
  ['endpoint list', nothing],
  ['endpoint', endpoints],
  ['bpf policy list', nothing],
  ['bpf policy', endpoints],
  [
    'bpf ct',
    async (ctx) => [{ value: 'global', meaning: 'the tables of all endpoints' }, ...(await endpoints(ctx))],
  ],
  ['identity get', identities],
  ['map get', maps],
  ['map events', maps],
  ['service get', services],
  ['service delete', services],
  ['config get', configNames],
  ['config', configOptions],
  ['completion', async () => SHELLS.map((value) => ({ value, meaning: 'shell' }))],
];

/** Values of flags that name something the agent has. */
const FLAG_VALUES: Readonly<Record<string, Source>> = {
  '--from': endpoints,
  '--to': endpoints,
  '--related-to': endpoints,
  '--endpoint': endpoints,
  '--identity': identities,
};

/** Verbs whose --from is an endpoint. */
const OF_ENDPOINTS: ReadonlySet<string> = new Set(['monitor', 'policy simulate']);

/** Candidates for an argument of the verb at `path`. */
export function argumentCandidates(path: readonly string[], ctx: Context): Promise<Candidate[]> {
  const name = path.join(' ');
  const rule = ARGUMENTS.find(([start]) => name === start || name.startsWith(`${start} `));
  return quietly(rule?.[1] ?? nothing, ctx);
}

/** Candidates for the value of a flag that has no fixed choices. */
export function flagCandidates(flag: string, path: readonly string[], ctx: Context): Promise<Candidate[]> {
  // Hubble's flags of these names take pods and identities of the whole cluster.
  // Elsewhere it names an archive.
  const isFile = flag === '--from' && !OF_ENDPOINTS.has(path.join(' '));
  const isKnown = path[0] !== 'hubble' && !isFile && Object.hasOwn(FLAG_VALUES, flag);
  const known = isKnown ? FLAG_VALUES[flag] : undefined;
  return quietly(known ?? nothing, ctx);
}

/**
 * Words that neither a shell nor this program reads as anything but themselves. bash expands what a completion puts on its
 * line, zsh looks for a program behind a `=`, PowerShell takes `@name` for a list, and a word that begins with `-` is a flag.
 */
const PLAIN_WORD = /^[\w./:][\w.:/@%+=,-]*$/;

/**
 * Without an agent there are no candidates: completion never prints errors. Of what an agent names only plain words are
 * offered: `$(…)` in the name of a map must not run, and `--host=…` must not become a flag.
 */
async function quietly(source: Source, ctx: Context): Promise<Candidate[]> {
  try {
    const candidates = await source(ctx);
    return candidates.filter(({ value }) => PLAIN_WORD.test(value));
  } catch {
    return [];
  }
}

async function nothing(): Promise<Candidate[]> {
  return [];
}

const PATIENTLY = { timeoutMs: PATIENCE_MS };

async function endpoints(ctx: Context): Promise<Candidate[]> {
  const answer = await listEndpoints(await ctx.agent(), PATIENTLY);
  return answer.decode().map(({ id, pod, namespace, labels: [label = ''] }) => ({
    value: String(id),
    meaning: pod ? (namespace ? `${namespace}/${pod}` : pod) : label,
  }));
}

async function identities(ctx: Context): Promise<Candidate[]> {
  const answer = await listIdentities(await ctx.agent(), PATIENTLY);
  return answer.decode().map(({ id, labels }) => ({ value: String(id), meaning: labels.join(' ') }));
}

async function maps(ctx: Context): Promise<Candidate[]> {
  const answer = await listMaps(await ctx.agent(), PATIENTLY);
  const paths = (answer.decode() ?? []).map(({ path }) => path);
  return paths.map((path) => ({ value: path.split('/').at(-1) ?? '', meaning: path }));
}

async function services(ctx: Context): Promise<Candidate[]> {
  const answer = await listServices(await ctx.agent(), PATIENTLY);
  return answer
    .decode()
    .services.map(({ id, frontend }) => ({ value: String(id), meaning: `${frontend.ip}:${frontend.port}` }));
}

async function configOptions(): Promise<Candidate[]> {
  const options = mutableOptions('daemon').map(({ name, description }) => ({
    value: `${name}=`,
    meaning: description,
  }));
  return [...options, { value: 'PolicyEnforcement=', meaning: 'default, always or never' }];
}

async function configNames(ctx: Context): Promise<Candidate[]> {
  const config = await readConfig(await ctx.agent(), PATIENCE_MS);
  const names = [...Object.keys(config.options), 'PolicyEnforcement', ...Object.keys(config.readOnly ?? {})];
  return [...new Set(names)].map((value) => ({ value, meaning: '' }));
}
