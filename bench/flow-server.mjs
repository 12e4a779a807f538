// Serves recorded flows over gRPC on a unix socket, each message in a frame of its own, until it is killed.
// With a rate it sends so many flows a second, otherwise as fast as the reader takes them. With the second that the recording
// has in all times, these are of now.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http2';

const [socket = '', recording = '', count = '0', rate = '0', recorded = ''] = process.argv.slice(2);
const bytes = readFileSync(recording);
const messages = [];
for (let at = 0; at < bytes.length; ) {
  const end = at + 5 + bytes.readUInt32BE(at + 1);
  messages.push(bytes.subarray(at, end));
  at = end;
}

/** A number as protobuf has it, of five bytes. */
function varint(second) {
  const bits = BigInt(second);
  return Buffer.from(
    [0n, 7n, 14n, 21n, 28n].map((shift, i) => Number((bits >> shift) & 127n) | (i < 4 ? 128 : 0)),
  );
}

/** Where each message has its seconds. */
const placesOf = (message, bytes) => {
  const places = [];
  for (let at = message.indexOf(bytes); at !== -1; at = message.indexOf(bytes, at + 1)) places.push(at);
  return places;
};
const places = recorded === '' ? undefined : messages.map((message) => placesOf(message, varint(recorded)));
let now = { second: 0, bytes: Buffer.alloc(0) };

/** The message with the time of now. */
function message(i) {
  if (!places) return messages[i];
  const second = Math.floor(Date.now() / 1000);
  if (now.second !== second) now = { second, bytes: varint(second) };
  for (const at of places[i]) now.bytes.copy(messages[i], at);
  return messages[i];
}

const server = createServer();
server.on('stream', (stream) => {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.on('error', () => {});
  let sent = 0;
  const start = performance.now();
  const send = () => {
    const due = Number(rate) > 0 ? ((performance.now() - start) / 1000) * Number(rate) : Number(count);
    while (sent < Math.min(due, Number(count))) if (!stream.write(message(sent++ % messages.length))) return;
    if (sent >= Number(count)) stream.end();
    else setTimeout(send, 5);
  };
  stream.on('drain', send);
  send();
});
server.listen(socket, () => process.stdout.write('ready\n'));
