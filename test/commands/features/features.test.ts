import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { wholeNumber } from '../../../src/cluster/features.ts';
import { type ProgramCluster, type Ran, servePrograms } from '../../helpers/agent-programs.ts';
import { run } from '../../helpers/run.ts';

const ARGV = 'metrics list -p cilium_.*feature -o json';
const ALL = [
  { name: 'cilium_feature_a', labels: { x: '1', b: '<2>' }, value: 1 },
  { name: 'cilium_feature_a', labels: { x: '2', b: '3' } },
  { name: 'cilium_feature_m', value: 1.5 },
];
const FEW = ALL.slice(1);

let answers: Record<string, Ran | undefined>;
let objects: Record<string, unknown>;
let cluster: ProgramCluster;
const folder = mkdtempSync(join(tmpdir(), 'features-'));
beforeEach(async () => {
  answers = {};
  objects = {
    '/apis': { kind: 'APIGroupList', groups: [{ name: 'apps' }] },
    '/apis/apps/v1/namespaces/kube-system/daemonsets/kube-proxy': { metadata: { name: 'kube-proxy' } },
  };
  const pod = (name: string, node: string, metrics: object[], more: object = {}) => ({
    name,
    node,
    run: (argv: readonly string[]) =>
      answers[name] ?? { stdout: JSON.stringify(metrics), stderr: argv.join(' ') },
    ...more,
  });
  cluster = await servePrograms(
    [
      pod('cilium-2', 'n2', FEW),
      pod('cilium-1', 'n1', ALL),
      pod('cilium-operator-x', 'n1', FEW, {
        labels: { 'io.cilium/app': 'operator' },
        container: 'cilium-operator',
        command: ['cilium-operator-generic'],
      }),
    ],
    new Proxy({}, { get: (_, path) => objects[String(path)] }),
  );
});
afterEach(async () => cluster[Symbol.asyncDispose]());
afterAll(() => rmSync(folder, { recursive: true }));

const features = (...argv: string[]) => run(['features', ...argv], { env: cluster.env, cwd: folder });
const TABLE = `Cluster-wide Component Detection
Uniform  Name                Labels  cluster-wide  
Yes      kube_proxy_enabled          1             
Yes      node_local_dns              0             
Yes      openshift_enabled           0             

Cilium Operators
Uniform  Name              Labels   n1  
Yes      cilium_feature_a  b=3;x=2  0   
         cilium_feature_m           2   

Cilium Agents
Uniform  Name              Labels     n1  n2  
Yes      cilium_feature_a  b=3;x=2    0   0   
No                         b=<2>;x=1  1   0   
         cilium_feature_m             2   2   
`;

