import { objectsOf } from '../../archive/object-list.ts';
import type { Recording } from '../../archive/recording.ts';
import { once } from '../../lib/once.ts';
import { isRecord } from '../../lib/record.ts';

/** What an API server answered to `/api`, `/apis` and what is below them. */
interface Discovery {
  core: object | undefined;
  groups: { groups?: { name?: string; versions?: { groupVersion?: string }[] }[] } | undefined;
  /** Names of the kinds of a version, and the answer that has them. */
  versions: ReadonlyMap<string, { answer: object; plurals: ReadonlySet<string> }>;
}

/** Which kinds an API server had, as an archive has it. */
export class RecordedApi {
  constructor(private readonly recording: Recording) {}

  readonly #read = once(async (): Promise<Discovery | undefined> => {
    const file = this.recording.fileOf('k8s-api-resources');
    if (file === undefined) return undefined;
    const versions = new Map<string, { answer: object; plurals: ReadonlySet<string> }>();
    const found: Discovery = { core: undefined, groups: undefined, versions };
    for await (const answer of objectsOf(this.recording.files, file))
      switch (answer.kind) {
        case 'APIVersions':
          found.core = answer;
          break;
        case 'APIGroupList':
          found.groups = answer;
          break;
        case 'APIResourceList':
          versions.set(String(answer.groupVersion), { answer, plurals: pluralsIn(answer.resources) });
      }
    return found;
  });

  /**
   * The answer to such a path; `none` where the server had no such group or version, and undefined where the archive does
   * not tell.
   */
  async answer(path: string): Promise<object | 'none' | undefined> {
    const found = await this.#read();
    const [root, ...names] = path.split('/').filter((part) => part !== '');
    const isMeant = root === 'api' ? names.length < 2 : root === 'apis' && names.length < 3;
    if (!found || !isMeant) return undefined;
    if (names.length === 0) return root === 'api' ? found.core : found.groups;
    const groups = found.groups?.groups;
    const version = names.join('/');
    if (root === 'apis' && names.length === 1) {
      const group = groups?.find(({ name }) => name === version);
      return group ? { kind: 'APIGroup', apiVersion: 'v1', ...group } : groups && 'none';
    }
    const known = found.versions.get(version)?.answer;
    if (known || root === 'api' || !groups) return known;
    const isThere = groups.some(({ versions }) => versions?.some((one) => one.groupVersion === version));
    return isThere ? undefined : 'none';
  }

  /** Whether the server had a kind; undefined where the archive does not tell. */
  async has(apiVersion: string, plural: string): Promise<boolean | undefined> {
    const version = (await this.#read())?.versions.get(apiVersion);
    if (version) return version.plurals.has(plural);
    return (await this.answer(`/apis/${apiVersion}`)) === 'none' ? false : undefined;
  }
}

function pluralsIn(resources: unknown): Set<string> {
  return new Set(
    Array.isArray(resources) ? resources.flatMap((one) => (isRecord(one) ? String(one.name) : [])) : [],
  );
}
