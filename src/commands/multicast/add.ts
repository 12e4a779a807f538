import type { Command } from 'commander';
import { mayWrite, type WriteOptions, writeFlags } from '../../cli/confirm.ts';
import { examples } from '../../cli/flags.ts';
import { askEach } from '../../cli/kube/each-agent.ts';
import { IS_MISSING, IS_THERE, internalAddress } from '../../cluster/multicast.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { type AgentPod, listAgents } from '../../kube/agents.ts';
import type { KubeClient, KubeObject } from '../../kube/client.ts';
import { ciliumNamespace } from '../../kube/install.ts';
import { listAll } from '../../kube/pages.ts';
import { openCluster } from '../../kube/road.ts';
import { compareBytes } from '../../lib/order.ts';
import { renderAdded } from '../../render/cluster/multicast.ts';
import { failedAs, groupOf, groupOption, type MulticastOptions, multicast, waitOption } from './agents.ts';
import { finishWrite } from './finish.ts';

type AddOptions = MulticastOptions & WriteOptions;

const UNABLE = 'Unable to add all nodes';

interface CiliumNode extends KubeObject {
  spec?: { addresses?: { type?: string; ip?: string }[] };
}

/** A node and the address that the agents of others send to. */
interface Member {
  node: string;
  address: string;
}

/** Declares `multicast add`. */
export function addMulticastAddCommand(command: Command, ctx: Context): void {
  writeFlags(command)
    .addOption(groupOption())
    .addOption(waitOption())
    .addHelpText(
      'after',
      examples(
        'cilium multicast add --group-ip 239.255.0.1',
        'cilium multicast add -g 239.255.0.1 --dry-run',
      ),
    )
    .action((options: AddOptions) => runMulticastAdd(options, ctx));
}

async function runMulticastAdd(options: AddOptions, ctx: Context): Promise<void> {
  const group = groupOf(options.groupIp, UNABLE);
  await using client = await openCluster(ctx);
  const members = await readMembers(client, ctx);
  const names = members.map(({ node }) => node);
  const what = `make the multicast group ${group} on each of ${names.length} nodes and add the others to it: ${names.join(', ')}`;
  if (!(await mayWrite(ctx, what, options))) return;
  const told = await askEach(
    client,
    { waitMs: options.waitDuration },
    (place) => addTo(client, place, group, members),
    ctx,
  );
  await finishWrite(told, UNABLE, ctx);
}

/** All nodes with an agent. Throws UserError where the address of one is not known: nothing was written yet. */
async function readMembers(client: KubeClient, ctx: Context): Promise<Member[]> {
  const namespace = await ciliumNamespace(client, ctx.globals.cluster?.namespace);
  const [agents, nodes] = await Promise.all([
    listAgents(client, { namespace }),
    listAll<CiliumNode, [string, string | undefined]>(
      client,
      '/apis/cilium.io/v2/ciliumnodes',
      {},
      ({ metadata, spec }) => [metadata?.name ?? '', internalAddress(spec?.addresses ?? [])],
    ),
  ]);
  const addresses = new Map(nodes);
  const members = agents.map(({ node }) => ({ node, address: addresses.get(node) }));
  const without = members.filter(({ address }) => address === undefined).map(({ node }) => node);
  if (without.length > 0)
    throw new UserError(`${UNABLE}: ciliumInternalIP not found: ${without.join(', ')}`, {
      hint: 'Nothing was written. The CiliumNode of each node needs an IPv4 address of the type CiliumInternalIP.',
    });
  return members
    .flatMap(({ node, address }) => (address === undefined ? [] : [{ node, address }]))
    .toSorted((a, b) => compareBytes(a.node, b.node));
}

/** Makes the group on a node where it is not there, and adds the others. What it says, and why it went no further. */
async function addTo(
  client: KubeClient,
  place: AgentPod,
  group: string,
  members: readonly Member[],
): Promise<{ text: string; why?: string }> {
  const { node } = place;
  const failed = (text: string, printed: Parameters<typeof failedAs>[0]) => ({
    text: `${text}\n`,
    why: failedAs(printed).message,
  });
  const there = await multicast(client, place, 'subscriber', 'list', group);
  if (there.exitCode !== 0) {
    if (!IS_MISSING.test(there.stderr))
      return failed(`Fatal error occurred while checking multicast group ${group} in ${node}`, there);
    const made = await multicast(client, place, 'group', 'add', group);
    if (made.exitCode !== 0)
      return failed(`Unable to create multicast group ${group} in ${node} by fatal error`, made);
  }
  const added: string[] = [];
  for (const other of members) {
    if (other.node === node) continue;
    const done = await multicast(client, place, 'subscriber', 'add', group, other.address);
    if (done.exitCode === 0) added.push(other.node);
    else if (!IS_THERE.test(done.stderr))
      return failed(
        `Unable to add node ${other.address} to multicast group ${group} in ${node} by fatal error`,
        done,
      );
  }
  return { text: renderAdded(group, node, added) };
}
