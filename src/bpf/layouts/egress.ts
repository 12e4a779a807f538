/** Egress gateways and SRv6, which share a key (`bpf egress`, `bpf srv6`). */
import { mapLayout } from './map-layout.ts';
import { ipv4, ipv6, struct, u32 } from './struct.ts';

/** Bits of a prefix length that stand before those of the destination. */
export const EGRESS_STATIC_BITS = { 4: 32, 6: 128 } as const;
export const SRV6_POLICY_STATIC_BITS = 32;

export const egressKey4 = struct(12, { prefixLength: u32(0), source: ipv4(4), destination: ipv4(8) });
export const egressKey6 = struct(36, { prefixLength: u32(0), source: ipv6(4), destination: ipv6(20) });
export const egressEntry4 = struct(28, { egressIp: ipv4(0), gatewayIp: ipv4(4), egressIfindex: u32(20) });
const egressEntry119 = struct(8, { egressIp: ipv4(0), gatewayIp: ipv4(4) });
export const egressEntry6 = struct(40, { egressIp: ipv6(0), gatewayIp: ipv4(16), egressIfindex: u32(32) });
/** 1.20 writes the newest two; its datapath asks the newer one first. */
export const EGRESS4 = mapLayout(
  'egress-gateway',
  { pins: ['cilium_egress_gw_policy_v4_v2'], key: egressKey4, value: egressEntry4 },
  { pins: ['cilium_egress_gw_policy_v4', 'cilium_egress_v4'], key: egressKey4, value: egressEntry119 },
);
/** Its pin in 1.10, whose command line prints it as a plain dump. */
export const EGRESS4_FIRST_PIN = 'cilium_egress_v4';
export const EGRESS6 = mapLayout('egress-gateway', {
  pins: ['cilium_egress_gw_policy_v6'],
  key: egressKey6,
  value: egressEntry6,
});

const vrfId = struct(4, { vrfId: u32(0) });
const segmentId = struct(16, { sid: ipv6(0) });
export const SRV6_VRF4 = mapLayout('srv6', { pins: ['cilium_srv6_vrf_v4'], key: egressKey4, value: vrfId });
export const SRV6_VRF6 = mapLayout('srv6', { pins: ['cilium_srv6_vrf_v6'], key: egressKey6, value: vrfId });
export const SRV6_POLICY4 = mapLayout('srv6', {
  pins: ['cilium_srv6_policy_v4'],
  key: struct(12, { prefixLength: u32(0), vrfId: u32(4), destination: ipv4(8) }),
  value: segmentId,
});
export const SRV6_POLICY6 = mapLayout('srv6', {
  pins: ['cilium_srv6_policy_v6'],
  key: struct(24, { prefixLength: u32(0), vrfId: u32(4), destination: ipv6(8) }),
  value: segmentId,
});
export const SRV6_STATE4 = mapLayout('srv6', {
  pins: ['cilium_srv6_state_v4'],
  key: struct(8, { source: ipv4(0), destination: ipv4(4) }),
  value: struct(32, { outerSource: ipv6(0), outerDestination: ipv6(16) }),
});
export const SRV6_STATE6 = mapLayout('srv6', {
  pins: ['cilium_srv6_state_v6'],
  key: struct(32, { source: ipv6(0), destination: ipv6(16) }),
  value: struct(32, { outerSource: ipv6(0), outerDestination: ipv6(16) }),
});
export const SRV6_SIDS = mapLayout('srv6', { pins: ['cilium_srv6_sid'], key: segmentId, value: vrfId });
