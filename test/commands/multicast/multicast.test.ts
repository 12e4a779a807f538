import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type ProgramCluster, type Ran, servePrograms } from '../../helpers/agent-programs.ts';
import { run } from '../../helpers/run.ts';

const A = '239.255.0.1';
const B = '239.255.0.2';
type Groups = Record<string, { SAddr: string; Ifindex: number; IsRemote: boolean }[]>;

/** The agent's own command line, as far as it is about multicast groups. */
function program(groups: Groups, [name = '', ...words]: readonly string[]): Ran | undefined {
  if (name !== 'cilium-dbg') return undefined;
  const [, , what = '', verb = '', group = '', address = ''] = words;
  const there = Object.hasOwn(groups, group);
  const missing = { stderr: `Error: group ${group} does not exist\n`, code: 1 };
  if (what === 'group' && verb === 'list') return { stdout: JSON.stringify(Object.keys(groups)) };
  if (what === 'group' && verb === 'add') {
    groups[group] = [];
    return {};
  }
  if (!there && group !== 'all') return missing;
  if (what === 'group') {
    delete groups[group];
    return {};
  }
  if (verb === 'list') {
    const shown = Object.entries(groups).filter(([one]) => group === 'all' || one === group);
    const list = shown.map(([group_address, subscribers]) => ({ group_address, subscribers }));
    return { stdout: JSON.stringify(list) };
  }
  const subscribers = groups[group] ?? [];
  if (subscribers.some(({ SAddr }) => SAddr === address))
    return { stderr: 'Error: already exists\n', code: 1 };
  subscribers.push({ SAddr: address, Ifindex: 5, IsRemote: true });
  return {};
}

const nodeObject = (name: string, i: number) => ({
  metadata: { name },
  spec: {
    addresses: [
      { type: 'InternalIP', ip: `192.168.0.${i}` },
      { type: 'CiliumInternalIP', ip: `10.0.${i}.1` },
      { type: 'CiliumInternalIP', ip: `fd00::${i}` },
    ],
  },
});
const listOf = (items: object[]) => ({ kind: 'CiliumNodeList', metadata: {}, items });

let nodes: Record<string, Groups>;
let objects: { items: object[] };
let broken: Set<string>;
let cluster: ProgramCluster;
beforeEach(async () => {
  nodes = {
    n2: { [A]: [], [B]: [] },
    n1: {
      [A]: [
        { SAddr: '10.0.0.1', Ifindex: 7, IsRemote: false },
        { SAddr: '10.0.2.1', Ifindex: 5, IsRemote: true },
      ],
    },
    n3: {},
  };
  broken = new Set();
  objects = listOf([nodeObject('n1', 1), nodeObject('n2', 2), nodeObject('n3', 3)]);
  cluster = await servePrograms(
    Object.entries(nodes).map(([node, groups]) => ({
      name: `cilium-${node}`,
      node,
      run: (argv) =>
        broken.has(node) ? { stderr: 'Error: multicast not enabled\n', code: 1 } : program(groups, argv),
    })),
    {
      get '/apis/cilium.io/v2/ciliumnodes'() {
        return objects;
      },
    },
  );
});
afterEach(async () => cluster[Symbol.asyncDispose]());

const multicast = (...argv: string[]) => run(['multicast', ...argv], { env: cluster.env });

