import { UserError } from '../../errors.ts';
import { parseJson } from '../../lib/exact-json.ts';
import type { RemoteClusterStatus } from '../../model/status.ts';
import { Reader } from './reader.ts';
import { remoteCluster } from './status.ts';
import type { RemoteCluster } from './types.gen.ts';

/** The remote clusters in what `status -o json` of an agent's own command line prints; undefined where it knows of no mesh. */
export function clustersOfStatus(document: unknown): readonly RemoteClusterStatus[] | undefined {
  const status = new Reader<{ 'cluster-mesh'?: { clusters?: RemoteCluster[] } }>('status', document);
  const mesh = status.at('cluster-mesh');
  return mesh.present ? mesh.at('clusters').items().map(remoteCluster) : undefined;
}

/** Reads what `kvstoremesh-dbg status -o json` printed. */
export function decodeReplicaClusters(printed: string): RemoteClusterStatus[] {
  const call = 'kvstoremesh-dbg status';
  let value: unknown;
  try {
    value = parseJson(printed);
  } catch (cause) {
    throw new UserError(`\`${call}\` printed no JSON`, { cause });
  }
  return new Reader<RemoteCluster[]>(call, value).items().map(remoteCluster);
}
