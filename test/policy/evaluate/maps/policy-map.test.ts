import { describe, expect, test } from '@jest/globals';
import { PolicyEngine } from '../../../../src/policy/evaluate/decide/engine.ts';
import type { Settings } from '../../../../src/policy/evaluate/decide/settings.ts';
import { identityOf } from '../../../../src/policy/evaluate/selectors/identities.ts';
import type { Authentication, EgressRule, IngressRule, PortRule, Rule } from '../../../../src/policy/rule.ts';
import { ruleOf } from '../../helpers.ts';

const IDENTITIES = [
  identityOf(1, ['reserved:host']),
  identityOf(2, ['reserved:world']),
  identityOf(1000, ['k8s:app=web', 'k8s:tier=front']),
  identityOf(1001, ['k8s:app=api']),
  identityOf(1002, ['k8s:app=job', 'k8s:tier=front']),
  identityOf(16_777_217, ['cidr:10.0.0.0/8', 'reserved:world']),
  identityOf(16_777_218, ['cidr:10.1.0.0/16', 'reserved:world']),
];

interface Case {
  ingress?: IngressRule[];
  ingressDeny?: IngressRule[];
  egress?: EgressRule[];
  egressDeny?: EgressRule[];
  defaultDeny?: boolean;
}

/** The entries of the API's map in one direction, such as `1000 TCP/80/16 deny`, in the order of the map. */
function entries(
  direction: 'ingress' | 'egress',
  cases: readonly Case[],
  settings: Partial<Settings> = {},
  namedPorts: { name: string; port: number; protocol: string }[] = [],
): string[] {
  const endpoint = { id: 1, identity: 1001, namedPorts };
  const rules = cases.map(
    ({ defaultDeny = true, ...parts }): Rule => ({
      endpointSelector: { matchLabels: { 'any:app': 'api' } },
      ...parts,
      enableDefaultDeny: { ingress: defaultDeny && !parts.egress, egress: defaultDeny && !!parts.egress },
    }),
  );
  return new PolicyEngine(IDENTITIES, [endpoint], settings)
    .addAll(rules.map(ruleOf))
    .entriesOf(endpoint)
    .filter((entry) => entry.direction === direction)
    .map(({ identity, protocol, port, prefix, deny, proxy, auth }) =>
      [
        `${identity} ${protocol}/${port}/${prefix}`,
        ...(deny ? ['deny'] : []),
        ...(proxy ? ['proxy'] : []),
        ...(auth > 0 ? [`auth ${auth}`] : []),
      ].join(' '),
    );
}

const from = (app: string) => ({ fromEndpoints: [{ matchLabels: { 'any:app': app } }] });
const FRONT = { fromEndpoints: [{ matchLabels: { 'any:tier': 'front' } }] };
const ANYBODY = { fromEndpoints: [{}] };
const port = (number: string, more: Partial<PortRule> = {}): { toPorts: PortRule[] } => ({
  toPorts: [{ ports: [{ port: number, protocol: 'TCP' }], ...more }],
});
const HTTP = { rules: { http: [{ method: 'GET' }] } };
const auth = (mode: Authentication['mode']) => ({ authentication: { mode } });

describe('two rules for the same entry', () => {
  test('of which one uses the proxy: the entry does', () => {
    const [plain, proxied] = [
      { ...from('web'), ...port('80') },
      { ...FRONT, ...port('80', HTTP) },
    ];
    const wanted = ['1000 6/80/16 proxy', '1002 6/80/16 proxy'];
    expect(entries('ingress', [{ ingress: [plain, proxied] }])).toEqual(wanted);
    expect(entries('ingress', [{ ingress: [proxied, plain] }])).toEqual(wanted);
  });

  test('that state authentication: the stricter one wins', () => {
    const [one, two] = [
      { ...from('web'), ...auth('required') },
      { ...FRONT, ...auth('test-always-fail') },
    ];
    const wanted = ['1000 0/0/0 auth 2', '1002 0/0/0 auth 2'];
    expect(entries('ingress', [{ ingress: [one, two] }])).toEqual(wanted);
    expect(entries('ingress', [{ ingress: [two, one] }])).toEqual(wanted);
  });

  test('of which one states authentication: that one wins, also when it is none', () => {
    const [one, two] = [{ ...from('web'), ...auth('disabled') }, FRONT];
    expect(entries('ingress', [{ ingress: [one, two] }])).toEqual(['1000 0/0/0', '1002 0/0/0']);
    const [strict, mute] = [{ ...from('web'), ...auth('required') }, FRONT];
    expect(entries('ingress', [{ ingress: [strict, mute] }])).toEqual(['1000 0/0/0 auth 1', '1002 0/0/0']);
  });

  test('for the same selector: the first stated authentication stays', () => {
    const [one, two] = [
      { ...from('web'), ...port('80'), ...auth('required') },
      { ...from('web'), ...port('80'), ...auth('disabled') },
    ];
    expect(entries('ingress', [{ ingress: [one, two] }])).toEqual(['1000 6/80/16 auth 1']);
    expect(entries('ingress', [{ ingress: [two, one] }])).toEqual(['1000 6/80/16']);
  });

  test('of which one denies: the denial wins in either order', () => {
    const allow = { ...from('web'), ...port('80') };
    for (const rules of [
      [{ ingress: [allow] }, { ingressDeny: [allow] }],
      [{ ingressDeny: [allow] }, { ingress: [allow] }],
      [{ ingressDeny: [allow] }, { ingressDeny: [allow] }],
    ])
      expect(entries('ingress', rules)).toEqual(['1000 6/80/16 deny']);
  });
});

