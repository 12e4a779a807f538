import { writeFileSync } from 'node:fs';
import type { ServerHttp2Stream } from 'node:http2';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { frame } from '../../src/hubble/grpc/frames.ts';
import { encode } from '../../src/hubble/protobuf/codec.ts';
import { type GrpcAnswer, recordedMessages, serveGrpc } from '../helpers/grpc.ts';
import { fixtureText } from '../helpers/recordings.ts';
import { run } from '../helpers/run.ts';
import { mutateBytes, mutateJson, mutateText, STEERING } from './mutate.ts';
import type { Random } from './random.ts';
import { runOnScreen } from './screen.ts';
import { type OpenTarget, packed, unpacked } from './target.ts';

const VIEWS: readonly string[][] = [
  [],
  [],
  ['-o', 'dict'],
  ['-o', 'jsonpb'],
  ['-o', 'json'],
  ['-o', 'table'],
  ['--color', 'always', '--print-node-name', '--print-policy-names'],
  ['--top', 'src,dst'],
  ['--top', 'verdict', '-o', 'json'],
  ['--collapse'],
  ['--where', 'dst.port > 5 or src.pod ~ "a"'],
  ['--numeric', '--time-format', 'RFC3339Nano'],
  ['--explain', '--verdict', 'DROPPED'],
  ['--loss-summary', '--max-loss', '1'],
  ['--to-label', 'k8s-app=kube-dns'],
  ['--http-status', '2+'],
];
/** Views of flow files alone: the live screen takes a moment for each of its frames. */
const FILE_VIEWS: readonly string[][] = [...VIEWS, ['--tui']];
const POLICY: readonly string[][] = [
  ['policy', 'suggest'],
  ['policy', 'suggest', '-o', 'json'],
  ['policy', 'why', '--last-drop'],
  ['policy', 'replay'],
];

/** Flow files: lines, archives of them, framed messages. */
export const openFlowFiles: OpenTarget = async (folder) => {
  const lines = [
    'flows-1.20',
    'flows-1.20-release',
    'flows-1.14',
    'flows-random',
    'agent-events-1.20',
  ].flatMap((name) => fixtureText(`recordings/${name}.jsonl`).trim().split('\n').slice(0, 300));
  const messages = ['getflows-300', 'getflows-1.20-release', 'relay-GetFlows-100'].flatMap((name) =>
    recordedMessages(`${name}.grpc`).slice(0, 100),
  );
  const text = (random: Random) => {
    const some = Array.from({ length: 1 + random.below(4) }, () => random.pick(lines));
    const joined = some.map((line) => (random.chance(0.7) ? mutateJson(line, random) : line)).join('\n');
    return Buffer.from(`${random.chance(0.1) ? mutateText(joined, random) : joined}\n`);
  };
  const framed = (random: Random) =>
    Buffer.concat(
      Array.from({ length: 1 + random.below(4) }, () => frame(mutateBytes(random.pick(messages), random))),
    );
  const content = (random: Random): Buffer =>
    random.pick([
      () => text(random),
      () => text(random),
      () => text(random),
      () => text(random),
      () => framed(random),
      () => mutateBytes(framed(random), random),
      () => gzipSync(text(random)),
      () => mutateBytes(gzipSync(text(random)), random),
      () => zstdCompressSync(framed(random)),
      () => mutateBytes(text(random), random),
    ])();
  const path = join(folder, 'flows');
  return {
    make(random) {
      const policy = random.chance(0.25);
      const argv = policy
        ? [...random.pick(POLICY), '--flows', path]
        : ['hubble', 'observe', '--input-file', path, ...random.pick(FILE_VIEWS)];
      return { argv, data: { flows: packed(content(random)) } };
    },
    run({ argv, data }, signal) {
      writeFileSync(path, unpacked(data.flows));
      const here = argv.map((word) => (word.endsWith('/flows') ? path : word));
      const show = here.includes('--tui') ? runOnScreen : run;
      return show(here, { signal, cwd: folder, nowMs: Date.UTC(2026, 10, 28) });
    },
  };
};

