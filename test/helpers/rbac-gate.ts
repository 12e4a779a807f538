import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { request as ask } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { refusal } from './kube.ts';

/** What a request wants, as an authorizer of Kubernetes sees it. */
export interface Access {
  verb: string;
  group: string;
  /** With its subresource: `pods/exec`. */
  resource: string;
  /** Empty where it is of no namespace, or of all. */
  namespace: string;
  name: string;
}

/** An API server of which a user may do only what `allows` says. */
export interface Gate extends AsyncDisposable {
  kubeconfig: string;
  allows: (access: Access) => boolean;
  /** What was asked for, and what of that was refused, since these were emptied. */
  asked: Access[];
  denied: Access[];
}

/** What a request wants; undefined for paths that everybody may read. */
export function accessOf(method: string, target: string, isUpgrade = false): Access[] {
  const url = new URL(target, 'http://x');
  const words = url.pathname
    .split('/')
    .filter((word) => word !== '')
    .map(decodeURIComponent);
  const isCore = words[0] === 'api';
  const group = isCore ? '' : (words[1] ?? '');
  let rest = words.slice(isCore ? 2 : 3);
  if (!['api', 'apis'].includes(words[0] ?? '') || rest.length === 0) return [];
  let namespace = '';
  if (rest[0] === 'namespaces' && rest.length > 2) [namespace, rest] = [rest[1] ?? '', rest.slice(2)];
  const [plural = '', name = '', sub] = rest;
  const resource = sub === undefined ? plural : `${plural}/${sub}`;
  const verbs = isUpgrade
    ? // Since 1.35 both.
      ['get', 'create']
    : [verbOf(method, name, url.searchParams.get('watch') === 'true')];
  return verbs.map((verb) => ({ verb, group, resource, namespace, name }));
}

function verbOf(method: string, name: string, isWatch: boolean): string {
  if (method === 'GET') return isWatch ? 'watch' : name === '' ? 'list' : 'get';
  if (method === 'DELETE') return name === '' ? 'deletecollection' : 'delete';
  return { POST: 'create', PUT: 'update', PATCH: 'patch' }[method] ?? method;
}

/** Puts a gate in front of the API server that a kubeconfig leads to. */
export async function startGate(kubeconfig: string): Promise<Gate> {
  const { clusters, users, ...more } = JSON.parse(readFileSync(kubeconfig, 'utf8'));
  const { server: behind, 'certificate-authority-data': authority } = clusters[0].cluster;
  const ca = Buffer.from(authority, 'base64');
  const { hostname, port } = new URL(behind);
  const folder = mkdtempSync(join(tmpdir(), 'gate-'));
  const gate: Gate = {
    kubeconfig: join(folder, 'config'),
    allows: () => true,
    asked: [],
    denied: [],
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  };
  /** Why a request is refused; undefined when it is not. */
  const judge = ({ method = 'GET', url = '' }: IncomingMessage, isUpgrade = false): string | undefined => {
    for (const access of accessOf(method, url, isUpgrade)) {
      gate.asked.push(access);
      if (gate.allows(access)) continue;
      gate.denied.push(access);
      const { verb, resource, group, namespace } = access;
      const where = namespace === '' ? 'at the cluster scope' : `in the namespace "${namespace}"`;
      return `User "limited" cannot ${verb} resource "${resource}" in API group "${group}" ${where}`;
    }
    return undefined;
  };
  const server = createServer((request, response) => {
    const why = judge(request);
    if (why !== undefined) {
      request.resume();
      response.writeHead(403, { 'content-type': 'application/json' });
      return void response.end(JSON.stringify(refusal(403, 'Forbidden', why)));
    }
    const { method, url: path, headers } = request;
    const passed = ask({ hostname, port, ca, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    passed.on('error', () => response.destroy());
    response.on('close', () => passed.destroy());
    request.pipe(passed);
  });
  server.on('upgrade', (request, socket, head) => {
    const why = judge(request, true);
    if (why !== undefined) {
      const body = JSON.stringify(refusal(403, 'Forbidden', why));
      socket.end(
        `HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
      return;
    }
    const far = connect({ host: hostname, port: Number(port), ca }, () => {
      const { rawHeaders } = request;
      const lines = Array.from(
        { length: rawHeaders.length / 2 },
        (_, i) => `${rawHeaders[2 * i]}: ${rawHeaders[2 * i + 1]}`,
      );
      far.write(`${request.method} ${request.url} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
      far.write(head);
      far.pipe(socket).pipe(far);
    });
    const end = () => {
      far.destroy();
      socket.destroy();
    };
    for (const stream of [far, socket]) stream.on('error', end).on('close', end);
  });
  const url = await new Promise<string>((resolve) =>
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(`http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`);
    }),
  );
  const cluster = { ...clusters[0], cluster: { server: url } };
  writeFileSync(gate.kubeconfig, JSON.stringify({ ...more, clusters: [cluster], users }));
  return gate;
}
