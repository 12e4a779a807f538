import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { fakePrograms } from '../helpers/programs.ts';
import { type RunOptions, run } from '../helpers/run.ts';
import { type Answers, answer, ask } from './status/serve.ts';

const AGENT: Answers = {
  others: [
    answer('/v1/endpoint', [
      { id: 12, status: { 'external-identifiers': { 'k8s-namespace': 'shop', 'k8s-pod-name': 'web-1' } } },
      { id: 345, status: { labels: { 'security-relevant': ['reserved:host'] } } },
    ]),
    answer('/v1/identity', [{ id: 4, labels: ['reserved:health'] }]),
    answer('/v1/map', { maps: [{ path: '/sys/fs/bpf/tc/globals/cilium_lxc' }] }),
    answer('/v1/config', {
      status: { realized: { options: { Debug: 'Disabled' } }, daemonConfigurationMap: { ClusterID: 1 } },
    }),
  ],
};

/** What is printed for a line, of which the last word is being typed. */
async function printed(line: string, answers: Answers = AGENT, options: RunOptions = {}): Promise<string[]> {
  const { stdout, stderr, code } = await ask(['__complete', '--', ...line.split(' ')], answers, options);
  expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
  return stdout.split('\n').filter(Boolean);
}

/** Its candidates, where the shell shall look for no files. */
async function complete(...line: Parameters<typeof printed>): Promise<string[]> {
  const lines = await printed(...line);
  expect(lines.at(-1)).toMatch(/^:[46]$/);
  return lines.slice(0, -1);
}

const values = (lines: string[]) => lines.map((line) => line.split('\t')[0]);

describe('completion', () => {
  test('offers the verbs that begin so, with what they do', async () => {
    expect(await complete('endp')).toEqual(['endpoint\tManage endpoints']);
    expect(values(await complete('bpf ct l'))).toEqual(['list']);
    expect(values(await complete(''))).toEqual(expect.arrayContaining(['status', 'policy', 'bpf']));
  });

  test.each([
    '$(id)',
    '`id`',
    'a;id',
    'a|id',
    'a&id',
    "a'b",
    'a"b',
    'a b',
    'a*',
    '~root',
    'a\\b',
    '!id',
    'a>b',
    '{a,b}',
    'a\u001b[2J',
    'ü',
    '-H',
    '--host=x',
    '@args',
    '%self',
    '=ls',
    ',a',
  ])('leaves out a map that an agent calls %j', async (name) => {
    const maps = [name, 'cilium_lxc'].map((each) => ({ path: `/sys/fs/bpf/tc/globals/${each}` }));
    expect(values(await complete('map get ', { others: [answer('/v1/map', { maps })] }))).toEqual([
      'cilium_lxc',
    ]);
  });

  // differs: completion
  test('hides what is not for people', async () => {
    expect(values(await complete('__'))).toEqual([]);
  });

  test('offers the flags of the verb and of its family', async () => {
    expect(values(await complete('status --all-r'))).toEqual(['--all-redirects']);
    expect(values(await complete('status --ho'))).toEqual(['--host']);
    expect(values(await complete('bpf maps list --bpf'))).toEqual(['--bpf-root']);
  });

  test('offers the choices of a flag, in either form', async () => {
    expect(values(await complete('status --fail-on '))).toEqual(['warning', 'degraded']);
    expect(values(await complete('status --fail-on=d'))).toEqual(['--fail-on=degraded']);
    expect(values(await complete('endpoint list -o j'))).toEqual(['json', 'jsonpath=', 'jsonpath-file=']);
  });

  test.each([
    ['endpoint get ', ['12\tshop/web-1', '345\treserved:host']],
    ['endpoint log 3', ['345\treserved:host']],
    ['bpf ct list g', ['global\tthe tables of all endpoints']],
    ['bpf ct list endpoint 1', ['12\tshop/web-1']],
    ['identity get ', ['4\treserved:health']],
    ['map get ', ['cilium_lxc\t/sys/fs/bpf/tc/globals/cilium_lxc']],
    ['monitor --related-to 1', ['12\tshop/web-1']],
    ['config get ', ['Debug\t', 'PolicyEnforcement\t', 'ClusterID\t']],
    ['config DebugL', ['DebugLB=\tEnable debugging trace statements for load balancer']],
    ['completion z', ['zsh\t']],
  ])('asks the agent what may follow "%s"', async (line, expected) => {
    expect(await complete(line)).toEqual(expected);
  });

  test('asks the agent that the line names', async () => {
    expect(await complete('endpoint get ', AGENT)).toHaveLength(2);
    expect(await complete('-H unix:///nonexistent/x.sock endpoint get ', AGENT)).toEqual([]);
  });

  test('offers nothing, and says nothing, when there is no agent or a strange one', async () => {
    expect(await complete('endpoint get ', {}, { env: { CILIUM_SOCK: '/nonexistent/agent.sock' } })).toEqual(
      [],
    );
    expect(await complete('endpoint get ', { others: [answer('/v1/endpoint', '"x"')] })).toEqual([]);
    expect(await complete('nonsense ')).toEqual([]);
  });

  test('keeps what the agent sends to one line', async () => {
    const others = [answer('/v1/identity', [{ id: 4, labels: ['a\tb\n\u001b[2J'] }])];
    expect(await complete('identity get ', { others })).toEqual(['4\ta\\tb\\n^[[2J']);
  });
});

