// What each decision for code of our own is worth: the library and ours on the same input, in turns, as ratios.
// docs/decisions/ refers to these figures.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { compileCel } from '../src/hubble/filter/cel.ts';
import { compileFilters } from '../src/hubble/filter/filter.ts';
import { GrpcClient } from '../src/hubble/grpc/calls.ts';
import { decode } from '../src/hubble/protobuf/codec.ts';
import { contains, parseAddress, parsePrefix } from '../src/lib/address.ts';
import { parsePlainYaml } from '../src/policy/read/plain-yaml.ts';
import { recordedMessages } from '../test/helpers/grpc.ts';
import { fixturePath, fixtureText } from '../test/helpers/recordings.ts';
import { measureInTurns, table } from './lib-measure.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const ROUNDS = 7;
const STREAMED = 65_500;
const FILE_REPEATS = 100;

interface Comparison {
  decision: string;
  ours: string;
  library: string;
  /** How many times as long the library takes. */
  ratio: number;
}

/** Prints one row for each decision. */
export async function run(): Promise<void> {
  const rows: Comparison[] = [
    await framing(),
    await grpcStart(),
    await codec(),
    await scanner(),
    await http2Start(),
    await yaml(),
    await cel(),
    await undiciStart(),
    await addresses(),
  ];
  console.log(
    table(
      ['decision', 'ours', 'library', 'library / ours'],
      rows.map(({ decision, ours, library, ratio }) => [decision, ours, library, `${ratio.toFixed(1)} x`]),
    ),
  );
}

/** Takes turns, so that a busy machine slows both alike, and returns the median milliseconds of each. */
async function inTurns(first: () => unknown, second: () => unknown): Promise<[number, number]> {
  const times: [number[], number[]] = [[], []];
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [at, work] of [first, second].entries()) {
      const start = performance.now();
      await work();
      // The first round warms up.
      if (round > 0) times[at]?.push(performance.now() - start);
    }
  }
  const median = (of: number[]) => of.sort((a, b) => a - b)[Math.floor(of.length / 2)] ?? 0;
  return [median(times[0]), median(times[1])];
}

function compare(decision: string, unit: string, [ours, library]: [number, number]): Comparison {
  const shown = (ms: number) => `${ms.toFixed(ms < 10 ? 2 : 0)} ms ${unit}`;
  return { decision, ours: shown(ours), library: shown(library), ratio: library / ours };
}

