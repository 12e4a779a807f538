import type { ServerSettings } from '../../hubble/grpc/target.ts';
import type { Dial } from '../../lib/dial.ts';

/** The name under which Hubble tells its health, which is not that of its API. */
export const HEALTH_SERVICE = 'hubble.server.Observer';

/** Where an agent serves Hubble, for which it asks neither for TLS nor for a password. */
const AGENT_SOCKET = '/var/run/cilium/hubble.sock';

/** The server of an agent of a cluster, on the socket in its container. */
export function agentServer(dialTimeoutMs: number, dial: Dial, signal?: AbortSignal): ServerSettings {
  return {
    address: `unix://${AGENT_SOCKET}`,
    target: { network: 'unix', path: AGENT_SOCKET },
    dialTimeoutMs,
    dial: () => dial(AGENT_SOCKET, signal),
  };
}
