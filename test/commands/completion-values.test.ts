import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Command } from 'commander';
import { build, type Verb } from '../../src/cli/tree.ts';
import { formatsOf } from '../../src/commands/completion/formats.ts';
import { TREE } from '../../src/commands/index.ts';
import { answerJson, type KubeServer, serveKube } from '../helpers/kube.ts';
import { startTestLab, type TestLab } from '../helpers/lab.ts';
import { close, listen } from '../helpers/replay.ts';
import { run, testContext } from '../helpers/run.ts';

let lab: TestLab;
let kube: KubeServer;

beforeAll(async () => {
  lab = await startTestLab({ scenario: 'shop' });
  kube = await serveKube((request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://x');
    const lists: Record<string, object[]> = {
      '/api/v1/nodes': [{ metadata: { name: 'worker-1' } }, { metadata: { name: '$(id)' } }],
      '/api/v1/namespaces': [{ metadata: { name: 'shop' } }, { metadata: { name: 'kube-system' } }],
      '/api/v1/pods': [{ metadata: { name: 'web-1', namespace: 'shop' } }],
      '/api/v1/namespaces/shop/pods': [{ metadata: { name: 'api-1', namespace: 'shop' } }],
    };
    if (pathname.endsWith('/configmaps/cilium-config'))
      return answerJson(response, { data: { debug: 'true', 'cluster-name': 'one' } });
    answerJson(response, { items: lists[pathname] ?? [] });
  });
});

afterAll(async () => {
  await kube[Symbol.asyncDispose]();
  await lab[Symbol.asyncDispose]();
});

/** What is offered for a line of which the last word is being typed, and the last line of the answer. */
async function offered(line: string, env: Record<string, string> = {}) {
  const { agent, hubble } = lab.lab.info.sockets;
  const { stdout, stderr } = await run(['__complete', '--', ...line.split(' ')], {
    env: {
      CILIUM_SOCK: agent,
      HUBBLE_SERVER: `unix://${hubble}`,
      KUBECONFIG: kube.kubeconfig,
      CILIUM_COMPLETION_WAIT: '20s',
      ...env,
    },
    realTime: true,
  });
  expect(stderr).toBe('');
  const lines = stdout.split('\n').slice(0, -1);
  return { values: lines.slice(0, -1).map((one) => one.split('\t')[0]), last: lines.at(-1) };
}

describe('values that need no asking', () => {
  test.each([
    ['hubble observe --verdict ', ['FORWARDED', 'DROPPED', 'AUDIT']],
    ['observe --verdict ', ['FORWARDED', 'DROPPED']],
    ['hubble observe --drop-reason-desc POLICY', ['POLICY_DENIED']],
    ['hubble observe --type ', ['drop', 'l7', 'trace:to-endpoint', 'agent:policy-updated']],
    ['monitor --type ', ['drop', 'policy-verdict', 'trace-sock']],
    ['monitor --type drop,tr', ['drop,trace']],
    ['hubble observe --protocol ', ['tcp', 'dns', 'kafka']],
    ['hubble observe --tcp-flags SYN,', ['SYN,ACK']],
    ['hubble observe --top src.', ['src.pod', 'src.ip']],
    ['hubble observe -o ', ['compact', 'dict', 'json', 'jsonpb', 'table']],
    ['hubble status -o ', ['compact', 'dict', 'json', 'table']],
    ['endpoint list -o ', ['json', 'yaml', 'jsonpath=']],
    ['lab start --scenario ', ['shop', 'incident']],
    ['policy validate --target ', ['1.9', '1.20']],
    ['bpf maps list --agent-release 1.1', ['1.14']],
    ['sysdump --only ', ['kubernetes', 'agents']],
    ['cleanup --kind ', ['xdp', 'iptables']],
    ['envoy admin config ', ['clusters', 'listeners']],
    ['hubble config set tls ', ['true', 'false']],
    ['rbac policy imp', ['import']],
  ])('%s', async (line, expected) => {
    expect((await offered(line)).values).toEqual(expect.arrayContaining(expected));
  });

  test('what was chosen of a list is not offered again', async () => {
    expect((await offered('monitor --type drop,')).values).not.toContain('drop,drop');
  });
});

