import { describe, expect, test } from '@jest/globals';
import type { Family, IpRoute, IpRule } from '../../../src/model/ip.ts';
import {
  isOwnRuleRecord,
  orderRules,
  restoreRule,
  ruleItems,
  rulesLeft,
} from '../../../src/node/cleanup/rules.ts';
import { systemRun } from '../../../src/node/state/run.ts';
import { fakePrograms } from '../../helpers/programs.ts';
import { link, nodeWith, steps } from '../node-state.ts';

const stateOf = (rules: IpRule[], routes: IpRoute[] = [], family: Family = 4) =>
  nodeWith({
    links: [link('lxc1234567890', 'veth')],
    rules: rules.map((rule) => ({ family, rule })),
    routes: routes.map((route) => ({ family, route })),
  });
const rulesOf = (rules: IpRule[], routes: IpRoute[] = [], family: Family = 4) =>
  ruleItems(stateOf(rules, routes, family));

describe('a rule', () => {
  test.each([
    ['0x200', '0xf00', '2004', true],
    ['0xa00', '0xf00', '2005', true],
    ['0xb00', '0xf00', '2005', true],
    ['0xd00', '0xf00', '200', true],
    ['0xe00', '0xf00', '200', true],
    ['0x200', '0xffff', '2004', false],
    ['0x200', '0xf00', '2005', false],
    ['0xc00', '0xf00', '200', false],
    ['0x200', undefined, '2004', false],
  ])('with the mark %s/%s and table %s is Cilium’s: %s', (fwmark, fwmask, table, own) => {
    const [item] = rulesOf([{ priority: 9, src: 'all', fwmark, table, ...(fwmask && { fwmask }) }]);
    const words = `pref 9 fwmark ${fwmark}/${fwmask} lookup ${table}`;
    expect(steps(item)).toEqual(own ? [`ip -4 rule del ${words}`] : []);
    expect(steps(item, 'restore')).toEqual(own ? [`ip -4 rule add ${words}`] : []);
  });

  test('for the address of a pod of this node is known by its priority', () => {
    const routes: IpRoute[] = [
      { dst: '10.0.0.7/32', dev: 'lxc1234567890' },
      { dst: '10.0.0.9', dev: 'eth0' },
    ];
    const words = (rule: IpRule) => rulesOf([rule], routes).flatMap((item) => steps(item));
    expect(words({ priority: 20, src: 'all', dst: '10.0.0.7', table: 'main' })).toEqual([
      'ip -4 rule del pref 20 to 10.0.0.7 lookup main',
    ]);
    expect(words({ priority: 110, src: '10.0.0.7', dst: '10.0.0.0', dstlen: 8, table: '11' })).toEqual([
      'ip -4 rule del pref 110 from 10.0.0.7 to 10.0.0.0/8 lookup 11',
    ]);
    expect(words({ priority: 111, src: '10.0.0.7', table: '11' })).toHaveLength(1);
    expect(words({ priority: 112, src: '10.0.0.7', table: '11' })).toEqual([]);
    expect(words({ priority: 111, src: '10.0.0.9', table: '11' })).toEqual([]);
    const six = rulesOf(
      [{ priority: 20, src: 'fd00::7', fwmark: '0x1', protocol: 'kernel' }],
      [{ dst: 'fd00::7/128', dev: 'lxc1234567890' }],
      6,
    );
    expect(six.map(({ what }) => what)).toEqual([
      'IPv6 rule pref 20 from fd00::7 fwmark 0x1 protocol kernel',
    ]);
    expect(steps(six[0])).toEqual(['ip -6 rule del pref 20 from fd00::7 fwmark 0x1 protocol kernel']);
  });

  test('for local addresses goes back to the place from which Cilium moved it', () => {
    const moved: IpRule = { priority: 100, src: 'all', table: 'local' };
    const [item] = rulesOf([moved]);
    expect(item?.remove).toEqual([
      {
        do: 'run',
        command: ['ip', '-4', '-batch', '-'],
        stdin: 'rule add pref 0 lookup local protocol kernel\nrule del pref 100 lookup local\n',
      },
    ]);
    expect(steps(item, 'restore')).toEqual([
      'ip -4 rule add pref 100 lookup local',
      'ip -4 rule del pref 0 lookup local',
    ]);
    for (const other of [
      { ...moved, priority: 101 },
      { ...moved, table: 'main' },
      { ...moved, src: '10.0.0.1' },
      { ...moved, fwmark: '0x1' },
    ])
      expect(rulesOf([other])).toEqual([]);
    const first: IpRule = { priority: 0, src: 'all', table: 'local' };
    expect(rulesOf([first, moved])).toEqual([]);
    // The families have rules of their own.
    const both = ruleItems(
      nodeWith({
        rules: [
          { family: 6, rule: first },
          { family: 4, rule: moved },
        ],
      }),
    );
    expect(both.map(({ id }) => id)).toEqual(['rule 4 pref 100 lookup local']);
  });
});

const MARK = { src: 'all', fwmark: '0x200', fwmask: '0xf00', table: '2004' };

test.each([
  ['not', null],
  ['ipproto', 'tcp'],
  ['sport', 5000],
  ['dport', 80],
  ['uid_start', 0],
  ['tun_id', 7],
  ['l3mdev', null],
  ['goto', 100],
  ['iif', 'eth1'],
  ['oif', 'eth1'],
  ['src', '10.0.0.0'],
])('a rule with %s is no rule of Cilium', (field, value) => {
  expect(rulesOf([{ priority: 9, ...MARK, [field]: value }])).toEqual([]);
  expect(rulesOf([{ priority: 9, ...MARK }])).toHaveLength(1);
});

