import { timedFile } from '../../archive/layout.ts';
import type { KubeObject } from '../../kube/client.ts';
import { pathIn } from '../../kube/paths.ts';
import { findRelease } from '../../kube/release.ts';
import { printedList } from '../../kube/tables.ts';
import { parseQuantity } from '../../lib/quantity.ts';
import { printedTable } from '../../render/cluster/objects.ts';
import {
  EVENTS_HEAD,
  EVENTS_TAIL,
  type EventRow,
  eventRow,
  topTable,
  versionText,
} from '../../render/cluster/sysdump.ts';
import { renderTable } from '../../render/text/blocks.ts';
import { kubeYaml } from '../../render/text/kube-yaml.ts';
import { collectApiResources } from './api-resources.ts';
import { copyTo } from './dump.ts';
import { Absent, type Work } from './jobs.ts';
import { listInto, writeObject } from './lists.ts';
import type { Place } from './place.ts';
import { collectSecrets } from './secrets.ts';

const ANY = { fields: {} } as const;
const MAX_EVENTS_SHOWN = 50_000;

/** What the API server says of itself and its objects beside plain lists. */
export const KUBERNETES_TASKS = {
  version: async (place: Place, work: Work) => {
    const version = await place.client.json<Record<string, unknown>>({ path: '/version', form: ANY });
    const name = timedFile('k8s-version', place.dump.time, 'txt');
    work.files.push(await place.dump.file(name, (sink) => sink(versionText(version))));
  },
  events: collectEvents,
  'pods-table': async (place: Place, work: Work) => {
    const kind = { apiVersion: 'v1', plural: 'pods', kind: 'Pod', namespaced: true };
    const list = await printedList(place.client, kind, undefined, {});
    const table = printedTable(list, { withNamespace: true });
    const name = timedFile('k8s-pods', place.dump.time, 'txt');
    work.files.push(await place.dump.file(name, (sink) => sink(renderTable(table))));
  },
  'api-metrics': async (place: Place, work: Work) => {
    const { client, dump } = place;
    const file = await dump.file(
      timedFile('k8s-metrics', dump.time, 'yaml'),
      async (sink) =>
        copyTo(sink, await client.open({ path: '/metrics', accept: 'text/plain', signal: work.signal })),
      { keepsPart: true },
    );
    work.files.push(file);
  },
  'top-nodes': collectTopNodes,
  'top-pods': collectTopPods,
  'etcd-secret': async (place: Place, work: Work) => {
    const [namespace, name] = [place.namespaces.cilium ?? '', 'cilium-etcd-secrets'];
    const path = pathIn(namespace, 'secrets', name);
    const accept = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json';
    const found = await place.client.find<KubeObject>({ path, accept });
    const where = `Secret "${name}" ${found ? 'found' : 'not found'} in namespace "${namespace}"`;
    place.say(found ? where : `${where} - this is expected when using the CRD KVStore`);
    work.note(found ? 'it exists' : 'it does not exist');
  },
  'agent-config': async (place: Place, work: Work) => {
    if (!place.config) throw new Absent('there is no ConfigMap cilium-config');
    const name = timedFile('cilium-configmap', place.dump.time, 'yaml');
    work.files.push(await writeObject(place, name, place.config.object));
  },
  'cni-configmap': async (place: Place, work: Work) => {
    const { cniConfigmapName: name } = place.options;
    const namespace = place.namespaces.cilium ?? '';
    const path = pathIn(namespace, 'configmaps', name);
    const object = await place.client.find<KubeObject>({ path, form: ANY });
    if (!object) throw new Absent(`ConfigMap "${name}" not found in namespace "${namespace}"`);
    work.files.push(await writeObject(place, timedFile('cni-configmap', place.dump.time, 'yaml'), object));
  },
  platform: collectPlatform,
  'api-resources': collectApiResources,
  secrets: collectSecrets,
} satisfies Record<string, (place: Place, work: Work) => Promise<void>>;

interface Event extends KubeObject {
  type?: string;
  reason?: string;
  message?: string;
  count?: number;
  firstTimestamp?: string;
  lastTimestamp?: string;
  eventTime?: string;
  series?: { count?: number; lastObservedTime?: string };
  involvedObject?: { kind?: string; namespace?: string; name?: string };
}

function timesOf(event: Event): { first: string; last: string } {
  const created = event.metadata?.creationTimestamp ?? '';
  const last = event.series?.lastObservedTime || event.lastTimestamp || event.eventTime || created;
  return { first: event.firstTimestamp || event.eventTime || created, last };
}

async function collectEvents(place: Place, work: Work): Promise<void> {
  const { dump, options, ctx } = place;
  const rows: EventRow[] = [];
  const earliest =
    options.since === undefined ? '' : new Date(ctx.clock.nowMs() - options.since).toISOString();
  const name = timedFile('k8s-events', dump.time, 'yaml');
  const onObject = (event: Event) => {
    const { kind = '', namespace = '', name: of = '' } = event.involvedObject ?? {};
    if (rows.length < MAX_EVENTS_SHOWN)
      rows.push({
        ...timesOf(event),
        count: event.series?.count ?? event.count ?? 1,
        type: event.type ?? '',
        reason: event.reason ?? '',
        object: `${kind} ${namespace}/${of}`,
        message: (event.message ?? '').slice(0, 2000),
      });
  };
  const isMeant = (event: Event) => timesOf(event).last >= earliest;
  work.files.push(
    await dump.file(
      name,
      (sink) =>
        listInto(place, { path: '/api/v1/events', name, onObject, ...(earliest && { isMeant }) }, sink),
      { isClean: true },
    ),
  );
  rows.sort((a, b) => (a.last < b.last ? -1 : a.last > b.last ? 1 : 0));
  const page = await dump.file(timedFile('k8s-events', dump.time, 'html'), async (sink) => {
    await sink(EVENTS_HEAD);
    for (const row of rows) await sink(eventRow(row));
    await sink(EVENTS_TAIL);
  });
  work.files.push(page);
  if (rows.length === MAX_EVENTS_SHOWN)
    work.note(`the page shows ${MAX_EVENTS_SHOWN} events; the list has all`);
}

