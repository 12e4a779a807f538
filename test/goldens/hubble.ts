import { encode } from '../../src/hubble/protobuf/codec.ts';
import type { Flow, GetFlowsResponse, Node, ServerStatusResponse } from '../../src/model/hubble.gen.ts';
import { type GrpcAnswer, recordedMessages, serveGrpc } from '../helpers/grpc.ts';
import { fixture, fixturePath } from '../helpers/recordings.ts';
import { type RunOptions, run } from '../helpers/run.ts';
import { chosen, type GoldenResult, type GoldenSuite, nameOf, resultOf } from './suite.ts';

/** One recorded run of the reference hubble CLI. */
interface HubbleCase {
  argv: string[];
  exit: number;
  stdout: string;
  stderr: string;
  /** Seconds since the epoch. */
  at?: number;
  server?: string;
}

/** When the recordings without a clock were made, near enough for `--since 1h`. */
const RECORDED_AT = 1_795_337_400;
/** The home that the reference ran with. */
const HOME = '/nonexistent';

/** Replays runs of the hubble CLI that need no server. */
export function hubbleFileSuite(
  file: string,
  exceptions: Record<string, string> = {},
  /** The file that `@IN` stands for. */
  flows = 'flows-1.20.jsonl',
): GoldenSuite {
  const cases = () => fixture<HubbleCase[]>(`recordings/${file}`);
  return {
    file,
    exceptions,
    names: () => cases().map(nameOf),
    async *run(only) {
      for (const recorded of chosen(cases(), only))
        yield compare(
          recorded,
          recorded.argv.map((word) => word.replace('@IN', fixturePath(`recordings/${flows}`))),
          {},
        );
    },
  };
}

/** Replays runs against a server: a real one on a real socket that answers with what was recorded. */
export function hubbleServerSuite(
  file: string,
  recordings: { events?: string; namespaces: string },
  exceptions: Record<string, string> = {},
): GoldenSuite {
  const cases = fixture<HubbleCase[]>(`recordings/${file}`);
  return {
    file,
    exceptions,
    names: () => cases.map(nameOf),
    async *run(only) {
      for (const recorded of chosen(cases, only)) {
        const tcp = !recorded.server?.startsWith('unix:');
        await using server = await serveGrpc(answersFor(recorded, cases, recordings), { tcp });
        const local = (text: string) => text.replaceAll(recorded.server ?? '', server.address);
        yield await compare({ ...recorded, stdout: local(recorded.stdout) }, recorded.argv, {
          env: { HOME, HUBBLE_SERVER: server.address },
        });
      }
    },
  };
}

async function compare(recorded: HubbleCase, argv: string[], options: RunOptions): Promise<GoldenResult> {
  const result = await run(['hubble', ...argv], {
    nowMs: (recorded.at ?? RECORDED_AT) * 1000,
    ...options,
  });
  return resultOf(recorded, result);
}

/** What the server said when the case was recorded. Numbers that grow are taken from what was printed of them. */
function answersFor(
  recorded: HubbleCase,
  cases: readonly HubbleCase[],
  recordings: { events?: string; namespaces: string },
): Record<string, GrpcAnswer> {
  const unimplemented = (method: string): GrpcAnswer => {
    const words = cases.map(({ stderr }) => new RegExp(`desc = (${method} .*implemented)`).exec(stderr)?.[1]);
    return { status: 12, message: words.find((found) => found !== undefined) ?? `${method} not implemented` };
  };
  const nodes = jsonOf<Node[]>(cases, 'list nodes -o json');
  return {
    '/grpc.health.v1.Health/Check': {
      messages: [encode('grpc.health.v1.HealthCheckResponse', { status: 'SERVING' })],
    },
    '/observer.Observer/ServerStatus': {
      messages: [encode('observer.ServerStatusResponse', statusOf(recorded, cases))],
    },
    '/observer.Observer/GetNodes': nodes
      ? { messages: [encode('observer.GetNodesResponse', { nodes })] }
      : unimplemented('GetNodes'),
    '/observer.Observer/GetNamespaces': { messages: recordedMessages(recordings.namespaces) },
    '/observer.Observer/GetAgentEvents': recordings.events
      ? { messages: [] }
      : unimplemented('GetAgentEvents'),
    '/observer.Observer/GetDebugEvents': recordings.events
      ? { messages: [] }
      : unimplemented('GetDebugEvents'),
    '/observer.Observer/GetFlows': {
      messages: recorded.stdout
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => encode('observer.GetFlowsResponse', responseOf(line))),
    },
  };
}

