// The proxy of a node: it takes the connections that the node's rules lead to it, asks whether it may pass on what is asked
// through them, and passes it on in the name of who asked. Questions go out as lines of JSON, answers come in the same way;
// without its input it ends.
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { addressIn, decodeMessage, encodeMessage, TYPES } from './dns-message.ts';

interface Ends {
  source: string;
  sourcePort: number;
  destination: string;
  port: number;
}

/** What is asked of who started the proxy. */
export interface ProxyQuestion extends Ends {
  id: number;
  kind: 'http' | 'dns' | 'answer';
  direction: 'egress' | 'ingress';
  protocol: 'TCP' | 'UDP';
  method?: string;
  path?: string;
  host?: string;
  headers?: Record<string, string>;
  query?: string;
  type?: string;
  /** Of an answer that is about to be passed on. */
  addresses?: string[];
  code?: number;
  ttl?: number;
  latencyMs?: number;
}

const [, , router = '', egressPort = '', ingressPort = '', dnsPort = ''] = process.argv;
const CONNECT_MS = 2000;
const DNS_MS = 2000;
const REFUSED = 5;

type Way = 'egress' | 'ingress';
/** An answer, or the ports from which to call for whom. */
interface Told {
  id?: number;
  allowed?: boolean;
  callers?: Record<string, Record<Way, [first: number, last: number]>>;
}
let callers: NonNullable<Told['callers']> = {};

const waiting = new Map<number, (allowed: boolean) => void>();
let asked = 0;
function ask(question: Omit<ProxyQuestion, 'id'>): Promise<boolean> {
  const id = ++asked;
  const answer = new Promise<boolean>((resolve) => waiting.set(id, resolve));
  process.stdout.write(`${JSON.stringify({ id, ...question })}\n`);
  return answer;
}
createInterface({ input: process.stdin })
  .on('line', (line) => {
    const { id = 0, allowed = false, callers: told } = JSON.parse(line) as Told;
    if (told) callers = told;
    waiting.get(id)?.(allowed);
    waiting.delete(id);
  })
  .on('close', () => process.exit());

/** Where a connection was going before it was led here, as the kernel remembers. */
function originalOf(protocol: 'tcp' | 'udp', source: string, sourcePort: number): Ends | undefined {
  for (const line of readFileSync('/proc/net/nf_conntrack', 'utf8').split('\n')) {
    if (!line.includes(` ${protocol} `) || !line.includes(`src=${source} `)) continue;
    const [, src, dst, sport, dport] = /src=(\S+) dst=(\S+) sport=(\d+) dport=(\d+)/.exec(line) ?? [];
    // What the proxy itself sends is remembered as well: that goes the other way or from other ports.
    if (src === source && Number(sport) === sourcePort && dst !== undefined)
      return {
        // The proxy of the source may have called for it.
        source: source === router ? (callerAt(sourcePort) ?? source) : source,
        sourcePort,
        destination: dst,
        port: Number(dport),
      };
  }
  return undefined;
}

let turn = 0;
/** A port from which to call in somebody's name; undefined where there is none. */
function portFor(source: string, way: Way): number | undefined {
  const [first, last] = callers[source]?.[way] ?? [];
  return first === undefined || last === undefined ? undefined : first + (turn++ % (last - first + 1));
}

/** In whose name a port of the proxy's own calls. */
function callerAt(port: number): string | undefined {
  const isIn = ([first, last]: [number, number]) => port >= first && port <= last;
  return Object.entries(callers).find(([, { egress, ingress }]) => isIn(egress) || isIn(ingress))?.[0];
}

