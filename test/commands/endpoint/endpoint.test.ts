import { describe, expect, test } from '@jest/globals';
import { agentOf } from '../../helpers/agent.ts';

const PODLESS = { id: 4, status: { state: 'ready' } };
const WEB = {
  id: 7,
  status: {
    state: 'regenerating',
    identity: { id: 1234, labels: ['k8s:app=web'] },
    labels: { 'security-relevant': ['k8s:tier=front', 'k8s:app=web'] },
    networking: { addressing: [{ ipv4: '10.0.0.7', ipv6: 'fd00::7' }] },
    policy: { realized: { 'policy-enabled': 'audit-ingress' } },
    'external-identifiers': { 'k8s-pod-name': 'web-0', 'k8s-namespace': 'shop' },
  },
};
const DB = {
  id: 12,
  status: {
    state: 'ready',
    identity: { id: 99 },
    labels: { 'security-relevant': ['k8s:app=db'] },
    networking: { addressing: [{ ipv4: '10.0.0.12' }] },
    // As 1.9 names a pod.
    'external-identifiers': { 'pod-name': 'shop/db-0' },
  },
};

describe('endpoint list', () => {
  test('says what it does not know', async () => {
    await using agent = await agentOf({ 'GET /v1/endpoint': { body: [DB, PODLESS, WEB] } });
    const { stdout, code } = await agent.run(['endpoint', 'list', '--no-headers']);
    expect(stdout).toBe(
      [
        '4    Unknown            Unknown    <no label id>   no labels        Unknown   Unknown     ready          ',
        '7    Disabled (Audit)   Disabled   1234            k8s:app=web      fd00::7   10.0.0.7    regenerating   ',
        '                                                   k8s:tier=front                                        ',
        '12   Unknown            Unknown    99              k8s:app=db                 10.0.0.12   ready          ',
        '',
      ].join('\n'),
    );
    expect(code).toBe(0);
  });

  test('prints only its header without endpoints, and nothing without a header either', async () => {
    await using agent = await agentOf({ 'GET /v1/endpoint': { body: [] } });
    expect((await agent.run(['endpoint', 'list'])).stdout.split('\n')).toHaveLength(3);
    expect((await agent.run(['endpoint', 'ls', '--no-headers'])).stdout).toBe('');
  });

  test('shows chosen columns, ordered and filtered', async () => {
    await using agent = await agentOf({ 'GET /v1/endpoint': { body: [DB, PODLESS, WEB] } });
    const { stdout } = await agent.run([
      'endpoint',
      'list',
      '--columns=namespace,pod,id,labels',
      '--sort=-id',
      '--selector=app',
    ]);
    expect(stdout).toBe(
      [
        'NAMESPACE   POD     ENDPOINT   LABELS',
        'shop        db-0    12         k8s:app=db',
        'shop        web-0   7          k8s:app=web',
        '                               k8s:tier=front',
        '',
      ].join('\n'),
    );
    const notReady = await agent.run(['endpoint', 'list', '--not-ready', '-o', 'jsonpath={[*].id}']);
    expect(notReady.stdout).toBe('7\n');
  });

  test('wraps the labels of the wide form to the terminal, and to nothing else', async () => {
    await using agent = await agentOf({ 'GET /v1/endpoint': { body: [WEB] } });
    const narrow = await agent.run(['endpoint', 'list', '-o', 'wide', '--no-headers'], { columns: 80 });
    expect(narrow.stdout.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/ k8s:app=web,$/),
      expect.stringMatching(/^ +k8s:tier=front$/),
    ]);
    const piped = await agent.run(['endpoint', 'list', '-o', 'wide', '--no-headers']);
    expect(piped.stdout).toMatch(/k8s:app=web,k8s:tier=front\n$/);
  });

  test.each([
    [['--columns=ids'], '--columns: there is no column "ids"'],
    [['--sort=-nope'], '--sort: there is no column "nope"'],
    [['--selector=a=b=c=('], '--selector: "a=b=c=(" is not a label selector'],
    [['-o', 'xml'], 'unknown output format "xml"'],
  ])('refuses %j', async (flags, message) => {
    await using agent = await agentOf({ 'GET /v1/endpoint': { body: [] } });
    const { stderr, stdout, code } = await agent.run(['endpoint', 'list', ...flags]);
    expect(stderr).toContain(`Error: ${message}`);
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
  });

  test('escapes control characters and keeps the columns of hostile labels', async () => {
    const labels = ['k8s:a=\u001b[31mred\tx\ny'];
    await using agent = await agentOf({
      'GET /v1/endpoint': {
        body: [{ ...WEB, status: { ...WEB.status, labels: { 'security-relevant': labels } } }],
      },
    });
    const { stdout } = await agent.run(['endpoint', 'list', '--no-headers']);
    expect(stdout).toContain('k8s:a=^[[31mred\\tx\\ny');
    expect(stdout.split('\n')).toHaveLength(2);
  });

  test.each([
    ['{}', 'cannot get endpoint list: GET /v1/endpoint: expected a list, found an object'],
    ['[7]', 'cannot get endpoint list: GET /v1/endpoint: expected an object at [0], found a number'],
    ['[{"id":"7"}]', 'GET /v1/endpoint: expected a whole number at [0].id, found a string'],
    [
      '[{"id":1},{"id":2,"status":{"labels":[]}}]',
      'GET /v1/endpoint: expected an object at [1].status.labels, found a list',
    ],
  ])('names the field that breaks the answer %s', async (text, message) => {
    await using agent = await agentOf({ 'GET /v1/endpoint': { text } });
    const { stderr, stdout, code } = await agent.run(['endpoint', 'list']);
    expect(stderr).toContain(`Error: ${message}`);
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
  });

  test('refuses an answer that is too large instead of ending out of memory', async () => {
    await using agent = await agentOf({
      'GET /v1/endpoint': (_, response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        const piece = Buffer.alloc(1 << 20, '[');
        const fill = () => {
          while (response.write(piece));
          response.once('drain', fill);
        };
        fill();
        return undefined;
      },
    });
    const { stderr, code } = await agent.run(['endpoint', 'list']);
    expect(stderr).toMatch(/^Error: cannot get endpoint list: .*the answer is larger than 64 MiB/);
    expect(code).toBe(1);
  });
});

