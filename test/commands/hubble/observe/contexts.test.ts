import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { decode } from '../../../../src/hubble/protobuf/codec.ts';
import type { GetFlowsRequest, GetFlowsResponse } from '../../../../src/model/hubble.gen.ts';
import { type GrpcServer, serveGrpc } from '../../../helpers/grpc.ts';
import { startTestLab, type TestLab } from '../../../helpers/lab.ts';
import { fixtureText } from '../../../helpers/recordings.ts';
import {
  bytesOf,
  contextsOf,
  flow,
  GET_FLOWS,
  observe,
  podsIn,
  relayOf,
  type World,
  worldOf,
} from '../../../helpers/relay-world.ts';
import { run } from '../../../helpers/run.ts';

const pem = (name: string) => fixtureText(`tls/${name}`);
const requestsTo = ({ seen }: GrpcServer): GetFlowsRequest[] =>
  seen.map(({ requests }) => decode('observer.GetFlowsRequest', requests[0] ?? Buffer.alloc(0)));

describe('flows of several clusters', () => {
  test('come in the order of their times, each with the name of its node', async () => {
    await using east = await relayOf('east', [10, 40, 50]);
    await using west = await relayOf('west', [20, 30, 60]);
    await using world = await worldOf({ a: east.address, b: west.address });
    const { stdout, stderr, code } = await observe(world, [...contextsOf('a', 'b'), '--all']);
    expect(podsIn(stdout)).toEqual(['east-10', 'west-20', 'west-30', 'east-40', 'east-50', 'west-60']);
    expect(stdout.split('\n')[0]).toContain(' [east/worker]: shop/east-10:4000');
    expect([stderr, code]).toEqual(['', 0]);
    const plain = await observe(world, [...contextsOf('a', 'b'), '--all', '--print-node-name=false']);
    expect(plain.stdout).toBe(stdout.replace(/ \[\w+\/worker\]/g, ''));
  });

  test('are as many as --last and --first say of all of them together', async () => {
    await using east = await relayOf('east', [10, 40, 50, 70]);
    await using west = await relayOf('west', [20, 30, 60]);
    await using world = await worldOf({ a: east.address, b: west.address });
    const last = await observe(world, [...contextsOf('a', 'b'), '--last', '3']);
    expect(podsIn(last.stdout)).toEqual(['east-50', 'west-60', 'east-70']);
    const first = await observe(world, [...contextsOf('b', 'a'), '--first', '3']);
    expect(podsIn(first.stdout)).toEqual(['east-10', 'west-20', 'west-30']);
    expect(requestsTo(east).map(({ number }) => number)).toEqual(['3', '3']);
    expect((await observe(world, [...contextsOf('a', 'b'), '--last', '2000000'])).stderr).toBe(
      '--last must be <= 1_000_000, got 2000000\n',
    );
  });

  test('are the messages of each as they were, for -o json and for a capture', async () => {
    await using east = await relayOf('east', [10, 30]);
    await using west = await relayOf('west', [20]);
    await using world = await worldOf({ a: east.address, b: west.address });
    const { stdout } = await observe(world, [...contextsOf('a', 'b'), '--all', '-o', 'jsonpb', '-s']);
    const flows = stdout.split('\n').filter((line) => line.includes('"flow"'));
    const alone = await Promise.all(
      ['a', 'b'].map((name) => observe(world, ['--context', name, '--all', '-o', 'jsonpb', '-s'])),
    );
    const each = alone.flatMap((one) => one.stdout.split('\n')).filter((line) => line.includes('"flow"'));
    expect(flows.toSorted()).toEqual(each.toSorted());
    const folder = mkdtempSync(join(tmpdir(), 'capture-'));
    const file = join(folder, 'all.jsonl');
    const options = { env: { KUBECONFIG: world.kubeconfig } };
    await run(['hubble', 'record', file, ...contextsOf('a', 'b'), '--all'], options);
    const read = await run(['hubble', 'observe', '--input-file', file]);
    expect(podsIn(read.stdout)).toEqual(['east-10', 'west-20', 'east-30']);
    rmSync(folder, { recursive: true });
  });

  test('are counted together by map and report', async () => {
    await using east = await relayOf('east', [10, 30]);
    await using west = await relayOf('west', [20]);
    await using world = await worldOf({ a: east.address, b: west.address });
    const options = { env: { KUBECONFIG: world.kubeconfig } };
    const map = await run(['hubble', 'map', ...contextsOf('a', 'b')], options);
    expect(map.stdout).toContain('3 flows');
    const words = ['hubble', 'report', '-o', '-', '--format', 'json', ...contextsOf('a', 'b')];
    const report = JSON.parse((await run(words, options)).stdout);
    expect([report.title, report.traffic.flows]).toEqual(['Traffic of a, b', 3]);
    const state = await run(['hubble', 'report', '--state', 'cluster', ...contextsOf('a', 'b')], options);
    expect(state.stderr).toContain('--state cluster is of one cluster');
  });

  test('whose clusters have the same name are said to', async () => {
    await using east = await relayOf('default', [10]);
    await using west = await relayOf('default', [20]);
    await using world = await worldOf({ a: east.address, b: west.address });
    const { stderr, code } = await observe(world, contextsOf('a', 'b'));
    expect(stderr).toBe(
      'The clusters of a and b are both called default: the name of its node does not tell which one a flow is from.\n',
    );
    expect(code).toBe(0);
    expect((await observe(world, [...contextsOf('a', 'b'), '-q'])).stderr).toBe('');
  });
});

