import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { close, listen } from '../helpers/replay.ts';
import { run } from '../helpers/run.ts';

/** What a server says to whatever it is asked, with status 200. */
const ODD: readonly [name: string, body: string][] = [
  ['an empty body', ''],
  ['null', 'null'],
  ['{}', '{}'],
  ['[]', '[]'],
  ['a string', '"x"'],
  ['[null]', '[null]'],
  ['[{}]', '[{}]'],
  ['a page', '<html><body>It works</body></html>'],
  ['half a JSON', '{"cilium":{"state":"O'],
];

/** Verbs that show one answer, by the path that they ask for; an empty list is an answer where one is due. */
const READERS: readonly [argv: string, path: string, due: 'list' | 'object'][] = [
  ['status', '/healthz', 'object'],
  ['status --problems', '/healthz', 'object'],
  ['status --fail-on warning', '/healthz', 'object'],
  ['endpoint list', '/endpoint', 'list'],
  ['endpoint list --not-ready', '/endpoint', 'list'],
  ['endpoint get 7', '/endpoint/7', 'object'],
  ['endpoint get -l a=b', '/endpoint', 'list'],
  ['endpoint health 7', '/endpoint/7/healthz', 'object'],
  ['endpoint log 7', '/endpoint/7/log', 'list'],
  ['endpoint labels 7', '/endpoint/7/labels', 'object'],
  ['endpoint labels 7 -a user:a=b', '/endpoint/7/labels', 'object'],
  ['endpoint config 7', '/endpoint/7/config', 'object'],
  ['endpoint config 7 Debug=true', '/endpoint/7/config', 'object'],
  ['identity list', '/identity', 'list'],
  ['identity list --endpoints', '/identity/endpoints', 'list'],
  ['identity get 7', '/identity/7', 'object'],
  ['identity get --label a=b', '/identity', 'list'],
  ['ip list -n', '/ip', 'list'],
  ['ip get 10.0.0.0/8', '/ip', 'list'],
  ['service list', '/service', 'list'],
  ['service get 7', '/service/7', 'object'],
  ['service update --id 7 --frontend 10.0.0.1:80 --backends 10.0.0.2:80', '/service/7', 'object'],
  ['service delete --all', '/service', 'list'],
  ['map list', '/map', 'object'],
  ['map get m', '/map/m', 'object'],
  ['node list', '/cluster/nodes', 'object'],
  ['nodeid list', '/node/ids', 'list'],
  ['fqdn cache list', '/fqdn/cache', 'list'],
  ['fqdn names', '/fqdn/names', 'object'],
  ['lrp list', '/lrp', 'list'],
  ['prefilter list', '/prefilter', 'object'],
  ['cgroups list', '/cgroup-dump-metadata', 'object'],
  ['recorder list', '/recorder', 'list'],
  ['recorder get 7', '/recorder/7', 'object'],
  ['recorder update --id 7', '/recorder/7', 'object'],
  ['bgp peers', '/bgp/peers', 'list'],
  ['bgp peers -c', '/bgp/peers', 'list'],
  ['bgp routes available ipv4 unicast', '/bgp/routes', 'list'],
  ['bgp route-policies', '/bgp/route-policies', 'list'],
  ['config', '/config', 'object'],
  ['config get Debug', '/config', 'object'],
  ['config Debug=true', '/config', 'object'],
  ['metrics list', '/metrics/', 'list'],
  ['debuginfo', '/debuginfo', 'object'],
  ['policy get', '/policy', 'object'],
  ['policy get k8s:app=web', '/policy', 'object'],
  ['policy delete --all', '/policy', 'object'],
  ['policy import RULES', '/policy', 'object'],
  ['policy validate --live', '/policy', 'object'],
  ['policy wait 1', '/endpoint', 'list'],
  ['policy selectors', '/policy/selectors', 'list'],
  ['policy subject-selectors', '/policy/subject-selectors', 'list'],
  ['policy trace --src-identity 7 --dst a=b --dport 80', '/identity/7', 'object'],
  ['policy trace --src-endpoint 7 --dst a=b --dport 80', '/endpoint/7', 'object'],
  ['policy trace -s a=b -d c=d --dport 80', '/policy/resolve', 'object'],
  ['policy cost --state agent', '/(identity|policy|config)', 'object'],
  ['preflight fqdn-poller', '/policy', 'object'],
  ['kvstore get k', '/config', 'object'],
];

/** Verbs that go on without the answer; what they then say on stderr names the path. */
const GOES_ON: readonly [argv: string, path: string, code: number][] = [
  ['version', '/debuginfo', 0],
  ['monitor', '', 0],
  ['completion bash', '', 0],
  ['troubleshoot clustermesh', '', 1],
];

describe('a server that answers', () => {
  let body = '';
  let folder = '';
  let socket = '';
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(body);
  });
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'odd-'));
    writeFileSync(join(folder, 'rules.json'), '[{"endpointSelector":{},"ingress":[{}]}]');
    socket = await listen(server);
  });
  afterAll(async () => {
    await close(server, socket);
    rmSync(folder, { recursive: true });
  });

  const ask = (line: string, more: readonly string[] = []) =>
    run([...line.split(' ').map((word) => (word === 'RULES' ? join(folder, 'rules.json') : word)), ...more], {
      cwd: folder,
      env: {
        CILIUM_SOCK: socket,
        CILIUM_SHELL_SOCK: join(folder, 'none'),
        CILIUM_MONITOR_SOCK: join(folder, 'none'),
        XDG_STATE_HOME: folder,
      },
    });

  describe.each(ODD)('%s', (_, text) => {
    // differs: odd-answers
    test.each(READERS)('to %s is an error that names %s', async (line, path, due) => {
      body = text;
      for (const more of [[], ...(TAKES_OUTPUT.test(line) ? [['-o', 'json']] : [])]) {
        const { stdout, stderr, code } = await ask(line, more);
        expect(stderr).not.toContain('a fault in the toolkit itself');
        if (text === '[]' && due === 'list') {
          expect({ line, code, error: stderr.startsWith('Error') }).toEqual({ line, code: 0, error: false });
          continue;
        }
        expect({ line, more, answered: /[[{<]/.test(stdout), code }).toEqual({
          line,
          more,
          answered: false,
          code: 1,
        });
        expect(stderr).toMatch(/^Error: /);
        expect(stderr).toMatch(new RegExp(`(GET|PUT|DELETE) /v1${path}: (expected|the answer is not JSON)`));
      }
    });

    test.each(GOES_ON)('to %s is no fault of the toolkit', async (line, path, wanted) => {
      body = text;
      const { stderr, code } = await ask(line);
      expect(stderr).not.toContain('a fault in the toolkit itself');
      expect(code).toBe(wanted);
      if (path) expect(stderr).toContain(`GET /v1${path}: `);
    });
  });
});

/** Verbs that print the answer as it came with -o. */
const TAKES_OUTPUT =
  /^(status$|(endpoint|identity|ip|service|map|node|nodeid|lrp|prefilter|cgroups|recorder|bgp) \S*(list|get|health|log|routes|peers|route-policies)\b|fqdn cache|policy (get|selectors))/;
