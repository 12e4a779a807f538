import { compareBytes } from '../../lib/order.ts';
import type { EncryptionState } from '../../model/status.ts';

/** How a node encrypts, as its agent tells. */
export interface NodeEncryption {
  node: string;
  state: EncryptionState;
  /** What the agent printed, fields that are not known included. */
  document: Record<string, unknown>;
}

/** How the nodes of a cluster encrypt. */
export interface ClusterEncryption {
  /** All nodes with an agent, whether it could be asked or not. */
  nodes: number;
  /** Nodes by mode; the mode is empty where an agent names none. */
  modes: Map<string, number>;
  /** Of the nodes with IPsec; undefined where there are none. */
  ipsec: ClusterIpsec | undefined;
}

export interface ClusterIpsec {
  /** How many nodes have so many keys in use, by their number. */
  keysInUse: [keys: number, nodes: number][];
  /** The largest of all nodes, in the form that agents have for it; `N/A` or empty where none has any. */
  maxSequence: string;
  errors: number;
  isRotating: boolean;
  expectedKeys: number;
  /** By name: how many, and on how many nodes. */
  xfrmErrors: [name: string, count: number, nodes: number][];
}

/**
 * How many keys each of so many nodes has while none is being rotated. For a remote node there is one for each direction,
 * with the addresses of ENI and Azure one more; each twice with tunnels, and twice with both families.
 */
export function expectedKeys(config: Readonly<Record<string, string>>, nodes: number): number {
  if (config['enable-ipsec'] !== 'true') return 0;
  const { ipam } = config;
  const perNode = ipam === 'eni' || ipam === 'azure' ? 3 : 2;
  const isTunnel = (config['routing-mode'] ?? 'tunnel') !== 'native';
  const isDual = config['enable-ipv4'] === 'true' && config['enable-ipv6'] === 'true';
  return (nodes - 1) * perNode * (isTunnel ? 2 : 1) * (isDual ? 2 : 1);
}

/** Whether a node has other keys than it is to have. */
export function isRotating({ state: { ipsec } }: NodeEncryption, expected: number): boolean {
  return ipsec?.keysInUse !== expected;
}

/** Sums up what the agents say. `nodes` counts those as well that could not be asked. */
export function summarize(
  told: readonly NodeEncryption[],
  expected: number,
  nodes: number,
): ClusterEncryption {
  const modes = new Map<string, number>();
  for (const { state } of told) modes.set(state.mode, (modes.get(state.mode) ?? 0) + 1);
  const encrypting = told.filter(({ state }) => state.mode === 'IPsec');
  return { nodes, modes, ipsec: encrypting.length > 0 ? ipsecOf(encrypting, expected) : undefined };
}

function ipsecOf(told: readonly NodeEncryption[], expected: number): ClusterIpsec {
  const keys = new Map<number, number>();
  const errors = new Map<string, { count: number; nodes: number }>();
  let maxSequence = '';
  let sum = 0;
  for (const { state } of told) {
    const { keysInUse = 0, maxSequenceNumber = '', errorCount = 0, errors: own = [] } = state.ipsec ?? {};
    keys.set(keysInUse, (keys.get(keysInUse) ?? 0) + 1);
    if (maxSequence === '' || sequenceOf(maxSequenceNumber) > sequenceOf(maxSequence))
      maxSequence = maxSequenceNumber;
    sum += errorCount;
    for (const [name, count] of own) {
      const known = errors.get(name) ?? { count: 0, nodes: 0 };
      errors.set(name, { count: known.count + count, nodes: known.nodes + 1 });
    }
  }
  return {
    keysInUse: [...keys].toSorted(([a], [b]) => a - b),
    maxSequence,
    errors: sum,
    isRotating: told.some((one) => isRotating(one, expected)),
    expectedKeys: expected,
    xfrmErrors: [...errors]
      .map(([name, { count, nodes }]): [string, number, number] => [name, count, nodes])
      .toSorted(([a], [b]) => compareBytes(a, b)),
  };
}

/** `0x2a/0xffffffff` is 42 of so many; `N/A` is none. */
function sequenceOf(text: string): bigint {
  const digits = /^0x([0-9a-f]+)/i.exec(text)?.[1];
  return digits === undefined ? -1n : BigInt(`0x${digits}`);
}
