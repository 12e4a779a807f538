import { gunzipSync } from 'node:zlib';
import { errorMessage, UserError } from '../errors.ts';
import { parsePlainJson } from '../lib/exact-json.ts';
import { isRecord } from '../lib/record.ts';
import { type Build, parseBuild, type Release } from '../model/release.ts';
import type { KubeClient, KubeObject } from './client.ts';
import { listOf, OBJECT } from './forms.ts';
import { pathIn } from './paths.ts';

interface DaemonSet extends KubeObject {
  spec?: { template?: { spec?: { containers?: { name?: string; image?: string }[] } } };
}

/** Who sets an object back to what is written somewhere else. */
export interface Owner {
  kind: 'Helm' | 'Argo CD' | 'Flux';
  /** Of the release or application. */
  name: string;
}

/** A release as Helm keeps it in the cluster. */
export interface HelmRelease {
  name: string;
  revision: number;
  status: string;
  /** Empty where it is not said. */
  chartName: string;
  chartVersion: string;
  /** The version of what the chart installs, as the chart says. */
  appVersion: string;
  /** When it was last installed or upgraded, RFC 3339; empty where it is not said. */
  deployedAt: string;
  /** What the user gave beside the chart's defaults. */
  values: Record<string, unknown>;
  /** The rendered objects, as YAML documents. */
  manifest: string;
  /** What Helm runs before and after it does something: `Job kube-system/name`. */
  hooks: { name: string; manifest: string }[];
  /** As Helm keeps it: metadata, templates, values, files, schema. */
  chart: Record<string, unknown>;
}

const HELM_NAME = 'meta.helm.sh/release-name';
/** A Secret holds 1 MiB; of what is packed in it no more than this is looked at. */
const MAX_UNPACKED = 64 * 1024 * 1024;
const METADATA_ONLY = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';

/** By whom an object is kept, as its labels and annotations tell; what acts upon Helm comes before Helm. */
export function ownersOf({ metadata }: KubeObject): Owner[] {
  const { labels = {}, annotations = {} } = metadata ?? {};
  const owners: Owner[] = [];
  const argo =
    annotations['argocd.argoproj.io/tracking-id']?.split(':')[0] ?? labels['argocd.argoproj.io/instance'];
  if (argo !== undefined) owners.push({ kind: 'Argo CD', name: argo });
  const flux = labels['helm.toolkit.fluxcd.io/name'] ?? labels['kustomize.toolkit.fluxcd.io/name'];
  if (flux !== undefined) owners.push({ kind: 'Flux', name: flux });
  const helm = annotations[HELM_NAME];
  if (helm !== undefined || labels['app.kubernetes.io/managed-by'] === 'Helm')
    owners.push({ kind: 'Helm', name: helm ?? 'cilium' });
  return owners;
}

/**
 * The newest deployed revision of a release, else the newest of any status; undefined when there is none. Throws
 * KubeRefusal where Secrets may not be read, and UserError where one cannot be understood.
 */
export async function findRelease(
  client: KubeClient,
  namespace: string,
  name: string,
): Promise<HelmRelease | undefined> {
  const revisions = await readRevisionStates(client, namespace, name);
  const newest = revisions.find(({ status }) => status === 'deployed') ?? revisions[0];
  if (!newest) return undefined;
  const secret = await client.find<{ data?: { release?: string } }>({
    path: pathIn(namespace, 'secrets', newest.secret),
  });
  const packed = secret?.data?.release;
  if (packed === undefined) return undefined;
  return decodeRelease(packed, `Secret ${namespace}/${newest.secret}`);
}

/** A revision of a release, as its Secret is labelled. */
export interface RevisionState {
  secret: string;
  revision: number;
  status: string;
}

/** The revisions of a release, newest first; empty when there is none. */
export async function readRevisionStates(
  client: KubeClient,
  namespace: string,
  name: string,
): Promise<RevisionState[]> {
  // Only names: each Secret holds a whole chart.
  const { items = [] } = await client.json<{ items?: KubeObject[] }>({
    path: pathIn(namespace, 'secrets'),
    query: { labelSelector: `owner=helm,name=${name}`, limit: 500 },
    accept: METADATA_ONLY,
    form: listOf(OBJECT),
  });
  return items
    .map(({ metadata }) => ({
      secret: metadata?.name ?? '',
      status: metadata?.labels?.status ?? '',
      revision: Number(/\.v(\d+)$/.exec(metadata?.name ?? '')?.[1] ?? 0),
    }))
    .toSorted((a, b) => b.revision - a.revision);
}

/** Unpacks `data.release` of a release's Secret: base64 of base64 of JSON, which Helm packs with gzip. */
export function decodeRelease(packed: string, from: string): HelmRelease {
  try {
    const inner = Buffer.from(Buffer.from(packed, 'base64').toString('latin1'), 'base64');
    const isPacked = inner[0] === 0x1f && inner[1] === 0x8b;
    const text = isPacked ? gunzipSync(inner, { maxOutputLength: MAX_UNPACKED }) : inner;
    const value: unknown = parsePlainJson(text.toString('utf8'));
    if (!isRecord(value)) throw new Error('it is no object');
    const { name, version, info, chart, config, manifest, hooks } = value;
    const metadata = isRecord(chart) && isRecord(chart.metadata) ? chart.metadata : {};
    return {
      name: String(name ?? ''),
      revision: Number(version ?? 0),
      status: isRecord(info) ? String(info.status ?? '') : '',
      chartName: String(metadata.name ?? ''),
      chartVersion: String(metadata.version ?? ''),
      deployedAt: isRecord(info) ? String(info.last_deployed ?? '') : '',
      appVersion: String(metadata.appVersion ?? ''),
      values: isRecord(config) ? config : {},
      manifest: typeof manifest === 'string' ? manifest : '',
      hooks: (Array.isArray(hooks) ? hooks : []).filter(isRecord).map((hook) => ({
        name: `${hook.kind ?? ''} ${hook.name ?? ''}`,
        manifest: typeof hook.manifest === 'string' ? hook.manifest : '',
      })),
      chart: isRecord(chart) ? chart : {},
    };
  } catch (error) {
    throw new UserError(`${from} is not a release that Helm wrote: ${errorMessage(error)}`, { cause: error });
  }
}

/** The release of the agents. */
export async function installedRelease(client: KubeClient, namespace: string): Promise<Release | undefined> {
  return (await installedBuild(client, namespace))?.release;
}

/** The build of the agents, as the image of their DaemonSet names it; undefined where it names none. */
export async function installedBuild(client: KubeClient, namespace: string): Promise<Build | undefined> {
  return parseBuild((await agentVersion(client, namespace)) ?? '');
}

/** The version of the agents in the same words, such as `1.17.3`. */
export async function agentVersion(client: KubeClient, namespace: string): Promise<string | undefined> {
  const { items = [] } = await client.json<{ items?: DaemonSet[] }>({
    path: pathIn(namespace, 'apps/v1/daemonsets'),
    query: { labelSelector: 'k8s-app=cilium', limit: 500 },
  });
  const images = items.flatMap(({ spec }) => spec?.template?.spec?.containers ?? []);
  const image = images.find(({ name }) => name === 'cilium-agent')?.image ?? '';
  return /:v?(\d[^@:/]*)(?:@|$)/.exec(image)?.[1];
}
