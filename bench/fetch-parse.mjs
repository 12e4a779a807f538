// Fetches the endpoints of an agent's socket and parses them: what any client in Node has to pay.
import { request } from 'node:http';

const parts = [];
request({ socketPath: process.argv[2] ?? '', path: '/v1/endpoint' }, (response) => {
  response.on('data', (part) => parts.push(part));
  response.on('end', () => JSON.parse(Buffer.concat(parts).toString()));
}).end();
