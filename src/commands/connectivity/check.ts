import { type Command, Option } from 'commander';
import { durationOption, examples, integer, requiredArgument } from '../../cli/flags.ts';
import { outputOption, writeStructured } from '../../cli/output.ts';
import { writeReport } from '../../cli/report.ts';
import { reportOfPath } from '../../cluster/connectivity/as-checks.ts';
import { TOOLS } from '../../cluster/connectivity/attempt.ts';
import { endpointText } from '../../cluster/connectivity/plan.ts';
import { type Evidence, suspectOf } from '../../cluster/connectivity/suspect.ts';
import type { Context } from '../../context.ts';
import { errorMessage, UserError } from '../../errors.ts';
import { listAgents } from '../../kube/agents.ts';
import type { KubeClient } from '../../kube/client.ts';
import { ExecNotStarted, exec } from '../../kube/exec.ts';
import { ciliumNamespace } from '../../kube/install.ts';
import { openCluster } from '../../kube/road.ts';
import { isReportFormat, REPORT_FORMATS } from '../../model/report-format.ts';
import { type PathReport, renderPath, type TriedAddress } from '../../render/cluster/connectivity-check.ts';
import { EvidenceReader } from './evidence.ts';
import { type FoundPod, type FoundService, findPod, findService, matchingIp, parseEnd } from './resolve.ts';

interface CheckOptions {
  port?: number;
  protocol: 'TCP' | 'UDP';
  container?: string;
  try: boolean;
  connectTimeout: number;
  output: string;
}

const PART_MISSING = 3;
/** Of a service no more pods than these are tried by themselves. */
const MAX_BACKENDS = 3;

/** Declares `connectivity check`. */
export function addConnectivityCheckCommand(command: Command, ctx: Context): void {
  command
    .argument('[from]', 'pod that connects, as NAMESPACE/NAME')
    .argument('[to]', 'pod or service that it connects to: NAMESPACE/NAME, or service/NAMESPACE/NAME')
    .addOption(
      integer(
        '--port <n>',
        'Port that it goes to (default: the only one of the pod, the first of the service)',
        {
          min: 1,
          max: 65_535,
        },
      ),
    )
    .addOption(new Option('--protocol <name>', 'Protocol of the port').choices(['TCP', 'UDP']).default('TCP'))
    .option(
      '--container <name>',
      'Container of the first pod that the connection is tried from (default: its first)',
    )
    .option('--no-try', 'Run nothing in the pod: only ask policies and flows')
    .addOption(
      durationOption('--connect-timeout <duration>', 'How long the connection may take').default(3000, '3s'),
    )
    .addOption(outputOption(...REPORT_FORMATS))
    .addHelpText(
      'after',
      examples(
        'cilium connectivity check shop/web-0 shop/api-0 --port 8080',
        'cilium connectivity check shop/web-0 service/shop/api',
        'cilium connectivity check shop/web-0 kube-system/kube-dns --port 53 --protocol UDP --no-try',
      ),
    )
    .action((from: string | undefined, to: string | undefined, options: CheckOptions) =>
      runConnectivityCheck(
        requiredArgument(command, from, 'from'),
        requiredArgument(command, to, 'to'),
        options,
        ctx,
      ),
    );
}

/** The far end: an address for the policies, and addresses to try. */
interface FarEnd {
  name: string;
  node: string;
  /** As it is tried first. */
  ip: string;
  port: number;
  service: boolean;
  /** The pods that policies and flows see. */
  pods: { name: string; node: string | undefined; ip: string; port: number }[];
}

