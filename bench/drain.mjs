// Reads a stream of flows from a unix socket and does nothing with it: what any client in Node has to pay.
import { connect } from 'node:http2';
import { connect as connectSocket } from 'node:net';

const session = connect('http://localhost', { createConnection: () => connectSocket(process.argv[2] ?? '') });
const stream = session.request({
  ':method': 'POST',
  ':path': '/observer.Observer/GetFlows',
  'content-type': 'application/grpc',
  te: 'trailers',
});
stream.end(Buffer.alloc(5));
stream.on('data', () => {});
stream.on('end', () => session.close());
