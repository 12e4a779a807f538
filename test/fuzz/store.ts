import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fixturePath } from '../helpers/recordings.ts';
import { run } from '../helpers/run.ts';
import { mutateDocument } from './files.ts';
import { mutateJson, mutateText } from './mutate.ts';
import { type OpenTarget, packed, unpacked } from './target.ts';

const b64 = (text: string) => Buffer.from(text).toString('base64');
const HEADER = {
  cluster_id: '14841639068965178418',
  member_id: '10276657743932975437',
  revision: '7',
  raft_term: '2',
};
const pair = (key: string, value: string) => ({
  key: b64(key),
  create_revision: '3',
  mod_revision: '5',
  version: '1',
  value: b64(value),
  lease: '7587869136742133508',
});

/** What a member of etcd says, by path. */
const ANSWERS: Readonly<Record<string, object>> = {
  '/v3/kv/range': {
    header: HEADER,
    kvs: [
      pair('cilium/state/ip/v1/default/10.0.0.1', '{"IP":"10.0.0.1","Identity":4}'),
      pair(
        'cilium/state/nodes/v1/default/n1',
        '{"Name":"n1","IPAddresses":[{"Type":"InternalIP","IP":"10.0.0.1"}]}',
      ),
      pair('cilium/x', 'value'),
    ],
    count: '3',
  },
  '/v3/kv/put': { header: HEADER },
  '/v3/kv/deleterange': { header: HEADER, deleted: '2' },
  '/v3/maintenance/status': {
    header: HEADER,
    version: '3.5.9',
    dbSize: '24576',
    leader: '1',
    raftIndex: '9',
  },
  '/v3/auth/authenticate': { header: HEADER, token: 'QWvyJxZ.9' },
  '/version': { etcdserver: '3.5.9', etcdcluster: '3.5.0' },
};
const FAILED = { error: 'etcdserver: permission denied', message: 'etcdserver: permission denied', code: 7 };
const CONFIG = `endpoints: [URL]
trusted-ca-file: CA
username: root
password: p
cilium: {host-aliases: [{hostname: etcd.example, ips: [127.0.0.1]}]}
`;
const VERBS: readonly string[][] = [
  ['kvstore', 'get', 'cilium/x'],
  ['kvstore', 'get', 'cilium/x', '-o', 'json'],
  ['kvstore', 'get', '--recursive', 'cilium/'],
  ['kvstore', 'get', '--recursive', '-o', 'yaml'],
  ['kvstore', 'get', '--recursive', '', '-o', 'jsonpath={.}'],
  ['kvstore', 'set', '--key', 'cilium/x', '--value', 'v'],
  ['kvstore', 'delete', 'cilium/x'],
  ['kvstore', 'delete', '--recursive', 'cilium/'],
  ['troubleshoot', 'kvstore'],
  ['troubleshoot', 'clustermesh', '--H', '/nowhere'],
  ['troubleshoot', 'clustermesh', 'west', '--H', '/nowhere'],
];

/** Answers of an etcd, and the files that say where it is. */
export const openKvstore: OpenTarget = async (folder, onClose) => {
  let data: Readonly<Record<string, string>> = {};
  const server = createServer((request, response) => {
    request.resume();
    const body = data[request.url ?? ''];
    if (body === undefined) return response.writeHead(404).end('404 page not found\n');
    const [, status = '200', text = ''] = /^(\d{3}) (.*)$/s.exec(body) ?? [];
    response.writeHead(Number(status), { 'content-type': 'application/json' }).end(unpacked(text));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onClose.defer(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const ca = join(folder, 'etcd-ca.crt');
  const pem = readFileSync(fixturePath('tls/ca.crt'), 'utf8');
  const config = join(folder, 'etcd.yaml');
  const mesh = join(folder, 'mesh');
  mkdirSync(mesh);
  symlinkSync(config, join(mesh, 'west'));
  return {
    make(random) {
      const argv = [...random.pick(VERBS)];
      const answers = Object.entries(ANSWERS).map(([path, answer]) => {
        const fails = random.chance(0.05);
        const text = JSON.stringify(fails ? FAILED : answer);
        const body = random.chance(0.5) ? mutateJson(text, random) : text;
        return [path, `${fails ? random.pick([400, 403, 500, 503]) : 200} ${packed(Buffer.from(body))}`];
      });
      const given = random.chance(0.3) ? mutateDocument(CONFIG, random) : CONFIG;
      const data = {
        ...Object.fromEntries(answers),
        config: packed(Buffer.from(given)),
        ca: random.chance(0.3) ? mutateText(pem, random) : pem,
      };
      return { argv, data };
    },
    run({ argv, data: given }, signal) {
      data = given;
      writeFileSync(config, unpacked(given.config).toString().replaceAll('URL', url).replaceAll('CA', ca));
      writeFileSync(ca, given.ca ?? '');
      const there =
        argv[0] === 'kvstore'
          ? ['--kvstore', 'etcd', '--kvstore-opt', `etcd.config=${config}`]
          : argv[1] === 'kvstore'
            ? ['--etcd-config', config, '--timeout', '2s']
            : ['--clustermesh-config', mesh, '--timeout', '2s'];
      return run([...argv, ...there], { signal, cwd: folder, env: { CILIUM_SOCK: '/nowhere' } });
    },
  };
};
