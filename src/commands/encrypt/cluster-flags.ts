import { type Command, Option } from 'commander';
import { durationOption } from '../../cli/flags.ts';
import { KEY_ALGORITHMS, type KeyAlgorithm } from '../../cluster/encryption/key.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import type { KubeClient } from '../../kube/client.ts';
import { ciliumNamespace } from '../../kube/install.ts';
import { openCluster } from '../../kube/road.ts';

/** Flag of all verbs that are about the key. */
export interface WaitFlag {
  waitDuration: number;
}

/** Adds `--wait-duration`. */
export function addWaitDuration(command: Command): Command {
  return command.addOption(
    durationOption('--wait-duration <duration>', 'Maximum time to wait for the result').default(
      60_000,
      '1m0s',
    ),
  );
}

/** The formats of verbs that print a text or JSON. */
export function summaryOption(): Option {
  return new Option('-o, --output <format>', 'Output format: summary, or json')
    .choices(['summary', 'json'])
    .default('summary');
}

/** Reads `--auth-algo`. */
export function algorithmOf(given: string): KeyAlgorithm {
  const found = KEY_ALGORITHMS.find((one) => one === given);
  if (found) return found;
  throw new UserError(`Input params are invalid: auth-algo has invalid value: ${given}`, {
    hint: `There are ${KEY_ALGORITHMS.join(', ')}.`,
  });
}

/** The cluster, and where Cilium is in it. A request takes no longer than all may. */
export async function openCilium(
  ctx: Context,
  waitMs: number,
): Promise<{ client: KubeClient; namespace: string }> {
  ctx.globals.timeoutMs ??= waitMs;
  const client = await openCluster(ctx);
  return { client, namespace: await ciliumNamespace(client, ctx.globals.cluster?.namespace) };
}

/** Flags of the status of a cluster's encryption. */
export interface EncryptionStatusFlags extends WaitFlag {
  agentPodSelector?: string;
  node?: string;
  perNodeDetails?: boolean;
  output: string;
}

/** Adds what only the status of a cluster has. */
export function addStatusFlags(command: Command): void {
  command
    .addOption(new Option('--node <name>', 'Ask the agent of this node only'))
    .addOption(new Option('--per-node-details', 'Show each node by itself'))
    .addOption(
      new Option('--agent-pod-selector <labels>', "Labels of the agents' pods (default: k8s-app=cilium)"),
    );
  addWaitDuration(command);
}