describe('a port that is open to everybody', () => {
  const open = { ...ANYBODY, ...port('80') };

  test('needs no entry for a peer that would do the same', () => {
    expect(entries('ingress', [{ ingress: [open, { ...from('web'), ...port('80') }] }])).toEqual([
      '0 6/80/16',
    ]);
  });

  test('needs one for a peer that passes the proxy or authenticates', () => {
    expect(entries('ingress', [{ ingress: [open, { ...from('web'), ...port('80', HTTP) }] }])).toEqual([
      '0 6/80/16',
      '1000 6/80/16 proxy',
    ]);
    expect(
      entries('ingress', [{ ingress: [open, { ...from('web'), ...port('80'), ...auth('required') }] }]),
    ).toEqual(['0 6/80/16', '1000 6/80/16 auth 1']);
  });

  test('through the proxy takes the peers that need an entry of their own along', () => {
    const proxied = { ...ANYBODY, ...port('80', HTTP) };
    const web = { ...from('web'), ...port('80'), ...auth('required') };
    expect(entries('ingress', [{ ingress: [proxied, web] }])).toEqual([
      '0 6/80/16 proxy',
      '1000 6/80/16 proxy auth 1',
    ]);
  });

  test('and denied to a peer has both entries; denied to everybody only that one', () => {
    const web = { ...from('web'), ...port('80') };
    expect(entries('ingress', [{ ingress: [open], ingressDeny: [web] }])).toEqual([
      '0 6/80/16',
      '1000 6/80/16 deny',
    ]);
    expect(entries('ingress', [{ ingress: [web], ingressDeny: [open] }])).toEqual(['0 6/80/16 deny']);
    expect(entries('ingress', [{ ingressDeny: [open, web] }])).toEqual(['0 6/80/16 deny']);
  });
});

describe('authentication', () => {
  test('is inherited from the same peer, then from everybody', () => {
    expect(
      entries('ingress', [
        {
          ingress: [
            { ...ANYBODY, ...auth('test-always-fail') },
            { ...from('web'), ...auth('required') },
            { ...from('web'), ...port('80') },
            { ...from('job'), ...port('80') },
          ],
        },
      ]),
    ).toEqual(['0 0/0/0 auth 2', '1000 0/0/0 auth 1', '1000 6/80/16 auth 1', '1002 6/80/16 auth 2']);
  });

  test('of everybody on the same port counts too', () => {
    expect(
      entries('ingress', [
        {
          ingress: [
            { ...ANYBODY, ...port('80'), ...auth('required') },
            { ...from('web'), ...port('80', HTTP) },
          ],
        },
      ]),
    ).toEqual(['0 6/80/16 auth 1', '1000 6/80/16 proxy auth 1']);
  });

  test('of a peer on every port holds on a port that is open to everybody', () => {
    const web = { ...from('web'), ...auth('required') };
    expect(entries('ingress', [{ ingress: [web, { ...ANYBODY, ...port('80') }] }])).toEqual([
      '0 6/80/16',
      '1000 0/0/0 auth 1',
      '1000 6/80/16 auth 1',
    ]);
    // An entry of its own is not replaced.
    const own = { ...from('web'), ...port('80'), ...auth('disabled') };
    expect(entries('ingress', [{ ingress: [web, own, { ...ANYBODY, ...port('80') }] }])).toEqual([
      '0 6/80/16',
      '1000 0/0/0 auth 1',
      '1000 6/80/16',
    ]);
  });

  test('that is inherited leaves the proxy of an entry as it is', () => {
    const web = { ...from('web'), ...auth('required') };
    const own = { ...from('web'), ...port('80', HTTP) };
    const open = { ...ANYBODY, ...port('80') };
    const wanted = ['0 6/80/16', '1000 0/0/0 auth 1', '1000 6/80/16 proxy auth 1'];
    expect(entries('ingress', [{ ingress: [web, own, open] }])).toEqual(wanted);
    expect(entries('ingress', [{ ingress: [web, open, own] }])).toEqual(wanted);
  });

  test('that is stated is not replaced by a broader one', () => {
    expect(
      entries('ingress', [
        {
          ingress: [
            { ...from('web'), ...auth('required') },
            { ...from('web'), ...port('80'), ...auth('disabled') },
          ],
        },
      ]),
    ).toEqual(['1000 0/0/0 auth 1', '1000 6/80/16']);
  });
});

