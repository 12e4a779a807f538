import { access, readFile, stat } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import type { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import { errorCode, systemReason, UserError } from '../errors.ts';
import { ofForm } from '../lib/form.ts';
import { checkServerName } from '../lib/go-x509.ts';
import { KUBECONFIG } from './forms.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** Which cluster is meant. */
export interface ClusterFlags {
  kubeconfig?: string | undefined;
  context?: string | undefined;
  /** URL of an API server that asks for no credentials, instead of a kubeconfig. */
  server?: string | undefined;
}

/** The kubeconfig files in order: the flag, else KUBECONFIG, else ~/.kube/config. */
function kubeconfigFiles(env: Env, flag: string | undefined): string[] {
  if (flag) return [flag];
  const listed = (env.KUBECONFIG ?? '').split(delimiter).filter((path) => path !== '');
  return listed.length > 0 ? listed : [join(env.HOME ?? '/', '.kube', 'config')];
}

/** Whether there is a kubeconfig at all. */
export async function hasKubeconfig(env: Env, flag: string | undefined): Promise<boolean> {
  return (await existing(kubeconfigFiles(env, flag))).length > 0;
}

/** Of a list of files those that are there, as kubectl reads it. */
async function existing(paths: readonly string[]): Promise<string[]> {
  const there = await Promise.all(
    paths.map((path) =>
      access(path).then(
        () => true,
        (error: unknown) => errorCode(error) !== 'ENOENT',
      ),
    ),
  );
  return paths.filter((_, i) => there[i]);
}

/** Reads the kubeconfig files into one, as they are. The client library is loaded only here. */
export async function readKubeConfig(env: Env, { kubeconfig, server }: ClusterFlags): Promise<KubeConfig> {
  const { KubeConfig: Config } = await import('@kubernetes/client-node/dist/config.js');
  const config = new Config();
  const files = kubeconfigFiles(env, kubeconfig);
  const [first, ...others] = await existing(files);
  try {
    if (server)
      config.loadFromClusterAndUser({ name: server, server, skipTLSVerify: false }, { name: 'anonymous' });
    else if (first !== undefined) {
      await loadFile(config, first);
      for (const file of others) {
        const other = new Config();
        await loadFile(other, file);
        config.mergeConfig(other, true);
      }
    } else if (env.KUBERNETES_SERVICE_HOST) config.loadFromCluster();
    else
      throw new UserError(`no kubeconfig: ${files.join(', ')}: no such file or directory`, {
        hint: 'Name one with --kubeconfig or KUBECONFIG. Without a cluster, "cilium lab start --kube" plays one.',
      });
    const { clusters, contexts, users, currentContext } = config;
    ofForm({ clusters, contexts, users, currentContext }, KUBECONFIG);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`read kubeconfig ${files.join(', ')}: ${faultOf(error)}`, { cause: error });
  }
  return config;
}

/** Loads the kubeconfig, or inside a pod the service account's, for requests to the server of its context. */
export async function loadKubeConfig(env: Env, flags: ClusterFlags): Promise<KubeConfig> {
  const config = await readKubeConfig(env, flags);
  const { context } = flags;
  // The library asks for this of servers without TLS, such as kubectl proxy, where there is nothing to verify.
  config.clusters = config.clusters.map((cluster) =>
    cluster.server.startsWith('http://') ? { ...cluster, skipTLSVerify: true } : cluster,
  );
  if (context) takeContext(config, context);
  checkServer(config);
  await readCertificates(config);
  checkNamesAsGo(config);
  return config;
}

/** Takes another context than the kubeconfig says. Throws UserError where it has none of that name. */
export function takeContext(config: KubeConfig, context: string): void {
  if (!config.getContextObject(context))
    throw new UserError(`the kubeconfig has no context "${context}"`, {
      hint: `Its contexts: ${config
        .getContexts()
        .map(({ name }) => name)
        .join(', ')}.`,
    });
  config.setCurrentContext(context);
}

