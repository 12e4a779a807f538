import { metricsValue } from '../../bpf/layouts/metrics.ts';
import { policyStats, policyStatsKey } from '../../bpf/layouts/policy.ts';
import { decode, encode } from '../../bpf/maps/codec.ts';
import type { Packet } from './tracked.ts';

const PACKET_BYTES = 74n;
/** Different keys that are counted: reasons and places in the one map, policy entries in the other. */
const MAX_KEYS = 4096;

/** Counts packets by key, for a map of counters. */
class Counter {
  readonly #counts = new Map<string, bigint>();
  readonly #changed = new Set<string>();

  add(key: Buffer, times: number): void {
    const text = key.toString('latin1');
    const before = this.#counts.get(text);
    if (before === undefined && this.#counts.size >= MAX_KEYS) return;
    this.#counts.set(text, (before ?? 0n) + BigInt(times));
    this.#changed.add(text);
  }

  /** What changed since the last time. */
  *changes(): Generator<{ key: Buffer; packets: bigint; bytes: bigint }> {
    for (const text of this.#changed) {
      const packets = this.#counts.get(text) ?? 0n;
      yield { key: Buffer.from(text, 'latin1'), packets, bytes: packets * PACKET_BYTES };
    }
    this.#changed.clear();
  }

  /** Forgets keys; returns them. */
  drop(gone: (key: Buffer) => boolean): Buffer[] {
    const keys = [...this.#counts.keys()].map((text) => Buffer.from(text, 'latin1')).filter(gone);
    for (const key of keys) {
      this.#counts.delete(key.toString('latin1'));
      this.#changed.delete(key.toString('latin1'));
    }
    return keys;
  }
}

/** What packets add to cilium_metrics and cilium_policystats. */
export class Counters {
  readonly #metrics = new Counter();
  readonly #statistics = new Counter();

  play({ metric, statistics }: Packet, times: number): void {
    if (metric) this.#metrics.add(metric, times);
    for (const key of statistics) this.#statistics.add(key, times);
  }

  /** Writes what changed. */
  flush(put: (map: string, key: Buffer, value: Buffer) => void): void {
    for (const { key, ...count } of this.#metrics.changes())
      put('cilium_metrics', key, encode(metricsValue, count));
    for (const { key, ...count } of this.#statistics.changes())
      put('cilium_policystats', key, encode(policyStats, count));
  }

  /** Forgets the statistics of an endpoint; returns their keys. */
  dropEndpoint(endpoint: number): Buffer[] {
    return this.#statistics.drop((key) => decode(policyStatsKey, key).endpointId === endpoint);
  }
}
