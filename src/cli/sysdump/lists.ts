import { timedFile } from '../../archive/layout.ts';
import type { ListItem, ObjectItem } from '../../cluster/sysdump/item.ts';
import { type KubeObject, KubeRefusal } from '../../kube/client.ts';
import { pages } from '../../kube/pages.ts';
import { kubeYaml } from '../../render/text/kube-yaml.ts';
import type { Sink } from './dump.ts';
import { Absent, type Work } from './jobs.ts';
import type { Place } from './place.ts';

/** Objects per request: fewer than elsewhere, since each is held whole, of several lists at once. */
const PAGE = 100;
const MAX_STARTS = 3;

/** The list began anew while it was written. */
class Restarted extends Error {}

/** Where an item is looked for: `{ns}` in its path is the namespace of its scope. */
function pathIn(place: Place, path: string, scope: ListItem['scope']): string {
  if (scope === undefined) return path;
  const namespace = scope === 'kube-system' ? scope : place.namespaces[scope];
  if (namespace === undefined) throw new Absent(`no namespace of ${scope} is known`);
  return path.replace('{ns}', encodeURIComponent(namespace));
}

/** Writes a list as YAML, as it comes. */
export async function collectList(place: Place, item: ListItem, work: Work): Promise<void> {
  const labelSelector = item.selector && place.options[item.selector];
  const name = timedFile(item.stem, place.dump.time, 'yaml');
  const namespace = item.scope && place.namespaces[item.scope];
  for (const version of item.paths) {
    const path = pathIn(place, version, item.scope);
    try {
      if (item.isSingle) {
        const object = await firstOf(place, path, labelSelector);
        if (!object) throw missing(place, item, `with label ${JSON.stringify(labelSelector)}`, namespace);
        work.files.push(await writeObject(place, name, object));
      } else await writeList(place, item, { path, labelSelector, name }, work);
      return;
    } catch (error) {
      if (!(error instanceof KubeRefusal && error.code === 404) || version === item.paths.at(-1)) throw error;
    }
  }
}

async function writeList(
  place: Place,
  item: ListItem,
  { path, labelSelector, name }: { path: string; labelSelector: string | undefined; name: string },
  work: Work,
): Promise<void> {
  for (let start = 1; ; start++) {
    try {
      const isMeant =
        item.names && (({ metadata }: KubeObject) => item.names?.includes(metadata?.name ?? ''));
      const query = { path, labelSelector, name, isMeant: isMeant as never };
      const file = await place.dump.file(name, (sink) => listInto(place, query, sink), { isClean: true });
      work.files.push(file);
      return;
    } catch (error) {
      if (!(error instanceof Restarted) || start === MAX_STARTS) throw error;
      work.note('the list was begun again, since the server had let its state go');
    }
  }
}

/** What of a list is written. */
export interface ListQuery {
  path: string;
  labelSelector?: string | undefined;
  /** The file that redactions are counted for. */
  name: string;
  isMeant?: ((object: KubeObject) => boolean) | undefined;
  /** Told of each object that is written. */
  onObject?: (object: KubeObject) => void;
}

/** Writes a list as kubectl has it. Throws Restarted where it began anew. */
export async function listInto(
  { client, dump }: Place,
  { path, labelSelector, name, isMeant, onObject }: ListQuery,
  sink: Sink,
): Promise<void> {
  let [isFirst, kind, version] = [true, '', ''];
  for await (const page of pages<KubeObject>(client, path, { labelSelector, limit: PAGE, asTheyAre: true })) {
    if (page.restarted) throw new Restarted();
    kind ||= page.kind;
    version = page.resourceVersion;
    if (isFirst) await sink(`apiVersion: ${page.apiVersion}\n`);
    for (const object of page.items) {
      if (isMeant && !isMeant(object)) continue;
      if (isFirst) await sink('items:\n');
      isFirst = false;
      const clean = dump.redactor.object(name, object);
      await sink(kubeYaml([clean]));
      onObject?.(clean);
    }
    if (isFirst) {
      await sink('items: []\n');
      isFirst = false;
    }
  }
  await sink(`kind: ${kind}\nmetadata:\n  resourceVersion: ${JSON.stringify(version)}\n`);
}

async function firstOf(
  { client }: Place,
  path: string,
  labelSelector: string | undefined,
): Promise<KubeObject | undefined> {
  for await (const page of pages<KubeObject>(client, path, { labelSelector, limit: 1, asTheyAre: true })) {
    const [object] = page.items;
    if (object) return { apiVersion: page.apiVersion, kind: page.kind.replace(/List$/, ''), ...object };
  }
  return undefined;
}

/** Writes one object as YAML. */
export function writeObject(place: Place, name: string, object: object) {
  const fill = (sink: Sink) => sink(kubeYaml(place.dump.redactor.object(name, object)));
  return place.dump.file(name, fill, { isClean: true });
}

/** Writes an object that its name leads to. */
export async function collectObject(place: Place, item: ObjectItem, work: Work): Promise<void> {
  const path = `${pathIn(place, item.path, item.scope)}/${encodeURIComponent(item.name)}`;
  const object = await place.client.find<KubeObject>({ path, form: { fields: {} } });
  if (!object)
    throw missing(place, item, JSON.stringify(item.name), place.namespaces[item.scope as 'cilium']);
  work.files.push(await writeObject(place, timedFile(item.stem, place.dump.time, 'yaml'), object));
}

/** Says that something is not there, and when that is expected. */
function missing(
  place: Place,
  { missing: said, stem }: ListItem | ObjectItem,
  what: string,
  namespace: string | undefined,
): Absent {
  const where = `not found in namespace ${JSON.stringify(namespace)}`;
  if (!said) return new Absent(`${stem}: ${what} ${where}`);
  const text = `${said.what} ${what} ${where} - this is expected ${said.expected}`;
  place.say(`⚠️ ${text}`);
  return new Absent(text);
}
