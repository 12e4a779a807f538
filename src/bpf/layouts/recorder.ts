/** The packet recorder and the prefilter (`bpf recorder`). */
import { index32, prefix4, prefix6, setMember, value64 } from './common.ts';
import { mapLayout } from './map-layout.ts';
import { be16, ipv4, ipv6, struct, u8, u16, u32 } from './struct.ts';

const captureValue = struct(8, { ruleId: u16(0), captureLength: u32(4) });
const rules4 = ['cilium_capture4_rules'];
/** 1.10 has the destination first. */
export const CAPTURE_RULES4 = mapLayout(
  'recorder',
  {
    pins: rules4,
    key: struct(16, {
      source: ipv4(0),
      destination: ipv4(4),
      sourcePort: be16(8),
      destinationPort: be16(10),
      protocol: u8(12),
      sourceBits: u8(13),
      destinationBits: u8(14),
      flags: u8(15),
    }),
    value: captureValue,
    since: '1.11',
  },
  {
    pins: rules4,
    key: struct(16, {
      destination: ipv4(0),
      source: ipv4(4),
      destinationPort: be16(8),
      sourcePort: be16(10),
      protocol: u8(12),
      destinationBits: u8(13),
      sourceBits: u8(14),
      flags: u8(15),
    }),
    value: captureValue,
  },
);
const rules6 = ['cilium_capture6_rules'];
export const CAPTURE_RULES6 = mapLayout(
  'recorder',
  {
    pins: rules6,
    key: struct(40, {
      source: ipv6(0),
      destination: ipv6(16),
      sourcePort: be16(32),
      destinationPort: be16(34),
      protocol: u8(36),
      sourceBits: u8(37),
      destinationBits: u8(38),
      flags: u8(39),
    }),
    value: captureValue,
    since: '1.11',
  },
  {
    pins: rules6,
    key: struct(40, {
      destination: ipv6(0),
      source: ipv6(16),
      destinationPort: be16(32),
      sourcePort: be16(34),
      protocol: u8(36),
      destinationBits: u8(37),
      sourceBits: u8(38),
      flags: u8(39),
    }),
    value: captureValue,
  },
);
export const CAPTURE_CACHE = mapLayout('recorder', {
  pins: ['cilium_capture_cache'],
  key: index32,
  value: struct(6, { seen: u8(0), ruleId: u16(2), captureLength: u16(4) }),
});
export const KTIME_CACHE = mapLayout('recorder', {
  pins: ['cilium_ktime_cache'],
  key: index32,
  value: value64,
});

export const PREFILTER4 = mapLayout('prefilter', {
  pins: ['cilium_cidr_v4_fix', 'cilium_cidr_v4_dyn'],
  key: prefix4,
  value: setMember,
});
export const PREFILTER6 = mapLayout('prefilter', {
  pins: ['cilium_cidr_v6_fix', 'cilium_cidr_v6_dyn'],
  key: prefix6,
  value: setMember,
});