function jsonOf<T>(cases: readonly HubbleCase[], argv: string): T | undefined {
  const found = cases.find((recorded) => recorded.argv.join(' ') === argv && recorded.exit === 0);
  return found && (JSON.parse(found.stdout) as T);
}

function statusOf({ argv, stdout }: HubbleCase, cases: readonly HubbleCase[]): ServerStatusResponse {
  const status = jsonOf<ServerStatusResponse>(cases, 'status -o json') ?? {};
  if (argv[0] !== 'status' || argv.includes('json')) return status;
  const uptime = /(?:(\d+)m)?(\d+)\.(\d{9})s/.exec(stdout);
  if (!uptime) return status;
  const [, minutes = '0', seconds = '0', nanos = '0'] = uptime;
  return {
    ...status,
    uptime_ns: String((BigInt(minutes) * 60n + BigInt(seconds)) * 1_000_000_000n + BigInt(nanos)),
  };
}

const COMPACT =
  /^(\w{3}) ([ \d]\d) ([\d:.]+) \[(.*?)\]: (\S+) \((.*?)\) (<>|->|<-) (\S+) \((.*?)\) (\S+) (\S+) \((.*)\)$/;
const POINTS =
  'to-endpoint to-proxy to-host to-stack to-overlay from-endpoint from-proxy from-host from-stack';
const MORE_POINTS = 'from-overlay from-network to-network from-crypto to-crypto';
const IDENTITIES =
  'unknown host world unmanaged health init remote-node kube-apiserver ingress world-ipv4 world-ipv6';

/** The answer that a printed line was made of, as far as the line tells. */
function responseOf(line: string): GetFlowsResponse {
  if (line.startsWith('{')) return JSON.parse(line) as GetFlowsResponse;
  const match = COMPACT.exec(line);
  if (!match) return {};
  const [
    ,
    ,
    day = '',
    clock = '',
    node = '',
    a = '',
    aId = '',
    arrow = '',
    b = '',
    bId = '',
    point = '',
    verdict = '',
    Summary = '',
  ] = match;
  const [from, fromId, to, toId] = arrow === '<-' ? [b, bId, a, aId] : [a, aId, b, bId];
  const [source, sourcePort] = splitHost(from);
  const [destination, destinationPort] = splitHost(to);
  const points = `${POINTS} ${MORE_POINTS}`.split(' ');
  const ethernet = Summary === 'Ethernet';
  const flow: Flow = {
    time: `2026-11-${day.trim().padStart(2, '0')}T${clock}Z`,
    node_name: node,
    verdict: verdict as 'FORWARDED',
    ...(ethernet ? { ethernet: { source: from, destination: to } } : { IP: { source, destination } }),
    ...(sourcePort && { l4: { TCP: { source_port: sourcePort, destination_port: destinationPort } } }),
    source: { identity: identityOf(fromId) },
    destination: { identity: identityOf(toId) },
    event_type: { type: 4, sub_type: points.indexOf(point) },
    ...(arrow !== '<>' && { is_reply: arrow === '<-' }),
    Summary,
  };
  return { flow };
}

function splitHost(text: string): [host: string, port: number] {
  const match = /^(?:\[(.*)\]|([^:]*)):(\d+)$/.exec(text);
  return match ? [match[1] ?? match[2] ?? '', Number(match[3])] : [text, 0];
}

function identityOf(text: string): number {
  const at = IDENTITIES.split(' ').indexOf(text);
  return at === -1 ? Number(text.replace('ID:', '')) : at;
}