// differs: escaped
test('-o jsonpath escapes control characters, wherever it is printed', async () => {
  const label = 'k8s:a=\u001b[2J\u202e';
  const body = [{ id: 7, status: { identity: { id: 9, labels: [label] } } }];
  await using agent = await agentOf({ 'GET /v1/endpoint': { body } });
  const argv = ['endpoint', 'list', '-o', 'jsonpath={[0].status.identity.labels[0]}'];
  for (const where of [{}, { columns: 80 }])
    expect((await agent.run(argv, where)).stdout).toBe('k8s:a=^[[2J\\u202e\n');
});

describe('endpoint get', () => {
  test.each([
    ['922', '/v1/endpoint/922'],
    ['pod-name:shop/web-0', '/v1/endpoint/pod-name:shop%2Fweb-0'],
    ['cep-name:shop/web 0', '/v1/endpoint/cep-name:shop%2Fweb%200'],
    ['container-id:abc?', '/v1/endpoint/container-id:abc%3F'],
    ['ipv6:fd00::7', '/v1/endpoint/ipv6:fd00::7'],
    ['cni-attachment-id:abc:eth0', '/v1/endpoint/cni-attachment-id:abc:eth0'],
  ])('sends %s with its prefix', async (argument, path) => {
    await using agent = await agentOf({ [`GET ${path}`]: { body: WEB } });
    const { stdout, code } = await agent.run(['endpoint', 'get', argument, '-o', 'jsonpath={[0].id}']);
    expect({ stdout, code }).toEqual({ stdout: '7\n', code: 0 });
  });

  test.each([
    [['endpoint', 'get'], 'Missing endpoint id argument'],
    [['endpoint', 'get', ''], 'Empty endpoint id argument'],
    [
      ['endpoint', 'get', '1', '-l', 'a=b'],
      'Cannot provide both endpoint ID and labels arguments concurrently',
    ],
    [['endpoint', 'get', 'pod:x'], 'Cannot parse endpoint id "pod:x": unknown endpoint ID prefix "pod"'],
    [['endpoint', 'inspect', '1'], 'unknown command "inspect" for "cilium endpoint"'],
  ])('%j is refused', async (argv, message) => {
    await using agent = await agentOf({});
    const { stderr, code } = await agent.run(argv);
    expect(stderr).toContain(message);
    expect(code).toBe(1);
    // No more than its release is asked for.
    expect(agent.seen.filter(({ call }) => call !== 'GET /v1/healthz')).toEqual([]);
  });
});

