import { type Command, Option } from 'commander';
import {
  AZURE_VALUES,
  automaticValues,
  DATAPATH_MODES,
  type DatapathMode,
  datapathOfFlavour,
  datapathOfValues,
} from '../../cluster/install/automatic.ts';
import {
  clusterNameOf,
  type Flavour,
  flavourOfNames,
  flavourOfNodes,
  isMicrok8s,
} from '../../cluster/install/flavour.ts';
import { nested, type Values, valueAt } from '../../cluster/install/set-values.ts';
import type { Context } from '../../context.ts';
import { errorMessage, UserError } from '../../errors.ts';
import type { KubeClient } from '../../kube/client.ts';
import {
  clusterNames,
  daemonSetNames,
  hasGroup,
  hostAndPort,
  NoEndpoint,
  nodeLabels,
  serviceEndpoint,
} from '../../kube/detect.ts';
import { runProgram } from '../../kube/helm.ts';
import { sanitizeCell } from '../../render/text/sanitize.ts';

/** Flags that say what is otherwise found out. */
export interface DetectFlags {
  datapathMode?: DatapathMode;
}

/** Adds them. */
export function detectFlags(command: Command): Command {
  return command.addOption(
    new Option('--datapath-mode <mode>', 'Datapath mode to use (default: autodetected)').choices(
      DATAPATH_MODES,
    ),
  );
}

/** Who is told what. */
export interface Telling {
  /** A line of progress, as the reference prints it on stdout. */
  say: (line: string) => Promise<void>;
  /** What could not be found out. */
  note: (line: string) => Promise<void>;
}

/** What was found out, and the values that follow from it. */
export interface Detected {
  flavour: Flavour | undefined;
  datapath: DatapathMode;
  clusterName: string;
  /** Those of an installation, below the user's. */
  automatic: Values;
  /** Those of a cluster without kube-proxy, above the user's, as far as the user says nothing of them. */
  proxy: Values;
}

const KUBE_SYSTEM = 'kube-system';

/** Looks at the cluster and tells what is found. `known` are the values that are set already. */
export async function detect(
  client: KubeClient,
  flags: DetectFlags,
  { chartVersion, known, forInstall }: { chartVersion: string; known: Values; forInstall: boolean },
  telling: Telling,
  ctx: Context,
): Promise<Detected> {
  const { say } = telling;
  const names = clusterNames(client);
  const flavour = await findFlavour(client, telling);
  if (flavour !== undefined) await say(`🔮 Auto-detected Kubernetes kind: ${flavour}`);
  await say(`ℹ️  Using Cilium version ${chartVersion}`);
  const given = valueAt(known, 'cluster.name');
  let clusterName = typeof given === 'string' ? given : '';
  if (clusterName !== '') await say(`ℹ️  Using cluster name ${JSON.stringify(clusterName)}`);
  else if (names.cluster !== '') {
    clusterName = clusterNameOf(names.cluster, flavour);
    await say(`🔮 Auto-detected cluster name: ${clusterName}`);
  }
  if (flags.datapathMode !== undefined) await say(`ℹ️  Custom datapath mode: ${flags.datapathMode}`);
  const datapath = flags.datapathMode ?? datapathOfValues(known) ?? (await datapathOf(client, flavour));
  const proxy = await proxyValues(client, flavour, known, telling);
  const nativeRoutingCidr =
    forInstall && flavour === 'GKE' && valueAt(known, 'ipv4NativeRoutingCIDR') === undefined
      ? await gkeCidr(names.context, telling, ctx)
      : undefined;
  if (forInstall && datapath === 'azure') refuseAzure(known);
  const automatic = automaticValues({ flavour, datapath, clusterName, nativeRoutingCidr });
  return { flavour, datapath, clusterName, automatic, proxy };
}

async function findFlavour(client: KubeClient, { note }: Telling): Promise<Flavour | undefined> {
  const names = clusterNames(client);
  const named = flavourOfNames(names);
  if (named !== undefined) return named;
  const fallback = isMicrok8s(names) ? 'microk8s' : undefined;
  const nodes = await nodeLabels(client);
  if ('why' in nodes) {
    await note(`Note: the kind of the cluster is not known: ${sanitizeCell(nodes.why)}`);
    return fallback;
  }
  const told = flavourOfNodes(nodes.value);
  if (told !== undefined) return told;
  const routes = await hasGroup(client, 'route.openshift.io');
  return 'value' in routes && routes.value ? 'OpenShift' : fallback;
}