test('what the environment says of one relay is not given to several', async () => {
  await using east = await relayOf('east', [10]);
  await using west = await relayOf('west', [20]);
  await using world = await worldOf({ a: east.address, b: west.address });
  const settings = { HUBBLE_PORT_FORWARD_PORT: '4245', HUBBLE_BASIC_AUTH_USERNAME: 'u' };
  const env = { KUBECONFIG: world.kubeconfig, ...settings, HUBBLE_BASIC_AUTH_PASSWORD: 'secret' };
  const { stdout, stderr, code } = await observe(world, contextsOf('a', 'b'), { env });
  expect(podsIn(stdout)).toEqual(['east-10', 'west-20']);
  expect([stderr, code]).toEqual(['', 0]);
  for (const { seen } of [east, west])
    expect(seen.map(({ headers }) => headers.authorization)).toEqual([undefined]);
});

test('a profile says nothing of the relay of another context', async () => {
  await using west = await relayOf('west', [20]);
  await using world = await worldOf({ a: '/nowhere', b: west.address });
  const home = mkdtempSync(join(tmpdir(), 'home-'));
  mkdirSync(join(home, 'cilium'));
  const profile = { context: 'a', kubeconfig: world.kubeconfig, tls: true, 'port-forward': true };
  writeFileSync(join(home, 'cilium/profiles.yaml'), JSON.stringify({ profiles: { prod: profile } }));
  const words = ['hubble', 'observe', '--profile', 'prod'];
  const env = { XDG_CONFIG_HOME: home };
  const other = await run([...words, '--context', 'b'], { env });
  expect([podsIn(other.stdout), other.stderr]).toEqual([['west-20'], '']);
  const same = await run([...words, '--kube-context', 'b', '--tls'], { env });
  expect(same.stderr).toContain('The server does not speak TLS: leave out --tls.');
  rmSync(home, { recursive: true });
});

test('one --context is --port-forward and --kube-context, to the byte', async () => {
  await using east = await relayOf('east', [10, 30]);
  await using west = await relayOf('west', [20]);
  await using world = await worldOf({ a: east.address, b: west.address });
  for (const words of [[], ['-o', 'json'], ['--last', '1', '-o', 'dict']]) {
    const short = await observe(world, ['--context', 'b', ...words]);
    expect(short).toEqual(await observe(world, ['-P', '--kube-context', 'b', ...words]));
    expect(short.stdout).toContain('west-20');
  }
});

