import { createServer, type ServerResponse } from 'node:http';
import { describe, expect, test } from '@jest/globals';
import { close, listen } from '../../helpers/replay.ts';
import { run } from '../../helpers/run.ts';

describe('envoy admin', () => {
  async function withEnvoy(use: (socket: string, seen: string[]) => Promise<void>) {
    const seen: string[] = [];
    const server = createServer((request, response: ServerResponse) => {
      seen.push(`${request.method} ${request.url} ${request.headers.host}`);
      if (request.url?.startsWith('/logging?level=')) return response.writeHead(400).end('bad level');
      return response.end('{"a": "\u001b[2Jb"}\n');
    });
    const socket = await listen(server);
    try {
      await use(socket, seen);
    } finally {
      await close(server, socket);
    }
  }

  // differs: envoy-admin
  test.each([
    [['certs'], 'GET /certs envoy-admin'],
    [['clusters'], 'GET /clusters?format=text envoy-admin'],
    [['clusters', '-o', 'json'], 'GET /clusters?format=json envoy-admin'],
    [['listeners', '-o=json'], 'GET /listeners?format=json envoy-admin'],
    [['serverinfo'], 'GET /server_info envoy-admin'],
    [['metrics'], 'GET /stats/prometheus envoy-admin'],
    [['metrics', '-f', 'a.*b&c'], 'GET /stats/prometheus?filter=a.*b%26c envoy-admin'],
    [['config'], 'GET /config_dump?include_eds envoy-admin'],
    [
      ['config', 'routes', '-n', 'x y'],
      'GET /config_dump?include_eds&resource=dynamic_route_configs&name_regex=x%20y envoy-admin',
    ],
    [['logging', 'list'], 'POST /logging envoy-admin'],
    [
      ['logging', 'set', 'loggers', 'http=debug', 'main=off'],
      'POST /logging?paths=http:debug,main:off envoy-admin',
    ],
  ])('%j asks %s', async (argv, want) => {
    await withEnvoy(async (socket, seen) => {
      const { stdout, code } = await run(['envoy', 'admin', ...argv, '--admin-socket', socket]);
      expect(seen).toEqual([want]);
      expect({ stdout, code }).toEqual({ stdout: '{"a": "^[[2Jb"}\n', code: 0 });
    });
  });

  test('passes a refusal on, and refuses by itself what Envoy has not', async () => {
    await withEnvoy(async (socket, seen) => {
      const env = { CILIUM_ENVOY_ADMIN_SOCK: socket };
      const refused = await run(['envoy', 'admin', 'logging', 'set', 'global', 'debug'], { env });
      expect(refused.stderr).toContain('the server answered 400: bad level');
      for (const argv of [
        ['config', 'things'],
        ['logging', 'set', 'global', 'loud'],
        ['logging', 'set', 'loggers', 'http'],
      ]) {
        const { code, stdout } = await run(['envoy', 'admin', ...argv], { env });
        expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      }
      expect(seen).toHaveLength(1);
    });
  });

  test('says where the socket should be', async () => {
    const { stderr } = await run(['envoy', 'admin', 'certs', '--admin-socket', '/nonexistent/admin.sock']);
    expect(stderr).toContain('is a proxy running on this node?');
  });
});
