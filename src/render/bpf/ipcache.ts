import {
  IPCACHE_FLAGS,
  IPCACHE_STATIC_BITS,
  type ipcacheKey,
  type remoteEndpoint,
} from '../../bpf/layouts/ipcache.ts';
import type { RecordOf } from '../../bpf/layouts/struct.ts';
import { atLeast, type Release } from '../../model/release.ts';
import { clusterSuffix } from './parts.ts';

/** Key of `bpf ipcache list`. */
export function ipcacheKeyText({ ip, prefixLength, clusterId }: RecordOf<typeof ipcacheKey>): string {
  return ip === '' ? '<unknown>' : `${ip}/${prefixLength - IPCACHE_STATIC_BITS}${clusterSuffix(clusterId)}`;
}

/** Value of `bpf ipcache list`. Up to 1.17 there is one more comma, and only one flag is known. */
export function ipcacheText(value: RecordOf<typeof remoteEndpoint>, release: Release): string {
  const { identity, encryptKey, tunnelEndpoint, flags } = value;
  const [comma, known] = atLeast(release, '1.18') ? ['', flags] : [',', flags & 1];
  return `identity=${identity} encryptkey=${encryptKey} tunnelendpoint=${tunnelEndpoint}${comma} flags=${flagWords(known)}`;
}

function flagWords(flags: number): string {
  const words = IPCACHE_FLAGS.filter((_, bit) => (flags >> bit) & 1);
  return words.length === 0 ? '<none>' : words.join(',');
}
