import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { type DnsMessage, decodeMessage, encodeMessage } from './dns-message.ts';

/** What /etc/resolv.conf says. */
export function serversOf(): { servers: string[]; search: string[]; ndots: number } {
  let text = '';
  try {
    text = readFileSync('/etc/resolv.conf', 'utf8');
  } catch {
    // Then there is no server.
  }
  const lines = text.split('\n').map((line) => line.trim().split(/\s+/));
  return {
    servers: lines.flatMap(([word, server]) => (word === 'nameserver' && server ? [server] : [])),
    search: lines.flatMap(([word, ...domains]) => (word === 'search' ? domains : [])),
    ndots: Number(/\bndots:(\d+)/.exec(text)?.[1] ?? 1),
  };
}

/** Asks a server; undefined when it does not answer in time. */
export async function ask(
  server: string,
  name: string,
  type: number,
  timeoutMs: number,
): Promise<DnsMessage | undefined> {
  const socket = createSocket(server.includes(':') ? 'udp6' : 'udp4');
  const id = 1 + Math.floor(Math.random() * 65_534);
  const question = encodeMessage({ id, isAnswer: false, recurse: true, code: 0, name, type, answers: [] });
  try {
    return await new Promise((resolve) => {
      const timer = setTimeout(() => resolve(undefined), timeoutMs);
      socket.on('message', (bytes) => {
        const answer = decodeMessage(bytes);
        if (answer?.id !== id || !answer.isAnswer) return;
        clearTimeout(timer);
        resolve(answer);
      });
      socket.on('error', () => {
        clearTimeout(timer);
        resolve(undefined);
      });
      // A port that nobody has shows only where the socket is connected.
      socket.connect(53, server, () => socket.send(question, () => {}));
    });
  } finally {
    socket.close();
  }
}
