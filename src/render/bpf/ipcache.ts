import {
  type IPCACHE,
  IPCACHE_FLAGS,
  IPCACHE_STATIC_BITS,
  type ipcacheKey,
} from '../../bpf/layouts/ipcache.ts';
import type { RecordOf } from '../../bpf/layouts/struct.ts';
import { atLeast, type Release } from '../../model/release.ts';
import { clusterSuffix, prefixText } from './parts.ts';

type IpcacheValue = RecordOf<(typeof IPCACHE)['variants'][number]['value']>;

/** Key of `bpf ipcache list`. */
export function ipcacheKeyText({ ip, prefixLength, clusterId }: RecordOf<typeof ipcacheKey>): string {
  return ip === ''
    ? '<unknown>'
    : `${prefixText(ip, prefixLength - IPCACHE_STATIC_BITS)}${clusterSuffix(clusterId)}`;
}

/** Value of `bpf ipcache list`. Up to 1.11 it is bare numbers; 1.16 has one more comma, and up to 1.17 only one flag is known. */
export function ipcacheText(value: IpcacheValue, release: Release): string {
  const { identity, encryptKey, tunnelEndpoint } = value;
  if (!atLeast(release, '1.12')) return `${identity} ${encryptKey} ${tunnelEndpoint}`;
  const text = `identity=${identity} encryptkey=${encryptKey} tunnelendpoint=${tunnelEndpoint}`;
  if (!('flags' in value)) return text;
  const comma = atLeast(release, '1.17') ? '' : ',';
  const known = atLeast(release, '1.18') ? value.flags : value.flags & 1;
  return `${text}${comma} flags=${flagWords(known)}`;
}

function flagWords(flags: number): string {
  const words = IPCACHE_FLAGS.filter((_, bit) => (flags >> bit) & 1);
  return words.length === 0 ? '<none>' : words.join(',');
}