describe('a cluster that fails', () => {
  // differs: hubble-contexts
  test('is told and left out, and the exit code is 3', async () => {
    await using east = await relayOf('east', [10, 30]);
    await using world = await worldOf({ a: east.address, gone: undefined });
    const { stdout, stderr, code } = await observe(world, [...contextsOf('gone', 'a'), '--all']);
    expect(podsIn(stdout)).toEqual(['east-10', 'east-30']);
    expect(stderr).toMatch(
      /^gone: .*connection refused\ngone: .*\n1 of 2 clusters failed: the flows of gone are missing\n$/,
    );
    expect(code).toBe(3);
    const map = await run(['hubble', 'map', ...contextsOf('gone', 'a')], {
      env: { KUBECONFIG: world.kubeconfig },
    });
    expect(map.stdout).toContain('2 flows');
    expect(map.code).toBe(3);
  });

  test('in the middle leaves what it had told', async () => {
    await using east = await relayOf('east', [10, 30]);
    await using west = await relayOf('west', [20], { status: 14, message: 'going away' });
    await using world = await worldOf({ a: east.address, b: west.address });
    const { stdout, stderr, code } = await observe(world, [...contextsOf('a', 'b'), '--all']);
    expect(podsIn(stdout)).toEqual(['east-10', 'west-20', 'east-30']);
    expect(stderr).toBe(
      'b: rpc error: code = Unavailable desc = going away\n1 of 2 clusters failed: the flows of b are missing\n',
    );
    expect(code).toBe(3);
  });

  test('is an error where no other is left', async () => {
    await using world = await worldOf({ x: undefined, y: undefined });
    const { stdout, stderr, code } = await observe(world, contextsOf('x', 'y'));
    expect(stdout).toBe('');
    const lines = stderr.split('\n');
    for (const name of ['x', 'y'])
      expect(lines).toContainEqual(expect.stringMatching(`^${name}: .*connection refused$`));
    expect(lines.slice(-2)).toEqual(['none of the clusters answers: x, y', '']);
    expect(code).toBe(1);
  });

  test('has its name made safe', async () => {
    await using east = await relayOf('east', [10]);
    const name = '\u001b[31mred\nnone of the clusters answers';
    await using world = await worldOf({ a: east.address, [name]: undefined });
    const { stderr, code } = await observe(world, contextsOf('a', name));
    expect(stderr).not.toContain('\u001b');
    expect(stderr.split('\n').filter((line) => line.startsWith('none'))).toEqual([]);
    expect(stderr).toContain('^[[31mred\\nnone of the clusters answers: ');
    expect(code).toBe(3);
  });
});

