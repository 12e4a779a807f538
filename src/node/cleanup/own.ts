import type { Action } from '../../model/cleanup.ts';

/**
 * Names of programs: since 1.11, and the object files of older agents, which add the device to those of the host.
 * `bpf_network_monitor.o` and the like are somebody else's.
 */
export const OWN_PROGRAM =
  /^(?:cil_|bpf_(?:lxc|network|overlay|sock|xdp|wireguard|(?:host|netdev)(?:_[\w-]+)?)\.o\b)/;
/** Names of pins, and of ip sets. */
export const OWN_PIN = /^cilium_/;
/** Names of the node's own links. */
export const OWN_LINK = /^cilium(?:_|$)/;
/** Cilium names a pod's end `lxc` and eight to twelve hex digits of its id; `lxcbr0` and the like are not its. */
export const POD_LINK = /^lxc(?:_health|[0-9a-f]{8,12})$/;
/** A step that runs a program; that the thing is gone already is no failure. */
export function command(words: string[], stdin?: string): Action {
  return { do: 'run', command: words, ...(stdin !== undefined && { stdin }) };
}
