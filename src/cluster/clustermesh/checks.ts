import { X509Certificate } from 'node:crypto';
import { UserError } from '../../errors.ts';
import { contains, parsePrefix } from '../../lib/address.ts';
import type { Access } from './access.ts';

/** Names and numbers of clusters that have not been given any. */
const NO_NAMES = ['', 'default'];
const NO_IDS = ['', '0'];

/** A prefix that pods get addresses from, and whose. */
export interface PodPrefix {
  cluster: string;
  /** A node, or what else it is of. */
  of: string;
  prefix: string;
}

/** Throws UserError where two clusters cannot be in one mesh. The words are cilium-cli's where it has the check. */
export function checkPair(local: Access, remote: Access): void {
  const isNamed = ({ clusterName, clusterId }: Access) =>
    !NO_NAMES.includes(clusterName) && !NO_IDS.includes(clusterId);
  if (!isNamed(remote))
    throw new UserError(
      `remote cluster has non-unique name (${remote.clusterName}) and/or ID (${remote.clusterId})`,
    );
  if (!isNamed(local))
    throw new UserError(
      `local cluster has the default name (cluster name: ${local.clusterName}) and/or ID 0 (cluster ID: ${local.clusterId})`,
    );
  if (!/^[+-]?\d+$/.test(remote.clusterId))
    throw new UserError(
      `remote cluster has non-numeric cluster ID ${remote.clusterId}. Only numeric values 1-255 are allowed`,
    );
  const id = Number(remote.clusterId);
  if (id < 1 || id > local.maxConnected)
    throw new UserError(
      `remote cluster has cluster ID ${id} out of acceptable range (1-${local.maxConnected})`,
    );
  if (remote.maxConnected !== local.maxConnected)
    throw new UserError(
      `remote and local clusters have different max connected clusters: ${remote.maxConnected} != ${local.maxConnected}`,
    );
  if (remote.clusterName === local.clusterName)
    throw new UserError(`remote and local cluster have the same, non-unique name: ${local.clusterName}`);
  if (id === Number(local.clusterId))
    throw new UserError(`remote and local cluster have the same, non-unique ID: ${local.clusterId}`);
  if (remote.tunnel !== local.tunnel) {
    const named = ({ tunnel }: Access) => tunnel || 'native routing';
    throw new UserError(
      `clusters ${local.clusterName} and ${remote.clusterName} do not reach each other's pods in the same way: ${named(local)} and ${named(remote)}`,
      { hint: 'Give all clusters of a mesh the same routingMode and tunnelProtocol.' },
    );
  }
}

/** Whether the certificates of two clusters are signed with the same key. */
export function haveSameAuthority(local: Access, remote: Access): boolean {
  const keyOf = (access: Access, which: string) => {
    try {
      return new X509Certificate(access.ca).publicKey.export({ type: 'spki', format: 'der' });
    } catch (cause) {
      throw new UserError(`failed to parse certificate PEM for ${which} CA cert`, { cause });
    }
  };
  return keyOf(local, 'local').equals(keyOf(remote, 'remote'));
}

/** Pairs of prefixes of two clusters of which one is within the other. */
export function overlaps(ones: readonly PodPrefix[], others: readonly PodPrefix[]): [PodPrefix, PodPrefix][] {
  const ranges = (list: readonly PodPrefix[]) =>
    list.flatMap((one) => {
      const range = parsePrefix(one.prefix);
      return range ? [{ one, range }] : [];
    });
  const second = ranges(others);
  return ranges(ones).flatMap(({ one, range }) =>
    second
      .filter((other) => contains(range, other.range) || contains(other.range, range))
      .map((other): [PodPrefix, PodPrefix] => [one, other.one]),
  );
}

/** How far apart two charts are, in minor versions; undefined when one of them does not say. */
export function minorsApart(one: string, other: string): number | undefined {
  const [a, b] = [one, other].map((version) => /^v?(\d+)\.(\d+)/.exec(version));
  if (!a || !b) return undefined;
  return a[1] === b[1] ? Math.abs(Number(a[2]) - Number(b[2])) : Number.POSITIVE_INFINITY;
}
