import { timedFile } from '../../archive/layout.ts';
import { type SecretFacts, type SecretForm, shownOf } from '../../cluster/sysdump/secret-facts.ts';
import { UserError } from '../../errors.ts';
import { type KubeObject, KubeRefusal, wordsOf } from '../../kube/client.ts';
import { CA_SECRET, MESH, REMOTE_SECRETS } from '../../kube/clustermesh.ts';
import { IPSEC_SECRET } from '../../kube/ipsec-secret.ts';
import { pathIn } from '../../kube/paths.ts';
import { kubeYaml } from '../../render/text/kube-yaml.ts';
import { Absent, type Work } from './jobs.ts';
import type { Place } from './place.ts';

/** The Secrets that verbs print something of. */
const SECRETS: readonly [name: string, form: SecretForm][] = [
  [IPSEC_SECRET, 'ipsec'],
  [CA_SECRET, 'authority'],
  ...REMOTE_SECRETS.map((name): [string, SecretForm] => [name, 'authority']),
  [MESH.agentSecret, 'mesh'],
  [MESH.kvstoremeshSecret, 'mesh'],
];

/** Writes of some Secrets whether they are there, the names of their keys, and what in them is not secret. */
export async function collectSecrets(place: Place, work: Work): Promise<void> {
  const { client, dump, namespaces } = place;
  const namespace = namespaces.cilium;
  if (namespace === undefined) throw new Absent('no namespace of cilium is known');
  const facts: SecretFacts[] = [];
  const faults: string[] = [];
  for (const [name, form] of SECRETS) {
    const path = pathIn(namespace, 'secrets', name);
    try {
      const secret = await client.find<KubeObject & { data?: Record<string, string> }>({ path });
      const values = Object.fromEntries(
        Object.entries(secret?.data ?? {}).map(([key, packed]) => [
          key,
          Buffer.from(String(packed), 'base64').toString('utf8'),
        ]),
      );
      facts.push({
        name,
        namespace,
        isThere: secret !== undefined,
        keys: Object.keys(values),
        ...shownOf(form, values),
      });
    } catch (error) {
      if (!(error instanceof KubeRefusal)) throw error;
      faults.push(wordsOf(error));
    }
  }
  const yaml = facts.length === 0 ? 'items: []\n' : `items:\n${kubeYaml(facts)}`;
  const file = await dump.file(
    timedFile('cilium-secrets', dump.time, 'yaml'),
    (sink) => sink(`apiVersion: v1\n${yaml}kind: List\n`),
    // A certificate is no secret, and of the rest there are names only.
    { isClean: true },
  );
  work.files.push(file);
  if (faults.length > 0) throw new UserError(faults.join('; '));
}
