import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type Asked, type CommandEnd, type PlayedPods, startPlayedPods } from '../../helpers/played-pods.ts';

let cluster: PlayedPods;

/** What netperf prints with -o: headers, then a line of values. */
function netperf({ argv }: Asked): CommandEnd {
  const many = argv[0] === 'sh' ? Number(argv[4]) : 1;
  const kind = argv[argv.indexOf('-t') + 1] ?? '';
  const head = `MIGRATED ${kind} TEST from 0.0.0.0 () port 0 AF_INET\nMinimum Latency Microseconds,Mean Latency Microseconds\n`;
  const values = kind.endsWith('_STREAM')
    ? '0,1.10,20,1,2,3,0.000,9512.34,10^6bits/s\n'
    : '23,35.42,1023,34,40,55,27984.129,27984.12,Trans/s\n';
  return { code: 0, stdout: (head + values).repeat(many) };
}

beforeAll(async () => {
  cluster = await startPlayedPods({ answer: netperf });
});
afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
});
beforeEach(() => {
  cluster.world.answer = netperf;
  cluster.asked.length = 0;
});

const perf = (...more: string[]) => cluster.run(['connectivity', 'perf', ...more]);

test('measures between pods and nodes, and prints the tables of the reference', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'perf-'));
  const { stdout, stderr, code } = await perf('--host-net=false', '--report-dir', folder, '--streams', '2');
  const [, summary] = stdout.split('🔥');
  expect(`🔥${summary?.split('⌛')[0]}`).toBe(`🔥 Network Performance Test Summary [cilium-test-1]:
${'-'.repeat(200)}
📋 Scenario        | Node       | Test            | Duration        | Min             | Mean            | Max             | P50             | P90             | P99             | Transaction rate OP/s
${'-'.repeat(200)}
📋 pod-to-pod      | same-node  | TCP_RR          | 10s             | 23µs            | 35.42µs         | 1.023ms         | 34µs            | 40µs            | 55µs            | 27984.13    
📋 pod-to-pod      | other-node | TCP_RR          | 10s             | 23µs            | 35.42µs         | 1.023ms         | 34µs            | 40µs            | 55µs            | 27984.13    
${'-'.repeat(200)}
${'-'.repeat(88)}
📋 Scenario        | Node       | Test               | Duration        | Throughput Mb/s 
${'-'.repeat(88)}
📋 pod-to-pod      | same-node  | TCP_STREAM         | 10s             | 9512.34      
📋 pod-to-pod      | same-node  | TCP_STREAM_MULTI   | 10s             | 19024.68     
📋 pod-to-pod      | other-node | TCP_STREAM         | 10s             | 9512.34      
📋 pod-to-pod      | other-node | TCP_STREAM_MULTI   | 10s             | 19024.68     
${'-'.repeat(88)}
`);
  expect([stderr, code]).toEqual(['', 0]);
  expect(readdirSync(folder).sort()[0]).toBe('TCP_RR_pod-to-pod_other-node_4.json');
  expect(JSON.parse(readFileSync(join(folder, 'TCP_RR_pod-to-pod_other-node_4.json'), 'utf8'))).toMatchObject(
    {
      version: 'v1',
      dataItems: [
        { unit: 'us', data: { perc50: 34 } },
        { unit: 'ops/s', data: { throughput: 27984.129 } },
      ],
    },
  );
  const { status } = await cluster.lab.call('GET', '/api/v1/namespaces/cilium-test-1');
  expect(status).toBe(404);
});

test('says what it did not understand, and that nothing can be run', async () => {
  cluster.world.answer = () => ({
    code: 0,
    stdout: 'establish control: are you sure there is a netserver?\n',
  });
  const odd = await perf(
    '--host-net=false',
    '--throughput=false',
    '--throughput-multi=false',
    '--other-node=false',
  );
  expect(odd.stderr).toContain(
    '[cilium-test-1] 1 measurements failed\nTCP_RR pod-to-pod: netperf printed 0 results instead of 1',
  );
  expect(odd.code).toBe(1);
  cluster.world.answer = () => undefined as never;
  const none = await perf('--host-net=false');
  expect(none.stderr).toContain('no netperf can be run in the pod cilium-test-1/perf-client-');
  expect(none.code).toBe(1);
});

test('tells programs what it measured', async () => {
  const { stdout } = await perf(
    '--host-net=false',
    '--other-node=false',
    '--throughput-multi=false',
    '-o',
    'json',
  );
  expect(JSON.parse(stdout)).toEqual({
    namespace: 'cilium-test-1',
    results: [
      {
        ...{ scenario: 'pod-to-pod', isSameNode: true, test: 'TCP_RR', seconds: 10, rate: 27984.129 },
        latency: { min: 23_000, mean: 35_420, max: 1_023_000, p50: 34_000, p90: 40_000, p99: 55_000 },
      },
      {
        scenario: 'pod-to-pod',
        isSameNode: true,
        test: 'TCP_STREAM',
        seconds: 10,
        throughput: 9_512_340_000,
      },
    ],
    failures: [],
  });
});

// differs: connectivity-perf
test('--dry-run counts the measurements', async () => {
  const { stdout } = await perf('--dry-run', '--crr', '--udp');
  expect(stdout).toContain('Would apply Deployment perf-client-other-node-host-net.\n');
  expect(stdout).toContain('Would make 28 measurements of 10 s.\n');
  expect((await perf('--rr=false', '--throughput=false', '--throughput-multi=false')).stderr).toContain(
    'nothing is to be measured',
  );
});
