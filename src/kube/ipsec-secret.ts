import { UserError } from '../errors.ts';
import { FIELD_MANAGER } from './apply.ts';
import { type KubeClient, type KubeObject, KubeRefusal } from './client.ts';
import { writtenMs } from './config-map.ts';
import { listAll } from './pages.ts';
import { pathIn } from './paths.ts';
import { ownersOf } from './release.ts';

/** The Secret that the agents read their IPsec key from, and where it is in it. */
export const IPSEC_SECRET = 'cilium-ipsec-keys';
const FIELD = 'keys';

interface SecretObject extends KubeObject {
  data?: Record<string, string>;
}

/** The key as it was read. */
export interface StoredKey {
  namespace: string;
  text: string;
  /** Of the state that was read: a write that names it changes nothing newer. */
  resourceVersion: string;
  /** When it was last written, as far as the API server says. */
  writtenMs: number | undefined;
  /** Who sets it back to what is written somewhere else. */
  owners: string[];
}

/** Whether the Secret is there. Throws as `KubeClient.json` does. */
export async function hasKey(client: KubeClient, namespace: string): Promise<boolean> {
  return (await client.find({ path: pathIn(namespace, 'secrets', IPSEC_SECRET) })) !== undefined;
}

/** Reads the key. Throws KubeRefusal where the Secret is not there, and UserError where no key is in it. */
export async function readKey(client: KubeClient, namespace: string): Promise<StoredKey> {
  const secret = await client.find<SecretObject>({ path: pathIn(namespace, 'secrets', IPSEC_SECRET) });
  if (!secret)
    throw new UserError(`secrets "${IPSEC_SECRET}" not found`, {
      hint: `There is none in the namespace ${namespace}. To make one: cilium encryption create-key`,
    });
  const packed = secret.data?.[FIELD];
  if (packed === undefined) throw new UserError(`IPsec key not found in the secret: ${IPSEC_SECRET}`);
  return {
    namespace,
    text: Buffer.from(packed, 'base64').toString('utf8'),
    resourceVersion: secret.metadata?.resourceVersion ?? '',
    writtenMs: writtenMs(secret, FIELD),
    owners: [
      ...ownersOf(secret).map(({ kind, name }) => `${kind} (${name})`),
      ...(secret.metadata?.ownerReferences ?? []).map(({ kind, name }) => `${kind} (${name})`),
    ],
  };
}

/** Makes the Secret. False when somebody else has made it meanwhile. */
export async function createKey(
  client: KubeClient,
  namespace: string,
  text: string,
  dryRun: boolean,
): Promise<boolean> {
  try {
    await client.json({
      method: 'POST',
      path: pathIn(namespace, 'secrets'),
      query: { fieldManager: FIELD_MANAGER, ...(dryRun && { dryRun: 'All' }) },
      body: {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: IPSEC_SECRET, namespace },
        type: 'Opaque',
        data: { [FIELD]: Buffer.from(text).toString('base64') },
      },
    });
    return true;
  } catch (error) {
    if (error instanceof KubeRefusal && error.code === 409 && error.status.reason === 'AlreadyExists')
      return false;
    throw error;
  }
}

/** Puts another key in the place of the one that was read. Throws UserError when that is there no longer. */
export async function replaceKey(
  client: KubeClient,
  { namespace, resourceVersion }: StoredKey,
  text: string,
  dryRun: boolean,
): Promise<void> {
  try {
    await client.json({
      method: 'PATCH',
      path: pathIn(namespace, 'secrets', IPSEC_SECRET),
      query: { fieldManager: FIELD_MANAGER, ...(dryRun && { dryRun: 'All' }) },
      contentType: 'application/merge-patch+json',
      // With the version the API server refuses where another key has come in between.
      body: { metadata: { resourceVersion }, data: { [FIELD]: Buffer.from(text).toString('base64') } },
    });
  } catch (error) {
    if (!(error instanceof KubeRefusal && error.code === 409)) throw error;
    throw new UserError('the key was changed meanwhile by somebody else, and is left as that', {
      hint: 'See how far the nodes are: cilium encryption status. Then rotate again if it is still wanted.',
      cause: error,
    });
  }
}

/** SPIs of IPsec; with WireGuard a node names a number beyond them. */
const MAX_SPI = 15;

/** The SPI that each node encrypts with, as its CiliumNode tells; 0 where it does not with IPsec. */
export function listNodeSpis(client: KubeClient): Promise<{ node: string; spi: number }[]> {
  return listAll<KubeObject & { spec?: { encryption?: { key?: number } } }, { node: string; spi: number }>(
    client,
    '/apis/cilium.io/v2/ciliumnodes',
    {},
    ({ metadata, spec }) => {
      const { key = 0 } = spec?.encryption ?? {};
      return { node: metadata?.name ?? '', spi: key > MAX_SPI ? 0 : key };
    },
  );
}