/** Says whether one pod reaches another or a service, and why not. */
export async function runConnectivityCheck(
  fromText: string,
  toText: string,
  options: CheckOptions,
  ctx: Context,
): Promise<void> {
  await using client = await openCluster(ctx);
  const usual = client.namespace ?? 'default';
  const from = await fromPod(client, fromText, usual);
  const far = farEnd(await toEnd(client, toText, usual), from, options);
  const { recorded } = client;
  const nowMs = recorded?.recording.nowMs() ?? ctx.clock.nowMs();
  const sinceMs = nowMs - (options.try && !recorded ? 0 : 600_000);
  const tried: TriedAddress[] = [];
  const notTried = await tryAll(client, from, far, options, tried, ctx);
  const evidence = await readEvidence(client, from, far, options, sinceMs, ctx);
  const [first, ...others] = tried;
  const result = first?.connected === undefined ? 'unknown' : first.connected ? 'works' : 'fails';
  const report: PathReport = {
    from: { name: from.name, address: from.ips[0] ?? '', node: from.node },
    to: { name: far.name, address: `${endpointText(far.ip, far.port)}/${options.protocol}`, node: far.node },
    evidence,
    tried,
    ...(notTried !== undefined && { notTried }),
    result,
    ...((result === 'fails' || evidence.decided?.verdict === 'denied') &&
      result !== 'works' && {
        suspect: suspectOf({
          target: {
            kind: far.service ? 'service' : 'pod',
            name: far.name,
            ip: far.ip,
            port: far.port,
            ...(far.node !== '' && { node: far.node }),
          },
          node: from.node,
          expected: 'allowed',
          code: undefined,
          policies: [],
          evidence,
          reach: far.service
            ? {
                backends:
                  others.length === 0 ? undefined : others.every(({ connected }) => connected === true),
              }
            : {},
        }),
      }),
  };
  if (isReportFormat(options.output)) await writeReport(ctx, options.output, reportOfPath(report));
  else if (options.output) await writeStructured(ctx, options.output, report);
  else await ctx.out.write(renderPath(report));
  if (result === 'fails') ctx.exitCode = 1;
  else if (result === 'unknown') ctx.exitCode = evidence.decided?.verdict === 'denied' ? 1 : PART_MISSING;
}

async function fromPod(client: KubeClient, text: string, usual: string): Promise<FoundPod> {
  const { kind, namespace, name } = parseEnd(text, usual);
  const found = kind === 'service' ? undefined : await findPod(client, namespace, name);
  if (!found)
    throw new UserError(`there is no pod ${namespace}/${name}`, {
      hint: 'A connection begins at a pod: NAMESPACE/NAME.',
    });
  if (found.trouble !== undefined)
    throw new UserError(`the pod ${found.name} cannot be asked: ${found.trouble}`);
  return found;
}

async function toEnd(client: KubeClient, text: string, usual: string): Promise<FoundPod | FoundService> {
  const { kind, namespace, name } = parseEnd(text, usual);
  const pod = kind === 'service' ? undefined : await findPod(client, namespace, name);
  const found = pod ?? (kind === 'pod' ? undefined : await findService(client, namespace, name));
  if (found) return found;
  throw new UserError(`there is no ${kind ?? 'pod or service'} ${namespace}/${name}`);
}

function farEnd(
  to: FoundPod | FoundService,
  from: FoundPod,
  { port: asked, protocol }: CheckOptions,
): FarEnd {
  const ip = matchingIp(to.ips, from.ips);
  if (to.kind === 'pod') {
    const ports = [...new Set(to.ports.filter((one) => one.protocol === protocol).map((one) => one.port))];
    const port = asked ?? (ports.length === 1 ? ports[0] : undefined);
    if (port === undefined)
      throw new UserError(
        ports.length === 0
          ? `the pod ${to.name} names no port of ${protocol}`
          : `the pod ${to.name} has several ports: ${ports.join(', ')}`,
        { hint: 'Say which one is meant: --port.' },
      );
    if (ip === undefined)
      throw new UserError(`the pod ${to.name} has no address: ${to.trouble ?? 'it does not run'}`);
    return {
      name: to.name,
      node: to.node,
      ip,
      port,
      service: false,
      pods: [{ name: to.name, node: to.node, ip, port }],
    };
  }
  const meant = to.ports.find(
    (one) => (asked === undefined || one.port === asked) && one.protocol === protocol,
  );
  if (!meant)
    throw new UserError(
      `the service ${to.name} has no port ${asked ?? ''} of ${protocol}`.replace('  ', ' '),
      {
        hint: `Its ports: ${to.ports.map(({ port, protocol: of }) => `${port}/${of}`).join(', ') || 'none'}`,
      },
    );
  const pods = to.backends(meant.name).filter(({ isReady }) => isReady);
  const [first] = pods;
  if (!first)
    throw new UserError(`no pod that is ready is behind port ${meant.port} of the service ${to.name}`);
  // A service without an address of its own is its pods.
  return ip === undefined
    ? { name: to.name, node: first.node ?? '', ip: first.ip, port: first.port, service: false, pods: [first] }
    : { name: to.name, node: '', ip, port: meant.port, service: true, pods };
}