describe('values that must be asked', () => {
  test.each([
    ['the agent', 'endpoint get ', ['host']],
    ['a server: namespaces', 'hubble observe --namespace ', ['shop']],
    ['a server: pods', 'hubble observe --pod shop/', []],
    ['the cluster: nodes', 'status --node ', ['worker-1']],
    ['the cluster: namespaces', 'status --namespace ', ['shop', 'kube-system']],
    ['the cluster: pods', 'status --pod ', ['shop/web-1']],
    ['the cluster: pods of a namespace', 'status --pod shop/a', ['shop/api-1']],
    ['the cluster: keys', 'config set ', ['debug', 'cluster-name']],
    ['the list itself: columns', 'endpoint list --columns endpoint,ide', ['endpoint,identity']],
    ['the list itself: columns to sort by', 'identity list --sort ', ['id', 'labels']],
    ['the kubeconfig', 'status --context ', ['k']],
  ])('%s: %s', async (_, line, expected) => {
    const { values, last } = await offered(line);
    expect(last).toBe(':4');
    if (expected[0] === 'host') expect(values.length).toBeGreaterThan(3);
    else if (expected.length === 0) expect(values.every((one) => one?.startsWith('shop/'))).toBe(true);
    else expect(values).toEqual(expect.arrayContaining(expected));
    expect(values.join()).not.toContain('$');
  });

  test.each([
    ['hubble observe --pod ', /^[\w-]+\/[\w-]+$/],
    ['hubble observe --label ', /=|:/],
    ['hubble observe --from-identity ', /^[\w-]+$/],
    ['hubble observe --workload ', /\//],
  ])('%s offers what the newest flows name', async (line, form) => {
    const { values } = await offered(line);
    expect(values.length).toBeGreaterThan(1);
    for (const value of values) expect(value).toMatch(form);
  });

  test('nobody who does not answer is waited for', async () => {
    const server = createServer(() => {});
    const socket = await listen(server);
    // That it comes back is the test: this agent never answers. Words that are no time mean the usual one.
    for (const CILIUM_COMPLETION_WAIT of ['', '50ms', 'long'])
      expect(await offered('endpoint get ', { CILIUM_SOCK: socket, CILIUM_COMPLETION_WAIT })).toEqual({
        values: [],
        last: ':4',
      });
    await close(server, socket);
  });

  test('a kubeconfig that logs in with a program is not asked', async () => {
    const { values } = await offered('status --node ', { KUBECONFIG: '/nonexistent/config' });
    // The agent knows the nodes, too.
    expect(values).not.toContain('worker-1');
  });
});

describe('files', () => {
  test.each([
    ['policy import ', ':8', ['yaml', 'yml', 'json']],
    ['policy test --rules=', ':8', ['yaml', 'yml', 'json']],
    ['status --from ', ':8', ['zip']],
    ['debuginfo --output-directory ', ':16', []],
    ['hubble observe --input-file ', ':0', []],
    ['lab run -- ', ':0', []],
    ['endpoint get ', ':4', undefined],
    ['status ', ':4', []],
    ['hubble observe --since ', ':4', []],
  ])('%s', async (line, last, values) => {
    const found = await offered(line);
    expect(found.last).toBe(last);
    if (values) expect(found.values).toEqual(values);
  });
});

/** Every verb that runs, with its flags. */
async function* commands(
  verb: Verb = TREE,
  steps: { name: string; verb: Verb }[] = [],
): AsyncGenerator<{
  path: string;
  command: Command;
}> {
  if (verb.load) {
    const program = new Command('cilium').exitOverride().enablePositionalOptions();
    yield {
      path: steps.map(({ name }) => name).join(' '),
      command: await build(program, TREE, steps, testContext()),
    };
  }
  for (const [name, below] of Object.entries(verb.verbs ?? {}))
    yield* commands(below, [...steps, { name, verb: below }]);
}

test('every verb with -o takes each format that is offered', async () => {
  let count = 0;
  for await (const { path, command } of commands()) {
    const output = command.options.find(
      ({ long, required, flags }) => long === '--output' && required && flags.endsWith('<format>'),
    );
    if (!output || output.argChoices) continue;
    const formats = formatsOf(output);
    // Of one that is only there as the reference has it, none is of use.
    const isIdle = output.description.endsWith('has no effect');
    expect({ path, offered: formats.length > 0 }).toEqual({ path, offered: !isIdle });
    for (const { value } of formats) {
      const text = value.startsWith('jsonpath-file')
        ? `${value}${lab.lab.info.dir}/lab.json`
        : value.endsWith('=')
          ? `${value}{.a}`
          : value;
      expect(() => output.parseArg?.(text, undefined)).not.toThrow();
      count++;
    }
  }
  expect(count).toBeGreaterThan(200);
});
