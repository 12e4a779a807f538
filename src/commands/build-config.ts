import { readdir, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { examples, stringSlice } from '../cli/flags.ts';
import type { Context } from '../context.ts';
import { errorCode, systemReason, UsageError, UserError } from '../errors.ts';
import type { ConfigReader, ConfigSource } from '../kube/config-sources.ts';
import { makeFolder } from '../lib/make-folder.ts';

interface BuildConfigOptions {
  dest: string;
  nodeName?: string;
  source: string[];
  allowConfigKeys: string[];
  denyConfigKeys: string[];
  k8sKubeconfigPath?: string;
  k8sApiServer?: string;
  k8sApiServerUrls: string[];
}

/** Declares `build-config`. */
export function addBuildConfigCommand(command: Command, ctx: Context): void {
  command.addHelpText(
    'after',
    examples(
      'cilium build-config --node-name worker-1 --source config-map:kube-system/cilium-config --dest /tmp/cilium-config',
      'cilium build-config --allow-config-keys debug,enable-policy --k8s-kubeconfig-path ~/.kube/config',
    ),
  );
  command
    .option('--dest <folder>', 'Folder to write one file per key to', '/tmp/cilium/config-map')
    .option('--node-name <name>', 'Name of this node (default K8S_NODE_NAME)')
    .addOption(
      stringSlice(
        '--source <sources>',
        'Sources in order, later ones override: config-map:[ns/]name, cilium-node-config:[ns], node:[name] ' +
          '(default config-map:cilium-config, cilium-node-config:$CILIUM_K8S_NAMESPACE)',
      ),
    )
    .addOption(stringSlice('--allow-config-keys <keys>', 'The only keys that later sources may set'))
    .addOption(stringSlice('--deny-config-keys <keys>', 'Keys that later sources may not set'))
    .option(
      '--k8s-kubeconfig-path <file>',
      'Kubeconfig file to use instead of the service account of the pod',
    )
    .option('--k8s-api-server <url>', 'Address of an API server that needs no credentials')
    .addOption(
      stringSlice(
        '--k8s-api-server-urls <urls>',
        'The same, as Cilium names it from 1.18 on: the first is asked',
      ),
    )
    .action((options: BuildConfigOptions) => runBuildConfig(options, ctx));
}

/** Reads the sources and writes the resolved keys where the agent reads them. */
export async function runBuildConfig(options: BuildConfigOptions, ctx: Context): Promise<void> {
  if (options.dest === '') throw new UsageError('--dest is required');
  const nodeName = options.nodeName ?? ctx.env.K8S_NODE_NAME ?? '';
  const namespace = ctx.env.CILIUM_K8S_NAMESPACE ?? '';
  const given = options.source.filter((text) => text !== '');
  const specs = given.length > 0 ? given : ['config-map:cilium-config', `cilium-node-config:${namespace}`];
  const sources = specs.map((text) => parseSource(text, namespace, nodeName));
  const note = (text: string) => ctx.err.write(`${text}\n`);
  const { connectConfigReader } = await import('../kube/config-sources.ts');
  await using reader = await connectConfigReader({
    env: ctx.env,
    signal: ctx.signal,
    timeoutMs: ctx.globals.timeoutMs,
    kubeconfig: options.k8sKubeconfigPath,
    server: options.k8sApiServer ?? options.k8sApiServerUrls[0],
    nodeName,
    note,
  });
  const values = await resolveConfig(reader, sources, options, note);
  await writeConfig(resolve(ctx.cwd, options.dest), values, ctx);
}

function parseSource(text: string, namespace: string, nodeName: string): ConfigSource {
  const [kind = '', rest = ''] = splitOnce(text, ':');
  const [first, second] = splitOnce(rest, '/');
  const both = second !== undefined;
  switch (kind) {
    case 'config-map':
      return { kind, namespace: both ? first : namespace, name: (both ? second : first) || 'cilium-config' };
    case 'cilium-node-config':
      return { kind, namespace: first || namespace, name: second ?? '' };
    case 'node':
      return { kind, namespace: both ? first : '', name: (both ? second : first) || nodeName };
    default:
      throw new UsageError(`unknown config source ${kind}`, {
        hint: 'Sources are config-map:[namespace/]name, cilium-node-config:[namespace] and node:[name].',
      });
  }
}

function splitOnce(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

async function resolveConfig(
  reader: ConfigReader,
  sources: readonly ConfigSource[],
  { allowConfigKeys: allow, denyConfigKeys: deny }: BuildConfigOptions,
  note: (text: string) => Promise<void>,
): Promise<Record<string, string>> {
  const values: Record<string, string> = {};
  const used: ConfigSource[] = [];
  for (const [i, source] of sources.entries()) {
    const name = `${source.kind}:${source.namespace}/${source.name}`;
    const answer = await reader.read(source);
    if (!answer) {
      await note(`${name}: not found, left out`);
      continue;
    }
    const entries = Object.entries(answer.values);
    await note(`${name}: ${entries.length} keys`);
    if (entries.length > 0) used.push(...answer.from);
    for (const [key, value] of entries) {
      const overrides = allow.length > 0 ? allow.includes(key) : !deny.includes(key);
      if (i > 0 && !overrides) await note(`${name}: ${key} may not be overridden, left out`);
      else values[key] = value;
    }
  }
  values['config-sources'] = JSON.stringify(
    used.map(({ kind, namespace, name }) => ({ kind, namespace, name })),
  );
  values['config-sources-overrides'] = JSON.stringify({
    allowConfigKeys: allow.length > 0 ? allow : null,
    denyConfigKeys: deny.length > 0 ? deny : null,
  });
  return values;
}

async function isOwnLink(path: string): Promise<boolean> {
  const target = await readlink(path).catch(() => '');
  return target.startsWith('..data/');
}

/**
 * Writes a folder as Kubernetes mounts a ConfigMap: `key` → `..data/key`, `..data` → `..data_TIME`. The one rename of
 * `..data` changes all keys at once; keys that are gone and older folders are removed after it.
 */
async function writeConfig(
  dest: string,
  values: Readonly<Record<string, string>>,
  ctx: Context,
): Promise<void> {
  const folder = `..data_${Math.trunc(ctx.clock.nowMs() / 1000)}`;
  const keys = Object.keys(values).filter(
    (key) => !key.includes('/') && key !== '.' && !key.startsWith('..'),
  );
  try {
    const before = await readdir(dest).catch((): string[] => []);
    makeFolder(join(dest, folder));
    for (const key of keys) await writeFile(join(dest, folder, key), values[key] ?? '', { flush: true });
    await rm(join(dest, '..data.tmp'), { force: true });
    await symlink(folder, join(dest, '..data.tmp'));
    await rename(join(dest, '..data.tmp'), join(dest, '..data'));
    for (const key of keys) {
      await symlink(join('..data', key), join(dest, key)).catch((error: unknown) => {
        if (errorCode(error) !== 'EEXIST') throw error;
      });
    }
    for (const name of before) {
      if (/^\.\.data_\d+$/.test(name) && name !== folder) await rm(join(dest, name), { recursive: true });
      else if (!keys.includes(name) && (await isOwnLink(join(dest, name)))) await rm(join(dest, name));
    }
  } catch (error) {
    throw new UserError(`failed to write configurations to ${dest}: ${systemReason(error)}`, {
      cause: error,
    });
  }
}
