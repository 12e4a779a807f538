import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { REPORT_FORMATS } from '../../src/model/report-format.ts';
import { mountBpffs } from '../helpers/bpf.ts';
import { startTestCluster, type TestCluster } from '../helpers/cluster.ts';
import { kernelTest } from '../helpers/kernel-test.ts';
import { annotationsOf, junitErrors, sarifResults } from '../helpers/reports.ts';
import { type RunOptions, type RunResult, run } from '../helpers/run.ts';

const POLICY = `apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: { name: api, namespace: shop }
spec:
  endpointSelector: { matchLabels: { app: api } }
  ingressRule: []
`;
const TESTS = `rules: api.yaml
tests:
  - { from: app=web, to: app=api, port: 80, expect: allow }
  - { name: "shut, 100% %0A", from: app=other, to: app=api, port: 80, expect: allow }
`;
const RULES = `[
  { "endpointSelector": { "matchLabels": { "app": "api" } },
    "ingress": [{ "fromEndpoints": [{ "matchLabels": { "app": "web" } }] }] }
]
`;

const root = realpathSync(mkdtempSync(join(tmpdir(), 'reports-')));
const inner = join(root, 'repo', 'deploy');
beforeAll(() => {
  mkdirSync(join(inner, 'policies, 1'), { recursive: true });
  mkdirSync(join(root, 'repo', '.git'));
  writeFileSync(join(inner, 'policies, 1', 'bad.yaml'), POLICY);
  writeFileSync(join(inner, 'api.yaml'), RULES);
  writeFileSync(join(inner, 'tests.yaml'), TESTS);
  writeFileSync(join(root, 'outside.yaml'), POLICY);
});
afterAll(() => rmSync(root, { recursive: true }));

