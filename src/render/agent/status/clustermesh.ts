import { atLeast, type Release } from '../../../model/release.ts';
import { type AgentStatus, isReleased, type RemoteClusterStatus } from '../../../model/status.ts';
import { timeSince } from '../../text/duration.ts';

/** The ClusterMesh section: a count, and the clusters that are not ready (or all). */
export function clusterMeshLines(status: AgentStatus, all: boolean, nowMs: number): string {
  const { release, clusterMesh } = status;
  if (!clusterMesh) return '';
  const { clusters, globalServices } = clusterMesh;
  const ready = `${clusters.filter((c) => c.ready).length}/${clusters.length}`;
  // Last patches of 1.13 and later; agents on the way to 1.14 are older than those.
  const isLate = isReleased(status, '1.14') || release === '1.13';
  const remote = isLate ? 'remote ' : '';
  const services = atLeast(release, '1.19') ? '' : `, ${globalServices} global-services`;
  const lines = [`ClusterMesh:\t${ready} ${remote}clusters ready${services}`];
  for (const cluster of clusters) {
    if (all || !cluster.ready) lines.push(...clusterLines(cluster, release, isLate, nowMs));
  }
  return lines.map((line) => `${line}\n`).join('');
}

function clusterLines(
  cluster: RemoteClusterStatus,
  release: Release,
  isLate: boolean,
  nowMs: number,
): string[] {
  const { name, config, synced } = cluster;
  const ready = cluster.ready ? 'ready' : 'not-ready';
  const last = timeSince(cluster.lastFailure, nowMs);
  const corner = '   └  ';
  const failures = !isLate ? 'failures' : release === '1.14' ? 'reconnects' : 'reconnections';
  if (!atLeast(release, '1.14')) {
    const counts = `${cluster.nodes} nodes, ${cluster.identities} identities, ${cluster.services} services`;
    return [
      `   ${name}: ${ready}, ${counts}, ${cluster.failures} ${failures} (last: ${last})`,
      `${corner}${cluster.status}`,
    ];
  }
  const latest = atLeast(release, '1.20');
  // Agents that export no services for others to know leave them out.
  const exports = atLeast(release, '1.17');
  const counts = [
    `${cluster.nodes} nodes`,
    `${cluster.endpoints} endpoints`,
    `${cluster.identities} identities`,
    `${cluster.services} services`,
    ...(latest ? [`${cluster.endpointSlices} endpoint slices`] : []),
    ...(exports ? [`${cluster.serviceExports} MCS-API service exports`] : []),
    `${cluster.failures} ${failures} (last: ${last})`,
  ];
  const lines = [
    `   ${name}: ${ready}, ${counts.join(', ')}`,
    `${corner}${cluster.status}`,
    `${corner}remote configuration: ${configText(config, release)}`,
  ];
  if (synced) {
    const { nodes, endpoints, identities, services, endpointSlices, serviceExports } = synced;
    const parts = [
      `nodes=${nodes}`,
      `endpoints=${endpoints}`,
      `identities=${identities}`,
      `services=${services}`,
      ...(latest && endpointSlices !== undefined ? [`endpoint-slices=${endpointSlices}`] : []),
      ...(serviceExports === undefined ? [] : [`service-exports=${serviceExports}`]),
    ];
    lines.push(`${corner}synchronization status: ${parts.join(', ')}`);
  }
  return lines;
}

function configText(config: RemoteClusterStatus['config'], release: Release): string {
  if (!config) return 'expected=unknown, retrieved=unknown';
  const parts = [`expected=${config.required}`, `retrieved=${config.retrieved}`];
  if (config.retrieved) {
    const exports = config.serviceExports;
    parts.push(
      `cluster-id=${config.clusterId}`,
      `kvstoremesh=${config.kvstoreMesh}`,
      `sync-canaries=${config.syncCanaries}`,
      ...(atLeast(release, '1.17')
        ? [`service-exports=${exports === undefined ? 'unsupported' : exports ? 'enabled' : 'disabled'}`]
        : []),
      ...(atLeast(release, '1.20')
        ? [`endpoint-slice-export-mode=${config.endpointSliceMode || 'services-only'}`]
        : []),
    );
  }
  return parts.join(', ');
}
