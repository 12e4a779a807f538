import { compareNatural } from '../lib/order.ts';
import { isRecord } from '../lib/record.ts';
import { type KubeClient, type KubeObject, KubeRefusal, wordsOf } from './client.ts';
import { configMapPath } from './config-map.ts';
import { GROUP } from './forms.ts';
import { listAll } from './pages.ts';
import { pathIn } from './paths.ts';
import { type Owner, ownersOf } from './release.ts';

/** Who installs Cilium here, and what could not be looked at. */
export interface Ownership {
  /** Argo CD or Flux, which set back what anybody else changes. */
  gitOps: (Owner & { by: string }) | undefined;
  /** What Helm's own marks name. */
  helm: Owner | undefined;
  /** DaemonSet or ConfigMap of Cilium is there, whoever made it. */
  isThere: boolean;
  /** Why not all is known: one refusal each. */
  unseen: string[];
}

/** Whose work the fields of an object are, where neither labels nor annotations tell. */
const MANAGERS: Readonly<Record<string, Owner['kind']>> = {
  'argocd-controller': 'Argo CD',
  'argocd-application-controller': 'Argo CD',
  'helm-controller': 'Flux',
  'kustomize-controller': 'Flux',
};
const FORBIDDEN = 403;
const FLUX = 'helm.toolkit.fluxcd.io';
const ARGO = 'argoproj.io';

interface Application extends KubeObject {
  spec?: Record<string, unknown>;
  status?: Record<string, unknown>;
}

/**
 * Finds out who installs Cilium: by labels, annotations and managers of its DaemonSet and ConfigMap, then by the objects of Flux
 * and Argo CD that name the release, as far as they may be read.
 */
export async function readOwnership(
  client: KubeClient,
  namespace: string,
  release: string,
): Promise<Ownership> {
  const unseen: string[] = [];
  const attempt = async <T>(part: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await part();
    } catch (error) {
      if (!(error instanceof KubeRefusal && error.code === FORBIDDEN)) throw error;
      unseen.push(wordsOf(error));
      return undefined;
    }
  };
  const paths: [string, string][] = [
    ['DaemonSet', pathIn(namespace, 'apps/v1/daemonsets', 'cilium')],
    ['ConfigMap', configMapPath(namespace)],
  ];
  let gitOps: Ownership['gitOps'];
  let helm: Owner | undefined;
  let isThere = false;
  for (const [kind, path] of paths) {
    const object = await attempt(() => client.find<KubeObject>({ path }));
    if (!object) continue;
    isThere = true;
    const owners = [...ownersOf(object), ...managersOf(object)];
    helm ??= owners.find((owner) => owner.kind === 'Helm');
    const found = owners.find((owner) => owner.kind !== 'Helm');
    if (found) gitOps ??= { ...found, by: `the marks of ${kind} ${namespace}/${object.metadata?.name}` };
  }
  gitOps ??= await attempt(() => fluxOwner(client, namespace, release));
  gitOps ??= await attempt(() => argoOwner(client, namespace));
  return { gitOps, helm, isThere, unseen: unseen.toSorted(compareNatural) };
}

function managersOf({ metadata }: KubeObject): Owner[] {
  return ((metadata?.managedFields ?? []) as { manager?: string }[]).flatMap(({ manager = '' }) => {
    const kind = Object.hasOwn(MANAGERS, manager) ? MANAGERS[manager] : undefined;
    return kind === undefined ? [] : [{ kind, name: manager }];
  });
}

/** A list of a kind that may not be there; empty then. */
async function listed(client: KubeClient, group: string, plural: string): Promise<Application[]> {
  const found = await client.find<{ preferredVersion?: { groupVersion?: string } }>({
    path: `/apis/${group}`,
    form: GROUP,
  });
  const version = found?.preferredVersion?.groupVersion;
  if (version === undefined) return [];
  try {
    return await listAll<Application, Application>(client, `/apis/${version}/${plural}`, {}, (item) => item);
  } catch (error) {
    if (error instanceof KubeRefusal && error.code === 404) return [];
    throw error;
  }
}

async function fluxOwner(
  client: KubeClient,
  namespace: string,
  release: string,
): Promise<Ownership['gitOps']> {
  for (const { metadata, spec = {} } of await listed(client, FLUX, 'helmreleases')) {
    const { name = '', namespace: home = '' } = metadata ?? {};
    const { targetNamespace, releaseName } = spec;
    const isTarget = (targetNamespace ?? home) === namespace;
    const named = releaseName ?? (typeof targetNamespace === 'string' ? `${targetNamespace}-${name}` : name);
    if (isTarget && named === release)
      return { kind: 'Flux', name, by: `HelmRelease ${home}/${name}, which names this release` };
  }
  return undefined;
}

/** The servers that an Application calls the cluster which it lives in. */
const HERE = new Set([undefined, '', 'in-cluster', 'https://kubernetes.default.svc']);

async function argoOwner(client: KubeClient, namespace: string): Promise<Ownership['gitOps']> {
  for (const { metadata, spec = {}, status = {} } of await listed(client, ARGO, 'applications')) {
    const { name = '', namespace: home = '' } = metadata ?? {};
    const { destination, source, sources } = spec;
    const place = isRecord(destination) ? destination : {};
    if (!HERE.has((place.server ?? place.name) as string | undefined)) continue;
    const charts = [source, ...(Array.isArray(sources) ? sources : [])].filter(isRecord);
    const isChart = place.namespace === namespace && charts.some(({ chart }) => chart === 'cilium');
    const resources = Array.isArray(status.resources) ? status.resources.filter(isRecord) : [];
    const hasAgents = resources.some(
      (one) => one.kind === 'DaemonSet' && one.name === 'cilium' && one.namespace === namespace,
    );
    if (isChart || hasAgents)
      return { kind: 'Argo CD', name, by: `Application ${home}/${name}, which installs it` };
  }
  return undefined;
}
