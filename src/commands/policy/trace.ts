import { type Command, Option } from 'commander';
import type { AgentClient } from '../../agent/client.ts';
import { readEndpoint } from '../../agent/decode/endpoints.ts';
import { identityLabels } from '../../agent/decode/identities.ts';
import { isMissingOperation, tracePolicy } from '../../agent/decode/policy.ts';
import { failed } from '../../cli/answer.ts';
import { endpointNumber } from '../../cli/endpoint-number.ts';
import { examples, integer, stringSlice } from '../../cli/flags.ts';
import { type OutputFlag, outputOption, writeStructured } from '../../cli/output.ts';
import { readPolicyFiles } from '../../cli/policy/files.ts';
import { releaseOfAgent } from '../../cli/release.ts';
import type { Context } from '../../context.ts';
import { UsageError, UserError } from '../../errors.ts';
import { atLeast } from '../../model/release.ts';
import { podLabels } from '../../policy/read/workload-labels.ts';
import { sanitize } from '../../render/text/sanitize.ts';

interface TraceOptions extends OutputFlag {
  src: string[];
  dst: string[];
  dport: string[];
  verbose?: boolean;
  srcIdentity: number;
  dstIdentity: number;
  srcEndpoint?: string;
  dstEndpoint?: string;
  srcK8sPod?: string;
  dstK8sPod?: string;
  srcK8sYaml?: string;
  dstK8sYaml?: string;
}

/** Declares `policy trace`. */
export function addPolicyTraceCommand(command: Command, ctx: Context): void {
  command.addHelpText(
    'after',
    examples(
      'cilium policy trace --src k8s:app=web --dst k8s:app=cart --dport 7070/tcp',
      'cilium policy trace --src-k8s-pod shop:frontend-5f7c-x2x9q --dst-endpoint 637 --dport 7070 --verbose',
    ),
  );
  command

    .addOption(stringSlice('-s, --src <labels>', 'Source label context'))
    .addOption(stringSlice('-d, --dst <labels>', 'Destination label context'))
    .addOption(stringSlice('--dport <port>', 'L4 destination port, as port[/protocol]'))
    .addOption(new Option('-v, --verbose', 'Set tracing to TRACE_VERBOSE'));
  for (const [flag, word] of [
    ['src', 'Source'],
    ['dst', 'Destination'],
  ] as const) {
    command
      .addOption(integer(`--${flag}-identity <id>`, `${word} identity`).default(-1))
      .option(`--${flag}-endpoint <id>`, `${word} endpoint`)
      .option(`--${flag}-k8s-pod <namespace:pod>`, `${word} k8s pod, on this node`)
      .option(`--${flag}-k8s-yaml <file>`, `Path to YAML file for ${word.toLowerCase()}`);
  }
  command.addOption(outputOption()).action((options: TraceOptions) => runPolicyTrace(options, command, ctx));
}

/** Agents from 1.12 on have the call only to be compared with; their command line says so first, on stdout. */
const DEPRECATED = `Command "trace" is deprecated, the output is not correct for all policy types. Consider instead using https://app.networkpolicy.io

`;

