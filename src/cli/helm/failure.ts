import type { Cluster } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { type KubeClient, KubeRefusal } from '../../kube/client.ts';
import { type HelmRelease, readRevisionStates } from '../../kube/release.ts';
import { sanitize } from '../../render/text/sanitize.ts';
import { helmCommand } from './command.ts';

/** What is known of a failed upgrade or installation. */
export interface Failure {
  namespace: string;
  release: string;
  cluster: Cluster;
  /** What helm said. */
  fault: string;
  /** What was there before; undefined for an installation. */
  before: HelmRelease | undefined;
}

/** The error of helm that failed: its words, what it left behind, and how to get back. */
export async function failedUpgrade(client: KubeClient, failure: Failure): Promise<UserError> {
  const { namespace, release, cluster, fault, before } = failure;
  const left = await readRevisionStates(client, namespace, release).catch((error: unknown) => {
    if (error instanceof KubeRefusal) return undefined;
    throw error;
  });
  const what = before ? 'Unable to upgrade Cilium' : 'Unable to install Cilium';
  const [newest] = left ?? [];
  const isNew =
    newest !== undefined && newest.revision > (before?.revision ?? 0) && newest.status !== 'deployed';
  const back = before
    ? helmCommand({
        words: ['rollback', release, String(before.revision)],
        cluster,
        namespace,
        values: false,
      })
    : helmCommand({ words: ['uninstall', release], cluster, namespace, values: false });
  const hint = !isNew
    ? left === undefined
      ? 'What it left behind is not known: the releases may not be read.'
      : 'Helm refused it before anything was changed: no new revision is there.'
    : [
        `Revision ${newest.revision} is left in the state "${newest.status}": objects of it may be changed already.`,
        before ? `Back to revision ${before.revision}: ${back}` : `To take away what is there: ${back}`,
      ].join(' ');
  return new UserError(`${what}: ${sanitize(withoutPrefix(fault))}`, { hint });
}

/** Helm's own heading says what ours does. */
function withoutPrefix(fault: string): string {
  return fault.replace(/^(?:UPGRADE|INSTALLATION) FAILED: /, '');
}
