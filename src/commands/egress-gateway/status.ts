import type { Command } from 'commander';
import { PARTIAL } from '../../cli/exit-codes.ts';
import { durationOption, examples } from '../../cli/flags.ts';
import { askPods, reasonOf, runInAgent } from '../../cli/kube/each-agent.ts';
import { type OutputFlag, outputOption, writeStructured } from '../../cli/output.ts';
import type { EgressEntry, NodeEntries } from '../../cluster/egress/facts.ts';
import { judgeEgress } from '../../cluster/egress/judge.ts';
import type { Context } from '../../context.ts';
import { errorMessage, UserError } from '../../errors.ts';
import { type AgentPod, listAgents } from '../../kube/agents.ts';
import type { KubeClient } from '../../kube/client.ts';
import { listEgressEndpoints, listEgressNodes, listEgressPolicies } from '../../kube/egress.ts';
import { ciliumNamespace } from '../../kube/install.ts';
import { openCluster } from '../../kube/road.ts';
import { parsePlainJson } from '../../lib/exact-json.ts';
import { type Form, ofForm } from '../../lib/form.ts';
import { renderEgress } from '../../render/cluster/egress.ts';

interface EgressStatusOptions extends OutputFlag {
  /** Milliseconds. */
  waitDuration: number;
}

const PROBLEMS = 1;

/** Declares `egress-gateway status`. */
export function addEgressGatewayStatusCommand(command: Command, ctx: Context): void {
  command
    .addOption(
      durationOption('--wait-duration <duration>', 'How long all of it may take').default(60_000, '1m'),
    )
    .addOption(outputOption())
    .addHelpText('after', examples('cilium egress-gateway status', 'cilium egress-gateway status -o json'))
    .action((options: EgressStatusOptions) => runEgressGatewayStatus(options, ctx));
}

async function runEgressGatewayStatus(options: EgressStatusOptions, ctx: Context): Promise<void> {
  await using client = await openCluster(ctx);
  const namespace = await ciliumNamespace(client, ctx.globals.cluster?.namespace);
  const agents = await listAgents(client, { namespace });
  if (agents.length === 0)
    throw new UserError(`no agent of Cilium was found in the namespace ${namespace}`, {
      hint: 'No pod there has the label k8s-app=cilium; another namespace: --namespace.',
    });
  const [policies, nodes, endpoints, { said, silent }] = await Promise.all([
    listEgressPolicies(client),
    listEgressNodes(client, agents),
    listEgressEndpoints(client),
    askPods(agents, options.waitDuration, (place) => entriesOf(client, place), ctx),
  ]);
  const views = said.map(({ value }) => value);
  const verdict = judgeEgress({ policies, nodes, endpoints, views });
  const unread = silent.map(({ node, why }) => ({ node, why }));
  if (options.output) await writeStructured(ctx, options.output, { ...verdict, unread });
  else if (policies.length === 0 && verdict.problems.length === 0)
    await ctx.err.write('The cluster has no egress gateway policies\n');
  else await ctx.out.write(renderEgress(verdict, views.length));
  for (const { node, why } of unread) await ctx.err.write(`${node}: not read: ${why}\n`);
  if (views.length === 0) throw new UserError('no node was read: what became of the policies is not known');
  if (verdict.problems.length > 0) ctx.exitCode = PROBLEMS;
  else if (unread.length > 0) ctx.exitCode = PARTIAL;
}

interface Printed {
  SourceIP: string;
  DestCIDR: string;
  EgressIP?: string;
  GatewayIP?: string;
}
const ENTRIES: Form = {
  list: {
    fields: { SourceIP: 'text', DestCIDR: 'text', EgressIP: 'text', GatewayIP: 'text' },
    needs: ['SourceIP', 'DestCIDR'],
  },
};

/** What the map of a node holds. */
async function entriesOf(client: KubeClient, place: AgentPod): Promise<NodeEntries> {
  const { node } = place;
  const printed = await runInAgent(client, place, ['bpf', 'egress', 'list', '-o', 'json']);
  const said = `${printed.stdout}\n${printed.stderr}`;
  // The map is there where the feature is on.
  if (/cannot find egress gateway bpf map|no such file or directory/i.test(said))
    return { node, entries: 'off' };
  if (printed.exitCode !== 0) throw new UserError(reasonOf(printed));
  try {
    const value = parsePlainJson(printed.stdout.trim() || 'null') ?? [];
    const entries = ofForm<Printed[]>(value, ENTRIES).map(
      ({ SourceIP, DestCIDR, EgressIP = '', GatewayIP = '' }): EgressEntry => ({
        source: SourceIP,
        destination: DestCIDR,
        egressIp: EgressIP,
        gateway: GatewayIP,
      }),
    );
    return { node, entries };
  } catch (cause) {
    throw new UserError(`what \`bpf egress list\` printed is not understood: ${errorMessage(cause)}`, {
      cause,
    });
  }
}