/** Tries the addresses. Returns why none was tried. */
async function tryAll(
  client: KubeClient,
  from: FoundPod,
  far: FarEnd,
  options: CheckOptions,
  tried: TriedAddress[],
  ctx: Context,
): Promise<string | undefined> {
  if (!options.try) return '--no-try';
  if (client.recorded) return `${client.recorded.label} is an archive`;
  if (options.protocol === 'UDP') return 'nothing in UDP says whether a connection stands';
  const container = options.container ?? from.containers[0] ?? '';
  const lacking: string[] = [];
  const attempt = async (ip: string, port: number): Promise<boolean> => {
    for (const tool of TOOLS.filter(({ name }) => !lacking.includes(name))) {
      const seconds = Math.max(1, Math.ceil(options.connectTimeout / 1000));
      const limit = AbortSignal.timeout(options.connectTimeout + 8000);
      const target = {
        namespace: from.namespace,
        pod: from.pod,
        container,
        command: tool.argv(ip, port, seconds),
      };
      try {
        const signal = AbortSignal.any([ctx.signal, limit]);
        const { exitCode, stdout, stderr } = await exec(client, target, 65_536, signal);
        // A shell's words for a program that is not there.
        const read = tool.read({ exitCode, stdout: stdout.toString('utf8'), stderr });
        if (read.connected === undefined || (exitCode === 127 && read.connected !== true)) {
          lacking.push(tool.name);
          continue;
        }
        tried.push({ tool: tool.name, to: endpointText(ip, port), ...read });
        return true;
      } catch (error) {
        ctx.signal.throwIfAborted();
        if (limit.aborted) {
          tried.push({
            tool: tool.name,
            to: endpointText(ip, port),
            connected: false,
            detail: 'it did not end in time',
          });
          return true;
        }
        if (!(error instanceof ExecNotStarted)) throw error;
        lacking.push(tool.name);
      }
    }
    return false;
  };
  try {
    if (!(await attempt(far.ip, far.port)))
      return `the container ${container} has none of ${TOOLS.map(({ name }) => name).join(', ')} that could do it`;
    if (far.service && tried[0]?.connected === false)
      for (const { ip, port } of far.pods.slice(0, MAX_BACKENDS)) await attempt(ip, port);
    return undefined;
  } catch (error) {
    ctx.signal.throwIfAborted();
    if (error instanceof UserError) return errorMessage(error);
    throw error;
  }
}

async function readEvidence(
  client: KubeClient,
  from: FoundPod,
  far: FarEnd,
  { protocol }: CheckOptions,
  sinceMs: number,
  ctx: Context,
): Promise<Evidence> {
  const namespace = await ciliumNamespace(client, ctx.globals.cluster?.namespace);
  const agents = new Map((await listAgents(client, { namespace })).map((agent) => [agent.node, agent]));
  const reader = new EvidenceReader(client, agents, ctx);
  const [first] = far.pods;
  const question = {
    from: { pod: from.name, ips: from.ips },
    to: [
      ...far.pods.map(({ name, ip }) => ({ ...(name.includes('/') && { pod: name }), ips: [ip] })),
      { ips: [far.ip] },
    ],
    port: first?.port ?? far.port,
    protocol,
    sinceMs,
  };
  const nodes = [from.node, ...far.pods.slice(0, MAX_BACKENDS).flatMap(({ node }) => node ?? [])];
  const evidence = await reader.read(question, nodes, false);
  if (!from.isHost) return evidence;
  const { decided: _, ...rest } = evidence;
  return {
    ...rest,
    decidedTrouble: `${from.name} is in the network of its node, to which policies for pods do not apply`,
  };
}
