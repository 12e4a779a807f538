import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { type Helm, helmFault, runHelm } from '../../kube/helm.ts';
import { isRecord } from '../../lib/record.ts';
import { makeRunFolder } from '../../lib/run-folder.ts';
import { parseYamlText } from '../../lib/yaml-text.ts';
import { sanitize } from '../../render/text/sanitize.ts';
import { REPOSITORY } from './upgrade-release.ts';

/** Flags that say which chart is meant. */
export interface ChartFlags {
  chart?: string;
  chartDirectory?: string;
  repository: string;
  version?: string;
}

/** Adds them. */
export function chartFlags(command: Command): Command {
  return command
    .option('--version <version>', 'Cilium version to install (default: the newest of the repository)')
    .option('--chart <path>', 'Chart in a folder or a .tgz file, instead of one from a repository')
    .option('--chart-directory <path>', 'Helm chart directory: the same as --chart')
    .addOption(
      new Option('--repository <url>', 'Helm chart repository to download Cilium charts from').default(
        REPOSITORY,
      ),
    );
}

/** A chart on this machine, which is gone again when this is disposed of, if it was fetched. */
export interface Chart extends AsyncDisposable {
  path: string;
  name: string;
  version: string;
  appVersion: string;
}

/** The words after `pull`, `install` … that mean a chart of a repository. */
export function repositoryWords({ repository, version }: ChartFlags): string[] {
  const wanted = version === undefined ? [] : ['--version', version.replace(/^v(?=\d)/, '')];
  const url = repository === '' ? REPOSITORY : repository;
  return url.startsWith('oci://') ? [url, ...wanted] : ['cilium', '--repo', url, ...wanted];
}

/** The words that mean the chart, for a command line that somebody runs by hand. */
export function chartWords(flags: ChartFlags): string[] {
  const local = localChart(flags);
  return local === undefined ? repositoryWords(flags) : [local];
}

function localChart({ chart, chartDirectory, version }: ChartFlags): string | undefined {
  if (chart !== undefined && chartDirectory !== undefined)
    throw new UserError('--chart and --chart-directory cannot be used together: they mean the same');
  const local = chart ?? chartDirectory;
  if (local !== undefined && version !== undefined)
    throw new UserError('--version chooses a chart of a repository: a chart of this machine has its own');
  return local;
}

/** Has helm fetch the chart once, or takes the one of this machine, and reads what it says of itself. */
export async function openChart(helm: Helm, flags: ChartFlags, ctx: Context): Promise<Chart> {
  const local = localChart(flags);
  if (local !== undefined) {
    const path = resolve(ctx.cwd, local);
    return { ...(await describe(helm, path, ctx)), [Symbol.asyncDispose]: async () => {} };
  }
  const made = await makeRunFolder(ctx.env.TMPDIR || tmpdir(), 'cilium-chart-');
  const remove = () => made[Symbol.asyncDispose]();
  const { path: folder } = made;
  try {
    const words = ['pull', ...repositoryWords(flags), '--destination', folder];
    const ran = await runHelm(helm, { words }, ctx);
    const [file] = (await readdir(folder)).filter((name) => name.endsWith('.tgz'));
    if (ran.code !== 0 || file === undefined)
      throw new UserError(`the chart cannot be fetched: ${sanitize(helmFault(ran))}`, {
        hint: 'helm fetches it: --repository and --version say which. A chart of this machine is taken by --chart.',
      });
    return { ...(await describe(helm, join(folder, file), ctx)), [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function describe(helm: Helm, path: string, ctx: Context): Promise<Omit<Chart, keyof AsyncDisposable>> {
  const ran = await runHelm(helm, { words: ['show', 'chart', path] }, ctx);
  if (ran.code !== 0) throw new UserError(`failed to load Helm chart ${path}: ${sanitize(helmFault(ran))}`);
  const about = await parseYamlText(ran.stdout);
  const { name, version, appVersion } = isRecord(about) ? about : {};
  if (typeof version !== 'string') throw new UserError(`the chart ${path} does not say its version`);
  return { path, name: String(name ?? ''), version, appVersion: String(appVersion ?? '') };
}

/** The versions of the chart that a repository has, newest first. Nothing of it stays with helm. */
export async function listChartVersions(
  helm: Helm,
  { repository }: ChartFlags,
  ctx: Context,
): Promise<string[]> {
  if (repository.startsWith('oci://'))
    throw new UserError('a registry (oci://) has no list of versions that helm can ask for');
  await using folder = await makeRunFolder(ctx.env.TMPDIR || tmpdir(), 'cilium-repository-');
  const env = {
    HELM_REPOSITORY_CONFIG: join(folder.path, 'repositories.yaml'),
    HELM_REPOSITORY_CACHE: join(folder.path, 'cache'),
  };
  const added = await runHelm(helm, { words: ['repo', 'add', 'cilium', repository], env }, ctx);
  if (added.code !== 0)
    throw new UserError(`the repository cannot be read: ${sanitize(helmFault(added))}`, {
      hint: 'helm reads it: see --repository.',
    });
  const words = ['search', 'repo', 'cilium/cilium', '--versions', '--devel', '-o', 'json'];
  const ran = await runHelm(helm, { words, env }, ctx);
  const rows: unknown = ran.code === 0 ? JSON.parse(ran.stdout) : [];
  return (Array.isArray(rows) ? rows : [])
    .filter(isRecord)
    .filter(({ name }) => name === 'cilium/cilium')
    .map(({ version }) => String(version));
}
