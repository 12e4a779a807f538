import { describe, expect, test } from '@jest/globals';
import { Command } from 'commander';
import { build, resolve } from '../../src/cli/tree.ts';
import { VERBS } from '../../src/cli/usage/reference.ts';
import { unknownNoun, usageOfVerb } from '../../src/cli/usage/usage.ts';
import { TREE } from '../../src/commands/index.ts';
import { KNOWN_RELEASES, NEWEST_RELEASE, type Release } from '../../src/model/release.ts';
import { agentOf, runWith } from '../helpers/agent.ts';
import { run, testContext } from '../helpers/run.ts';

async function commandOf(path: readonly string[]): Promise<Command> {
  const found = resolve(TREE, path);
  return build(new Command('cilium'), TREE, found.path, testContext());
}

/** Runs words that are wrong against an agent of a release. */
async function ask(release: string, ...argv: string[]) {
  await using agent = await agentOf({
    'GET /v1/healthz': { body: { cilium: { state: 'Ok', msg: `${release}.1 (v${release}.1-abc)` } } },
  });
  return await agent.run(argv);
}

describe('wrong words are answered on stdout as the agent’s release answers them', () => {
  test.each([
    [
      '1.10',
      ['identity', 'get'],
      'Retrieve information about an identity\n\nUsage:\n  cilium identity get [flags]',
    ],
    [
      '1.14',
      ['endpoint', 'log'],
      'View endpoint status log\n\nUsage:\n  cilium endpoint log <endpoint id> [flags]',
    ],
    [
      '1.14',
      ['fqdn', 'cache', 'list', '-x'],
      `Usage:\n  cilium fqdn cache list [flags]\n\nFlags:\n  -e, --endpoint string       List cache entries for a specific endpoint id`,
    ],
    [
      '1.15',
      ['service', 'get'],
      'Display service information\n\nUsage:\n  cilium-dbg service get <service id> [flags]',
    ],
    [
      '1.17',
      ['bpf', 'ct', 'list', '-x'],
      'Usage:\n  cilium-dbg bpf ct list ( global | endpoint | cluster ) [identifier] [flags]',
    ],
    [
      '1.18',
      ['bpf', 'ct', 'list', '-x'],
      'Usage:\n  cilium-dbg bpf ct list ( global | cluster <identifier> ) [flags]',
    ],
    ['1.20', ['bpf', 'ct', 'list', '-x'], 'Usage:\n  cilium-dbg bpf ct list [cluster <identifier>] [flags]'],
  ])('%s: %j', async (release, argv, start) => {
    const { stdout, code } = await ask(release, ...argv);
    expect(code).toBe(1);
    expect(stdout.startsWith(`${start}\n`)).toBe(true);
  });

  test.each([
    ['an unknown flag', ['node', 'list', '--nosuch=1'], 'unknown flag: --nosuch'],
    ['an unknown letter', ['node', 'list', '-z'], "unknown shorthand flag: 'z' in -z"],
    ['a flag without its value', ['identity', 'get', '--label'], 'flag needs an argument: --label'],
    ['a letter without its value', ['endpoint', 'list', '-o'], "flag needs an argument: 'o' in -o"],
    ['letters, the last without its value', ['endpoint', 'list', '-Do'], "flag needs an argument: 'o' in -o"],
    ...(
      [
        [['policy', 'wait', '1'], '--sleep-time', 'x', 'strconv.ParseInt: parsing "x": invalid syntax'],
        [
          ['policy', 'wait', '1'],
          '--sleep-time',
          '-99999999999999999999',
          'strconv.ParseInt: parsing "-99999999999999999999": value out of range',
        ],
        [['prefilter', 'update'], '--revision', '-1', 'strconv.ParseUint: parsing "-1": invalid syntax'],
        [['prefilter', 'update'], '--revision', 'a"', 'strconv.ParseUint: parsing "a\\"": invalid syntax'],
        [['endpoint', 'list'], '--no-headers', 'maybe', 'strconv.ParseBool: parsing "maybe": invalid syntax'],
        [['status'], '--timeout', 'x', 'time: invalid duration "x"'],
        [['status'], '--timeout', '1h5', 'time: missing unit in duration "1h5"'],
        [['status'], '--timeout', '5y', 'time: unknown unit "y" in duration "5y"'],
        [
          ['prefilter', 'update'],
          '--cidr',
          'a"b',
          'parse error on line 1, column 2: bare " in non-quoted-field',
        ],
        [
          ['prefilter', 'update'],
          '--cidr',
          'ü,"ö"x',
          'parse error on line 1, column 7: extraneous or missing " in quoted-field',
        ],
        [
          ['prefilter', 'update'],
          '--cidr',
          '"a""',
          'parse error on line 1, column 5: extraneous or missing " in quoted-field',
        ],
      ] as [string[], string, string, string][]
    ).map(([argv, flag, value, why]): [string, string[], string] => [
      `a value that does not fit, ${value},`,
      [...argv, `${flag}=${value}`],
      `invalid argument "${value.replaceAll('"', '\\"')}" for "${flag}" flag: ${why}`,
    ]),
  ])('%s ends the usage', async (_, argv, message) => {
    const { stdout, code } = await ask('1.20', ...argv);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^Usage:\n/);
    expect(stdout.trimEnd().split('\n').at(-1)).toBe(message);
    expect(stdout.split('\n').at(-3)).toBe('');
  });

  // differs: extra-arguments
  test.each([
    ['a verb that the release does not have', '1.20', ['service', 'get']],
    ['a verb of this program', '1.20', ['doctor', '--nosuch']],
    ['a flag of this program', '1.20', ['status', '--fail-on', 'x']],
    ['more words than a verb takes', '1.20', ['node', 'list', 'x']],
  ])('nothing for %s', async (_, release, argv) => {
    const { stdout, code } = await ask(release, ...argv);
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
  });

  test('a verb that came later is unknown to the release', async () => {
    const { stdout, stderr, code } = await ask('1.11', 'nodeid', 'list');
    expect(code).toBe(1);
    expect(stdout).toBe('unknown command "nodeid" for "cilium"\n\nDid you mean this?\n\tnode\n\n');
    expect((await ask('1.14', 'nodeid', 'list')).stdout).toBe('');
    expect(stderr).toContain('Cannot get node ID list');
  });

  test('BGP is unknown to the agent that was on the way to 1.14', async () => {
    const early = await runWith(['bgp', 'peers'], {
      'GET /v1/healthz': { body: { cilium: { state: 'Ok', msg: '1.13.90 (v1.13.90-2fd6a9c32)' } } },
    });
    expect(early.stdout).toBe(
      'unknown command "bgp" for "cilium"\n\nDid you mean this?\n\tbpf\n\tip\n\tlrp\n\tmap\n\n',
    );
    const { stdout, code } = await ask('1.14', 'bgp', 'peers');
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
  });

  test('an answer that a control character is in does not reach stdout raw', async () => {
    const { stdout } = await run(['\u001b[31m']);
    expect(stdout).not.toContain('\u001b');
  });
});

