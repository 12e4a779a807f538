import { expect, test } from '@jest/globals';
import { serveGrpc } from '../../helpers/grpc.ts';
import { run } from '../../helpers/run.ts';

test.each([
  ['nodes', 'GetNodes'],
  ['namespaces', 'GetNamespaces'],
])(
  'hubble list %s has no list where there is nothing, and asks before it refuses a format',
  async (what, method) => {
    const path = `/observer.Observer/${method}`;
    await using server = await serveGrpc({ [path]: { messages: [new Uint8Array()] } });
    const list = (...words: string[]) => run(['hubble', 'list', what, '--server', server.address, ...words]);
    expect(await list('-o', 'json')).toEqual({ stdout: 'null\n', stderr: '', code: 0 });
    const { stdout, stderr, code } = await list('-o', 'yaml');
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(stderr).toMatch(/^unknown output format: yaml\n/);
    expect(server.seen.map((call) => call.path)).toEqual([path, path]);
  },
);