function serveHttp(direction: Way, port: number): Promise<void> {
  const ends = new WeakMap<Socket, Ends | undefined>();
  const server = createServer((incoming, response) => {
    response.setHeader('server', 'envoy');
    void pass(incoming, response).catch(() => {
      if (!response.headersSent) response.writeHead(503);
      response.end();
    });
  });
  server.on('connection', (socket: Socket) => {
    const { remoteAddress = '', remotePort = 0 } = socket;
    ends.set(socket, originalOf('tcp', remoteAddress.replace(/^::ffff:(?=\d+\.)/, ''), remotePort));
  });
  const pass = async (incoming: IncomingMessage, response: ServerResponse) => {
    const its = ends.get(incoming.socket);
    if (!its) return void response.writeHead(503).end('no original destination\r\n');
    const { method = 'GET', url = '/', headers } = incoming;
    const began = performance.now();
    const question = {
      ...its,
      direction,
      protocol: 'TCP' as const,
      method,
      path: url,
      host: headers.host ?? its.destination,
      headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])),
    };
    if (!(await ask({ kind: 'http', ...question }))) {
      response.writeHead(403, { 'content-type': 'text/plain' }).end('Access denied\r\n');
      return;
    }
    const localPort = portFor(its.source, direction);
    if (localPort === undefined) return void response.writeHead(503).end('too many callers\r\n');
    const outgoing = request({
      host: its.destination,
      port: its.port,
      localAddress: router,
      localPort,
      method,
      path: url,
      headers,
      agent: false,
    });
    const limit = setTimeout(() => outgoing.destroy(new Error('no connection')), CONNECT_MS);
    outgoing.on('socket', (socket) => socket.on('connect', () => clearTimeout(limit)));
    const answer = await new Promise<IncomingMessage | undefined>((resolve) => {
      outgoing.on('response', resolve);
      outgoing.on('error', () => resolve(undefined));
      incoming.pipe(outgoing);
    });
    clearTimeout(limit);
    const code = answer?.statusCode ?? 503;
    await ask({ kind: 'answer', ...question, code, latencyMs: performance.now() - began });
    if (!answer) return void response.writeHead(503).end('upstream connect error\r\n');
    const { connection: _, 'transfer-encoding': __, ...kept } = answer.headers;
    response.writeHead(code, { ...kept, server: 'envoy' });
    answer.pipe(response);
  };
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, router, resolve);
  });
}

/** Passes a question on to where it was going; undefined when no answer comes. */
async function askServer(bytes: Buffer, ends: Ends): Promise<Buffer | undefined> {
  const socket = createSocket('udp4');
  try {
    return await new Promise<Buffer | undefined>((resolve) => {
      const timer = setTimeout(() => resolve(undefined), DNS_MS);
      const end = (answer: Buffer | undefined) => {
        clearTimeout(timer);
        resolve(answer);
      };
      socket.on('message', (answer) => end(answer));
      socket.on('error', () => end(undefined));
      socket.bind({ port: portFor(ends.source, 'egress') ?? 0, address: router }, () => {
        socket.connect(ends.port, ends.destination, () => socket.send(bytes, () => {}));
      });
    });
  } finally {
    socket.close();
  }
}

/** The answer to a question, after what is known was told of it; undefined for silence. */
async function resolveFor(bytes: Buffer, ends: Ends, protocol: 'TCP' | 'UDP'): Promise<Buffer | undefined> {
  const question = decodeMessage(bytes);
  if (!question) return undefined;
  const [type = String(question.type)] =
    Object.entries(TYPES).find(([, number]) => number === question.type) ?? [];
  const facts = { ...ends, direction: 'egress' as const, protocol, query: question.name, type };
  if (!(await ask({ kind: 'dns', ...facts })))
    return encodeMessage({ ...question, isAnswer: true, code: REFUSED, answers: [] });
  const began = performance.now();
  const answer = await askServer(bytes, ends);
  const decoded = answer && decodeMessage(answer);
  if (!answer || !decoded) return undefined;
  const records = decoded.answers.filter(({ type }) => type === TYPES.A || type === TYPES.AAAA);
  await ask({
    kind: 'answer',
    ...facts,
    addresses: records.map(({ data }) => addressIn(data)),
    code: decoded.code,
    ttl: Math.min(...records.map(({ ttl }) => ttl), 3600),
    latencyMs: performance.now() - began,
  });
  return answer;
}

async function serveDns(port: number): Promise<void> {
  const socket = createSocket('udp4');
  socket.on('message', (bytes, peer) => {
    const ends = originalOf('udp', peer.address, peer.port);
    if (!ends) return;
    void resolveFor(bytes, ends, 'UDP').then((answer) => {
      if (answer) socket.send(answer, peer.port, peer.address);
    });
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, router, resolve);
  });
}

// No module of the one file waits at its top.
void (async () => {
  await serveHttp('egress', Number(egressPort));
  await serveHttp('ingress', Number(ingressPort));
  await serveDns(Number(dnsPort));
  process.stdout.write('ready\n');
})();
