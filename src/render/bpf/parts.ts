/** Parts of the texts of map dumps. */

export const hexUpper = (n: number, width: number) => n.toString(16).toUpperCase().padStart(width, '0');
export const padded = (n: number, width: number) => String(n).padEnd(width);
export const clusterSuffix = (clusterId: number) => (clusterId === 0 ? '' : `@${clusterId}`);

/** A prefix; one that no address has is said as Go says it. */
export function prefixText(ip: string, length: number): string {
  return length >= 0 && length <= (ip.includes(':') ? 128 : 32) ? `${ip}/${length}` : 'invalid Prefix';
}
