import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { mayWrite } from '../../cli/confirm.ts';
import { durationOption, examples, integer, stringSlice } from '../../cli/flags.ts';
import { writeStructured } from '../../cli/output.ts';
import { namespaceObject } from '../../cluster/connectivity/objects.ts';
import {
  netperf,
  type PerfPair,
  type PerfResult,
  type PerfWish,
  parseNetperf,
  perfObjects,
  perfPairs,
  perfReport,
  perfTests,
} from '../../cluster/connectivity/perf.ts';
import type { Context } from '../../context.ts';
import { systemReason, UserError } from '../../errors.ts';
import type { KubeClient } from '../../kube/client.ts';
import { ExecNotStarted, exec } from '../../kube/exec.ts';
import { ciliumNamespace } from '../../kube/install.ts';
import { openCluster } from '../../kube/road.ts';
import { renderPerf } from '../../render/cluster/connectivity-perf.ts';
import { applyAll, untilReady } from './deploy.ts';
import { ownHolder } from './holder.ts';
import { claimNamespace, clusterName, removeExpired } from './namespace.ts';
import { type Candidate, listCandidates, pickNodes } from './nodes.ts';
import { takeAway } from './take-away.ts';
import { listTestPods } from './world.ts';

const PERF_IMAGE = 'quay.io/cilium/network-perf:3.21-1782913202-88c270c';
const WITH_CILIUM = 'cilium.io/no-schedule!=true';
/** Beside the measurement itself. */
const EXEC_MS = 30_000;
const SETUP_MS = 10 * 60_000;

interface PerfOptions extends PerfWish {
  duration: number;
  setupDelay: number;
  msgSize: number;
  samples: number;
  streams: number;
  nodeSelectorServer: string;
  nodeSelectorClient: string;
  tolerations: string[];
  performanceImage: string;
  testNamespace: string;
  deployTimeout: number;
  reportDir?: string;
  output: 'text' | 'json';
  dryRun?: boolean;
  yes?: boolean;
}

/** Declares `connectivity perf`. */
export function addConnectivityPerfCommand(command: Command, ctx: Context): void {
  command
    .optionsGroup('What is measured:')
    .addOption(
      durationOption('--duration <duration>', 'How long each measurement takes', 1000).default(10_000, '10s'),
    )
    .addOption(integer('--samples <n>', 'How often each is made', { min: 1, max: 1000 }).default(1))
    .option('--rr', 'Round trips (TCP_RR)', true)
    .option('--crr', 'Round trips with a connection each (TCP_CRR)', false)
    .option('--udp', 'The same in UDP', false)
    .option('--throughput', 'Throughput of one stream', true)
    .option('--throughput-multi', 'Throughput of several streams at once', true)
    .addOption(integer('--streams <n>', 'How many these are', { min: 1, max: 1000 }).default(4))
    .addOption(
      integer('--msg-size <bytes>', 'Bytes of a message of a stream', { min: 1, max: 65_507 }).default(1024),
    )
    .addOption(
      durationOption('--setup-delay <duration>', 'How long to wait before the first one').default(0, '0s'),
    )
    .optionsGroup('Between whom:')
    .option('--pod-net', 'From pod to pod', true)
    .option('--host-net', 'From node to node', true)
    .option('--pod-to-host', 'From pod to node', false)
    .option('--host-to-pod', 'From node to pod', false)
    .option('--same-node', 'On the same node', true)
    .option('--other-node', 'To another node', true)
    .option('--node-selector-server <selector>', 'Labels of the node of the servers', WITH_CILIUM)
    .option('--node-selector-client <selector>', 'Labels of the other node', WITH_CILIUM)
    .addOption(stringSlice('--tolerations <keys>', 'Taints that the pods tolerate'))
    .option('--performance-image <image>', 'An image with netperf, netserver, sh and sleep', PERF_IMAGE)
    .option('--test-namespace <name>', 'Namespace of the pods, to which -1 is added', 'cilium-test')
    .addOption(
      durationOption('--deploy-timeout <duration>', 'How long pods may take to be ready').default(
        60_000,
        '60s',
      ),
    )
    .optionsGroup('Output:')
    .option('--report-dir <folder>', 'Write a JSON file for each result into this folder')
    .addOption(
      new Option('-o, --output <format>', 'Form of the output').choices(['text', 'json']).default('text'),
    )
    .option('--dry-run', 'Print what would be deployed and measured, and change nothing')
    .option('-y, --yes', 'Do not ask before pods are deployed')
    .addHelpText(
      'after',
      examples(
        'cilium connectivity perf',
        'cilium connectivity perf --duration 30s --host-net=false --report-dir results',
        'cilium connectivity perf --crr --udp --samples 3',
      ),
    )
    .action((options: PerfOptions) => runConnectivityPerf(options, ctx));
}

