import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { apiType } from '../../agent/decode/shapes.ts';
import { PARTIAL } from '../../cli/exit-codes.ts';
import { durationOption, examples } from '../../cli/flags.ts';
import {
  askEach,
  askPods,
  type Printed,
  reasonOf,
  runInAgent,
  type Said,
  type Silent,
} from '../../cli/kube/each-agent.ts';
import type { Context } from '../../context.ts';
import { errorMessage, isUnreachable, systemReason, UserError } from '../../errors.ts';
import { listOperators, OPERATOR_CONTAINER, type OperatorPod } from '../../kube/agents.ts';
import type { KubeClient } from '../../kube/client.ts';
import { detectComponents } from '../../kube/components.ts';
import { exec } from '../../kube/exec.ts';
import { ciliumNamespace } from '../../kube/install.ts';
import { openCluster } from '../../kube/road.ts';
import { parsePlainJson } from '../../lib/exact-json.ts';
import { type Form, ofForm } from '../../lib/form.ts';
import type { FeatureMetric } from '../../model/cluster.ts';
import { type FeatureBlock, featuresMarkdown, renderFeatures } from '../../render/cluster/features.ts';
import { asGoWrites } from '../../render/text/go-fields.ts';
import { goJson } from '../../render/text/json.ts';

interface FeaturesOptions {
  agentPodSelector?: string;
  operatorPodSelector?: string;
  operatorContainerCommand?: string;
  node?: string;
  operatorNode?: string;
  /** Milliseconds. */
  waitDuration: number;
  output: 'tab' | 'markdown' | 'json';
  outputFile: string;
}

const UNABLE = 'Unable to print features status';
const ARGV = ['metrics', 'list', '-p', 'cilium_.*feature', '-o', 'json'];
const METRICS: Form = { list: { fields: { name: 'text', value: 'number', labels: { map: 'text' } } } };
/** API servers lose what a command prints now and then: it is run so often, after a pause. */
const ATTEMPTS = 3;
const PAUSE_MS = 2000;

/** Declares `features status`. */
export function addFeaturesStatusCommand(command: Command, ctx: Context): void {
  command
    .option('--agent-pod-selector <labels>', 'Label of the pods of the agents (default k8s-app=cilium)')
    .option(
      '--operator-pod-selector <labels>',
      'Label of the pods of the operator (default io.cilium/app=operator)',
    )
    .option(
      '--operator-container-command <program>',
      'Program that runs the operator (default: as its pod says)',
    )
    .option('--node <name>', 'Ask the agent of this node alone')
    .option('--operator-node <name>', 'Ask the operator of this node alone')
    .addOption(
      durationOption('--wait-duration <duration>', 'How long all of it may take').default(60_000, '1m'),
    )
    .addOption(
      new Option('-o, --output <format>', 'Output format')
        .choices(['tab', 'markdown', 'json'])
        .default('tab'),
    )
    .option('--output-file <file>', 'Write it to a file instead of stdout', '-')
    .addHelpText(
      'after',
      examples(
        'cilium features status',
        'cilium features status -o markdown --output-file features.md',
        'cilium features status --node worker-1 -o json',
      ),
    )
    .action((options: FeaturesOptions) => runFeaturesStatus(options, ctx));
}