describe('named ports', () => {
  const named = [{ ingress: [{ ...from('web'), ...port('http') }] }];

  test('become the number that the endpoint has for them', () => {
    const ports = [{ name: 'HTTP', port: 8080, protocol: 'tcp' }];
    expect(entries('ingress', named, {}, ports)).toEqual(['1000 6/8080/16']);
  });

  test('that the endpoint does not have, or has twice, make no entry', () => {
    expect(entries('ingress', named)).toEqual([]);
    expect(entries('ingress', named, {}, [{ name: 'http', port: 53, protocol: 'UDP' }])).toEqual([]);
    const twice = [80, 8080].map((number) => ({ name: 'http', port: number, protocol: 'TCP' }));
    expect(entries('ingress', named, {}, twice)).toEqual([]);
  });
});

describe('the node', () => {
  test('has an entry where pods accept all of it, on the way in only', () => {
    const settings = { allowLocalhost: true };
    const web = { ...from('web'), ...port('80') };
    expect(entries('ingress', [{ ingress: [web] }], settings)).toEqual(['1 0/0/0', '1000 6/80/16']);
    const out = { toEndpoints: [{ matchLabels: { 'any:app': 'web' } }] };
    expect(entries('egress', [{ egress: [out] }], settings)).toEqual(['1000 0/0/0']);
    // Nothing needs to be allowed where policy is not enforced.
    expect(entries('egress', [{ ingress: [web] }], settings)).toEqual(['0 0/0/0']);
  });
});

describe('default deny', () => {
  const web = { ...from('web'), ...port('80', HTTP) };

  test('that no rule enables leaves everything else open', () => {
    expect(entries('ingress', [{ ingress: [web], defaultDeny: false }])).toEqual([
      '0 0/0/0',
      '1000 6/80/16 proxy',
    ]);
    expect(
      entries('ingress', [
        { ingress: [web], defaultDeny: false },
        { ingress: [from('job')], defaultDeny: true },
      ]),
    ).toEqual(['1000 6/80/16 proxy', '1002 0/0/0']);
  });

  test('is always on where policy is always enforced', () => {
    const rules = [{ ingress: [web], defaultDeny: false }];
    expect(entries('ingress', rules, { enforcement: 'always' })).toEqual(['1000 6/80/16 proxy']);
    expect(entries('egress', [], { enforcement: 'always' })).toEqual([]);
    expect(entries('ingress', rules, { enforcement: 'never' })).toEqual(['0 0/0/0']);
  });
});