interface Usage {
  items?: {
    metadata?: { name?: string; namespace?: string };
    usage?: { cpu?: string; memory?: string };
    containers?: { usage?: { cpu?: string; memory?: string } }[];
  }[];
}

const METRICS = '/apis/metrics.k8s.io/v1beta1';
const MIB = 1024 * 1024;
const milli = (cpu: number) => `${Math.round(cpu * 1000)}m`;
const mebi = (bytes: number) => `${Math.floor(bytes / MIB)}Mi`;

async function collectTopNodes(place: Place, work: Work): Promise<void> {
  const { items = [] } = await place.client.json<Usage>({ path: `${METRICS}/nodes`, form: ANY });
  const rows = [['NAME', 'CPU(cores)', 'CPU(%)', 'MEMORY(bytes)', 'MEMORY(%)']];
  const allocatable = new Map(place.nodes.map((node) => [node.name, node]));
  for (const { metadata, usage } of items) {
    const [cpu, memory] = [parseQuantity(usage?.cpu ?? '') ?? 0, parseQuantity(usage?.memory ?? '') ?? 0];
    const has = allocatable.get(metadata?.name ?? '');
    const share = (used: number, all: number | undefined) =>
      all ? `${((100 * used) / all).toFixed(0)}%` : '<unknown>';
    rows.push([
      metadata?.name ?? '',
      milli(cpu),
      share(cpu, has?.cpu),
      mebi(memory),
      share(memory, has?.memory),
    ]);
  }
  const name = timedFile('k8s-node-memory-cpu-usage', place.dump.time, 'txt');
  work.files.push(await place.dump.file(name, (sink) => sink(topTable(rows))));
}

async function collectTopPods(place: Place, work: Work): Promise<void> {
  const { items = [] } = await place.client.json<Usage>({ path: `${METRICS}/pods`, form: ANY });
  const rows = [['NAMESPACE', 'NAME', 'CPU(cores)', 'MEMORY(bytes)']];
  for (const { metadata, containers = [] } of items) {
    const sum = (of: 'cpu' | 'memory') =>
      containers.reduce((all, { usage }) => all + (parseQuantity(usage?.[of] ?? '') ?? 0), 0);
    rows.push([metadata?.namespace ?? '', metadata?.name ?? '', milli(sum('cpu')), mebi(sum('memory'))]);
  }
  const name = timedFile('k8s-pod-memory-cpu-usage', place.dump.time, 'txt');
  work.files.push(await place.dump.file(name, (sink) => sink(topTable(rows))));
}

/** What a release of Helm says of itself, or what values it was given. */
export async function collectHelm(
  place: Place,
  of: 'cilium' | 'tetragon',
  what: 'metadata' | 'values',
  work: Work,
): Promise<void> {
  const { options, namespaces, client, dump } = place;
  const release = (of === 'cilium' ? options.ciliumHelmReleaseName : options.tetragonHelmReleaseName) ?? of;
  const namespace = namespaces[of] ?? '';
  const found = await findRelease(client, namespace, release);
  if (!found) throw new Absent(`there is no Helm release ${release} in namespace ${namespace}`);
  const { name, revision, status, chartVersion, appVersion, deployedAt, values, chart } = found;
  const metadata = chart.metadata as { name?: string } | undefined;
  const value =
    what === 'values'
      ? values
      : {
          appVersion,
          chart: metadata?.name,
          deployedAt,
          name,
          namespace,
          revision,
          status,
          version: chartVersion,
        };
  const file = timedFile(`${of}-helm-${what}`, dump.time, 'yaml');
  work.files.push(
    await dump.file(file, (sink) => sink(kubeYaml(dump.redactor.object(file, value))), { isClean: true }),
  );
}

/** Objects that a provider adds, as its nodes tell which it is. */
async function collectPlatform(place: Place, work: Work): Promise<void> {
  const { nodes, dump, client } = place;
  const one = async (stem: string, path: string) => {
    const object = await client.find<KubeObject>({ path, form: ANY });
    if (object) work.files.push(await writeObject(place, timedFile(stem, dump.time, 'yaml'), object));
    return object !== undefined;
  };
  const all = async (stem: string, path: string) => {
    const name = timedFile(stem, dump.time, 'yaml');
    work.files.push(
      await dump.file(name, (sink) => listInto(place, { path, name }, sink), { isClean: true }),
    );
  };
  if (nodes.some(({ provider }) => provider.startsWith('aws://'))) {
    if (!(await one('aws-node-daemonset', '/apis/apps/v1/namespaces/kube-system/daemonsets/aws-node')))
      throw new Absent('DaemonSet kube-system/aws-node not found: expected in ENI mode');
    await all('aws-securitygrouppolicies', '/apis/vpcresources.k8s.aws/v1beta1/securitygrouppolicies');
    await all('aws-eniconfigs', '/apis/crd.k8s.amazonaws.com/v1alpha1/eniconfigs');
  } else if (
    nodes.some(({ labels }) => Object.keys(labels).some((key) => key.startsWith('cloud.google.com/gke')))
  ) {
    const base = '/api/v1/namespaces/kube-system/configmaps';
    await one('gke-cilium-hubble-config', `${base}/cilium-hubble-config`);
    await one('gke-cilium-override-config', `${base}/cilium-config-emergency-override`);
  } else throw new Absent('the nodes are of no provider that adds something');
}
