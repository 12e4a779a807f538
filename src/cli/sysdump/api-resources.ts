import { timedFile } from '../../archive/layout.ts';
import { UserError } from '../../errors.ts';
import { type KubeClient, wordsOf } from '../../kube/client.ts';
import { bounded } from '../../lib/bounded.ts';
import { kubeYaml } from '../../render/text/kube-yaml.ts';
import type { Work } from './jobs.ts';
import type { Place } from './place.ts';

const ANY = { fields: {} } as const;
const AT_ONCE = 5;

interface Groups {
  groups?: { name?: string; versions?: { groupVersion?: string }[] }[];
}

/**
 * Writes which groups, versions and kinds the API server has, as it tells them: the answers to `/api` and `/apis`, and those
 * of each version, one after the other. One that does not answer is left out, and named.
 */
export async function collectApiResources(place: Place, work: Work): Promise<void> {
  const { client, dump } = place;
  const name = timedFile('k8s-api-resources', dump.time, 'yaml');
  const faults: string[] = [];
  const core = await client.json<object>({ path: '/api', form: ANY });
  const groups = await client.json<Groups>({ path: '/apis', form: ANY });
  const versions = (groups.groups ?? []).flatMap(({ versions: of = [] }) =>
    of.flatMap(({ groupVersion }) => groupVersion ?? []),
  );
  const paths = ['/api/v1', ...versions.map((version) => `/apis/${version}`)];
  const lists = await Promise.all(bounded(paths, AT_ONCE, (path) => resourcesAt(client, path, faults)));
  const file = await dump.file(
    name,
    async (sink) => {
      await sink('apiVersion: v1\nitems:\n');
      for (const answer of [core, groups, ...lists])
        if (answer) await sink(kubeYaml([dump.redactor.object(name, answer)]));
      await sink('kind: List\n');
    },
    { isClean: true },
  );
  work.files.push(file);
  if (faults.length > 0) throw new UserError(faults.join('; '));
}

/** The kinds of a version; undefined where they are not told. */
async function resourcesAt(client: KubeClient, path: string, faults: string[]): Promise<object | undefined> {
  try {
    return await client.json<object>({ path, form: ANY });
  } catch (error) {
    client.signal.throwIfAborted();
    faults.push(`${path}: ${wordsOf(error)}`);
    return undefined;
  }
}
