import { globSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Page, readPages } from '../../scripts/reference/pages.ts';
import { normalize } from '../../src/cli/flags.ts';
import { declareProgram } from '../../src/cli/help.ts';
import { build, resolve } from '../../src/cli/tree.ts';
import { TREE } from '../../src/commands/index.ts';
import { labEnvironment } from '../../src/lab/environment.ts';
import { startTestLab, type TestLab } from '../helpers/lab.ts';
import { type RunResult, run, testContext } from '../helpers/run.ts';

let pages: Page[];
beforeAll(async () => {
  pages = await readPages();
});

test('every verb that runs has an example, and a text for each argument that its usage names', () => {
  const wrong = pages
    .filter(({ runs }) => runs)
    .flatMap(({ words, usage, examples, arguments: described }) => {
      const terms = described.map(({ term }) => term);
      // A usage of their own, in capitals, is told by the line of the arguments as a whole.
      const named = Array.from(
        usage.matchAll(/[[<]([a-z][a-z0-9 /=-]*?)(?:\.\.\.)?[\]>]/g),
        ([, name = '']) => name,
      );
      const untold = /^\[options\]/.test(usage)
        ? named.filter((name) => !['options', 'command'].includes(name) && !terms.includes(name))
        : [];
      if (examples.length > 0 && untold.length === 0) return [];
      return [`${words.join(' ')}: ${examples.length} examples, no text for ${untold}`];
    });
  expect(wrong).toEqual([]);
});