/** Deploys, measures, reports and takes everything away again. */
export async function runConnectivityPerf(options: PerfOptions, ctx: Context): Promise<void> {
  const say = (text: string) => (options.output === 'json' ? Promise.resolve() : ctx.out.write(text));
  const namespace = `${options.testNamespace}-1`;
  const tests = perfTests(options);
  if (tests.length === 0)
    throw new UserError('nothing is to be measured: all of --rr, --crr and --throughput are off');
  await using client = await openCluster(ctx);
  const { server, other } = await findNodes(client, options, ctx);
  const pairs = perfPairs(options, other ? 2 : 1);
  if (pairs.length === 0)
    throw new UserError('there is nobody to measure between', {
      hint: other ? undefined : 'The cluster has one node that pods can run on: --same-node.',
    });
  if (options.otherNode && !other)
    await ctx.err.write('There is no other node that pods can run on: only the same node is measured.\n');
  const seconds = options.duration / 1000;
  const totalMs = pairs.length * tests.length * options.samples * options.duration;
  const plan = {
    namespace,
    expires: new Date(ctx.clock.nowMs() + totalMs + SETUP_MS).toISOString(),
    isKept: false,
    holder: ownHolder(),
    image: options.performanceImage,
    serverNode: server.hostname,
    clientNode: other?.hostname ?? server.hostname,
    tolerations: options.tolerations,
    namespaceLabels: {},
  };
  const objects = [namespaceObject(plan), ...perfObjects(pairs, plan)];
  if (options.dryRun) {
    const shown = objects.map(({ kind, metadata }) => `Would apply ${kind} ${metadata.name}.\n`);
    await ctx.out.write(
      `${shown.join('')}Would make ${pairs.length * tests.length * options.samples} measurements of ${seconds} s.\n`,
    );
    return;
  }
  if (
    !(await mayWrite(
      ctx,
      `deploy pods into the namespace ${namespace} and load the network for about ${Math.ceil(totalMs / 1000)} s`,
      options,
    ))
  )
    return;
  await claimNamespace(client, namespace, { isForced: false }, say, ctx);
  await removeExpired(client, namespace, say, ctx);
  const results: PerfResult[] = [];
  const failures: string[] = [];
  try {
    const cluster = clusterName(client);
    const deployments = await applyAll(client, objects, cluster, say);
    await untilReady(ctx, namespace, deployments, options.deployTimeout);
    await ctx.clock.sleep(options.setupDelay, ctx.signal);
    for (const pair of pairs)
      for (const test of tests)
        for (let sample = 0; sample < options.samples; sample++) {
          await say(
            `[=] [${namespace}] ${test} ${pair.scenario} ${pair.client.isElsewhere ? 'other-node' : 'same-node'}\n`,
          );
          const measured = await measure(client, namespace, pair, test, options, ctx);
          const { isElsewhere } = pair.client;
          if (typeof measured === 'string') failures.push(`${test} ${pair.scenario}: ${measured}`);
          else
            results.push({ scenario: pair.scenario, isSameNode: !isElsewhere, test, seconds, ...measured });
        }
    if (options.output === 'json') await writeStructured(ctx, 'json', { namespace, results, failures });
    else await say(renderPerf(namespace, results));
    writeReports(options, results, ctx);
  } finally {
    await takeAway(namespace, say, ctx);
  }
  if (failures.length > 0)
    throw new UserError(`[${namespace}] ${failures.length} measurements failed`, {
      hint: failures.join('\n'),
    });
}

/** The node of the servers, and another one for clients. */
async function findNodes(
  client: KubeClient,
  { nodeSelectorServer, nodeSelectorClient, tolerations }: PerfOptions,
  ctx: Context,
): Promise<{ server: Candidate; other: Candidate | undefined }> {
  const namespace = await ciliumNamespace(client, ctx.globals.cluster?.namespace);
  const list = async (selector: string) =>
    (await listCandidates(client, { namespace, selector: selector || undefined, tolerations })).nodes;
  const { first: server } = pickNodes(await list(nodeSelectorServer), { single: true });
  const others = await list(nodeSelectorClient);
  return { server, other: others.find(({ name, trouble }) => trouble === undefined && name !== server.name) };
}

/** One measurement; a text says why there is none. */
async function measure(
  client: KubeClient,
  namespace: string,
  { client: from, server: to }: PerfPair,
  test: PerfResult['test'],
  { duration, msgSize, streams }: PerfOptions,
  ctx: Context,
) {
  const pods = await listTestPods(client, namespace);
  const [source, target] = [from, to].map(({ name }) => pods.find((pod) => pod.name === name));
  const ip = target?.ips[0];
  if (!source || ip === undefined) return 'its pods are not there any more';
  const { argv, lines } = netperf(test, ip, { seconds: duration / 1000, messageBytes: msgSize, streams });
  const limit = AbortSignal.timeout(duration + EXEC_MS);
  const signal = AbortSignal.any([ctx.signal, limit]);
  const place = { namespace, pod: source.pod, container: source.container };
  try {
    const { exitCode, stdout, stderr } = await exec(client, { ...place, command: argv }, 1024 * 1024, signal);
    if (exitCode === 127) return `the image has no netperf: ${stderr.trim()}`;
    if (exitCode !== 0)
      return `netperf ended with exit code ${exitCode}: ${stderr.trim().split('\n').at(-1) ?? ''}`;
    return parseNetperf(test, stdout.toString('utf8'), lines);
  } catch (error) {
    ctx.signal.throwIfAborted();
    if (limit.aborted) return `netperf did not end within ${(duration + EXEC_MS) / 1000} s`;
    if (error instanceof ExecNotStarted)
      throw new UserError(`no netperf can be run in the pod ${namespace}/${source.pod}: ${error.message}`, {
        hint: 'Either the image has none (another one: --performance-image), or pods do not really run in this cluster.',
        cause: error,
      });
    throw error;
  }
}

function writeReports({ reportDir }: PerfOptions, results: readonly PerfResult[], ctx: Context): void {
  if (reportDir === undefined) return;
  const folder = resolve(ctx.cwd, reportDir);
  try {
    mkdirSync(folder, { recursive: true });
    for (const [i, result] of results.entries()) {
      const node = result.isSameNode ? 'same-node' : 'other-node';
      const name = `${result.test}_${result.scenario}_${node}_${i + 1}.json`;
      writeFileSync(join(folder, name), `${JSON.stringify(perfReport(result), null, 2)}\n`);
    }
  } catch (cause) {
    throw new UserError(`cannot write into ${reportDir}: ${systemReason(cause)}`, { cause });
  }
}