describe('a denial that the kernel of 1.17 would not find first', () => {
  const narrow = { ...ANYBODY, ...port('80') };

  test('of a broader port is repeated for the port that is open to everybody', () => {
    const rules = [{ ingress: [narrow], ingressDeny: [from('web')] }];
    expect(entries('ingress', rules)).toEqual(['0 6/80/16', '1000 0/0/0 deny', '1000 6/80/16 deny']);
    expect(entries('ingress', rules, { release: '1.19' })).toEqual(['0 6/80/16', '1000 0/0/0 deny']);
  });

  test('for everybody is repeated for each peer that is allowed a broader port', () => {
    const rules = [{ ingress: [from('web')], ingressDeny: [narrow] }];
    expect(entries('ingress', rules)).toEqual(['0 6/80/16 deny', '1000 0/0/0', '1000 6/80/16 deny']);
    expect(entries('ingress', rules, { release: '1.19' })).toEqual(['0 6/80/16 deny', '1000 0/0/0']);
  });

  test('of a prefix is repeated for the prefixes inside', () => {
    const [wide, inside] = [{ fromCIDR: ['10.0.0.0/8'] }, { fromCIDR: ['10.1.0.0/16'] }];
    // Prefixes inside are selected by the wider one too.
    expect(entries('ingress', [{ ingress: [inside], ingressDeny: [{ ...wide, ...port('80') }] }])).toEqual([
      '16777217 6/80/16 deny',
      '16777218 0/0/0',
      '16777218 6/80/16 deny',
    ]);
    expect(entries('ingress', [{ ingress: [{ ...wide, ...port('80') }], ingressDeny: [inside] }])).toEqual([
      '16777217 6/80/16',
      '16777218 0/0/0 deny',
      '16777218 6/80/16 deny',
    ]);
  });
});

test('ANY stands for the three protocols with ports, ICMP types for ports', () => {
  const any: IngressRule = { ...from('web'), toPorts: [{ ports: [{ port: '53', protocol: 'ANY' }] }] };
  expect(entries('ingress', [{ ingress: [any] }])).toEqual([
    '1000 6/53/16',
    '1000 17/53/16',
    '1000 132/53/16',
  ]);
  const icmps = [{ fields: [{ type: 'EchoRequest' }, { family: 'IPv6' as const, type: 'EchoRequest' }] }];
  expect(entries('ingress', [{ ingress: [{ ...from('web'), icmps }] }])).toEqual([
    '1000 1/8/16',
    '1000 58/128/16',
  ]);
});

test('L7 rules other than DNS send TCP alone through the proxy', () => {
  const both = [
    { port: '80', protocol: 'TCP' as const },
    { port: '80', protocol: 'UDP' as const },
  ];
  const ingress: IngressRule[] = [{ ...from('web'), toPorts: [{ ports: both, ...HTTP }] }];
  expect(entries('ingress', [{ ingress }])).toEqual(['1000 6/80/16 proxy', '1000 17/80/16']);
  const dns = { rules: { dns: [{ matchPattern: '*' }] } };
  const egress: EgressRule[] = [
    { toEndpoints: [{ matchLabels: { 'any:app': 'web' } }], toPorts: [{ ports: both, ...dns }] },
  ];
  expect(entries('egress', [{ egress }])).toEqual(['1000 6/80/16 proxy', '1000 17/80/16 proxy']);
  // A denial never sends anything to the proxy, and L7 rules without a parser do not either.
  expect(entries('ingress', [{ ingressDeny: ingress }])).toEqual(['1000 6/80/16 deny', '1000 17/80/16 deny']);
  const raw = { rules: { l7: [{ a: 'b' }] } };
  expect(entries('ingress', [{ ingress: [{ ...from('web'), ...port('80', raw) }] }])).toEqual([
    '1000 6/80/16',
  ]);
});

test('a part without peers and ports allows nothing; conditions of other rules narrow its peers', () => {
  expect(entries('ingress', [{ ingress: [{}] }])).toEqual([]);
  expect(entries('ingress', [{ ingress: [{ fromEndpoints: [] }] }])).toEqual([]);
  const requires = { fromRequires: [{ matchLabels: { 'any:tier': 'front' } }] };
  expect(entries('ingress', [{ ingress: [ANYBODY] }, { ingress: [requires] }])).toEqual([
    '1000 0/0/0',
    '1002 0/0/0',
  ]);
  const denied = ['1000 0/0/0 deny', '1002 0/0/0 deny'];
  expect(entries('ingress', [{ ingressDeny: [ANYBODY] }, { ingressDeny: [requires] }])).toEqual(denied);
  const out = { toEndpoints: ANYBODY.fromEndpoints };
  const egress = { toRequires: requires.fromRequires };
  expect(
    entries('egress', [
      { egress: [], egressDeny: [out] },
      { egress: [], egressDeny: [egress] },
    ]),
  ).toEqual(denied);
  // Conditions of allow rules do not narrow deny rules, nor those of one direction the other.
  expect(entries('ingress', [{ ingressDeny: [ANYBODY] }, { ingress: [requires] }])).toEqual(['0 0/0/0 deny']);
});
