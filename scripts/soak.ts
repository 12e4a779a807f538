// Follows a server at 5,000 flows/s while it is cut off again and again, and checks that every flow that the server
// still held was printed once, that memory stays flat and that each gap was said. SECONDS and CUTS may be given.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { frame } from '../src/hubble/grpc/frames.ts';
import { decode, encode } from '../src/hubble/protobuf/codec.ts';

const [seconds = 600, cuts = 20] = process.argv.slice(2).map(Number);
const RATE = 5_000;
const RING = 65_535;
const TICK_MS = 20;
const OUTAGE_MS = 1_500;

/** The part of a Hubble server that a follower sees: a ring that outlives its connections. */
class Server {
  readonly socket = join(mkdtempSync(join(tmpdir(), 'soak-')), 'hubble.sock');
  readonly ring: { ms: number; bytes: Buffer }[] = [];
  next = 0;
  #server: Http2Server | undefined;
  #sessions = new Set<ServerHttp2Session>();
  #followers = new Set<ServerHttp2Stream>();

  async listen(): Promise<void> {
    rmSync(this.socket, { force: true });
    const server = createServer();
    server.on('session', (session) => {
      this.#sessions.add(session);
      session.on('close', () => this.#sessions.delete(session));
      session.on('error', () => {});
    });
    server.on('stream', (stream: ServerHttp2Stream) => this.#answer(stream));
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.socket, () => resolve()));
  }

  #answer(stream: ServerHttp2Stream): void {
    const parts: Buffer[] = [];
    stream.on('error', () => {});
    stream.on('data', (part: Buffer) => parts.push(part));
    stream.on('end', () => {
      const { since } = decode('observer.GetFlowsRequest', Buffer.concat(parts).subarray(5));
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      const from = since === undefined ? Number.POSITIVE_INFINITY : Date.parse(since);
      const held = this.ring.filter(({ ms }) => ms >= from);
      if (held.length > 0) stream.write(Buffer.concat(held.map(({ bytes }) => bytes)));
      this.#followers.add(stream);
      stream.on('close', () => this.#followers.delete(stream));
    });
  }

  emit(count: number): void {
    const ms = Date.now();
    const fresh = Array.from({ length: count }, () => {
      const uuid = `flow-${this.next++}`;
      const time = new Date(ms).toISOString();
      const flow = {
        uuid,
        time,
        verdict: 'FORWARDED' as const,
        node_name: 'soak',
        Summary: 'TCP Flags: ACK',
        is_reply: false,
      };
      return { ms, bytes: frame(encode('observer.GetFlowsResponse', { flow, node_name: 'soak', time })) };
    });
    this.ring.push(...fresh);
    if (this.ring.length > 1.2 * RING) this.ring.splice(0, this.ring.length - RING);
    const bytes = Buffer.concat(fresh.map((flow) => flow.bytes));
    for (const stream of this.#followers) stream.write(bytes);
  }

  /** As a killed process leaves it: connections gone in the middle, nothing listening. */
  async cut(): Promise<void> {
    for (const session of this.#sessions) session.destroy();
    await new Promise((resolve) => this.#server?.close(resolve));
  }
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const server = new Server();
await server.listen();
const hubble = fileURLToPath(new URL('../bin/hubble', import.meta.url));
const child = spawn(hubble, ['observe', '--follow', '-o', 'json', '--server', `unix://${server.socket}`], {
  stdio: ['ignore', 'pipe', 'pipe'],
});
let said = '';
child.stderr.on('data', (text: Buffer) => {
  said += text;
});
const seen = new Uint8Array((seconds + 60) * RATE);
let doubled = 0;
let printed = 0;
createInterface({ input: child.stdout }).on('line', (line) => {
  const n = Number(/"uuid":"flow-(\d+)"/.exec(line)?.[1]);
  if (seen[n] === 1) doubled++;
  seen[n] = 1;
  printed++;
});
const rssMb = () =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;

const start = Date.now();
let emitted = 0;
const timer = setInterval(() => {
  const due = Math.floor(((Date.now() - start) / 1000) * RATE);
  if (due > emitted) server.emit(due - emitted);
  emitted = due;
}, TICK_MS);
while (printed === 0) await sleep(50);
const first = seen.indexOf(1);
const memory: number[] = [];
for (let cut = 0; cut < cuts; cut++) {
  await sleep((seconds * 1000) / (cuts + 1) - OUTAGE_MS);
  memory.push(rssMb());
  await server.cut();
  await sleep(OUTAGE_MS);
  await server.listen();
}
await sleep((seconds * 1000) / (cuts + 1));
memory.push(rssMb());
clearInterval(timer);
const last = server.next - 1;
await sleep(3_000);
child.kill('SIGINT');
const code = await new Promise((resolve) => child.on('exit', resolve));
rmSync(join(server.socket, '..'), { recursive: true, force: true });

let missing = 0;
for (let n = first; n <= last; n++) if (seen[n] !== 1) missing++;
const gaps = said.match(/The stream is back/g)?.length ?? 0;
console.log(
  `${last - first + 1} flows in ${seconds} s, ${cuts} cuts: ${missing} missing, ${doubled} doubled, ${gaps} gaps reported, exit code ${code}`,
);
console.log(`memory (MB) before each cut: ${memory.map((mb) => mb.toFixed(0)).join(' ')}`);
process.exitCode = missing > 0 || doubled > 0 || gaps !== cuts || code !== 0 ? 1 : 0;