describe('multicast list', () => {
  // differs: multicast-order
  test('groups', async () => {
    const { stdout, stderr, code } = await multicast('list', 'group');
    expect([stderr, code]).toEqual(['', 0]);
    expect(stdout.split('\n')).toEqual([
      'Node   Group         ',
      'n1     239.255.0.1   ',
      'n2     239.255.0.1   ',
      '       239.255.0.2   ',
      'n3                   ',
      '',
    ]);
    const json = await multicast('list', 'group', '-o', 'json');
    expect(json.stdout).toMatch(
      /^\[\n {2}\{\n {4}"node": "n1",\n {4}"groups": \[\n {6}"239.255.0.1"\n {4}\]\n/,
    );
  });

  test('subscribers', async () => {
    const { stdout } = await multicast('list', 'subscriber', '--all');
    expect(stdout.split('\n')).toEqual([
      'Node   Group         Subscriber   Type',
      'n1     239.255.0.1   10.0.0.1     Local Endpoint',
      '                     10.0.2.1     Remote Node',
      'n2     239.255.0.1                ',
      '       239.255.0.2                ',
      'n3                                ',
      '',
    ]);
    const one = await multicast('list', 'subscriber', '-g', B);
    expect(one.stdout).toBe(`Multicast group ${B} does not exist in n1
Multicast group ${B} does not exist in n3
Node   Group         Subscriber   Type
n1                                
n2     239.255.0.2                
n3                                
`);
  });

  // differs: multicast-json
  test('that a group is missing is no part of the JSON', async () => {
    const { stdout, stderr } = await multicast('list', 'subscriber', '-g', B, '-o', 'json');
    expect(JSON.parse(stdout).map(({ groups }: { groups: unknown }) => groups)).toEqual([
      null,
      [{ group_address: B, subscribers: [] }],
      null,
    ]);
    expect(stderr).toContain(`Multicast group ${B} does not exist in n1\n`);
  });

  // differs: multicast-partial
  test('an agent that refuses is named, and the others are shown', async () => {
    broken.add('n2');
    const { stdout, stderr, code } = await multicast('list', 'group');
    expect(stdout).toContain('n1     239.255.0.1');
    expect([stderr, code]).toEqual(['Unable to list multicast groups: n2: multicast not enabled\n', 3]);
    for (const node of ['n1', 'n3']) broken.add(node);
    const none = await multicast('list', 'group');
    expect([none.stdout, none.code]).toEqual(['', 1]);
    expect(none.stderr).toContain('n1: multicast not enabled\nn2: multicast not enabled\n');
  });

  test.each([
    [['list', 'subscriber'], 'group-ip or all flag must be specified'],
    [['list', 'subscriber', '--all', '-g', A], 'only one of group-ip or all flag must be specified'],
    [['add'], 'Unable to add all nodes: group-ip must be specified'],
    [['delete'], 'Unable to delete all nodes: group-ip must be specified'],
    [['delete', '-g', '10.0.0.1'], 'invalid multicast IP: 10.0.0.1'],
    [['add', '-g', '-x'], 'invalid multicast IP: -x'],
  ])('%j', async (words, message) => {
    const { stdout, stderr, code } = await multicast(...words);
    expect([stdout, code]).toEqual(['', 1]);
    expect(stderr).toContain(message);
    expect(cluster.ran).toEqual([]);
  });
});

describe('multicast add', () => {
  test('makes the group where it is missing, and adds the other nodes', async () => {
    expect(await multicast('add', '-g', A)).toEqual({
      stdout: `Added a node (n3) to multicast group ${A} in n1
Added 2 nodes (n1, n3) to multicast group ${A} in n2
Added 2 nodes (n1, n2) to multicast group ${A} in n3
`,
      stderr: '',
      code: 0,
    });
    expect(nodes.n3?.[A]?.map(({ SAddr }) => SAddr)).toEqual(['10.0.1.1', '10.0.2.1']);
    const again = await multicast('add', '-g', A);
    expect(again.stdout).toBe(
      ['n1', 'n2', 'n3']
        .map((node) => `No available nodes to be added to multicast group ${A} in ${node}\n`)
        .join(''),
    );
  });

  test('writes nothing with --dry-run, or when it is refused at a terminal', async () => {
    const { stdout, code } = await multicast('add', '-g', A, '--dry-run');
    expect(stdout).toBe(
      `Would make the multicast group ${A} on each of 3 nodes and add the others to it: n1, n2, n3.\n`,
    );
    expect(code).toBe(0);
    const refused = await run(['multicast', 'delete', '-g', A], {
      env: cluster.env,
      columns: 80,
      typed: ['n'],
    });
    expect(refused.stderr).toContain('nothing was changed');
    expect(refused.code).toBe(1);
    expect(cluster.ran).toEqual([]);
  });

  test('writes nothing where the address of a node is not known', async () => {
    objects = listOf([nodeObject('n1', 1), { metadata: { name: 'n2' }, spec: {} }]);
    const { stdout, stderr, code } = await multicast('add', '-g', A);
    expect([stdout, code]).toEqual(['', 1]);
    expect(stderr).toContain('Unable to add all nodes: ciliumInternalIP not found: n2, n3\n');
    expect(cluster.ran).toEqual([]);
  });

  test('says what it could not do, and does the rest', async () => {
    broken.add('n2');
    const { stdout, stderr, code } = await multicast('add', '-g', A);
    expect(stdout).toContain(`Added a node (n3) to multicast group ${A} in n1\n`);
    expect(stdout).toContain(`Fatal error occurred while checking multicast group ${A} in n2\n`);
    expect(stderr).toContain('Unable to add all nodes: n2: multicast not enabled\n');
    expect(code).toBe(1);
  });
});

test('multicast delete', async () => {
  expect(await multicast('delete', '-g', A, '--yes')).toEqual({
    stdout: `Deleted multicast group ${A} in n1
Deleted multicast group ${A} in n2
Multicast group ${A} does not exist in n3
`,
    stderr: '',
    code: 0,
  });
  expect([nodes.n1, Object.keys(nodes.n2 ?? {})]).toEqual([{}, [B]]);
  broken.add('n1');
  const failed = await multicast('delete', '-g', B);
  expect(failed.stdout).toContain(`Unable to delete multicast group ${B} in n1 by fatal error\n`);
  expect(failed.code).toBe(1);
});
