import type { Duplex } from 'node:stream';
import type { Context } from '../../context.ts';
import { errorMessage, UserError } from '../../errors.ts';
import type { KubeClient } from '../../kube/client.ts';
import { listenLocally } from '../../kube/local-port.ts';
import { type ServicePod, ServiceRoad, type ServiceTarget } from '../../kube/service-road.ts';

/** So long a connection waits for a service that is away; clients give up after about as long. */
const PATIENCE_MS = 5000;
const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 5000;

/** Forwards connections to a port of this machine until it is stopped, to whatever pod of the service is ready. */
export async function forwardService(
  client: KubeClient,
  { namespace, target, port }: { namespace: string; target: ServiceTarget; port: number },
  ctx: Context,
  onOpen: (port: number) => Promise<void>,
): Promise<void> {
  const say = (text: string) => void ctx.err.write(`${text}\n`).catch(() => {});
  const road = new ServiceRoad(client, namespace, target, {
    onLost: (pod, error) => {
      say(`The connection to pod ${nameOf(pod)} ended${error ? ` (${error.message})` : ''}.`);
      findAgain(road, ctx).then(
        (found) => say(`${target.title} is reached in pod ${nameOf(found)}.`),
        () => {},
      );
    },
  });
  await road.find();
  await using local = await listenLocally(
    port,
    () => dialPatiently(road, ctx),
    (error) => say(`A connection was refused: ${errorMessage(error)}`),
  );
  await onOpen(local.port);
  await new Promise<void>((resolve) => {
    if (ctx.signal.aborted) resolve();
    ctx.signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

const nameOf = ({ namespace, pod }: ServicePod) => `${namespace}/${pod}`;

/** A connection to the service, which may take a moment to be there again. */
async function dialPatiently(road: ServiceRoad, ctx: Context): Promise<Duplex> {
  const untilMs = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await road.dial();
    } catch (error) {
      if (!(error instanceof UserError) || performance.now() > untilMs) throw error;
      await ctx.clock.sleep(FIRST_WAIT_MS, ctx.signal);
    }
  }
}

/** The pod of the service, as soon as one is ready. */
async function findAgain(road: ServiceRoad, ctx: Context): Promise<ServicePod> {
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)) {
    try {
      return await road.find();
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      await ctx.clock.sleep(waitMs, ctx.signal);
    }
  }
}
