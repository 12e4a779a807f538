import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { ownHolder } from '../../../src/commands/connectivity/holder.ts';
import { processStart } from '../../../src/lib/alive.ts';
import {
  type Asked,
  type CommandEnd,
  healthy,
  type PlayedPods,
  startPlayedPods,
  TIMEOUT,
} from '../../helpers/played-pods.ts';
import { annotationsOf, junitErrors, sarifResults } from '../../helpers/reports.ts';
import { until } from '../../helpers/until.ts';

let cluster: PlayedPods;

beforeAll(async () => {
  cluster = await startPlayedPods({ answer: healthy });
});
afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
});
beforeEach(() => {
  cluster.world.answer = healthy;
  cluster.asked.length = 0;
});

const connectivity = (...more: string[]) =>
  cluster.run([
    'connectivity',
    'test',
    ...(more.includes('--flow-validation') ? [] : ['--flow-validation', 'disabled']),
    ...more,
  ]);
const namespaces = async () => {
  const { json } = await cluster.lab.call(
    'GET',
    '/api/v1/namespaces?labelSelector=app.kubernetes.io/managed-by=cilium-toolkit',
  );
  return (json as { items: { metadata: { name: string } }[] }).items.map(({ metadata }) => metadata.name);
};
const put = (name: string, metadata: object) =>
  cluster.lab.call('POST', '/api/v1/namespaces', { metadata: { name, ...metadata } }, 'application/json');
const drop = (name: string) => cluster.lab.call('DELETE', `/api/v1/namespaces/${name}`);

/** Whether a command leads to something that a fault is planted in. */
const isUrl = (argv: readonly string[], part: RegExp) => argv[0] === 'curl' && part.test(argv.at(-1) ?? '');