const CALLS: readonly { argv: string[]; path: string; files: string[] }[] = [
  ...VIEWS.map((view) => ({
    argv: ['observe', ...view],
    path: '/observer.Observer/GetFlows',
    files: ['getflows-300', 'getflows-1.20-release', 'getflows-1.14', 'relay-GetFlows-100'],
  })),
  {
    argv: ['observe', '--follow', '--no-reconnect'],
    path: '/observer.Observer/GetFlows',
    files: ['getflows-300'],
  },
  { argv: ['observe', 'agent-events'], path: '/observer.Observer/GetAgentEvents', files: ['getagentevents'] },
  {
    argv: ['observe', 'agent-events', '-o', 'json'],
    path: '/observer.Observer/GetAgentEvents',
    files: ['getagentevents'],
  },
  { argv: ['list', 'nodes'], path: '/observer.Observer/GetNodes', files: ['relay-GetNodes'] },
  { argv: ['list', 'nodes', '-o', 'wide'], path: '/observer.Observer/GetNodes', files: ['relay-GetNodes'] },
  { argv: ['list', 'nodes', '-o', 'json'], path: '/observer.Observer/GetNodes', files: ['relay-GetNodes'] },
  {
    argv: ['list', 'namespaces'],
    path: '/observer.Observer/GetNamespaces',
    files: ['getnamespaces', 'relay-GetNamespaces'],
  },
  {
    argv: ['status'],
    path: '/observer.Observer/ServerStatus',
    files: ['serverstatus', 'serverstatus-1.20-release', 'relay-ServerStatus'],
  },
  { argv: ['status', '-o', 'json'], path: '/observer.Observer/ServerStatus', files: ['relay-ServerStatus'] },
  { argv: ['watch', 'peers'], path: '/peer.Peer/Notify', files: ['relay-GetNodes'] },
];

/** What comes from a server that speaks no gRPC, or stops in the middle of it: status, type and status of gRPC, or how it ends. */
const FOREIGN: readonly string[] = [
  '200 text/html -',
  '200 - -',
  '301 text/html -',
  '404 application/json -',
  '429 text/plain -',
  '502 text/html -',
  '503 application/grpc -',
  '599 x 0',
  '200 application/grpc abc',
  '200 application/grpc -1',
  '200 application/grpc 0',
  '200 application/grpcx 0',
  '200 application/grpc+proto 4294967296',
  'reset',
  'destroy',
  'goaway',
  'cut',
];

function answerForeign(stream: ServerHttp2Stream, how: string, text = ''): void {
  const [status = '', type = '-', grpcStatus = '-'] = how.split(' ');
  const header = { ':status': 200, 'content-type': 'application/grpc' };
  if (status === 'reset') stream.close(2);
  else if (status === 'destroy') stream.session?.destroy();
  else if (status === 'goaway') {
    stream.respond(header);
    stream.session?.goaway(0);
    stream.session?.destroy();
  } else if (status === 'cut') {
    stream.respond(header);
    stream.end(Buffer.from([0, 0, 0, 0, 9, 1]));
  } else {
    stream.respond({
      ':status': Number(status),
      ...(type !== '-' && { 'content-type': type }),
      ...(grpcStatus !== '-' && { 'grpc-status': grpcStatus, 'grpc-message': encodeURIComponent(text) }),
    });
    stream.end(`<html>${text}`);
  }
}

/** gRPC frames, statuses and messages of a Hubble server. */
export const openGrpc: OpenTarget = async (folder, onClose) => {
  let data: Readonly<Record<string, string>> = {};
  const answer = (): GrpcAnswer => ({
    ...(data.foreign !== undefined && {
      raw: (stream) => answerForeign(stream, data.foreign ?? '', data.text),
    }),
    messages: Object.entries(data)
      .filter(([name]) => name.startsWith('message'))
      .map(([, part]) => unpacked(part)),
    status: Number(data.status ?? 0),
    ...(data.text !== undefined && { message: data.text }),
  });
  const paths = new Set(CALLS.map(({ path }) => path));
  const server = onClose.use(await serveGrpc(Object.fromEntries([...paths].map((path) => [path, answer]))));
  const recorded = new Map(
    CALLS.flatMap(({ files }) => files).map((file) => [file, recordedMessages(`${file}.grpc`)]),
  );
  const health = encode('grpc.health.v1.HealthCheckResponse', { status: 'SERVING' });
  return {
    make(random) {
      const { argv, files } = random.pick(CALLS);
      const messages = recorded.get(random.pick(files)) ?? [health];
      const sent = Array.from({ length: random.below(5) }, () => {
        const message = random.pick(messages);
        return packed(random.chance(0.75) ? mutateBytes(message, random) : message);
      });
      const failed = random.chance(0.3);
      return {
        argv: ['hubble', ...argv],
        data: {
          ...Object.fromEntries(sent.map((message, i) => [`message${i}`, message])),
          status: String(failed ? random.pick([1, 2, 3, 5, 7, 12, 14, 16, 99]) : 0),
          text: random.pick(['', 'gone', STEERING, `${STEERING}\n`, 'x'.repeat(5000), '%']),
          ...(random.chance(0.12) && { foreign: random.pick(FOREIGN) }),
        },
      };
    },
    run(input, signal) {
      data = input.data;
      // What is asked is of no interest here, and each small part keeps the pool that it was cut from.
      server.seen.length = 0;
      return run([...input.argv, '--server', server.address], { signal, cwd: folder });
    },
  };
};
