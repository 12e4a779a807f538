// The program of pods that serve: HTTP and DNS on the ports that are given, until its input ends. Each line of the input is
// what the DNS knows from then on, as JSON. It says `ready` when all ports answer.
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { type DnsFacts, serveDns } from './dns-server.ts';

const [, , http = '', dns = '', name = ''] = process.argv;
const portsIn = (text: string) =>
  text
    .split(',')
    .filter((port) => port !== '')
    .map(Number);
let facts: DnsFacts = { addresses: {}, services: {} };

createInterface({ input: process.stdin })
  .on('line', (line) => {
    facts = JSON.parse(line);
  })
  .on('close', () => process.exit());

// No module of the one file waits at its top.
void (async () => {
  for (const port of portsIn(http)) {
    const server = createServer((request, response) => {
      const body = JSON.stringify({ pod: name, method: request.method, path: request.url });
      response.writeHead(200, { 'content-type': 'application/json' }).end(`${body}\n`);
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, resolve);
    });
  }
  for (const port of portsIn(dns)) await serveDns(port, () => facts);
  process.stdout.write('ready\n');
})();