describe('a healthy cluster', () => {
  // differs: connectivity-set, connectivity-times
  test('the set of 15 passes without a target outside, and nothing stays', async () => {
    const { stdout, stderr, code } = await connectivity();
    expect(stderr).toBe('');
    expect(stdout).toContain('🏃[cilium-test-1] Running 15 tests ...\n');
    expect(stdout).toContain('[=] [cilium-test-1] Test [dns] [1/15]\n....\n');
    expect(stdout).toContain('Skipping test [world] [13/15] (no external target: --external-target)\n');
    expect(stdout).toMatch(
      /✅ \[cilium-test-1\] All 14 tests \(55 actions\) successful, 1 tests skipped, 0 scenarios skipped\.\n/,
    );
    expect(code).toBe(0);
    expect(await namespaces()).toEqual([]);
    const { json } = await cluster.lab.call('GET', '/apis/apps/v1/deployments');
    expect(JSON.stringify(json)).not.toContain('cilium-test-1');
  });

  test.each([
    [['--test', 'nope'], '--test nope: there is no such test\nThere are '],
    [['--all', '--test', '^$,nope'], '--test ^$,nope: there is no such test\n'],
    [['--test', '!.'], '--test !.: there is no such test\n'],
  ])('%j is refused before anything is deployed', async (flags, message) => {
    const { stdout, stderr, code } = await connectivity(...flags);
    expect([stdout, code, await namespaces()]).toEqual(['', 1, []]);
    expect(stderr).toContain(`Error: ${message}`);
  });

  test('a test is chosen by expression, and a JSON document says what was done', async () => {
    const { stdout, code } = await connectivity('--test', '^pod-', '--test', '!host', '-o', 'json');
    const { tests, counts } = JSON.parse(stdout);
    const ran = tests
      .filter(({ status }: { status: string }) => status === 'passed')
      .map(({ name }: { name: string }) => name);
    expect(ran).toEqual(['pod-pod-same-node', 'pod-pod-other-node', 'pod-service']);
    expect(counts).toMatchObject({ run: 3, failed: 0, skipped: 12, actions: 12 });
    expect(code).toBe(0);
  });

  test('results are written for CI systems', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'junit-')), 'out.xml');
    await connectivity('--test', 'dns,world', '--junit', file, '--junit-property', 'who="me"');
    const text = readFileSync(file, 'utf8');
    expect(text).toContain('<property name="who" value="&quot;me&quot;"></property>');
    expect(text).toMatch(
      /<testsuite name="connectivity test" package="cilium" tests="15" failures="0" errors="0" skipped="14"/,
    );
    expect(text).toMatch(
      /<testcase name="dns" classname="connectivity test" status="passed" time="[\d.]+"><\/testcase>/,
    );
    expect(text).toContain('<skipped message="no external target: --external-target"></skipped>');
  });

  test('each form of report keeps to its schema', async () => {
    const argv = ['--test', 'dns,world', '-o'];
    const junit = await connectivity(...argv, 'junit');
    expect(await junitErrors(junit.stdout)).toEqual([]);
    expect(junit.stdout).toContain('tests="15" failures="0" errors="0" skipped="14"');
    expect(sarifResults((await connectivity(...argv, 'sarif')).stdout)).toEqual([]);
    const { stdout } = await connectivity(...argv, 'github');
    expect(annotationsOf(stdout)).toEqual([]);
    expect(stdout).toBe('cilium connectivity test: 15 checks, 0 failed, 14 skipped\n');
    expect((await connectivity(...argv, 'markdown')).stdout).toContain('1 of 15 checks passed, 14 skipped');
    expect(junit.code).toBe(0);
  });

  test('--dry-run and --single-node say what would be there, and change nothing', async () => {
    const { stdout, code } = await connectivity('--dry-run', '--single-node');
    expect(stdout).toContain('Would apply Deployment cilium-test-1/echo-same-node.\n');
    expect(stdout).not.toContain('echo-other-node');
    expect([code, await namespaces()]).toEqual([0, []]);
  });

  // differs: connectivity-ask
  test('is asked for at a terminal first', async () => {
    const { stderr, code } = await cluster.run(['connectivity', 'test'], { columns: 80, typed: ['n'] });
    expect(stderr).toContain('This will deploy test pods into the namespace cilium-test-1. Continue? [y/N]');
    expect(stderr).toContain('nothing was changed');
    expect([code, await namespaces()]).toEqual([1, []]);
  });

  // differs: connectivity-flows
  test('flows are those of the agents themselves', async () => {
    const { stdout, code } = await connectivity('--test', 'deny-ingress', '--flow-validation', 'strict');
    // The pods are played: nothing is sent.
    expect(stdout).toContain('Flow validation: Hubble shows no drop of it (POLICY_DENIED) in 0 flows');
    expect(stdout).not.toContain('flows were not');
    expect(code).toBe(1);
  });

  test('what cannot be tried in the image is not counted as passed', async () => {
    cluster.world.answer = (asked) => (asked.argv[0] === 'ping' ? undefined : healthy(asked));
    const { stdout, code } = await connectivity('--test', 'pod-host,dns');
    expect(stdout).toMatch(/1 tests were not run:\n {2}pod-host: ping-ipv4: .*executable file not found/);
    expect(stdout).toContain('All 1 tests');
    expect(code).toBe(3);
  });

  test('a pod in which nothing can be run ends it at once', async () => {
    cluster.world.answer = () => undefined;
    const { stderr, code } = await connectivity();
    expect(stderr).toMatch(/no curl can be run in the pod cilium-test-1\/client-.*\n.*--image/);
    expect([code, await namespaces()]).toEqual([1, []]);
  });
});

