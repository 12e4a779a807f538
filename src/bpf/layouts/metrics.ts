/** Counters, events, rates and run-time settings (`bpf metrics`, `bpf bandwidth`, `bpf config`). */
import { index32, value64 } from './common.ts';
import { type MapLayout, mapLayout } from './map-layout.ts';
import { struct, u8, u16, u32, u64 } from './struct.ts';

export const METRIC_DIRECTIONS = ['UNKNOWN', 'INGRESS', 'EGRESS', 'SERVICE'];
export const metricsKey = struct(8, { reason: u8(0), direction: u8(1), line: u16(2), file: u8(4) });
export const metricsValue = struct(16, { packets: u64(0), bytes: u64(8) });
const metrics = ['cilium_metrics'];
/** Up to 1.15 the counters are not kept by place in the sources. */
export const metricsKey115 = struct(8, { reason: u8(0), direction: u8(1) });
export const METRICS = mapLayout(
  'metrics',
  { pins: metrics, key: metricsKey, value: metricsValue, since: '1.16' },
  { pins: metrics, key: metricsKey115, value: metricsValue },
);

/** Slots of cilium_runtime_config by index. */
export const RUNTIME_SETTINGS = ['UTimeOffset', 'AgentLiveness'];
export const RUNTIME_CONFIG = mapLayout('config', {
  pins: ['cilium_runtime_config'],
  key: index32,
  value: value64,
});

const throttle = ['cilium_throttle'];
export const BANDWIDTH = mapLayout(
  'bandwidth',
  {
    pins: throttle,
    key: struct(8, { endpointId: u32(0), direction: u8(4) }),
    value: struct(56, { bytesPerSecond: u64(0), lastNs: u64(8), union0: u64(16), priority: u32(24) }),
    since: '1.18',
  },
  {
    pins: throttle,
    key: struct(8, { endpointId: u64(0) }),
    value: struct(56, { bytesPerSecond: u64(0), lastNs: u64(8), horizonNs: u64(16), priority: u32(24) }),
    since: '1.17',
  },
  {
    pins: throttle,
    key: struct(8, { endpointId: u64(0) }),
    value: struct(56, { bytesPerSecond: u64(0), lastNs: u64(8), horizonNs: u64(16) }),
  },
);

export const EVENTS: MapLayout = {
  feature: 'events',
  variants: [],
  opaque: ['cilium_events', 'cilium_signals'],
};
export const RATE_LIMIT = mapLayout('events', {
  pins: ['cilium_ratelimit'],
  key: struct(8, { usage: u32(0), ifindex: u32(4) }),
  value: struct(16, { lastTopupNs: u64(0), tokens: u64(8) }),
});
export const RATE_LIMIT_METRICS = mapLayout('events', {
  pins: ['cilium_ratelimit_metrics'],
  key: struct(4, { usage: u32(0) }),
  value: struct(8, { dropped: u64(0) }),
});
export const TRACE_ID = mapLayout('events', {
  pins: ['cilium_percpu_trace_id'],
  key: index32,
  value: value64,
});