describe('--context', () => {
  test.each([
    [['nope'], 'the kubeconfig has no context "nope"\nIts contexts: a, b.\n'],
    [['a', 'a'], '--context "a" is given twice: each of its flows would come twice\n'],
    [['a', ''], '--context needs the name of a context of the kubeconfig\n'],
  ])('%j is refused before anybody is asked', async (names, message) => {
    await using world = await worldOf({ a: '/nowhere', b: '/nowhere' });
    const { stdout, stderr, code } = await observe(world, contextsOf('b', ...names));
    expect([stdout, stderr, code]).toEqual(['', message, 1]);
    expect(Object.values(world.clusters).flatMap(({ seen }) => seen)).toEqual([]);
  });

  test.each([
    [['--server', 'localhost:1'], '--context and --server cannot be used together: each says who is asked'],
    [['--kube-context', 'a'], '--context and --kube-context cannot be used together: each says who is asked'],
    [['--input-file', 'x'], '--context and --input-file cannot be used together: each says who is asked'],
    [
      ['--from', 'x.zip'],
      '--from and --context cannot be used together: an archive is read, and nobody is asked',
    ],
    [['--node', 'n'], '--node is of one cluster, and --context names 2'],
    [['--all-nodes'], '--all-nodes is of one cluster, and --context names 2'],
    [['--port-forward-port', '4245'], '--port-forward-port is of one relay, and --context names 2'],
    [['--basic-auth-username', 'u'], '--basic-auth-username is of one relay, and --context names 2'],
  ])('of several does not go with %j', async (words, message) => {
    await using world = await worldOf({ a: '/nowhere', b: '/nowhere' });
    const { stderr, code } = await observe(world, [...contextsOf('a', 'b'), ...words]);
    expect(stderr.split('\n')[0]).toBe(message);
    expect(code).toBe(1);
  });

  test.each([
    [['status']],
    [['list', 'nodes']],
    [['list', 'namespaces']],
    [['observe', 'agent-events']],
    [['watch', 'peers']],
  ])('of several is refused by %j', async (words) => {
    await using world = await worldOf({ a: '/nowhere', b: '/nowhere' });
    const { stderr, code } = await run(['hubble', ...words, ...contextsOf('a', 'b')], {
      env: { KUBECONFIG: world.kubeconfig },
    });
    expect(stderr).toContain('--context is given 2 times, and this verb asks one server');
    expect(code).toBe(1);
  });

  test('twice for the same cluster and user is refused, and for another user doubted', async () => {
    await using east = await relayOf('east', [10]);
    await using world = await worldOf({ a: east.address });
    const { url } = world.clusters.a ?? { url: '' };
    const contexts = [
      { name: 'a', context: { cluster: 'c', user: 'u' } },
      { name: 'same', context: { cluster: 'd', user: 'u', namespace: 'x' } },
      { name: 'other', context: { cluster: 'c', user: 'v' } },
    ];
    const users = [
      { name: 'u', user: {} },
      { name: 'v', user: {} },
    ];
    writeFileSync(
      world.kubeconfig,
      JSON.stringify({
        clusters: [
          { name: 'c', cluster: { server: url } },
          { name: 'd', cluster: { server: `${url.replace('://', '://user:secret@')}/` } },
        ],
        contexts,
        users,
      }),
    );
    const same = await observe(world, contextsOf('a', 'same'));
    expect(same.stderr).toBe(
      `the contexts "a" and "same" are the same cluster (${url}): each of its flows would come twice\nName one of them.\n`,
    );
    const other = await observe(world, contextsOf('a', 'other'));
    expect(other.stderr).toContain(`The contexts a and other have the same API server (${url})`);
    expect(other.code).toBe(0);
  });
});

test('each cluster is asked with its own credentials and certificates', async () => {
  const tls = { cert: pem('server.crt'), key: pem('server.key') };
  const answers = (cluster: string) => ({ [GET_FLOWS]: { messages: bytesOf([flow(cluster, 10)]) } });
  await using east = await serveGrpc(answers('east'), {
    tcp: true,
    tls: { ...tls, ca: pem('ca.crt'), requestCert: true, rejectUnauthorized: true },
  });
  await using west = await relayOf('west', [20]);
  const port = Number(east.address.split(':')[1]);
  await using world = await worldOf({ a: port, b: west.address });
  const { a, b } = world.clusters;
  if (!a || !b) throw new Error('no clusters');
  a.secrets = {
    'hubble-relay-client-certs': {
      'ca.crt': pem('ca.crt'),
      'tls.crt': pem('client.crt'),
      'tls.key': pem('client.key'),
    },
  };
  const both = await observe(world, [...contextsOf('a', 'b'), '--tls-server-name', 'relay.example.com']);
  expect(podsIn(both.stdout)).toEqual(['east-10', 'west-20']);
  expect(a.seen.some((line) => line.includes('/secrets/hubble-relay-client-certs'))).toBe(true);
  expect(b.seen.some((line) => line.includes('/secrets/'))).toBe(false);
});

