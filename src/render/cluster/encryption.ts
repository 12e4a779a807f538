import { type ClusterEncryption, isRotating, type NodeEncryption } from '../../cluster/encryption/status.ts';
import { compareBytes } from '../../lib/order.ts';
import { goJson } from '../text/json.ts';
import { sanitize } from '../text/sanitize.ts';

/** The modes that the reference counts, in the order that it prints them in. */
const COUNTED = ['Disabled', 'IPsec', 'Wireguard'] as const;

/** What mode a node is in that names none. */
const UNNAMED = 'unknown';

/** How a cluster encrypts, as text. It ends with an empty line. */
export function renderEncryptionStatus({ nodes, modes, ipsec }: ClusterEncryption): string {
  const lines: string[] = [];
  const of = (mode: string) =>
    lines.push(`Encryption: ${mode || UNNAMED} (${modes.get(mode) ?? 0}/${nodes} nodes)`);
  for (const mode of COUNTED) {
    if (!modes.has(mode)) continue;
    of(mode);
    if (mode !== 'IPsec' || !ipsec) continue;
    lines.push(
      `IPsec keys in use: ${ipsec.keysInUse.map(([keys, on]) => `${keys} on ${on}/${nodes}`).join(', ')}`,
      `IPsec highest Seq. Number: ${ipsec.maxSequence} across all nodes`,
      `IPsec expected key count: ${ipsec.expectedKeys}`,
      `IPsec key rotation in progress: ${ipsec.isRotating}`,
      `IPsec errors: ${ipsec.errors} across all nodes`,
      ...ipsec.xfrmErrors.map(([name, count, on]) => `\t${name}: ${count} on ${on}/${nodes} nodes`),
    );
  }
  for (const mode of othersOf(modes)) of(mode);
  return `${sanitize(lines.map((line) => `${line}\n`).join(''))}\n`;
}

function othersOf(modes: ReadonlyMap<string, number>): string[] {
  return [...modes.keys()]
    .filter((mode) => !(COUNTED as readonly string[]).includes(mode))
    .toSorted(compareBytes);
}

const KEYS = 'ipsec-keys-in-use-node-count';

/** The same as JSON. What is zero or empty is left out. */
export function encryptionStatusJson({ nodes, modes, ipsec }: ClusterEncryption): string {
  const others = othersOf(modes);
  const counts = {
    'total-node-count': nodes,
    'enc-disabled-node-count': modes.get('Disabled'),
    'enc-ipsec-node-count': modes.get('IPsec'),
    'enc-wireguard-node-count': modes.get('Wireguard'),
    ...(others.length > 0 && {
      'enc-other-node-count': Object.fromEntries(others.map((mode) => [mode || UNNAMED, modes.get(mode)])),
    }),
    ...(ipsec && {
      [KEYS]: KEYS,
      'ipsec-max-seq-num': ipsec.maxSequence,
      'ipsec-err-count': ipsec.errors,
      'ipsec-key-rotation-in-progress': ipsec.isRotating,
      'ipsec-expected-key-count': ipsec.expectedKeys,
      'xfrm-errors': Object.fromEntries(ipsec.xfrmErrors.map(([name, count]) => [name, count])),
      'xfrm-error-node-count': Object.fromEntries(ipsec.xfrmErrors.map(([name, , on]) => [name, on])),
    }),
  };
  const text = goJson(withoutEmpty(counts), 1);
  // An object would have these keys in the order of their numbers; the reference sorts them as texts.
  const byKeys = (ipsec?.keysInUse ?? [])
    .map(([keys, on]) => `  "${keys}": ${on}`)
    .toSorted(compareBytes)
    .join(',\n');
  return `${text.replace(`"${KEYS}": "${KEYS}"`, () => `"${KEYS}": {\n${byKeys}\n }`)}\n`;
}

function withoutEmpty(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values).filter(
      ([, value]) => value && (typeof value !== 'object' || Object.keys(value).length > 0),
    ),
  );
}

/** How each node encrypts, as text: a block for each, and an empty line behind it. */
export function renderNodeEncryption(told: readonly NodeEncryption[], expected: number): string {
  return sanitize(told.map((one) => `${linesOf(one, expected).join('\n')}\n\n`).join(''));
}

function linesOf(told: NodeEncryption, expected: number): string[] {
  const { node, state } = told;
  const lines = [`Node: ${node}`, `Encryption: ${state.mode || UNNAMED}`];
  const { ipsec } = state;
  if (state.mode !== 'IPsec') return lines;
  if (ipsec && ipsec.keysInUse > 0) lines.push(`IPsec keys in use: ${ipsec.keysInUse}`);
  if (ipsec?.maxSequenceNumber) lines.push(`IPsec highest Seq. Number: ${ipsec.maxSequenceNumber}`);
  return [
    ...lines,
    `IPsec expected key count: ${expected}`,
    `IPsec key rotation in progress: ${isRotating(told, expected)}`,
    `IPsec errors: ${ipsec?.errorCount ?? 0}`,
    ...(ipsec?.errors ?? [])
      .toSorted(([a], [b]) => compareBytes(a, b))
      .map(([name, count]) => `\t${name}: ${count}`),
  ];
}

/** The same as an object of JSON for each node. */
export function nodeEncryptionJson(told: readonly NodeEncryption[], expected: number): string {
  return told
    .map((one) => {
      const { node, state, document } = one;
      const ofIpsec = state.mode === 'IPsec' && {
        'ipsec-key-rotation-in-progress': isRotating(one, expected),
        'ipsec-expected-key-count': expected,
      };
      return `${goJson({ node, ...document, ...withoutEmpty({ ...ofIpsec }) }, 1)}\n`;
    })
    .join('');
}
