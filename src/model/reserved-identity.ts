/** Security identities that have a fixed number, by number. */
export const RESERVED_IDENTITIES: readonly string[] = [
  'unknown',
  'host',
  'world',
  'unmanaged',
  'health',
  'init',
  'remote-node',
  'kube-apiserver',
  'ingress',
  'world-ipv4',
  'world-ipv6',
  'overlay-to-encrypt',
];

/** A numeric identity as people read it: the name of a reserved one, else the number. */
export function identityName(identity: number): string {
  return RESERVED_IDENTITIES[identity] ?? String(identity);
}

/** Numbers of the reserved identities that rules and maps name, by name. */
export const RESERVED_IDS: Readonly<Record<string, number>> = Object.fromEntries(
  RESERVED_IDENTITIES.slice(1, 11).map((name, i) => [name, i + 1]),
);

/** Labels of a reserved identity. */
export function reservedLabels(name: string): string[] {
  return name === 'kube-apiserver'
    ? ['reserved:kube-apiserver', 'reserved:remote-node']
    : [`reserved:${name}`];
}
