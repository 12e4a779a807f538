import { spawn } from 'node:child_process';
import { access, constants, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { errorCode, systemReason, UserError } from '../errors.ts';
import { LineSplitter } from '../lib/line-splitter.ts';
import { makeRunFolder } from '../lib/run-folder.ts';
import { shellWord } from '../lib/shell-word.ts';
import type { KubeClient } from './client.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** The program `helm` of this machine. */
export interface Helm {
  path: string;
  /** As it calls itself: `v3.22.0`. */
  version: string;
  major: number;
  minor: number;
}

/** What a run of helm may use of the world. */
export interface HelmWorld {
  env: Env;
  cwd: string;
  signal: AbortSignal;
}

/** Which cluster, in whose name: the same words as for our own requests. */
export interface HelmCluster {
  kubeconfig?: string | undefined;
  context?: string | undefined;
  as?: string | undefined;
  asGroups?: readonly string[] | undefined;
}

/** Values for a chart, later ones before earlier ones: a document that no argument may hold, or a place helm reads itself. */
export type HelmValues = { text: string } | { place: string };

/** One run. */
export interface HelmRun {
  /** `upgrade`, `cilium` …, without what follows from the fields below. */
  words: readonly string[];
  cluster?: HelmCluster;
  namespace?: string;
  values?: readonly HelmValues[];
  /** Told each line of its stderr as it comes. */
  onLine?: (line: string) => void;
  /** More of the environment, before that of the user. */
  env?: Env;
}

/** How a run ended. */
export interface HelmRan {
  code: number;
  stdout: string;
  stderr: string;
}

/** There is no helm: nothing that needs it can be done here. */
export class NoHelm extends UserError {
  override name = 'NoHelm';
}

/** The first with values that are reset and then reused, and with a dry run that asks the server. */
const OLDEST = { major: 3, minor: 14 };
/** A manifest and a chart; of what is printed no more is kept. */
const MAX_OUTPUT = 256 * 1024 * 1024;
const MAX_LINE = 64 * 1024;
const VERSION_LIMIT_MS = 20_000;

/** The helm that is named by a flag or by CILIUM_HELM, else the first on PATH. Throws NoHelm, and UserError for one that is too old. */
export async function findHelm(named: string | undefined, world: HelmWorld): Promise<Helm> {
  const given = named ?? (world.env.CILIUM_HELM || undefined);
  const path = given === undefined ? await onPath(world.env) : await program(given, world);
  if (path === undefined)
    throw new NoHelm('there is no program helm on PATH', {
      hint: 'Install helm 3 or 4, or name it: --helm PATH, or CILIUM_HELM.',
    });
  const limited = {
    ...world,
    signal: AbortSignal.any([world.signal, AbortSignal.timeout(VERSION_LIMIT_MS)]),
  };
  const { stdout, stderr, code } = await spawned(path, ['version', '--template', '{{.Version}}'], limited);
  const [, version = '', major = '', minor = ''] = /(v?(\d+)\.(\d+)\S*)/.exec(stdout) ?? [];
  if (code !== 0 || version === '')
    throw new UserError(`${path} is no helm: ${lastLine(stderr) || `it ended with exit code ${code}`}`);
  const found = { path, version, major: Number(major), minor: Number(minor) };
  const isOld = found.major < OLDEST.major || (found.major === OLDEST.major && found.minor < OLDEST.minor);
  if (isOld)
    throw new UserError(
      `${path} is helm ${version}: ${OLDEST.major}.${OLDEST.minor} is the oldest that works`,
    );
  return found;
}

/** A word with a slash is a path, as in a shell; another one is looked for on PATH. */
async function program(given: string, { env, cwd }: HelmWorld): Promise<string> {
  const path = given.includes('/') ? resolve(cwd, given) : await onPath(env, given);
  if (path !== undefined && (await isProgram(path))) return path;
  throw new NoHelm(`${given} is no program`, { hint: 'It was named by --helm or CILIUM_HELM.' });
}

async function onPath(env: Env, name = 'helm'): Promise<string | undefined> {
  for (const folder of (env.PATH ?? '').split(delimiter))
    if (folder !== '' && (await isProgram(join(folder, name)))) return join(folder, name);
  return undefined;
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

/** Of a pod's own service account: no kubeconfig has it. */
const IN_CLUSTER = 'inClusterContext';

/**
 * The same cluster for helm as for our own requests: between the question and its answer somebody may choose another context
 * in the kubeconfig.
 */
export function sameCluster<T extends HelmCluster>({ config }: KubeClient, cluster: T): T {
  const context = cluster.context ?? config.getCurrentContext();
  return context === '' || context === IN_CLUSTER ? cluster : { ...cluster, context };
}

/** The words of a command line that says which cluster is meant. */
export function clusterWords({ kubeconfig, context, as, asGroups = [] }: HelmCluster): string[] {
  return [
    ...(kubeconfig === undefined ? [] : ['--kubeconfig', kubeconfig]),
    ...(context === undefined ? [] : ['--kube-context', context]),
    ...(as === undefined ? [] : ['--kube-as-user', as]),
    ...asGroups.flatMap((group) => ['--kube-as-group', group]),
  ];
}

/**
 * Runs helm to its end. What may be secret goes into a file that only this user can read and that is gone when this
 * returns, however it ends; what a killed run left goes with the next one. Never throws for a failure of helm itself.
 */
export async function runHelm(helm: Helm, run: HelmRun, world: HelmWorld): Promise<HelmRan> {
  const { words, cluster = {}, namespace, values = [], onLine, env } = run;
  await using folder = await makeRunFolder(world.env.TMPDIR || tmpdir(), 'cilium-helm-');
  try {
    const files: string[] = [];
    for (const [i, value] of values.entries()) {
      if ('place' in value) files.push(value.place);
      else {
        const file = join(folder.path, `values-${i}.yaml`);
        await writeFile(file, value.text, { mode: 0o600, flag: 'wx' });
        files.push(file);
      }
    }
    const argv = [
      ...words,
      ...(namespace === undefined ? [] : ['--namespace', namespace]),
      ...clusterWords(cluster),
      // Helm splits this flag at commas, and takes quotes as CSV has them.
      ...files.flatMap((file) => ['--values', csvCell(file)]),
    ];
    return await spawned(helm.path, argv, { ...world, env: { ...world.env, ...env } }, onLine);
  } catch (error) {
    throw error instanceof UserError || world.signal.aborted
      ? error
      : new UserError(`run ${helm.path}: ${systemReason(error)}`, { cause: error });
  }
}

function csvCell(text: string): string {
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * What the environment must not decide: another cluster than the one that our flags name, another store than Secrets, and
 * debug messages, which print values.
 */
function helmEnv(env: Env): Env {
  const kept = Object.entries(env).filter(([name]) => !/^HELM_(KUBE|NAMESPACE$|DRIVER$|DEBUG$)/.test(name));
  return Object.fromEntries(kept);
}

/** Another program of the PATH, such as a cloud's own; undefined where there is none. */
export async function runProgram(
  name: string,
  argv: readonly string[],
  world: HelmWorld,
): Promise<HelmRan | undefined> {
  const path = await onPath(world.env, name);
  return path === undefined ? undefined : spawned(path, argv, world);
}

/** Without a shell. A signal is passed on, and the end waited for: helm writes down how far it came. */
function spawned(
  path: string,
  argv: readonly string[],
  { env, cwd, signal }: HelmWorld,
  onLine?: (line: string) => void,
): Promise<HelmRan> {
  return new Promise((done, fail) => {
    signal.throwIfAborted();
    const child = spawn(path, argv, { cwd, env: helmEnv(env), stdio: ['ignore', 'pipe', 'pipe'] });
    const stop = () => child.kill('SIGTERM');
    signal.addEventListener('abort', stop, { once: true });
    const [out, err]: Buffer[][] = [[], []];
    let size = 0;
    const lines = new LineSplitter(MAX_LINE);
    child.stdout.on('data', (part: Buffer) => {
      size += part.length;
      if (size <= MAX_OUTPUT) out?.push(part);
    });
    child.stderr.on('data', (part: Buffer) => {
      err?.push(part);
      if (onLine) for (const { bytes } of lines.push(part)) onLine(bytes.toString('utf8'));
    });
    child.on('error', (error) => {
      signal.removeEventListener('abort', stop);
      fail(
        new UserError(
          `run ${path}: ${errorCode(error) === 'ENOENT' ? 'there is no such program' : systemReason(error)}`,
          {
            cause: error,
          },
        ),
      );
    });
    child.on('close', (code, by) => {
      signal.removeEventListener('abort', stop);
      if (signal.aborted) return fail(signal.reason);
      if (size > MAX_OUTPUT)
        return fail(new UserError(`${path} printed more than ${MAX_OUTPUT / 1024 / 1024} MiB`));
      const stderr = Buffer.concat(err ?? []).toString('utf8');
      done({
        code: code ?? 1,
        stdout: Buffer.concat(out ?? []).toString('utf8'),
        stderr: by === null ? stderr : `${stderr}it was ended by ${by}\n`,
      });
    });
  });
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}

/** What helm says is wrong, without its own word for it. */
export function helmFault({ stderr, code }: HelmRan): string {
  const start = stderr.search(/^Error: /m);
  const told = (start < 0 ? lastLine(stderr) : stderr.slice(start + 'Error: '.length)).trim();
  return told || `helm ended with exit code ${code}`;
}

/** A command line as it can be pasted into a shell. */
export function shellLine(words: readonly string[]): string {
  return words.map(shellWord).join(' ');
}