/**
 * As the library does, but beside the loop: a file may be a pipe that nobody writes to, and a signal ends the wait for it.
 * The same goes for the certificates that it names.
 */
async function loadFile(config: KubeConfig, file: string): Promise<void> {
  const text = await readFile(file, 'utf8');
  await refusePipes(text);
  config.loadFromString(text);
  config.makePathsAbsolute(dirname(file));
}

const TOKEN_FILE = /["']?token-file["']?\s*:\s*("[^"]*"|'[^']*'|[^\s,}]+)/g;

/** The library reads files of tokens before it returns, and would wait for a pipe where no signal reaches it. */
async function refusePipes(kubeconfig: string): Promise<void> {
  for (const [, quoted = ''] of kubeconfig.matchAll(TOKEN_FILE)) {
    const path = quoted.replace(/^["']|["']$/g, '');
    const found = await stat(path).catch(() => undefined);
    if (found && !found.isFile())
      throw new UserError(`the token-file ${path} of the kubeconfig is no file`, {
        hint: 'A token is read from a regular file, or printed by a program (exec).',
      });
  }
}

/** Has a server taken for the one that is meant as client-go does: Node alone would take a certificate's common name as well. */
function checkNamesAsGo(config: KubeConfig): void {
  const made = config.createDispatcherOptions.bind(config);
  config.createDispatcherOptions = (cluster, agentOptions) => {
    const options = made(cluster, agentOptions);
    const check = { checkServerIdentity: checkServerName };
    if (options.type === 'none') return { type: 'agent', connect: check };
    if (options.type === 'agent') return { ...options, connect: { ...options.connect, ...check } };
    return { ...options, requestTls: { ...options.requestTls, ...check } };
  };
}

/** Reads the files of the cluster and the user that are meant, in the place of the library. */
async function readCertificates(config: KubeConfig): Promise<void> {
  const read = async (path: string | undefined) =>
    path === undefined
      ? undefined
      : (
          await readFile(path).catch((cause: unknown) => {
            throw new UserError(`read ${path} of the kubeconfig: ${systemReason(cause)}`, { cause });
          })
        ).toString('base64');
  const cluster = config.getCurrentCluster();
  const user = config.getCurrentUser();
  const [caData, certData, keyData] = [
    await read(cluster?.caFile),
    await read(user?.certFile),
    await read(user?.keyFile),
  ];
  config.clusters = config.clusters.map(({ caFile, ...each }) =>
    each.name === cluster?.name && caData !== undefined
      ? { ...each, caData }
      : { ...each, ...(caFile && { caFile }) },
  );
  config.users = config.users.map(({ certFile, keyFile, ...each }) =>
    each.name === user?.name
      ? { ...each, ...(certData !== undefined && { certData }), ...(keyData !== undefined && { keyData }) }
      : { ...each, ...(certFile && { certFile }), ...(keyFile && { keyFile }) },
  );
}

/** Why a file is none: the library finds values of other types, and parts within parts without an end, by failing. */
function faultOf(error: unknown): string {
  if (error instanceof TypeError) return 'a value in it is not of its type';
  return error instanceof RangeError ? 'its parts are nested too deeply to be read' : systemReason(error);
}

/** The URL of an API server as it may be shown: without the password that it may hold, and without a slash at its end. */
export function shownServer(server: string): string {
  return server.replace(/^([a-z]+:\/\/)[^/?#]*@/i, '$1').replace(/\/+$/, '');
}

/** Throws where the current context leads to no API server. */
function checkServer(config: KubeConfig): void {
  const context = config.getCurrentContext();
  const cluster = config.getCurrentCluster();
  if (cluster && /^https?:\/\//.test(cluster.server) && URL.canParse(cluster.server)) return;
  throw new UserError(
    cluster
      ? `the cluster "${cluster.name}" of the kubeconfig has no URL of an API server: "${shownServer(cluster.server)}"`
      : context
        ? `the kubeconfig has no cluster for its context "${context}"`
        : 'the kubeconfig has no current context',
    { hint: 'See: kubectl config view' },
  );
}
