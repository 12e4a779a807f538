import { readFileSync } from 'node:fs';
import { fixturePath } from './recordings.ts';

/** The messages of a recorded gRPC answer: each has a byte of flags and a length of four bytes in front. */
export function recordedMessages(file: string): Buffer[] {
  const bytes = readFileSync(fixturePath(`recordings/${file}`));
  const messages: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at + 1);
    messages.push(bytes.subarray(at + 5, at + 5 + length));
    at += 5 + length;
  }
  return messages;
}