async function runFeaturesStatus(options: FeaturesOptions, ctx: Context): Promise<void> {
  await using client = await openCluster(ctx);
  const namespace = await ciliumNamespace(client, ctx.globals.cluster?.namespace);
  const { agentPodSelector, operatorPodSelector, node, operatorNode, waitDuration: waitMs } = options;
  const [agents, operators, components] = await Promise.all([
    askEach(
      client,
      { node, selector: agentPodSelector, waitMs },
      (place) => metricsOf(() => runInAgent(client, place, ARGV), ctx),
      ctx,
    ),
    listOperators(client, { namespace, node: operatorNode, selector: operatorPodSelector }).then((pods) =>
      askPods(pods, waitMs, (pod) => metricsOf(() => runInOperator(client, pod, options), ctx), ctx),
    ),
    detectComponents(client),
  ]);
  const unread = [
    ...[...agents.silent, ...operators.silent].map(reasonFor),
    ...components.unread.map(({ name, why }) => `${name}: ${why}`),
  ];
  if (agents.said.length === 0) throw new UserError(`${UNABLE}: ${unread.join('\n')}`);
  const blocks = {
    'cluster-wide': new Map([['cluster-wide', components.metrics]]),
    'cilium-operator': byNode(operators.said),
    cilium: byNode(agents.said),
  };
  const text = await inFormat(blocks, options.output);
  if (options.outputFile === '-') await ctx.out.write(text);
  else
    await writeFile(resolve(ctx.cwd, options.outputFile), text).catch((cause: unknown) => {
      throw new UserError(`${UNABLE}: cannot write ${options.outputFile}: ${systemReason(cause)}`, { cause });
    });
  if (unread.length === 0) return;
  await ctx.err.write(`Not all could be read:\n${unread.join('\n')}\n`);
  ctx.exitCode = PARTIAL;
}

function reasonFor({ node, pod, why }: Silent): string {
  return `failed to get features status from ${pod} of node ${node}: ${why}`;
}

/** Of two pods on one node the first by name counts. */
function byNode(said: readonly Said<FeatureMetric[]>[]): Map<string, FeatureMetric[]> {
  const order = said.toSorted((a, b) => (a.pod < b.pod ? 1 : -1));
  return new Map(order.map(({ node, value }) => [node, value]));
}

type Blocks = Record<'cluster-wide' | 'cilium-operator' | 'cilium', Map<string, FeatureMetric[]>>;

async function inFormat(blocks: Blocks, output: FeaturesOptions['output']): Promise<string> {
  if (output === 'json') {
    const { shape, definitions } = await apiType('Metric[]');
    const parts = (['cilium', 'cilium-operator', 'cluster-wide'] as const).map((name) => [
      name,
      Object.fromEntries(
        [...blocks[name]]
          .toSorted(([a], [b]) => (a < b ? -1 : 1))
          .map(([node, metrics]) => [node, asGoWrites(metrics, shape, definitions)]),
      ),
    ]);
    return `${goJson(Object.fromEntries(parts))}\n`;
  }
  const titled: FeatureBlock[] = [
    { title: 'Cluster-wide Component Detection', metrics: blocks['cluster-wide'] },
    { title: 'Cilium Operators', metrics: blocks['cilium-operator'] },
    { title: 'Cilium Agents', metrics: blocks.cilium },
  ];
  return output === 'tab' ? renderFeatures(titled) : featuresMarkdown(titled);
}

async function runInOperator(
  client: KubeClient,
  { namespace, pod, program }: OperatorPod,
  { operatorContainerCommand = program }: FeaturesOptions,
): Promise<Printed> {
  if (!operatorContainerCommand)
    throw new UserError(
      'its pod does not say which program it runs: name it with --operator-container-command',
    );
  const command = [operatorContainerCommand, ...ARGV];
  const { exitCode, stdout, stderr } = await exec(client, {
    namespace,
    pod,
    container: OPERATOR_CONTAINER,
    command,
  });
  return { exitCode, stdout: stdout.toString('utf8'), stderr };
}

/** What a program prints of its metrics. It prints at least an empty list: nothing at all was lost on the way. */
async function metricsOf(run: () => Promise<Printed>, ctx: Context): Promise<FeatureMetric[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      const printed = await run();
      if (printed.exitCode !== 0) throw new UserError(reasonOf(printed));
      if (printed.stdout.trim() !== '') return decode(printed.stdout);
      if (attempt === ATTEMPTS) throw new UserError('it printed nothing');
    } catch (error) {
      if (!isUnreachable(error) || attempt === ATTEMPTS) throw error;
    }
    await ctx.clock.sleep(PAUSE_MS, ctx.signal);
  }
}

function decode(text: string): FeatureMetric[] {
  try {
    return ofForm<FeatureMetric[]>(parsePlainJson(text) ?? [], METRICS);
  } catch (cause) {
    throw new UserError(`what it printed is not understood: ${errorMessage(cause)}`, { cause });
  }
}