/** A fault, and what the set sees of it. */
const FAULTS: {
  area: string;
  fault: (asked: Asked) => CommandEnd | undefined;
  failed: RegExp;
  says: RegExp;
}[] = [
  {
    area: 'dns',
    fault: ({ argv }) => {
      if (argv[0] === 'nslookup')
        return { code: 1, stderr: ';; connection timed out; no servers could be reached\n' };
      return isUrl(argv, /svc\.cluster\.local/)
        ? { code: 6, stderr: 'curl: (6) Could not resolve host\n' }
        : undefined;
    },
    failed: /❌ [34]\/\d+ tests failed/,
    says: /DNS: names do not resolve, while the addresses of pods are reached\./,
  },
  {
    area: 'service',
    fault: ({ argv }) => (isUrl(argv, /svc\.cluster\.local|10\.96\.|:3\d{4}\//) ? TIMEOUT : undefined),
    failed: /❌ \d\/\d+ tests failed/,
    says: /Service: the address of the service does not lead to its pods, which are reached by their own addresses\./,
  },
  {
    area: 'node-to-node',
    fault: ({ pod, argv }) => {
      const to = ADDRESSES.get(/\/\/([\d.]+):8080/.exec(argv.at(-1) ?? '')?.[1] ?? '');
      const from = /^(client3|echo-other)/.test(pod) ? 2 : 1;
      return to !== undefined && to !== from ? TIMEOUT : undefined;
    },
    failed: /❌ 1\/\d+ tests failed/,
    says: /Node-to-node: a pod of node \S+ is not reached from node \S+, while pods of the own node are\./,
  },
];
/** Node of each address, as the lab gives them out. */
let ADDRESSES = new Map<string, number>();

describe('a planted fault', () => {
  test.each(FAULTS)('of $area is named', async ({ area, fault, failed, says }) => {
    cluster.world.answer = (asked) => fault(asked) ?? healthy(asked);
    const started = connectivity();
    if (area === 'node-to-node') await learnAddresses();
    const { stdout, stderr, code } = await started;
    expect(stdout).toMatch(failed);
    expect(stdout).toMatch(says);
    expect(stdout).toMatch(new RegExp(`Suspects, what others rest on first: .*${area} \\(\\d+\\)`));
    expect(stderr).toMatch(/Error: \[cilium-test-1\] \d tests failed/);
    expect([code, await namespaces()]).toEqual([1, []]);
  });

  // differs: connectivity-failure
  test('of policy that is not enforced is named, with what the rules say', async () => {
    cluster.world.answer = (asked) =>
      healthy({ ...asked, policies: asked.policies.filter((one) => one !== 'check-deny-egress') });
    const { stdout, code } = await connectivity('--test', 'deny-egress');
    expect(stdout).toContain('succeeded while it should have failed: 10.0.0.1:40000');
    expect(stdout).toContain(
      'Policy: the rules deny this path (check-deny-egress), and the agents let it pass.',
    );
    expect(stdout).toMatch(/- egress denied: .*check-deny-egress/);
    expect(stdout).toContain('Suspects, what others rest on first: policy (2)');
    expect(code).toBe(1);
  });

  test('of policy that drops too much is named', async () => {
    cluster.world.answer = (asked) => (asked.policies.includes('check-allow-one') ? TIMEOUT : healthy(asked));
    const { stdout } = await connectivity(
      '--test',
      'pod-pod-same-node',
      '--test',
      'allow-one',
      '--test',
      'deny-egress',
    );
    expect(stdout).toMatch(/allowed-client: .* -> /);
    expect(stdout).toMatch(/❌ 1\/3 tests failed/);
  });
});

async function learnAddresses(): Promise<void> {
  await until(async () => {
    const { json } = await cluster.lab.call('GET', '/api/v1/namespaces/cilium-test-1/pods');
    const { items = [] } = json as {
      items?: { spec: { nodeName?: string }; status?: { podIP?: string }; metadata: { name: string } }[];
    };
    ADDRESSES = new Map(
      items.map(({ status, metadata }) => [
        status?.podIP ?? '',
        /^(client3|echo-other)/.test(metadata.name) ? 2 : 1,
      ]),
    );
    return ADDRESSES.size === 5 && !ADDRESSES.has('');
  });
}

describe('a namespace that is there', () => {
  // differs: connectivity-foreign
  test('of somebody else is not touched', async () => {
    await put('cilium-test-1', { labels: { team: 'a' } });
    const { stderr, code } = await connectivity();
    expect(stderr).toContain('the namespace cilium-test-1 is there and is not of the connectivity tests');
    const { status } = await cluster.lab.call('GET', '/api/v1/namespaces/cilium-test-1');
    expect([code, status]).toEqual([1, 200]);
    await drop('cilium-test-1');
  });

  const own = {
    'app.kubernetes.io/managed-by': 'cilium-toolkit',
    'app.kubernetes.io/part-of': 'connectivity-test',
  };
  const lasting = (ms: number) => ({ 'cilium-toolkit.io/expires': new Date(Date.now() + ms).toISOString() });

  test('of a run that is at work is left alone, unless it is forced', async () => {
    await put('cilium-test-1', { labels: own, annotations: lasting(3_600_000) });
    const { stderr, code } = await connectivity('--test', 'dns');
    expect(stderr).toContain('another run may be at work in the namespace cilium-test-1');
    expect([code, await namespaces()]).toEqual([1, ['cilium-test-1']]);
    expect((await connectivity('--test', 'dns', '--force-deploy')).code).toBe(0);
  });

  test('of a run that was killed a moment ago goes at once, and only then', async () => {
    const child = spawn('sleep', ['600']);
    await once(child, 'spawn');
    const pid = child.pid ?? 0;
    const [where] = ownHolder()?.split('/') ?? [];
    const start = processStart(pid);
    const holder = (text: string) => ({ ...lasting(3_600_000), 'cilium-toolkit.io/holder': text });
    const code = async (text: string) => {
      await put('cilium-test-1', { labels: own, annotations: holder(text) });
      const ended = await connectivity('--test', '^dns$');
      await drop('cilium-test-1');
      return ended.code;
    };
    expect(await code(`${where}/${pid}/${start}`)).toBe(1);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await code(`${where}/${pid}/${start}`)).toBe(0);
    // Of another machine, and of no form that is known.
    for (const text of [
      `0123456789abcdef/${pid}/${start}`,
      `${where}/${pid}`,
      `${where}/-1/1`,
      `/${pid}/1`,
      '',
    ])
      expect([text, await code(text)]).toEqual([text, 1]);
  });

  test('of runs that were killed goes with the next one, and what is not of the tests stays', async () => {
    await put('cilium-test-1', { labels: own, annotations: lasting(-1000) });
    await put('other-1', { labels: own, annotations: lasting(-1000) });
    await put('kept-1', {
      labels: own,
      annotations: { ...lasting(-1000), 'cilium-toolkit.io/kept': 'true' },
    });
    await put('foreign', {
      labels: { 'app.kubernetes.io/managed-by': 'cilium-toolkit' },
      annotations: lasting(-1000),
    });
    const { stdout, code } = await connectivity('--test', 'dns');
    expect(stdout).toContain('🧹 Removing what an earlier run left in the namespace cilium-test-1\n');
    expect(stdout).toContain('🧹 Removing the namespace other-1, which an earlier run left\n');
    expect(code).toBe(0);
    expect(await namespaces()).toEqual(['foreign', 'kept-1']);
    await drop('foreign');
  });

  test('is kept on request, gone on with, and removed by --cleanup', async () => {
    expect((await connectivity('--test', 'dns', '--keep')).stdout).toContain(
      'The namespace cilium-test-1 stays; --cleanup removes it.\n',
    );
    expect((await connectivity('--test', 'dns', '--keep')).code).toBe(0);
    const { stdout, code } = await connectivity('--cleanup');
    expect(stdout).toContain('🧹 Cleanup mode enabled - removing all connectivity test artifacts\n');
    expect(stdout.endsWith('✅ [lab] Cleanup complete\n✅ Cleanup complete\n')).toBe(true);
    expect([code, await namespaces()]).toEqual([0, []]);
    expect((await connectivity('--cleanup')).stdout).toBe('Nothing of the connectivity tests is there.\n');
  });

  // differs: connectivity-cleanup
  test('goes after Ctrl-C as well', async () => {
    const stop = new AbortController();
    cluster.world.answer = (asked) => {
      if (asked.argv[0] === 'nslookup') stop.abort(new Error('interrupted'));
      return healthy(asked);
    };
    const { code } = await cluster.run(['connectivity', 'test'], { signal: stop.signal });
    expect(code).not.toBe(0);
    expect(await namespaces()).toEqual([]);
  });
});

// differs: connectivity-catalogue
test('of the catalogue what can be run here is run, and the rest is named', async () => {
  const { stdout, code } = await connectivity(
    '--all',
    '--test',
    '^no-policies,^health$,^multicast,^to-cidr-external$,^check-log-errors$,^pod-to-itself',
  );
  expect(stdout).toContain('Skipping test [multicast]');
  expect(stdout).toContain('(Feature Multicast is disabled)');
  expect(stdout).toContain('to-cidr-external: it needs --external-cidr, --external-other-ip\n');
  expect(stdout).toContain('check-log-errors: its scenarios are not there: check-log-errors\n');
  expect(stdout).toMatch(/✅ \[cilium-test-1\] All 4 tests \(\d+ actions\) successful/);
  expect(code).toBe(0);
});