describe('features status', () => {
  test('as a table, of the agents by their own command line and of the operator by its', async () => {
    expect(await features('status')).toEqual({ stdout: TABLE, stderr: '', code: 0 });
    expect(cluster.ran.toSorted()).toEqual([
      `cilium-1: cilium-dbg ${ARGV}`,
      `cilium-2: cilium-dbg ${ARGV}`,
      `cilium-operator-x: cilium-operator-generic ${ARGV}`,
    ]);
  });

  test('as Markdown and as JSON', async () => {
    const { stdout } = await run(['fs', 'status', '-o', 'markdown'], { env: cluster.env });
    expect(stdout).toContain(`# Cilium Agents
| Uniform | Name | Labels | n1 | n2 |
|-|-|-|-|-|
| :heavy_check_mark: | cilium_feature_a | b=3;x=2 | 0 | 0 |
| :warning: |  | b=<2>;x=1 | 1 | 0 |
| | cilium_feature_m |  | 2 | 2 |
`);
    const json = await features('status', '-o', 'json');
    expect(json.stdout).toBe(
      `{"cilium":{"n1":[{"labels":{"b":"\\u003c2\\u003e","x":"1"},"name":"cilium_feature_a","value":1},{"labels":{"b":"3","x":"2"},"name":"cilium_feature_a"},{"name":"cilium_feature_m","value":1.5}],"n2":[{"labels":{"b":"3","x":"2"},"name":"cilium_feature_a"},{"name":"cilium_feature_m","value":1.5}]},"cilium-operator":{"n1":[{"labels":{"b":"3","x":"2"},"name":"cilium_feature_a"},{"name":"cilium_feature_m","value":1.5}]},"cluster-wide":{"cluster-wide":[{"name":"node_local_dns"},{"name":"kube_proxy_enabled","value":1},{"name":"openshift_enabled"}]}}\n`,
    );
  });

  test('into a file', async () => {
    expect(await features('status', '--output-file', 'f.txt')).toEqual({ stdout: '', stderr: '', code: 0 });
    expect(readFileSync(join(folder, 'f.txt'), 'utf8')).toBe(TABLE);
    const { stderr, code } = await features('status', '--output-file', 'no/such/folder');
    expect([stderr, code]).toEqual([
      'Error: Unable to print features status: cannot write no/such/folder: no such file or directory\n',
      1,
    ]);
  });

  test('OpenShift is told with its version', async () => {
    objects['/apis'] = { groups: [{ name: 'route.openshift.io' }] };
    objects['/apis/config.openshift.io/v1/clusterversions/version'] = {
      status: { desired: { version: '4.19.1' } },
    };
    const { stdout } = await features('status');
    expect(stdout).toContain('Yes      openshift_enabled                   1             \n');
    expect(stdout).toContain('Yes      openshift_version   version=4.19.1  0             \n');
  });

  // differs: features-partial
  test('what could not be read is named, and the rest is shown', async () => {
    answers['cilium-2'] = { stderr: 'Error: the shell does not answer\n', code: 1 };
    answers['cilium-operator-x'] = { stdout: 'level=debug', code: 0 };
    delete objects['/apis'];
    objects['/apis/apps/v1/namespaces/kube-system/daemonsets/kube-proxy'] = [];
    const { stdout, stderr, code } = await features('status');
    expect(code).toBe(3);
    expect(stdout).toContain('Cilium Agents\nUniform  Name              Labels     n1  \n');
    expect(stdout).not.toContain('kube_proxy_enabled');
    expect(stderr).toMatch(
      /^Not all could be read:\nfailed to get features status from cilium-2 of node n2: the shell does not answer\nfailed .* from cilium-operator-x of node n1: what it printed is not understood: .*\nkube_proxy_enabled: .*\nopenshift_enabled: .*\n$/,
    );
    answers['cilium-1'] = answers['cilium-2'];
    const none = await features('status');
    expect([none.stdout, none.code]).toEqual(['', 1]);
  });

  // differs: features-operator-node
  test('--node is about the agents alone', async () => {
    const { stdout } = await features('status', '--node', 'n2');
    expect(stdout).toContain('Cilium Operators\nUniform  Name              Labels   n1  \n');
    expect(stdout).toContain('Cilium Agents\nUniform  Name              Labels   n2  \n');
    const elsewhere = await features('status', '--operator-node', 'n2');
    expect(elsewhere.stdout).toContain('Cilium Operators\nUniform  Name  Labels  \n\n');
  });

  test('what was lost on the way is asked for again', async () => {
    const lost: Ran[] = [{}, {}];
    Object.defineProperty(answers, 'cilium-1', { get: () => lost.pop() });
    expect((await features('status')).stdout).toBe(TABLE);
    answers = { 'cilium-1': {} };
    expect((await features('status')).stderr).toContain('from cilium-1 of node n1: it printed nothing\n');
  });
});

// differs: features-summary
test('features summary points to what does that', async () => {
  const { stdout, stderr, code } = await features('summary', '--commit', 'abc');
  expect([stdout, code]).toEqual(['', 1]);
  expect(stderr).toContain('https://github.com/cilium/cilium-cli');
});

test.each([
  [0.5, '0'],
  [1.5, '2'],
  [2.5, '2'],
  [-0.4, '-0'],
  [-1.5, '-2'],
  [1e21, '1000000000000000000000'],
])('%d without its fraction is %s', (value, text) => {
  expect(wholeNumber(value)).toBe(text);
});
