import { NotCollected } from '../../archive/not-collected.ts';
import { objectsOf } from '../../archive/object-list.ts';
import type { Recording } from '../../archive/recording.ts';
import { isRecord } from '../../lib/record.ts';

const STEM = 'cilium-secrets';

/**
 * A Secret with those of its values that an archive may show, in the forms in which it shows them: a certificate as it was, a
 * key described. 'none' where it was not there. Throws NotCollected where that is not known.
 */
export async function recordedSecret(
  recording: Recording,
  namespace: string,
  name: string,
): Promise<object | 'none'> {
  const file = recording.fileOf(STEM);
  const missing = (why: string | undefined) =>
    new NotCollected(
      `${recording.label} holds nothing of the Secret ${namespace}/${name}${why === undefined ? '' : ` (${why})`}`,
      { hint: 'Of Secrets an archive has only what is not secret in those that verbs ask for.' },
    );
  if (file !== undefined)
    for await (const facts of objectsOf(recording.files, file)) {
      if (facts.name !== name || facts.namespace !== namespace) continue;
      if (facts.isThere === false) return 'none';
      if (facts.withheld !== undefined) throw missing(String(facts.withheld));
      const shown = Array.isArray(facts.shown) ? facts.shown.filter(isRecord) : [];
      return {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name, namespace },
        data: Object.fromEntries(
          shown.map(({ key, text }) => [String(key), Buffer.from(String(text)).toString('base64')]),
        ),
      };
    }
  throw missing((await recording.why({ stem: STEM }))?.text);
}