test('the policies of the cluster that flows come from are asked, not those of the current context', async () => {
  const dropped = flow('west', 20);
  Object.assign(dropped.flow ?? {}, {
    verdict: 'DROPPED',
    drop_reason_desc: 'POLICY_DENIED',
    traffic_direction: 'INGRESS',
  });
  await using west = await serveGrpc({ [GET_FLOWS]: { messages: bytesOf([dropped]) } });
  await using world = await worldOf({ current: '/nowhere', b: west.address });
  const words = [
    'hubble',
    'report',
    '-o',
    '-',
    '--format',
    'json',
    '--state',
    'cluster',
    '-P',
    '--kube-context',
    'b',
  ];
  await run(words, { env: { KUBECONFIG: world.kubeconfig } });
  const { current, b } = world.clusters;
  expect(current?.seen).toEqual([]);
  expect(b?.seen.filter((line) => !/hubble-relay|portforward/.test(line))).not.toEqual([]);
});

describe('followed flows of several clusters', () => {
  let labs: TestLab[];
  const follow = async (
    world: World,
    enough: (lines: readonly string[]) => boolean,
    onLine: (lines: readonly string[]) => void = () => {},
  ) => {
    const stop = new AbortController();
    let text = '';
    const { stderr, code } = await observe(world, [...contextsOf('a', 'b'), '-f', '-o', 'jsonpb'], {
      signal: stop.signal,
      realTime: true,
      onStdout: (more) => {
        text += more;
        const lines = text.split('\n').filter((line) => line.includes('"flow"'));
        onLine(lines);
        if (enough(lines)) stop.abort();
      },
    });
    const lines = text.split('\n').filter((line) => line.endsWith('}') && line.includes('"flow"'));
    const flows = lines.map((line) => (JSON.parse(line) as GetFlowsResponse).flow ?? {});
    return { flows, stderr, code };
  };
  const start = async () => {
    labs = await Promise.all([startTestLab({ scenario: 'shop' }), startTestLab({ scenario: 'shop' })]);
    const [a, b] = labs.map(({ lab }) => lab.info.sockets.hubble);
    return await worldOf({ a, b });
  };
  const end = () => Promise.all(labs.map((lab) => lab[Symbol.asyncDispose]()));

  test('come in order, and end quietly with Ctrl-C', async () => {
    await using world = await start();
    const { flows, stderr, code } = await follow(world, (lines) => lines.length >= 200);
    await end();
    const times = flows.map(({ time }) => time ?? '');
    const inOrder = times.toSorted((x, y) => Date.parse(x) - Date.parse(y));
    expect(times.map((time) => Date.parse(time))).toEqual(inOrder.map((time) => Date.parse(time)));
    // Two labs play the same flows, each at times of its own.
    expect(new Set(flows.map(({ uuid, time }) => `${uuid} ${time}`)).size).toBe(flows.length);
    expect(stderr).toMatch(/^The clusters of a and b are both called shop: .*\n$/);
    expect(code).toBe(0);
  });

  test('of one go on while the other is away, which comes back', async () => {
    await using world = await start();
    const { b } = world.clusters;
    let broken = 0;
    const { flows, stderr, code } = await follow(
      world,
      (lines) => broken > 0 && lines.length >= broken + 200,
      (lines) => {
        if (broken > 0 || lines.length < 50) return;
        broken = lines.length;
        b?.breakForwards();
      },
    );
    await end();
    expect(stderr).toMatch(/^b: The stream broke \(.*\); connecting again, Ctrl-C ends\.$/m);
    expect(stderr).toMatch(/^b: The stream is back after .* s; nothing is missing\.$/m);
    // Two labs play the same flows, each at times of its own.
    expect(new Set(flows.map(({ uuid, time }) => `${uuid} ${time}`)).size).toBe(flows.length);
    expect(code).toBe(0);
  });
});
