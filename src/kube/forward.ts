import type { Duplex } from 'node:stream';
import { ChannelStream, Channels } from './channels.ts';
import { type KubeClient, KubeUnreachable } from './client.ts';
import { podPath } from './pods.ts';

/** Port-forward knows this one alone. */
const PROTOCOLS = ['v4.channel.k8s.io'];
const DATA = 0;
const ERROR = 1;
/** Each channel begins with the number of the port. */
const PORT_BYTES = 2;

/** A connection to a port of a pod. Throws as `KubeClient.open` does; a port that nobody listens on ends the stream with an error. */
export async function forwardPort(
  client: KubeClient,
  { namespace, pod, port }: { namespace: string; pod: string; port: number },
): Promise<Duplex> {
  const what = `port ${port} of ${namespace}/${pod}`;
  const stream = new ChannelStream(DATA);
  const skip = [PORT_BYTES, PORT_BYTES];
  let told = '';
  const path = `${podPath(namespace, pod)}/portforward`;
  const query = new URLSearchParams({ ports: String(port) });
  const channels = await Channels.open(client, path, query, PROTOCOLS, (channel, bytes) => {
    const head = Math.min(skip[channel] ?? 0, bytes.length);
    skip[channel] = (skip[channel] ?? 0) - head;
    const rest = bytes.subarray(head);
    if (channel === DATA) return stream.receive(rest);
    if (channel === ERROR && rest.length > 0) {
      told += rest.toString('utf8');
      stream.destroy(
        new KubeUnreachable(`${what}: ${told.trim()}`, { hint: 'Does something listen there in the pod?' }),
      );
    }
    return undefined;
  });
  stream.connect(channels);
  channels.closed.then(
    () => stream.push(null),
    (error: Error) => stream.destroy(error),
  );
  return stream;
}
