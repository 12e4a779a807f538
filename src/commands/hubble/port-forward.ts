import type { Duplex } from 'node:stream';
import type { Command } from 'commander';
import { examples, integer } from '../../cli/flags.ts';
import type { Context } from '../../context.ts';
import { errorMessage, UserError } from '../../errors.ts';
import type { KubeClient } from '../../kube/client.ts';
import { type RelayPod, RelayRoad } from '../../kube/hubble-relay.ts';
import { ciliumNamespace } from '../../kube/install.ts';
import { listenLocally } from '../../kube/local-port.ts';
import { openCluster } from '../../kube/road.ts';

/** So long a connection waits for a relay that is away; clients give up after about as long. */
const PATIENCE_MS = 5000;
const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 5000;

/** Declares `hubble port-forward`. */
export function addHubblePortForwardCommand(command: Command, ctx: Context): void {
  command
    .addOption(
      integer('--port-forward <port>', 'Local port to forward to, 0 for any', {
        min: 0,
        max: 65_535,
      }).default(4245),
    )
    .addHelpText(
      'after',
      examples(
        'cilium hubble port-forward &',
        'hubble observe --follow',
        'cilium hubble port-forward --port-forward 0 --context prod',
      ),
    )
    .action((options: { portForward: number }) => runHubblePortForward(options.portForward, ctx));
}

/** Forwards connections to a port of this machine until it is stopped, to whatever pod the relay runs in. */
export async function runHubblePortForward(port: number, ctx: Context): Promise<void> {
  try {
    await using client = await openCluster(ctx);
    await forward(client, port, ctx);
  } catch (error) {
    if (ctx.signal.aborted) return;
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`Unable to port forward: failed to port forward: ${error.message}`, {
      hint: error.hint,
      cause: error,
    });
  }
}

async function forward(client: KubeClient, port: number, ctx: Context): Promise<void> {
  const namespace = await ciliumNamespace(client, ctx.globals.cluster?.namespace);
  const say = (text: string) => void ctx.err.write(`${text}\n`).catch(() => {});
  const road = new RelayRoad(client, namespace, {
    onLost: (pod, error) => {
      say(`The connection to pod ${nameOf(pod)} ended${error ? ` (${error.message})` : ''}.`);
      findAgain(road, ctx).then(
        (found) => say(`Hubble Relay is reached in pod ${nameOf(found)}.`),
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
  await ctx.out.write(`ℹ️  Hubble Relay is available at 127.0.0.1:${local.port}\n`);
  await new Promise<void>((resolve) => {
    if (ctx.signal.aborted) resolve();
    ctx.signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

const nameOf = ({ namespace, pod }: RelayPod) => `${namespace}/${pod}`;

/** A connection to the relay, which may take a moment to be there again. */
async function dialPatiently(road: RelayRoad, ctx: Context): Promise<Duplex> {
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

/** The pod of the relay, as soon as one is ready. */
async function findAgain(road: RelayRoad, ctx: Context): Promise<RelayPod> {
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)) {
    try {
      return await road.find();
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      await ctx.clock.sleep(waitMs, ctx.signal);
    }
  }
}