describe('a rule stays, and the plan says why', () => {
  const own: IpRule = { priority: 9, ...MARK, protocol: 'unspec' };
  const other: IpRule = { ...own, sport: 5000 };

  test('when ip would take one of somebody else, which stands before it and has the same and more', () => {
    for (const taken of [other, { ...own, not: null }, { ...own, src: '10.0.0.0', srclen: 8 }]) {
      expect(rulesOf([taken, own])).toEqual([]);
      expect(rulesLeft(stateOf([taken, own]))).toEqual([
        'IPv4 rule pref 9 fwmark 0x200/0xf00 lookup 2004: ip would remove a rule of somebody else that has the same and more',
      ]);
    }
    expect(rulesOf([{ ...other, priority: 8 }, own])).toHaveLength(1);
    expect(rulesOf([{ ...other, table: '2100' }, own])).toHaveLength(1);
  });

  test('when another one of its priority stands behind it', () => {
    expect(rulesOf([own, other])).toEqual([]);
    expect(rulesLeft(stateOf([own, other]))).toEqual([
      expect.stringMatching(/: undo could not put it in front of the other rule of this priority$/),
    ]);
    expect(rulesOf([own, { ...own, table: '2005', fwmark: '0xa00' }])).toHaveLength(2);
    expect(rulesLeft(stateOf([own, { ...other, priority: 10 }]))).toEqual([]);
  });
});

test.each<[string, IpRule, boolean]>([
  ['of the proxy', { priority: 9, ...MARK }, true],
  ['for an address of a pod', { priority: 111, src: '10.0.0.7', table: '11' }, true],
  ['for an address at another priority', { priority: 5, src: '10.0.0.7', table: '11' }, false],
  ['with a port', { priority: 9, ...MARK, dport: 80 }, false],
  ['of another mark', { priority: 9, ...MARK, fwmark: '0x400' }, false],
  ['whose priority is no number', { ...MARK, priority: '-batch' as unknown as number }, false],
])('a recorded rule %s is taken: %s', (_what, rule, taken) => {
  expect(isOwnRuleRecord({ bring: 'rule', family: 4, rule })).toBe(taken);
});

describe('rules of one priority', () => {
  const rule = (fwmark: string, table: string): IpRule => ({
    priority: 21,
    src: 'all',
    fwmark,
    fwmask: '0xf00',
    table,
  });
  const [one, two] = [rule('0x200', '2004'), rule('0xa00', '2005')];
  const steps = [one, two].map((each) => ({ bring: 'rule' as const, family: 4 as const, rule: each }));
  const ran = async (now: IpRule[]) => {
    using programs = fakePrograms({ ip: `case "$*" in *-j*) echo '${JSON.stringify(now)}';; esac` });
    const changed = await orderRules(steps, systemRun({ PATH: programs.path }));
    return { changed, calls: programs.calls().filter((call) => !call.includes('-j')) };
  };

  test('come into their order, where they stand in another', async () => {
    expect(await ran([one, two])).toEqual({ changed: false, calls: [] });
    expect(await ran([two])).toEqual({ changed: false, calls: [] });
    const words = 'pref 21 fwmark 0xa00/0xf00 lookup 2005';
    expect(await ran([two, one])).toEqual({
      changed: true,
      calls: [`ip -4 rule del ${words}`, `ip -4 rule add ${words}`],
    });
  });

  test('stay as they are, where ip would remove one of somebody else', async () => {
    expect(await ran([{ ...two, sport: 5 }, two, one])).toEqual({ changed: false, calls: [] });
  });
});

describe('a rule comes back', () => {
  const rule: IpRule = { priority: 9, ...MARK };
  const local: IpRule = { priority: 0, src: 'all', table: 'local' };
  const moved: IpRule = { ...local, priority: 100 };
  /** What was changed, where ip lists these rules before and after the first change. */
  const ran = async (step: Parameters<typeof restoreRule>[0], before: IpRule[], after: IpRule[]) => {
    using programs = fakePrograms({
      ip: `here=$(dirname $0); case "$*" in *-j*) if [ -e $here/changed ]; then echo '${JSON.stringify(after)}'; else echo '${JSON.stringify(before)}'; fi;; *) touch $here/changed;; esac`,
    });
    const result = await restoreRule(step, systemRun({ PATH: programs.path })).catch(
      (error: Error) => error.message,
    );
    return { result, calls: programs.calls().filter((call) => !call.includes('-j')) };
  };
  const own = { bring: 'rule', family: 4, rule } as const;
  const back = { bring: 'local-rule', family: 4, rule: moved } as const;

  test('when it is missing, and is compared', async () => {
    const calls = ['ip -4 rule add pref 9 fwmark 0x200/0xf00 lookup 2004'];
    expect(await ran(own, [{ ...rule, sport: 5 }], [rule])).toEqual({ result: true, calls });
    expect(await ran(own, [], [{ ...rule, protocol: 'boot' }])).toEqual({
      result: 'it came back in another form: compare "ip -d rule"',
      calls,
    });
    expect(await ran(own, [rule], [])).toEqual({ result: false, calls: [] });
  });

  test('for local addresses, from wherever an undo was interrupted', async () => {
    const [add, del] = ['ip -4 rule add pref 100 lookup local', 'ip -4 rule del pref 0 lookup local'];
    expect(await ran(back, [local], [local, moved])).toEqual({ result: true, calls: [add, del] });
    expect(await ran(back, [local, moved], [moved])).toEqual({ result: true, calls: [del] });
    expect(await ran(back, [moved], [])).toEqual({ result: false, calls: [] });
  });
});