test.each([
  ['nodeid', '1.20', undefined],
  ['nodeid', '1.12', '\tnode\n'],
  ['nodeid', '1.13', undefined],
  ['stat', '1.20', '\tstatedb\n\tstatus\n'],
  ['EndPoint', '1.10', '\tendpoint\n'],
] satisfies [string, Release, string | undefined][])('%s is answered by %s', (word, release, offered) => {
  const told = unknownNoun(word, release);
  expect(told?.split('Did you mean this?\n')[1]?.trimEnd()).toBe(offered?.trimEnd());
});

describe('the reference’s verbs', () => {
  test.each(Object.keys(VERBS))('%s: our own verb takes every flag of it, in every release', async (name) => {
    const command = await commandOf(name.split(' '));
    const taken = new Set<string | undefined>();
    for (let here: Command | null = command; here; here = here.parent)
      for (const { long } of here.options) taken.add(long);
    const missing = Object.keys(VERBS[name]?.flags ?? {}).filter((flag) => !taken.has(`--${flag}`));
    expect(missing).toEqual([]);
    for (const release of KNOWN_RELEASES) {
      const usage = usageOfVerb(command, name.split(' '), release)?.usage ?? '';
      // Every flag says what it is for.
      expect(usage.split('\n').filter((line) => /^ +-/.test(line) && !/\S {3,}\S/.test(line))).toEqual([]);
    }
  });

  test('a list that has none in the newest release is one that ended', async () => {
    for (const [name, { until }] of Object.entries(VERBS)) {
      const usage = usageOfVerb(await commandOf(name.split(' ')), name.split(' '), NEWEST_RELEASE);
      expect({ name, ended: usage === undefined }).toEqual({ name, ended: until !== undefined });
    }
  });
});
