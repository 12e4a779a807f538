import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import {
  addressData,
  type DnsMessage,
  type DnsRecord,
  decodeMessage,
  encodeMessage,
  encodeName,
  TYPES,
} from './dns-message.ts';

/** What a DNS server of the lab knows: addresses by name, ports by service, and how it fails. */
export interface DnsFacts {
  addresses: Record<string, string[]>;
  services: Record<string, { port: number; target: string }[]>;
  /** It answers that there is no such name, whatever is asked. */
  knowsNothing?: boolean;
  /** It does not answer. */
  isSilent?: boolean;
}

const TTL = 5;
const DOMAIN = 'cluster.local';
const [OK, NO_NAME] = [0, 3];

/** Answers a question from what is known. */
function answerOf(question: DnsMessage, facts: DnsFacts): DnsMessage {
  const { name, type } = question;
  const base: DnsMessage = { ...question, isAnswer: true, code: OK, answers: [] };
  const addresses = facts.addresses[name];
  const services = facts.services[name];
  if (facts.knowsNothing || (!addresses && !services && !isPlace(name, facts)))
    return { ...base, code: NO_NAME };
  const record = (data: Buffer): DnsRecord => ({ name, type, ttl: TTL, data });
  if (type === TYPES.A || type === TYPES.AAAA) {
    const fits = (addresses ?? []).filter((one) => one.includes(':') === (type === TYPES.AAAA));
    return { ...base, answers: fits.map((one) => record(addressData(one))) };
  }
  if (type === TYPES.SRV) {
    const data = (services ?? []).map(({ port, target }) => {
      const head = Buffer.alloc(6);
      head.writeUInt16BE(100, 2);
      head.writeUInt16BE(port, 4);
      return Buffer.concat([head, encodeName(target)]);
    });
    return { ...base, answers: data.map(record) };
  }
  return base;
}

/** Whether a name is above others that are there: it exists, and has nothing. */
function isPlace(name: string, facts: DnsFacts): boolean {
  if (name === DOMAIN) return true;
  return [...Object.keys(facts.addresses), ...Object.keys(facts.services)].some((one) =>
    one.endsWith(`.${name}`),
  );
}

/** Serves a port over UDP and TCP; resolves when both listen. */
export async function serveDns(port: number, facts: () => DnsFacts, host?: string): Promise<void> {
  const socket = createSocket(host?.includes(':') ? 'udp6' : 'udp4');
  socket.on('message', (bytes, peer) => {
    const question = decodeMessage(bytes);
    if (question && !question.isAnswer && !facts().isSilent)
      socket.send(encodeMessage(answerOf(question, facts())), peer.port, peer.address);
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, host, resolve);
  });
  const server = createServer((stream) => {
    let held = Buffer.alloc(0);
    stream.on('error', () => {});
    stream.on('data', (bytes: Buffer) => {
      held = Buffer.concat([held, bytes]);
      while (held.length >= 2 && held.length >= 2 + held.readUInt16BE(0)) {
        const end = 2 + held.readUInt16BE(0);
        const question = decodeMessage(held.subarray(2, end));
        held = held.subarray(end);
        if (!question) return stream.destroy();
        if (facts().isSilent) continue;
        const answer = encodeMessage(answerOf(question, facts()));
        const length = Buffer.alloc(2);
        length.writeUInt16BE(answer.length);
        stream.write(Buffer.concat([length, answer]));
      }
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
}
