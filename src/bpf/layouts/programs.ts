/** Maps of programs, and their scratch space. */
import { index32 } from './common.ts';
import { mapLayout } from './map-layout.ts';
import { hex, struct, u32 } from './struct.ts';

const programId = struct(4, { programId: u32(0) });
export const POLICY_CALLS = mapLayout('policy', {
  pins: ['cilium_call_policy', 'cilium_egresscall_policy'],
  key: index32,
  value: programId,
});
export const CALLS = mapLayout('programs', {
  pins: [
    'cilium_calls_{endpoint}',
    'cilium_calls_custom_{endpoint}',
    'cilium_calls_hostns_{endpoint}',
    'cilium_calls_netdev_{n}',
    'cilium_calls_overlay_{n}',
    'cilium_calls_wireguard_{n}',
    'cilium_calls_xdp_{n}',
  ],
  key: index32,
  value: programId,
});
export const XDP_SCRATCH = mapLayout('programs', {
  pins: ['cilium_xdp_scratch'],
  key: index32,
  value: struct(28, { slots: hex(0, 20), recirculation: u32(20), transfer: u32(24) }),
});