async function datapathOf(client: KubeClient, flavour: Flavour | undefined): Promise<DatapathMode> {
  if (flavour !== 'AKS') return datapathOfFlavour(flavour, false);
  const sets = await daemonSetNames(client, KUBE_SYSTEM);
  if ('why' in sets)
    throw new UserError(`whether this cluster has Azure's network is not known: ${sets.why}`, {
      hint: 'Say which it is: --datapath-mode aks-byocni, or azure.',
    });
  return datapathOfFlavour(flavour, sets.value.includes('azure-cns'));
}

/** Where no kube-proxy runs Cilium takes its place, and needs to know the API server without it. */
async function proxyValues(
  client: KubeClient,
  flavour: Flavour | undefined,
  known: Values,
  { say, note }: Telling,
): Promise<Values> {
  if (flavour === 'K3s') return {};
  const sets = await daemonSetNames(client, KUBE_SYSTEM);
  if ('why' in sets) {
    await say('⏭️ Skipping auto kube-proxy detection');
    await note(`Note: whether kube-proxy runs is not known: ${sanitizeCell(sets.why)}`);
    return {};
  }
  if (sets.value.some((name) => name.includes('kube-proxy'))) {
    await say('🔮 Auto-detected kube-proxy has been installed');
    return {};
  }
  let { host, port } = hostAndPort(client.server);
  if (flavour === 'kind') {
    await say('ℹ️  Detecting real Kubernetes API server addr and port on Kind');
    try {
      ({ host, port } = await serviceEndpoint(client));
    } catch (error) {
      if (!(error instanceof NoEndpoint)) throw error;
      await say(`❌ ${error.message}`);
      if (error.cause) await note(`Note: ${sanitizeCell(errorMessage(error.cause))}`);
      return {};
    }
  }
  if (host === '' || port === '') return {};
  await say('🔮 Auto-detected kube-proxy has not been installed');
  const wanted = { kubeProxyReplacement: true, k8sServiceHost: host, k8sServicePort: Number(port) };
  const isOff = ['false', 'disabled'].includes(String(valueAt(known, 'kubeProxyReplacement')));
  if (!isOff) await say('ℹ️  Cilium will fully replace all functionalities of kube-proxy');
  else
    await note(
      'Note: kubeProxyReplacement is off by the values, and no kube-proxy runs: services will not work.',
    );
  return nested(Object.fromEntries(Object.entries(wanted).filter(([name]) => !(name in known))));
}

async function gkeCidr(context: string, { say }: Telling, ctx: Context): Promise<string> {
  const [, project, zone, name] = context.split('_');
  const failed = async (why: string) => {
    await say('❌ Unable to auto-detect GKE native routing CIDR. Is "gcloud" installed?');
    await say('ℹ️  You can set the native routing CIDR manually with --set ipv4NativeRoutingCIDR=x.x.x.x/x');
    return new UserError(why, {
      hint: 'The addresses of the pods of the cluster are asked for. Say them yourself: --set ipv4NativeRoutingCIDR=x.x.x.x/x.',
    });
  };
  if (!project || !zone || !name)
    throw await failed(
      `unable to derive region and zone from context name ${JSON.stringify(context)}: not in the form gke_PROJECT_ZONE_NAME`,
    );
  const words = [
    'container',
    'clusters',
    'describe',
    name,
    '--zone',
    zone,
    // What gcloud is set to may be another project, or none.
    '--project',
    project,
    '--format',
    'value(clusterIpv4Cidr)',
  ];
  const ran = await runProgram('gcloud', words, ctx);
  if (ran === undefined) throw await failed('there is no program gcloud on PATH');
  if (ran.code !== 0) throw await failed(`gcloud: ${ran.stderr.trim() || `exit code ${ran.code}`}`);
  const cidr = ran.stdout.trim();
  if (cidr === '') throw await failed(`gcloud tells no addresses of the pods of ${name} in ${project}`);
  await say(`✅ Detected GKE native routing CIDR: ${cidr}`);
  return cidr;
}

function refuseAzure(known: Values): void {
  const missing = AZURE_VALUES.filter((name) => valueAt(known, name) === undefined);
  if (missing.length > 0)
    throw new UserError(`the datapath mode azure needs the values ${missing.join(', ')}`, {
      hint: 'They are of a service principal, which is not made here: give them by --values or --set, or use --datapath-mode aks-byocni.',
    });
}
