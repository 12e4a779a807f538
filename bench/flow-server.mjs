// Serves recorded flows over gRPC on a unix socket, each message in a frame of its own, until it is killed.
// With a rate it sends so many flows a second, otherwise as fast as the reader takes them.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http2';

const [socket = '', recording = '', count = '0', rate = '0'] = process.argv.slice(2);
const bytes = readFileSync(recording);
const messages = [];
for (let at = 0; at < bytes.length; ) {
  const end = at + 5 + bytes.readUInt32BE(at + 1);
  messages.push(bytes.subarray(at, end));
  at = end;
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
    while (sent < Math.min(due, Number(count))) if (!stream.write(messages[sent++ % messages.length])) return;
    if (sent >= Number(count)) stream.end();
    else setTimeout(send, 5);
  };
  stream.on('drain', send);
  send();
});
server.listen(socket, () => process.stdout.write('ready\n'));
