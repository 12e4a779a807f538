import { type KubeClient, type KubeObject, KubeRefusal } from './client.ts';
import { pathIn } from './paths.ts';
import type { ServiceTarget } from './service-road.ts';

/** Secrets with the authority of the relay's certificate, after the one with the client's. */
const CLIENT_SECRET = 'hubble-relay-client-certs';
const CA_SECRETS = ['hubble-relay-server-certs', 'hubble-server-certs', 'cilium-ca'];

/** Hubble Relay, as it is reached. */
export const RELAY: ServiceTarget = {
  service: 'hubble-relay',
  container: 'hubble-relay',
  title: 'Hubble Relay',
  remedy: "Helm's hubble.relay.enabled=true installs it.",
};

/** What the cluster's own secrets hold of TLS for clients of the relay. */
export interface RelayCredentials {
  /** PEM. */
  ca?: string;
  cert?: Buffer;
  key?: Buffer;
  /** Why something of it is missing. */
  trouble?: string;
}

interface Secret extends KubeObject {
  data?: Record<string, string>;
}

/** Reads what is there and may be read. */
export async function readRelayCredentials(client: KubeClient, namespace: string): Promise<RelayCredentials> {
  const found: RelayCredentials = {};
  const troubles: string[] = [];
  for (const name of [CLIENT_SECRET, ...CA_SECRETS]) {
    if (found.ca !== undefined) break;
    const path = pathIn(namespace, 'secrets', name);
    try {
      const { data = {} } = await client.json<Secret>({ path });
      const part = (key: string) => (data[key] ? Buffer.from(data[key], 'base64') : undefined);
      const ca = part('ca.crt');
      if (ca) found.ca = ca.toString('utf8');
      const [cert, key] = [part('tls.crt'), part('tls.key')];
      if (name === CLIENT_SECRET && cert && key) Object.assign(found, { cert, key });
    } catch (error) {
      if (!(error instanceof KubeRefusal)) throw error;
      troubles.push(error.status.message ?? `secret ${name}: ${error.code}`);
    }
  }
  if (troubles.length > 0 && (!found.ca || !found.cert)) found.trouble = troubles.join('; ');
  return found;
}