/** Runs a command line in each form, and holds each to its schema. Returns the forms. */
async function inEachForm(
  argv: readonly string[],
  go: (argv: string[]) => Promise<RunResult>,
): Promise<Record<(typeof REPORT_FORMATS)[number], RunResult>> {
  const [junit, sarif, github, markdown] = await Promise.all(
    REPORT_FORMATS.map((format) => go([...argv, '-o', format])),
  );
  if (!junit || !sarif || !github || !markdown) throw new Error('a form is missing');
  expect(await junitErrors(junit.stdout)).toEqual([]);
  const results = sarifResults(sarif.stdout);
  expect(annotationsOf(github.stdout)).toHaveLength(results.length);
  expect(markdown.stdout).toMatch(/^### cilium /);
  expect(new Set([junit.code, sarif.code, github.code, markdown.code]).size).toBe(1);
  return { junit, sarif, github, markdown };
}

describe('places of files', () => {
  const validate = (argv: string[], options: RunOptions = {}) =>
    run(['policy', 'validate', ...argv], { cwd: inner, ...options });
  const uriOf = ({ stdout }: RunResult) => sarifResults(stdout)[0]?.locations[0];
  const fileOf = ({ stdout }: RunResult) => annotationsOf(stdout)[0]?.properties;
  const bad = join('policies, 1', 'bad.yaml');

  test('are below the root of the repository, wherever the command was run', async () => {
    for (const cwd of [inner, root, join(inner, 'policies, 1')])
      for (const file of [join(inner, bad)]) {
        const env = { GITHUB_WORKSPACE: cwd === root ? root : join(root, 'repo') };
        const found = fileOf(await validate([file, '-o', 'github'], { cwd, env }));
        const below = cwd === root ? 'repo/deploy' : 'deploy';
        expect(found).toMatchObject({ file: `${below}/policies, 1/bad.yaml`, line: '6', col: '3' });
      }
    expect(fileOf(await validate([bad, '-o', 'github']))).toMatchObject({
      file: 'deploy/policies, 1/bad.yaml',
      title: 'cilium policy validate: unknown-field',
    });
    const github = await validate([bad, '-o', 'github']);
    expect(github.stdout).toContain('::error file=deploy/policies%2C 1/bad.yaml,line=6,col=3,title=');
    expect(uriOf(await validate([bad, '-o', 'sarif']))).toEqual({
      physicalLocation: {
        artifactLocation: { uri: 'deploy/policies%2C%201/bad.yaml', uriBaseId: 'SRCROOT' },
        region: { startLine: 6, startColumn: 3 },
      },
    });
  });

  test('a variable that names another checkout is not believed', async () => {
    const env = { GITHUB_WORKSPACE: join(root, 'repo', 'deploy', 'policies, 1'), CI_PROJECT_DIR: '' };
    expect(fileOf(await validate([bad, '-o', 'github'], { env }))?.file).toBe('deploy/policies, 1/bad.yaml');
  });

  test('a file outside has its absolute path, stdin its name', async () => {
    const far = await validate(['../../outside.yaml', '-o', 'sarif']);
    expect(uriOf(far)?.physicalLocation?.artifactLocation).toEqual({ uri: `file://${root}/outside.yaml` });
    const piped = await validate(['-', '-o', 'sarif'], { stdin: POLICY });
    expect(uriOf(piped)).toEqual({ logicalLocations: [{ fullyQualifiedName: 'stdin' }] });
    expect(fileOf(await validate(['-', '-o', 'github'], { stdin: POLICY }))).not.toHaveProperty('file');
  });
});

describe('verbs that check files', () => {
  const here = (argv: string[]) => run(argv, { cwd: inner });
  const FLOWS = join(process.cwd(), 'fixtures/recordings/flows-1.20.jsonl');
  const argvs: [string, string[]][] = [
    ['policy validate', ['policies, 1', 'api.yaml']],
    ['policy test', ['tests.yaml']],
    ['policy replay', ['--flows', FLOWS, '-c', 'api.yaml', '--fail-on', 'newly-denied']],
    ['policy replay', ['--flows', FLOWS, '-c', 'api.yaml']],
    ['config lint', ['--set', 'tunnel=disabled,nonsense=1', '--fail-on', 'warning']],
  ];
  test.each(argvs)('%s %j', async (verb, argv) => {
    const words = [...verb.split(' '), ...argv];
    const { junit, markdown } = await inEachForm(words, here);
    const text = await here(words);
    expect(junit.code).toBe(text.code);
    // What fails for the shell fails in the report as well.
    expect(/ failures="[1-9]/.test(junit.stdout)).toBe(text.code !== 0);
    expect(markdown.stdout.includes(' failed')).toBe(text.code !== 0);
  });

  test('a test that fails is found at its line', async () => {
    const { stdout } = await here(['policy', 'test', 'tests.yaml', '-o', 'github']);
    expect(annotationsOf(stdout)).toEqual([
      {
        command: 'error',
        properties: {
          file: 'deploy/tests.yaml',
          line: '4',
          col: '5',
          title: 'cilium policy test: unexpected-verdict',
        },
        message: expect.stringMatching(/^shut, 100% %0A: expected allow, got deny\n/),
      },
    ]);
  });
});

describe('verbs that check a cluster', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await startTestCluster({ scenario: 'incident' });
  });
  afterAll(async () => cluster[Symbol.asyncDispose]());

  const argvs: [string, string[]][] = [
    ['status', ['--cluster']],
    ['status', ['--cluster', '--fail-on', 'warning']],
    ['status', ['--cluster', '--consistency']],
    ['preflight upgrade', ['--to', '1.20']],
    ['preflight validate-cnp', []],
    ['config drift', []],
    ['config lint', ['--live']],
    ['policy validate', ['--live', '--cluster']],
    ['policy coverage', ['--state', 'cluster', '--require', 'both']],
    ['policy coverage', ['--state', 'cluster']],
    ['policy unused', ['--state', 'cluster']],
  ];
  test.each(argvs)('%s %j', async (verb, argv) => {
    const words = [...verb.split(' '), ...argv];
    const { junit } = await inEachForm(words, (each) => cluster.run(each));
    const text = await cluster.run(words);
    expect(junit.code).toBe(text.code);
    expect(/<(failure|error) /.test(junit.stdout)).toBe(text.code !== 0);
  });

  test('status of an agent reports its problems', async () => {
    const node = cluster.lab.info.kube?.nodes[0] ?? '';
    for (const more of [[], ['--problems'], ['--fail-on', 'warning']]) {
      const words = ['status', '--node', node, ...more];
      const { junit } = await inEachForm(words, (each) => cluster.run(each));
      const text = await cluster.run(words);
      expect(junit.code).toBe(text.code);
    }
  });

  test('a form that a status does not have is refused by its name', async () => {
    const { stderr, code } = await cluster.run(['status', '--cluster', '-o', 'tap']);
    expect(stderr).toContain('unknown output format "tap"');
    expect(code).toBe(1);
    const watched = await cluster.run(['status', '--cluster', '--watch', '-o', 'junit']);
    expect(watched.stderr).toContain('--watch shows a text: it cannot be combined with -o junit');
  });
});

kernelTest('the doctor reports an agent that does not answer', async () => {
  using bpffs = mountBpffs();
  const argv = ['doctor', '-H', `unix://${root}/none.sock`, '--bpf-root', bpffs.root];
  const { junit, sarif } = await inEachForm(argv, (each) => run(each));
  const text = await run(argv);
  expect([junit.code, text.code]).toEqual([1, 1]);
  expect(sarifResults(sarif.stdout)).toContainEqual(
    expect.objectContaining({ ruleId: 'agent', level: 'error' }),
  );
  expect(junit.stdout).toContain('<skipped message="the agent does not answer"></skipped>');
});