/** Asks the agent for its verdict on each pair of a source and a destination. */
export async function runPolicyTrace(options: TraceOptions, command: Command, ctx: Context): Promise<void> {
  const agent = await ctx.agent();
  const release = await releaseOfAgent(ctx);
  const deprecated = release !== undefined && atLeast(release, '1.12') && !atLeast(release, '1.15');
  if (deprecated && !options.output) await ctx.out.write(DEPRECATED);
  const ports = options.dport.map(parsePort);
  const sources = await sidesOf(
    {
      labels: options.src,
      identity: options.srcIdentity,
      endpoint: options.srcEndpoint,
      pod: options.srcK8sPod,
      yaml: options.srcK8sYaml,
    },
    'source',
    agent,
    ctx,
  );
  const targets = await sidesOf(
    {
      labels: options.dst,
      identity: options.dstIdentity,
      endpoint: options.dstEndpoint,
      pod: options.dstK8sPod,
      yaml: options.dstK8sYaml,
    },
    'destination',
    agent,
    ctx,
  );
  if (ports.length === 0 && deprecated)
    throw new UsageError('Missing destination port/proto', { hint: 'For example --dport 80/tcp.' });
  for (const from of sources) {
    for (const to of targets) {
      const body = {
        from: { labels: from },
        to: { dports: ports.length > 0 ? ports : null, labels: to },
        ...(options.verbose && { verbose: true }),
      };
      const answer = await tracePolicy(agent, body).catch((error: unknown) => {
        if (!isMissingOperation(error))
          return failed('Error while retrieving policy assessment result')(error);
        throw new UserError(
          'this agent does not trace policies: GET /policy/resolve ended after Cilium 1.14',
          {
            hint: '"cilium policy simulate" answers the same question from the policies and identities of any agent.',
            cause: error,
          },
        );
      });
      if (options.output) {
        await writeStructured(ctx, options.output, { Payload: answer.document });
        continue;
      }
      const { verdict, log } = answer.decode();
      await ctx.out.write(
        `${'-'.repeat(64)}\n${sanitize(log)}\nFinal verdict: ${sanitize(verdict.toUpperCase())}\n`,
      );
    }
  }
  await ctx.err.write(
    `\nWarning: the trace of an agent may be wrong in some cases; "cilium ${command.parent?.name() ?? 'policy'} simulate" decides as the datapath does.\n`,
  );
}

interface Side {
  labels: string[];
  identity: number;
  endpoint: string | undefined;
  pod: string | undefined;
  yaml: string | undefined;
}

/** The sets of labels that the flags of one side name. */
async function sidesOf(side: Side, name: string, agent: AgentClient, ctx: Context): Promise<string[][]> {
  const sets: string[][] = [];
  if (side.labels.length > 0) sets.push(side.labels);
  if (side.identity !== -1)
    sets.push(
      await identityLabels(agent, side.identity).catch(failed(`Cannot get identity ${side.identity}`)),
    );
  if (side.endpoint) sets.push(await endpointLabels(await endpointNumber(side.endpoint, ctx), agent));
  if (side.pod) {
    const [namespace, pod] = side.pod.split(':');
    if (!namespace || !pod)
      throw new UserError('Improper identifier of pod provided; should be <namespace>:<pod name>');
    sets.push(await endpointLabels(`pod-name:${namespace}/${pod}`, agent));
  }
  if (side.yaml) {
    const files = await readPolicyFiles(side.yaml, ctx, `Cannot read ${side.yaml}`);
    const found = await Promise.all(files.map(({ file, text }) => podLabels(file, text)));
    sets.push(...found.flat());
    if (found.flat().length === 0)
      throw new UserError(`${side.yaml} contains no pod, deployment or other workload`);
  }
  if (sets.length === 0) throw new UsageError(`Missing ${name} argument`);
  return sets;
}

async function endpointLabels(id: string, agent: AgentClient): Promise<string[]> {
  const what = `Cannot get endpoint corresponding to identifier ${id}`;
  return (await readEndpoint(agent, id).catch(failed(what))).decode().identityLabels;
}

function parsePort(text: string) {
  const [port = '', protocol = 'ANY', more] = text.split('/');
  const wrong = (why: string) => new UserError(`Invalid destination port: ${why}`);
  if (more !== undefined) throw wrong(`invalid format "${text}". Should be <port>[/<protocol>]`);
  const known = (['TCP', 'UDP', 'SCTP', 'ICMP', 'ICMPV6', 'ANY'] as const).find(
    (name) => name === protocol.toUpperCase(),
  );
  if (!known) throw wrong(`invalid protocol "${protocol.toUpperCase()}"`);
  if (/^\d+$/.test(port)) {
    if (Number(port) > 65535) throw wrong(`"${port}" is above 65535`);
    return { ...(Number(port) > 0 && { port: Number(port) }), protocol: known };
  }
  if (!/^([A-Za-z0-9]-?)*[A-Za-z](-?[A-Za-z0-9])*$/.test(port))
    throw wrong(`"${port}" is neither a number nor a port name`);
  return { name: port, protocol: known };
}