/** A stream of flows through our framing and through @grpc/grpc-js, neither of which decodes. */
async function framing(): Promise<Comparison> {
  const { Client, credentials } = await import('@grpc/grpc-js');
  const folder = mkdtempSync(join(tmpdir(), 'decisions-'));
  const socket = join(folder, 'hubble.sock');
  const recording = fixturePath('recordings/getflows-300.grpc');
  const server = spawn(
    process.execPath,
    [`${root}/bench/flow-server.mjs`, socket, recording, String(STREAMED)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  try {
    await new Promise((resolve) => server.stdout.once('data', resolve));
    const settings = {
      target: { network: 'unix', path: socket } as const,
      address: `unix://${socket}`,
      dialTimeoutMs: 5_000,
    };
    const ours = new GrpcClient(settings, 'bench');
    const library = new Client(`unix://${socket}`, credentials.createInsecure());
    const path = '/observer.Observer/GetFlows';
    const times = await inTurns(
      async () => {
        let count = 0;
        for await (const messages of ours.stream({ path, requests: [Buffer.alloc(0)] }))
          count += messages.length;
        if (count !== STREAMED) throw new Error(`${count} messages came`);
      },
      () =>
        new Promise<void>((resolve, reject) => {
          let count = 0;
          const call = library.makeServerStreamRequest(
            path,
            (b: Buffer) => b,
            (b: Buffer) => b,
            Buffer.alloc(0),
          );
          call.on('data', () => count++);
          call.on('error', reject);
          call.on('end', () =>
            count === STREAMED ? resolve() : reject(new Error(`${count} messages came`)),
          );
        }),
    );
    await ours.close();
    library.close();
    return compare('own gRPC framing', `for ${STREAMED} messages`, times);
  } finally {
    server.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What loading each costs a process, beyond Node's own start. */
async function grpcStart(): Promise<Comparison> {
  return loads('own gRPC framing', 'to load', "import 'node:http2'", `import '${pathOf('@grpc/grpc-js')}'`);
}

/** Addresses of flows against two prefixes, as `--ip` and the policy evaluator ask for them. */
async function addresses(): Promise<Comparison> {
  const { Address4, Address6 } = await import('ip-address');
  const texts = Array.from({ length: 20_000 }, (_, i) =>
    i % 2 === 0 ? `10.${i >> 8}.${i & 255}.7` : `fd00:${i.toString(16)}::${(i * 3).toString(16)}`,
  );
  const ours = ['10.0.0.0/10', 'fd00::/20'].flatMap((text) => parsePrefix(text) ?? []);
  const [four, six] = [new Address4('10.0.0.0/10'), new Address6('fd00::/20')];
  const times = await inTurns(
    () =>
      texts.filter((text) => {
        const address = parseAddress(text);
        return address !== undefined && ours.some((range) => contains(range, address));
      }),
    () =>
      texts.filter((text) =>
        text.includes(':') ? new Address6(text).isInSubnet(six) : new Address4(text).isInSubnet(four),
      ),
  );
  return compare('own addresses', `for ${texts.length} addresses`, times);
}

/** One request over a unix socket, as a whole process. */
async function undiciStart(): Promise<Comparison> {
  const server = createServer((_, response) => response.end('{}'));
  const folder = mkdtempSync(join(tmpdir(), 'decisions-'));
  const socket = join(folder, 'agent.sock');
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  try {
    const get = `const s=connect(${JSON.stringify(socket)});s.end('GET /v1/healthz HTTP/1.1\\r\\nhost: localhost\\r\\nconnection: close\\r\\n\\r\\n');for await(const c of s);`;
    const ask = `const c=new Client('http://localhost',{socketPath:${JSON.stringify(socket)}});const r=await c.request({path:'/v1/healthz',method:'GET'});await r.body.text();await c.close();`;
    return await loads(
      'no undici for unix sockets',
      'for one request',
      `import {connect} from 'node:net';${get}`,
      `import {Client} from '${pathOf('undici')}';${ask}`,
    );
  } finally {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function pathOf(name: string): string {
  return pathToFileURL(fileURLToPath(import.meta.resolve(name))).href;
}

/** Whole processes, less what an empty one takes. */
async function loads(decision: string, unit: string, ours: string, library: string): Promise<Comparison> {
  const node = (name: string, code: string) => ({
    name,
    command: process.execPath,
    args: ['--input-type=module', '-e', code],
  });
  const [empty, first, second] = await measureInTurns(
    [node('empty', ''), node('ours', ours), node('library', library)],
    { env: process.env, runs: 15 },
  );
  const base = empty?.medianMs ?? 0;
  const row = compare(decision, unit, [
    Math.max(0.1, (first?.medianMs ?? 0) - base),
    (second?.medianMs ?? 0) - base,
  ]);
  const memory = (peakMb: number | undefined) => `, ${(peakMb ?? 0).toFixed(0)} MB`;
  return { ...row, ours: row.ours + memory(first?.peakMb), library: row.library + memory(second?.peakMb) };
}

/** Recorded flows decoded by our codec and by protobufjs, both to plain values with every field. */
async function codec(): Promise<Comparison> {
  const { default: protobuf } = await import('protobufjs');
  const folder = join(root, 'schemas/hubble');
  const tree = new protobuf.Root();
  for (const file of ['flow', 'relay', 'observer'])
    protobuf.parse(readFileSync(join(folder, `${file}.proto`), 'utf8'), tree, { keepCase: true });
  addWellKnown(protobuf, tree);
  const type = tree.lookupType('observer.GetFlowsResponse');
  const messages = recordedMessages('getflows-300.grpc');
  const repeat = (work: (bytes: Buffer) => unknown) => () => {
    for (let i = 0; i < 30; i++) for (const bytes of messages) work(bytes);
  };
  const times = await inTurns(
    repeat((bytes) => decode('observer.GetFlowsResponse', bytes)),
    repeat((bytes) => type.toObject(type.decode(bytes), { enums: String, longs: String })),
  );
  return compare('own protobuf codec', `for ${30 * messages.length} flows`, times);
}

function addWellKnown(protobuf: typeof import('protobufjs'), tree: import('protobufjs').Root): void {
  for (const name of ['any', 'timestamp', 'wrappers', 'field_mask', 'duration']) {
    const nested = protobuf.common.get(`google/protobuf/${name}.proto`);
    if (nested?.nested) tree.addJSON(nested.nested);
  }
  tree.resolveAll();
}

/** `hubble observe` of a file by the scanner, and by the parser. */
async function scanner(): Promise<Comparison> {
  const lines = fixtureText('recordings/flows-1.20.jsonl');
  const folder = mkdtempSync(join(tmpdir(), 'decisions-'));
  try {
    const file = join(folder, 'flows.jsonl');
    writeFileSync(file, lines.repeat(FILE_REPEATS));
    const observe = (reader: string) => ({
      name: reader,
      command: 'env',
      args: [`HUBBLE_READER=${reader}`, `${root}/bin/hubble`, 'observe', '--input-file', file],
    });
    const [ours, parser] = await measureInTurns([observe('scanner'), observe('parser')], {
      env: process.env,
      runs: 5,
    });
    const unit = `for ${(lines.split('\n').length - 1) * FILE_REPEATS} flows`;
    return compare('a scanner in WebAssembly', unit, [ours?.medianMs ?? 0, parser?.medianMs ?? 0]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What an HTTP/2 client costs before it has said a word. */
function http2Start(): Promise<Comparison> {
  return loads(
    'HTTP/2 of our own',
    'to load',
    `await import('${pathToFileURL(join(root, 'src/hubble/http2/connection.ts')).href}');import 'node:net';`,
    "import 'node:http2';import 'node:net';",
  );
}

/** Plain manifests read by our reader and by the package yaml, which keeps every token. */
async function yaml(): Promise<Comparison> {
  const { parseAllDocuments } = await import('yaml');
  const document = `apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata:
  name: allow
  namespace: shop
spec:
  endpointSelector:
    matchLabels:
      app: api
  ingress:
    - fromEndpoints:
        - matchLabels:
            app: web
      toPorts:
        - ports:
            - port: "8080"
              protocol: TCP
---
`;
  const text = document.repeat(1000);
  const times = await inTurns(
    () => {
      if (parsePlainYaml(text) === undefined) throw new Error('the text is not plain');
    },
    () => parseAllDocuments(text).map((parsed) => parsed.toJS()),
  );
  return compare('own reader for plain YAML', 'for 1000 policies', times);
}

/** A filter written in CEL, and the same as flags. */
async function cel(): Promise<Comparison> {
  const flows = recordedMessages('getflows-300.grpc').flatMap(
    (bytes) => decode('observer.GetFlowsResponse', bytes).flow ?? [],
  );
  const expression = await compileCel([
    '_flow.verdict == Verdict.DROPPED && _flow.source.namespace == "default"',
  ]);
  const flags = await compileFilters([{ verdict: ['DROPPED'], source_pod: ['default/'] }], []);
  const repeat = (matches: (flow: (typeof flows)[number]) => boolean) => () => {
    let count = 0;
    for (let i = 0; i < 100; i++) for (const flow of flows) if (matches(flow)) count++;
    return count;
  };
  const times = await inTurns(repeat(flags), repeat(expression));
  return compare('filters by flags beside cel-js', `for ${100 * flows.length} flows`, times);
}
