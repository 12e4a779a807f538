/** Types of records that are understood here. */
export const TYPES: Readonly<Record<string, number>> = {
  A: 1,
  CNAME: 5,
  PTR: 12,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
};

/** One record of an answer. */
export interface DnsRecord {
  name: string;
  type: number;
  ttl: number;
  data: Buffer;
}

export interface DnsMessage {
  id: number;
  isAnswer: boolean;
  /** Whether the server may ask others. */
  recurse: boolean;
  code: number;
  name: string;
  type: number;
  answers: DnsRecord[];
}

/** Reads a message with one question; undefined when it is none (RFC 1035). */
export function decodeMessage(bytes: Buffer): DnsMessage | undefined {
  try {
    const flags = bytes.readUInt16BE(2);
    if (bytes.readUInt16BE(4) !== 1) return undefined;
    let { name, at } = nameAt(bytes, 12);
    const type = bytes.readUInt16BE(at);
    at += 4;
    const answers: DnsRecord[] = [];
    const question = name;
    for (let left = bytes.readUInt16BE(6); left > 0; left--) {
      ({ name, at } = nameAt(bytes, at));
      const length = bytes.readUInt16BE(at + 8);
      answers.push({
        name,
        type: bytes.readUInt16BE(at),
        ttl: bytes.readUInt32BE(at + 4),
        data: bytes.subarray(at + 10, at + 10 + length),
      });
      at += 10 + length;
    }
    return {
      id: bytes.readUInt16BE(0),
      isAnswer: (flags & 0x8000) !== 0,
      recurse: (flags & 0x0100) !== 0,
      code: flags & 0x000f,
      name: question,
      type,
      answers,
    };
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Names in a message may go on elsewhere in it, always before where they are. */
function nameAt(bytes: Buffer, start: number): { name: string; at: number } {
  const labels: string[] = [];
  let at = start;
  let end: number | undefined;
  for (;;) {
    const length = bytes.readUInt8(at);
    if (length === 0) return { name: labels.join('.').toLowerCase(), at: end ?? at + 1 };
    if (length >= 0xc0) {
      const target = bytes.readUInt16BE(at) & 0x3fff;
      end ??= at + 2;
      if (target >= at) throw new RangeError('a name goes in circles');
      at = target;
    } else {
      if (at + 1 + length > bytes.length) throw new RangeError('a name ends too late');
      labels.push(bytes.toString('latin1', at + 1, at + 1 + length));
      at += 1 + length;
    }
  }
}

export function encodeMessage(message: DnsMessage): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt16BE(message.id, 0);
  const answer = message.isAnswer ? 0x8400 | 0x0080 : 0;
  head.writeUInt16BE(answer | (message.recurse ? 0x0100 : 0) | message.code, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(message.answers.length, 6);
  const question = Buffer.alloc(4);
  question.writeUInt16BE(message.type, 0);
  question.writeUInt16BE(1, 2);
  const records = message.answers.flatMap(({ name, type, ttl, data }) => {
    const facts = Buffer.alloc(10);
    facts.writeUInt16BE(type, 0);
    facts.writeUInt16BE(1, 2);
    facts.writeUInt32BE(ttl, 4);
    facts.writeUInt16BE(data.length, 8);
    return [encodeName(name), facts, data];
  });
  return Buffer.concat([head, encodeName(message.name), question, ...records]);
}

export function encodeName(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '');
  return Buffer.concat([
    ...labels.map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label, 'latin1')])),
    Buffer.of(0),
  ]);
}

/** An address as the data of its record. */
export function addressData(address: string): Buffer {
  if (!address.includes(':')) return Buffer.from(address.split('.').map(Number));
  const [left = '', right] = address.split('::');
  const groups = (text: string) =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
  const [head, tail] = [groups(left), right === undefined ? [] : groups(right)];
  const all = [...head, ...new Array<number>(8 - head.length - tail.length).fill(0), ...tail];
  const bytes = Buffer.alloc(16);
  for (const [i, group] of all.entries()) bytes.writeUInt16BE(group, 2 * i);
  return bytes;
}

/** An address from the data of its record. */
export function addressIn(data: Buffer): string {
  if (data.length === 4) return [...data].join('.');
  const groups = Array.from({ length: 8 }, (_, i) => data.readUInt16BE(2 * i).toString(16));
  return groups.join(':').replace(/(^|:)0(:0)+(:|$)/, '::');
}