describe('endpoint config', () => {
  const before = {
    realized: { options: { Debug: 'Disabled', MonitorAggregationLevel: 'None' } },
    immutable: { NAT46: '1' },
  };
  const after = { realized: { options: { Debug: 'Enabled', MonitorAggregationLevel: 'Medium' } } };

  test('strips the prefix, and shows switches in words', async () => {
    await using agent = await agentOf({ 'GET /v1/endpoint/shop%2Fweb-0/config': { body: before } });
    const { stdout } = await agent.run(['endpoint', 'config', 'pod-name:shop/web-0']);
    expect(stdout).toBe(
      [
        'NAT46                             : Enabled',
        'Debug                             : Disabled',
        'MonitorAggregationLevel           : None',
        '',
      ].join('\n'),
    );
  });

  // differs: release-forms
  test.each([
    ['1.9.18', 'Conntrack                Enabled\nDebug                    Disabled\n'],
    ['1.11.0', `${'Conntrack'.padEnd(34)}: Enabled\n${'Debug'.padEnd(34)}: Disabled\n`],
  ])('of an agent of %s has the lines of its release', async (version, lines) => {
    const body = { realized: { options: { Conntrack: 'Enabled', Debug: 'Disabled' } } };
    await using agent = await agentOf({
      'GET /v1/healthz': { body: { cilium: { state: 'Ok', msg: version } } },
      'GET /v1/endpoint/7/config': { body },
    });
    const { stdout } = await agent.run(['endpoint', 'config', '7']);
    expect(stdout).toBe(lines);
  });

  test('sends the whole map with the changed values as numbers, and reads back', async () => {
    await using agent = await agentOf({
      'GET /v1/endpoint/7/config': [{ body: before }, { body: after }],
      'PATCH /v1/endpoint/7/config': {},
    });
    const { stdout, stderr } = await agent.run([
      'endpoint',
      'config',
      '7',
      'debug=on',
      'monitoraggregationlevel=medium',
    ]);
    expect(agent.seen[1]?.body).toEqual({ options: { Debug: '1', MonitorAggregationLevel: '3' } });
    expect(stdout).toBe('Endpoint 7 configuration updated successfully\n');
    expect(stderr).toBe('');
  });

  // differs: write-read-back
  test('says when the change does not show, and with --wait waits until it does and the endpoint is ready', async () => {
    await using agent = await agentOf({
      'GET /v1/endpoint/7/config': [
        { body: before },
        { body: before },
        { body: before },
        { body: before },
        { body: after },
      ],
      'PATCH /v1/endpoint/7/config': {},
      'GET /v1/endpoint/7': [{ body: WEB }, { body: { id: 7, status: { state: 'ready' } } }],
    });
    const argv = ['endpoint', 'config', '7', 'Debug=true'];
    const plain = await agent.run(argv);
    expect(plain.stderr).toBe(
      'Note: the agent does not show the new Debug of endpoint 7 yet; --wait waits until it does.\n',
    );
    const waited = await agent.run([...argv, '--wait']);
    expect(waited).toEqual({ ...plain, stderr: '' });
    expect(agent.seen.at(-1)?.call).toBe('GET /v1/endpoint/7');
  });

  test('gives up waiting after --wait-timeout, and shows progress only in a terminal', async () => {
    await using agent = await agentOf({
      'GET /v1/endpoint/7/config': { body: before },
      'PATCH /v1/endpoint/7/config': {},
    });
    const argv = ['endpoint', 'config', '7', 'Debug=true', '--wait', '--wait-timeout=3s'];
    const piped = await agent.run(argv);
    expect(piped.stderr).toMatch(/^Error: the new Debug of endpoint 7: not shown by the agent after 3 s\n/);
    const shown = await agent.run(argv, { columns: 80 });
    expect(shown.stderr).toContain('\r\u001b[KWaiting for the new Debug of endpoint 7 … 1s');
    expect(shown.code).toBe(1);
  });

  test.each([
    ['Debug', 'Cannot parse option Debug: invalid option format'],
    ['!Debug=true', 'Cannot parse option !Debug=true: invalid boolean format'],
    ['Nope=1', 'Cannot parse option Nope=1: unknown option "Nope"'],
    ['Debug=maybe', 'Cannot parse option Debug=maybe: invalid option value maybe'],
    ['MonitorAggregationLevel=9', 'monitor aggregation level must be between 0 and 4'],
  ])('refuses %s before it asks the agent', async (setting, message) => {
    await using agent = await agentOf({});
    const { stderr, code } = await agent.run(['endpoint', 'config', '7', setting]);
    expect(stderr).toContain(message);
    expect(code).toBe(1);
    expect(agent.seen).toEqual([]);
  });

  // differs: endpoint-options
  test('--list-options needs no agent', async () => {
    await using agent = await agentOf({});
    const { stdout } = await agent.run(['endpoint', 'config', '--list-options']);
    expect(stdout).toContain('Debug                    Enable debugging trace statements\n');
    expect(stdout).not.toContain('DebugTagged');
  });
});