describe('the completion script', () => {
  test('is for bash when no shell is named', async () => {
    expect((await run(['completion'])).stdout).toBe((await run(['completion', 'bash'])).stdout);
  });

  test.each([
    [['completion', 'tcsh'], 'Error: unsupported shell: tcsh\n'],
    [['completion', 'bash', 'zsh'], 'Error: too many arguments; expected only the shell type\n'],
  ])('is refused for %j', async (argv, message) => {
    const { stdout, stderr, code } = await run(argv);
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(stderr.startsWith(message)).toBe(true);
  });

  test.each(['bash', 'zsh', 'fish', 'powershell'])('of %s calls the hidden verb', async (shell) => {
    const { stdout } = await run(['completion', shell]);
    expect(stdout).toContain('cilium __complete -- ');
  });

  /** What bash offers for a line, and the words that the hidden verb was given. */
  async function inBash(line: string, candidates: string): Promise<{ offered: string[]; asked: string }> {
    using programs = fakePrograms({ cilium: `printf '%b' '${candidates}'` });
    const script = join(programs.path, 'script');
    writeFileSync(script, (await run(['completion', 'bash'])).stdout);
    const words = line.split(/(?<=[ =:])|(?=[ =:])/).filter((word) => word.trim() !== '');
    const shell = spawnSync(
      'bash',
      [
        '--norc',
        '-c',
        // biome-ignore lint/suspicious/noTemplateCurlyInString: these are the shell's own.
        'source "$1"; COMP_LINE=$2; COMP_POINT=${#2}; shift 2; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _cilium_toolkit; printf "%s\\n" "${COMPREPLY[@]}"',
        'bash',
        script,
        line,
        ...words,
      ],
      { encoding: 'utf8', env: { PATH: `${programs.path}:/usr/bin:/bin` } },
    );
    expect(shell.stderr).toBe('');
    return {
      offered: shell.stdout.split('\n').filter(Boolean),
      asked: readFileSync(join(programs.path, '.calls'), 'utf8').trim(),
    };
  }

  test('of bash hands over the words before the cursor', async () => {
    const { offered, asked } = await inBash('cilium endpoint get ', '12\\tshop/web-1\\n345\\thost\\n:4\\n');
    expect({ offered, asked }).toEqual({
      offered: ['12', '345'],
      asked: 'cilium __complete -- endpoint get',
    });
  });

  test('of bash replaces only what follows = or :', async () => {
    expect((await inBash('cilium status --fail-on=d', '--fail-on=degraded\\t\\n:4\\n')).offered).toEqual([
      'degraded',
    ]);
  });

  test('of bash completes hubble as a noun of cilium', async () => {
    expect((await inBash('hubble ob', 'observe\\tx\\n:4\\n')).asked).toBe('cilium __complete -- hubble ob');
  });
});
