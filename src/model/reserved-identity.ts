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