describe('endpoint labels', () => {
  const with_ = (user: string[]) => ({
    body: { status: { realized: { user }, 'security-relevant': ['k8s:app=web'], disabled: ['k8s:old'] } },
  });

  // differs: endpoint-labels, endpoint-labels-delete
  test('adds and deletes user labels by key, and lists them sorted', async () => {
    await using agent = await agentOf({
      'GET /v1/endpoint/7/labels': [with_(['k8s:a=1', 'k8s:b=2']), with_(['k8s:b=2', 'unspec:c=3'])],
      'PATCH /v1/endpoint/7/labels': {},
    });
    const { stdout, stderr } = await agent.run([
      'endpoint',
      'labels',
      '7',
      '-a',
      'c=3',
      '-d',
      'k8s:a,k8s:nope',
    ]);
    expect(agent.seen[1]?.body).toEqual({ user: ['k8s:b=2', 'unspec:c=3'] });
    expect(stdout).toBe(
      [
        'k8s:app=web   Enabled',
        'k8s:b=2       Enabled',
        'unspec:c=3    Enabled',
        'k8s:old       Disabled',
        '',
      ].join('\n'),
    );
    expect(stderr).toBe('Note: "k8s:nope" is not a label that was added to endpoint 7: nothing to delete.\n');
  });

  test('a label that is there stays as it is when it is added again', async () => {
    await using agent = await agentOf({
      'GET /v1/endpoint/7/labels': with_(['k8s:a=1']),
      'PATCH /v1/endpoint/7/labels': {},
    });
    const { stderr } = await agent.run(['endpoint', 'labels', '7', '-a', 'a=2']);
    expect(agent.seen[1]?.body).toEqual({ user: ['k8s:a=1'] });
    expect(stderr).toContain('has "k8s:a=1", which stays: delete it first to add "a=2"');
  });

  // differs: endpoint-labels-none
  test.each(['-a', '-d'])('%s refuses what is no label, and changes nothing', async (flag) => {
    await using agent = await agentOf({ 'GET /v1/endpoint/7/labels': with_(['k8s:a=1']) });
    const { stderr, code } = await agent.run(['endpoint', 'labels', '7', flag, '=x']);
    expect({ code, calls: agent.seen.map(({ call }) => call) }).toEqual({
      code: 1,
      calls: ['GET /v1/endpoint/7/labels'],
    });
    expect(stderr).toContain('"=x" is not a label');
  });
});

describe('endpoint disconnect and regenerate', () => {
  test('disconnect waits until the agent no longer knows the endpoint', async () => {
    await using agent = await agentOf({
      'DELETE /v1/endpoint/7': { status: 206, body: 2 },
      'GET /v1/endpoint/7': [{ body: WEB }, { body: WEB }, { status: 404 }],
    });
    const { stdout, stderr, code } = await agent.run(['endpoint', 'disconnect', '7', '--wait']);
    expect(stdout).toBe('Endpoint 7 successfully disconnected\n');
    expect(stderr).toBe('Note: the agent met 2 errors while it removed the endpoint; see its log.\n');
    expect(code).toBe(0);
  });

  test('regenerate sends an empty change', async () => {
    await using agent = await agentOf({ 'PATCH /v1/endpoint/7/config': {} });
    const { stdout } = await agent.run(['endpoint', 'regenerate', '7']);
    expect(stdout).toBe('Endpoint 7 successfully regenerated\n');
    expect(agent.seen[0]?.body).toEqual({});
  });
});

describe('a write whose answer never comes', () => {
  // differs: write-lost
  test('is said to be unknown when the request was sent', async () => {
    await using agent = await agentOf({
      'DELETE /v1/endpoint/7': (_, response) => void response.destroy(),
    });
    const { stderr, stdout, code } = await agent.run(['endpoint', 'disconnect', '7']);
    expect(stderr).toMatch(/^Error: Cannot disconnect endpoint 7: DELETE .*closed/);
    expect(stderr).toContain(
      'The request was sent, but no answer came: the change may have been made or not.',
    );
    expect(stderr).toContain('Look with "cilium endpoint get 7" when the agent is back.');
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
  });

  test('is said not to have happened when the agent was never reached', async () => {
    await using agent = await agentOf({});
    const { stderr } = await agent.run(['endpoint', 'disconnect', '7'], {
      env: { CILIUM_SOCK: `${agent.socket}.gone` },
    });
    expect(stderr).toContain('The request never reached the agent: nothing was changed.');
  });
});
