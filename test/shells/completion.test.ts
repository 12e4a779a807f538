import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { completionScript } from '../../src/cli/completion/scripts.ts';
import { agentOf, type MadeAgent } from '../helpers/agent.ts';
import { missingShell, type RealShell, type ShellSession, startShell } from '../helpers/shell-session.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'shells-'));
const dist = join(folder, 'dist');
let agent: MadeAgent;

/** Names that a shell would do something with, beside two that are harmless. */
const HOSTILE = [
  '$(touch pwned)',
  '`touch pwned`',
  'zz;touch pwned',
  "zz'x",
  'zz"x',
  'zz x',
  'zz\ntouch pwned',
  '-H',
  '--host=unix:///x',
  '=touch',
  'zz|touch pwned',
];

beforeAll(async () => {
  execFileSync(process.execPath, [join(ROOT, 'scripts/build.mjs'), dist], { stdio: 'pipe' });
  const pod = (id: number, namespace: string, name: string) => ({
    id,
    status: { 'external-identifiers': { 'k8s-namespace': namespace, 'k8s-pod-name': name } },
  });
  agent = await agentOf({
    'GET /v1/endpoint': { body: [pod(4711, 'shop', 'web-1'), pod(12, 'shop', 'api-1')] },
    'GET /v1/map': {
      body: { maps: [...HOSTILE, 'cilium_lxc'].map((name) => ({ path: `/sys/fs/bpf/tc/globals/${name}` })) },
    },
    'GET /v1/identity': { body: [{ id: 999, labels: ['$(touch pwned)', 'a\nb'] }] },
  });
});

afterAll(async () => {
  await agent?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const LOAD: Readonly<Record<RealShell, string>> = {
  bash: 'source "$HOME/script"',
  'bash with bash-completion': 'source "$HOME/script"',
  zsh: 'autoload -Uz compinit; compinit -u -D; source "$HOME/script"',
  fish: 'source "$HOME/script"',
};

/** What is typed before Enter, and the command line that runs then. */
const LINES: readonly [what: string, keys: string, ran: readonly string[]][] = [
  ['a verb', 'cilium endpoi\t', ['cilium', 'endpoint']],
  ['a verb below a noun', 'cilium bpf ct fl\t', ['cilium', 'bpf', 'ct', 'flush']],
  ['a verb of hubble', 'hubble obse\t', ['hubble', 'observe']],
  ['a flag', 'cilium status --all-r\t', ['cilium', 'status', '--all-redirects']],
  ['a value behind a space', 'cilium status --fail-on d\t', ['cilium', 'status', '--fail-on', 'degraded']],
  ['a value behind an =', 'cilium status --fail-on=d\t', ['cilium', 'status', '--fail-on=degraded']],
  ['a verdict', 'hubble observe --verdict DRO\t', ['hubble', 'observe', '--verdict', 'DROPPED']],
  [
    'a reason',
    'hubble observe --drop-reason-desc POLICY_DENI\t',
    ['hubble', 'observe', '--drop-reason-desc', 'POLICY_DENIED'],
  ],
  [
    'a value with a colon',
    'hubble observe --type trace:to-ov\t',
    ['hubble', 'observe', '--type', 'trace:to-overlay'],
  ],
  [
    'the next of a list',
    'cilium endpoint list --columns endpoint,labe\t',
    ['cilium', 'endpoint', 'list', '--columns', 'endpoint,labels-source-key-value'],
  ],
  ['a format', 'hubble observe -o dic\t', ['hubble', 'observe', '-o', 'dict']],
  ['an endpoint of the agent', 'cilium endpoint get 47\t', ['cilium', 'endpoint', 'get', '4711']],
  ['a harmless map among hostile ones', 'cilium map get c\t', ['cilium', 'map', 'get', 'cilium_lxc']],
  ['nothing among hostile ones', 'cilium map get z\t', ['cilium', 'map', 'get', 'z']],
  ['nothing where no file fits', 'cilium endpoint get rul\t', ['cilium', 'endpoint', 'get', 'rul']],
  ['a file of a kind', 'cilium policy validate rul\t', ['cilium', 'policy', 'validate', 'rules.yaml']],
  [
    'a file with a space',
    'cilium policy import my\t',
    ['cilium', 'policy', 'import', 'my rules $(touch pwned).yaml'],
  ],
  [
    'a file behind an =',
    'cilium policy test --rules=rul\t',
    ['cilium', 'policy', 'test', '--rules=rules.yaml'],
  ],
  [
    'a folder',
    'cilium debuginfo --output-directory su\t',
    ['cilium', 'debuginfo', '--output-directory', 'subfolder'],
  ],
  ['a word in quotes', 'cilium "endpoint" ge\t', ['cilium', 'endpoint', 'get']],
  ['a line with a substitution', "cilium '$(touch pwned)' x\t", ['cilium', '$(touch pwned)', 'x']],
];

/** What is typed, what the screen then shows, and what it does not show. */
const SHOWN: readonly [what: string, keys: string, shows: string, hides: string][] = [
  ['verbs', 'cilium bpf ct ', 'orphans', 'rules.yaml'],
  ['values', 'hubble observe --traffic-direction ', 'egress', 'rules.yaml'],
  ['files of a kind', 'cilium policy validate ', 'rules.yaml', 'notes.txt'],
];

describe.each(['bash', 'bash with bash-completion', 'zsh', 'fish'] as const)('%s', (shell) => {
  const missing = missingShell(shell);
  const inShell = missing ? test.skip : test;
  const home = join(folder, shell.replaceAll(' ', '-'));
  let session: ShellSession;

  beforeAll(async () => {
    if (missing) return;
    mkdirSync(join(home, 'subfolder'), { recursive: true });
    for (const name of ['rules.yaml', 'rules.txt', 'notes.txt', 'my rules $(touch pwned).yaml'])
      writeFileSync(join(home, name), '');
    writeFileSync(
      join(home, 'script'),
      completionScript(shell.startsWith('bash') ? 'bash' : (shell as 'zsh')),
    );
    session = await startShell(shell, {
      home,
      program: [process.execPath, join(dist, 'cilium.cjs')],
      env: { CILIUM_SOCK: agent.socket, CILIUM_COMPLETION_WAIT: '20s' },
      setup: LOAD[shell],
    });
  });

  afterAll(async () => {
    await session?.[Symbol.asyncDispose]();
  });

  inShell.each(LINES)('completes %s', async (_, keys, ran) => {
    // zsh takes the slash of a folder away again at the end of a word.
    const words = (await session.enter(keys)).map((line) => line.map((word) => word.replace(/\/$/, '')));
    expect(words).toEqual([ran]);
  });

  inShell.each(SHOWN)('shows %s', async (_, keys, shows, hides) => {
    expect(await session.show(keys, shows)).not.toContain(hides);
  });

  (shell.startsWith('bash') ? test.skip : inShell)('says what verbs do', async () => {
    expect(await session.show('cilium bpf ct ', 'orphans')).toContain('List connection tracking entries');
  });

  inShell('runs nothing of what it was offered or typed', () => {
    expect(readdirSync(home)).not.toContain('pwned');
    expect(existsSync(join(folder, 'pwned'))).toBe(false);
  });
});