/** Our part of a line of a shell: words, quotes taken off, up to a redirection; undefined for another program. */
function wordsOf(part: string): string[] | undefined {
  const [command = ''] = part.replace(/ &$/, '').split(' > ');
  const [program, ...words] = (command.match(/(?:'[^']*'|"[^"]*"|\S)+/g) ?? []).map((word) =>
    word.replaceAll(/['"]/g, ''),
  );
  if (program === 'hubble') return ['hubble', ...words];
  return program === 'cilium' ? words : undefined;
}

/** The commands of a line that are piped into each other; what is substituted counts instead of what is around it. */
function pipeOf(line: string): string[] {
  const inner = /[$<]\((.*?)\)/.exec(line)?.[1] ?? line;
  return (inner.split(' && ')[0] ?? '').split(' | ');
}

test('every example is taken by the parser of its verb', async () => {
  const refused: string[] = [];
  for (const line of new Set(pages.flatMap(({ examples }) => examples))) {
    for (const words of pipeOf(line).map(wordsOf)) {
      // `help` is no verb: it makes `--help` of itself.
      if (!words || words[0] === 'help') continue;
      const found = resolve(TREE, words);
      const command = await build(
        declareProgram(TREE.about, '').exitOverride(),
        TREE,
        found.path,
        testContext(),
      );
      command.action(() => {});
      const around = [command];
      for (let above = command.parent; above; above = above.parent) around.push(above);
      const { argv } = normalize(
        words,
        around.flatMap(({ options }) => [...options]),
      );
      try {
        if (found.unknown !== undefined) throw new Error(`no verb ${found.unknown}`);
        for (const one of around) one.configureOutput({ writeErr: () => {} });
        await around.at(-1)?.parseAsync(argv, { from: 'user' });
      } catch (error) {
        refused.push(`${line}: ${error}`);
      }
    }
  }
  expect(refused).toEqual([]);
});

/** What would change this machine, end a lab or wait for somebody: its words are parsed, and it is not run. */
const NOT_RUN =
  /^cilium (cleanup(?!.*--dry-run)|lab|sysdump|encrypt flush|uninstall|connectivity|debuginfo --file)|cilium lab|--tui/;

/** What a lab does not have, by how the verb says so. Words that it did not understand are not among them. */
const NOT_THERE: readonly RegExp[] = [
  /no kubeconfig: /,
  /there is no program helm on PATH/,
  /read (cilium-sysdump|dump)\.zip: no such file or directory/,
  /open .*\.tgz: no such file/,
  // Maps can be pinned by root alone, where the kernel has BPF.
  /open \S+\/bpf: no such file|Failed to open map/,
  // Features that the agents of a lab have off, and what only runs beside them.
  /pins? (it|them) only where the feature is on|no such file or directory\n.*pins? (it|them)/,
  /multicast not enabled|cilium_vxlan device|No entry found for service|no Maglev map is pinned/,
  /cannot ask Envoy: .*no such socket/,
  /the agent uses no kvstore|127\.0\.0\.1:2379.*connection refused|lookup relay\.example\.com/,
  /failed to list template directory|Failed to describe SHA/,
  /cannot read the folder \/var\/lib\/cilium\/clustermesh|\/var\/lib\/etcd-config\/etcd\.config/,
  // No collector is there.
  /records sent to \S+, 0 refused, \d+ not sent/,
  // Names and numbers of somebody's cluster.
  /there is no profile "prod"/,
  /\]\[404\]|\]\[461\]|pod \S+ is not known|has the UUID|policy not found|No rule has these labels/,
  /open pin \/sys\/fs\/bpf|read undo file .*no such file/,
  // Verbs that only point elsewhere, and one that finds what its example shows.
  /^1 error, 0 warnings for/,
  /^Nothing is summarised here/,
];

const POLICY = `apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: { name: cart, namespace: shop }
spec:
  endpointSelector: { matchLabels: { app: cart } }
  ingress: [{ fromEndpoints: [{ matchLabels: { app: frontend } }] }]
`;

/** What examples name, in the folder that they are run in. */
async function writeFiles(folder: string, env: Record<string, string>): Promise<void> {
  const flows = await run(['hubble', 'observe', '--last', '50', '-o', 'jsonpb'], { env });
  const rules = await run(['policy', 'get', '-o', 'jsonpath={.policy}'], { env });
  const tests = await run(['policy', 'test', '--init'], { env });
  mkdirSync(join(folder, 'policies'));
  mkdirSync(join(folder, 'tests'));
  mkdirSync(join(folder, 'captures'));
  mkdirSync(join(folder, '.config/fish/completions'), { recursive: true });
  const files: Record<string, string | Uint8Array> = {
    'policies/cart.yaml': POLICY,
    'policy.yaml': POLICY,
    'new.yaml': POLICY,
    'rules.json': rules.stdout,
    'capture.jsonl': flows.stdout,
    'captures/node-a.jsonl': flows.stdout,
    'flows.jsonl': flows.stdout,
    'capture.jsonl.gz': gzipSync(flows.stdout),
    'values.yaml': 'debug: { enabled: true }\n',
    'base.yaml': 'debug: { enabled: false }\n',
    'production.yaml': 'hubble: { enabled: true }\n',
    'state.json':
      '{ "identities": [{ "id": 1, "labels": ["reserved:host"] }], "endpoints": [{ "id": 7, "identity": 1, "pod": "shop/web" }] }\n',
    'tests.yaml': tests.stdout,
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  const ofFolder = await run(['policy', 'test', '--init', '--rules', 'policies/'], { env, cwd: folder });
  writeFileSync(join(folder, 'tests/shop.yaml'), ofFolder.stdout);
}

let lab: TestLab;
let folder: string;
let env: Record<string, string>;
beforeAll(async () => {
  lab = await startTestLab({ scenario: 'shop', maps: 'auto' });
  folder = mkdtempSync(join(tmpdir(), 'toolkit-examples-'));
  const own = { HOME: folder, XDG_CONFIG_HOME: folder, XDG_RUNTIME_DIR: folder, XDG_STATE_HOME: folder };
  env = {
    ...labEnvironment(lab.lab.info),
    ...own,
    PATH: '',
    SHELL: '/bin/bash',
    KUBECONFIG: join(folder, 'no-kubeconfig'),
  };
  await writeFiles(folder, env);
});
afterAll(async () => {
  await lab[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

/** Runs the commands of a line, each with the output of the one before; what follows is stopped after a moment. */
async function runLine(line: string): Promise<RunResult[]> {
  const results: RunResult[] = [];
  let stdin = '';
  for (const part of pipeOf(line)) {
    const words = wordsOf(part);
    if (!words) {
      stdin = part.startsWith('kubectl') ? POLICY : '';
      continue;
    }
    const signal = AbortSignal.timeout(
      /--(follow|watch)|monitor|policy wait|watch peers|hubble ui|hubble export/.test(part) ? 300 : 120_000,
    );
    const expanded = words.flatMap((word) => {
      const files = word.includes('*') ? globSync(word, { cwd: folder }) : [];
      return files.length > 0 ? files : [word];
    });
    const result = await run(expanded, {
      env,
      cwd: folder,
      nowMs: Date.now(),
      realTime: true,
      stdin,
      signal,
    });
    results.push(result);
    stdin = result.stdout;
  }
  return results;
}

/** What changes the lab comes last. */
function isChange(line: string): boolean {
  return pipeOf(line).some((part) => {
    const words = wordsOf(part);
    return words !== undefined && resolve(TREE, words).path.some(({ verb }) => verb.changes !== undefined);
  });
}

test('every example does in a lab what it says, or says what of it a lab does not have', async () => {
  const lines = [...new Set(pages.flatMap(({ examples }) => examples))].filter((line) => !NOT_RUN.test(line));
  const ordered = [...lines.filter((line) => !isChange(line)), ...lines.filter(isChange)];
  const wrong: string[] = [];
  let done = 0;
  for (const line of ordered) {
    for (const { code, stderr } of await runLine(line)) {
      if (code === 0 || code === 130) done++;
      else if (!NOT_THERE.some((pattern) => pattern.test(stderr))) wrong.push(`${line}: ${code} ${stderr}`);
    }
  }
  expect(wrong).toEqual([]);
  expect(done).toBeGreaterThan(150);
}, 600_000);
