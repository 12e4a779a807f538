import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { Command } from 'commander';
import { build, type Resolved, type Verb, type Verbs } from '../../src/cli/tree.ts';
import { TREE } from '../../src/commands/index.ts';
import { agentOf } from '../helpers/agent.ts';
import { testContext } from '../helpers/run.ts';

const FLAGS = {
  '--columns': 'Columns to print, in this order: headers in lower case, with - between words',
  '--sort': 'Columns to sort by; a leading - sorts in descending order',
  '--no-headers': 'Do not print headers',
  '--watch': 'Repeat the list, and mark what changed',
  '--interval': 'Refresh interval of --watch',
};

/** Verbs with the name of a list that print no table, and what they print. */
const NO_TABLES: Readonly<Record<string, string>> = {
  'bpf ct list': 'a line for each entry, as the map is read',
  'bpf nat list': 'a line for each entry, as the map is read',
  'bpf nat retries list': 'a line for each number of tries',
  'bpf recorder list': 'a line for each rule',
  'prefilter list': 'a revision, then prefixes',
  'recorder list': 'two tables of different columns',
  'metrics list': 'what the shell of the agent lays out',
  'envoy admin logging list': 'what Envoy answers',
};
/** Verbs of other names that print one table. */
const TABLES = [
  'bgp config advertisements',
  'bgp config clusters',
  'bgp config nodes',
  'bgp config peers',
  'statedb',
  'bgp peers',
  'bgp routes',
  'bgp route-policies',
  'bpf ct top',
  'bpf nat top',
  'bpf policy get',
  'bpf srv6 policy',
  'bpf srv6 sid',
  'bpf srv6 vrf',
  'bpf srv6 state',
  'bpf lb maglev get',
  'hubble list nodes',
  'hubble list namespaces',
  'lab status',
  'multicast list group',
  'multicast list subscriber',
  'policy maps',
  'policy selectors',
  'policy subject-selectors',
  'policy unused',
  'profile explain',
];

function* verbsOf(verbs: Verbs, path: Resolved['path'] = []): Generator<Resolved['path']> {
  for (const [name, verb] of Object.entries(verbs) as [string, Verb][]) {
    const here = [...path, { name, verb }];
    if (verb.load) yield here;
    if (verb.verbs) yield* verbsOf(verb.verbs, here);
  }
}

test('every verb that prints a table has the same flags with the same words', async () => {
  const wrong: string[] = [];
  const seen = new Set<string>();
  for (const path of verbsOf(TREE.verbs ?? {})) {
    const name = path.map((step) => step.name).join(' ');
    const command = await build(new Command('cilium').enablePositionalOptions(), TREE, path, testContext());
    const has = new Map(command.options.map(({ long, description }) => [long, description]));
    const isTable = (path.at(-1)?.name === 'list' || TABLES.includes(name)) && !(name in NO_TABLES);
    if (isTable) seen.add(name);
    if (has.has('--columns') && !isTable) wrong.push(`${name}: has --columns, and is not told to be a table`);
    if (isTable)
      for (const [flag, text] of Object.entries(FLAGS))
        if (has.get(flag) !== text) wrong.push(`${name}: ${flag}: ${has.get(flag)}`);
    if (isTable && !/wide/.test(has.get('--output') ?? '') && !/name/.test(has.get('--output') ?? ''))
      if (
        !command.options.some(({ long, argChoices }) => long === '--output' && argChoices?.includes('name'))
      )
        wrong.push(`${name}: -o takes neither wide nor name`);
  }
  expect(wrong).toEqual([]);
  expect(TABLES.filter((name) => !seen.has(name))).toEqual([]);
});

describe('a list', () => {
  const nodes = {
    'GET /v1/cluster/nodes': {
      body: {
        'nodes-added': [
          { name: 'b', 'primary-address': { ipv4: { ip: '10.0.0.10', enabled: true } }, source: 'local' },
          {
            name: 'a',
            'primary-address': { ipv4: { ip: '10.0.0.9', enabled: true } },
            source: 'custom-resource',
          },
        ],
      },
    },
  };

  test.each([
    [['--columns', 'source,name'], 'Source            Name\ncustom-resource   a\nlocal             b\n'],
    [['--columns=name', '--sort=-ipv4-address', '--no-headers'], 'b\na\n'],
    [['--columns=name', '--sort', 'ipv4-address'], 'Name\na\nb\n'],
    [['-o', 'name'], 'a\nb\n'],
  ])('with %j', async (words, expected) => {
    await using agent = await agentOf(nodes);
    const { stdout, stderr, code } = await agent.run(['node', 'list', ...words]);
    expect([stdout, stderr, code]).toEqual([expected, '', 0]);
  });

  test.each([
    [['--columns', 'nmae'], '--columns: there is no column "nmae", did you mean "name"?'],
    [['--columns', 'name', '-o', 'json'], '--columns shows a table: it cannot be combined with -o json'],
    [['--sort', 'name', '-o', 'yaml'], '--sort shows a table: it cannot be combined with -o yaml'],
    [['--watch', '-o', 'jsonpath={.x}'], '--watch shows a table: it cannot be combined with -o jsonpath'],
    [['-o', 'jsonpath-file=/nowhere'], '-o jsonpath-file: /nowhere: no such file or directory'],
    [['-o', 'jsonpath-file='], '-o jsonpath-file: the name of a file is missing'],
    [['-o', 'custom-columns=NAME'], '-o custom-columns: "NAME" is no column'],
    [['-o', 'go-template={{.}}'], 'unknown output format "go-template={{.}}"'],
  ])('refuses %j', async (words, message) => {
    await using agent = await agentOf(nodes);
    const { stdout, stderr, code } = await agent.run(['node', 'list', ...words]);
    expect(stderr).toContain(message);
    expect([stdout, code]).toEqual(['', 1]);
  });

  test('has columns of the user’s own, and a template out of a file', async () => {
    await using agent = await agentOf(nodes);
    const own = await agent.run([
      'node',
      'list',
      '-o',
      'custom-columns=N:.name,IP:.primary-address.ipv4.ip,X:.x',
    ]);
    expect(own.stdout).toBe('N     IP          X\nb     10.0.0.10   <none>\na     10.0.0.9    <none>\n');
    const file = join(mkdtempSync(join(tmpdir(), 'list-')), 'names');
    writeFileSync(file, '{[*].name}\n');
    const { stdout } = await agent.run(['node', 'list', '-o', `jsonpath-file=${file}`]);
    expect(stdout).toBe('b a\n');
  });
});
