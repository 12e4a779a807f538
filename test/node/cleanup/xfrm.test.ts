import { expect, test } from '@jest/globals';
import { restoreXfrm, xfrmItems, xfrmLeft } from '../../../src/node/cleanup/xfrm.ts';
import { systemRun } from '../../../src/node/state/run.ts';
import { parseXfrmPolicies, type XfrmState } from '../../../src/node/state/xfrm.ts';
import { fakePrograms } from '../../helpers/programs.ts';
import { nodeWith, steps } from '../node-state.ts';

const TEMPLATE = ['tmpl src 1.1.1.1 dst 2.2.2.2', '\tproto esp spi 0x00000003 reqid 1 mode tunnel'];
const policy = (direction: string, mark: string | undefined, template: string[], priority = 'priority 0') =>
  [
    'src 10.0.0.0/24 dst 10.1.0.0/24 ',
    `\tdir ${direction} ${priority} ptype main `,
    ...(mark ? [`\tmark ${mark} `] : []),
    ...template.map((line) => `\t${line}`),
    '',
  ].join('\n');
const nodeOf = (text: string, states: XfrmState[] = []) =>
  nodeWith({ xfrm: { policies: parseXfrmPolicies(text), states } });
const other = (from: string, to: string) => TEMPLATE.map((line) => line.replace(from, to));

test.each<[string, string, boolean]>([
  ['out, of a key', policy('out', '0x3e00/0xff00', TEMPLATE), true],
  ['out, of a node and a key', policy('out', '0x12343e00/0xffffff00', TEMPLATE), true],
  ['in', policy('in', '0xd00/0xf00', [...TEMPLATE, '\tlevel use ']), true],
  ['forward', policy('fwd', undefined, TEMPLATE, 'priority 2975'), true],
  ['block', policy('out action block', '0xe00/0xf00', [], 'priority 100'), true],
  ['out, of another request', policy('out', '0x3e00/0xff00', other('reqid 1 ', 'reqid 7 ')), false],
  ['out, of another mark', policy('out', '0x3c00/0xff00', TEMPLATE), false],
  ['out, of another mask', policy('out', '0x3e00/0xffff', TEMPLATE), false],
  ['out, without a mark', policy('out', undefined, TEMPLATE), false],
  ['in, with the mask of out', policy('in', '0xd00/0xff00', TEMPLATE), false],
  ['forward, of another priority', policy('fwd', undefined, TEMPLATE, 'priority 5'), false],
  ['block, without a mark', policy('out action block', undefined, []), false],
  ['block, in', policy('in action block', '0xd00/0xf00', []), false],
  ['transport', policy('out', '0x3e00/0xff00', other('tunnel', 'transport')), false],
])('a policy %s is Cilium’s: %#', (_what, text, own) => {
  const items = xfrmItems(nodeOf(text));
  expect(items).toHaveLength(own ? 1 : 0);
  expect(xfrmLeft(nodeOf(text))).toEqual([]);
});

test('a policy goes by what tells it from others, and comes back with all of it', () => {
  const [item] = xfrmItems(nodeOf(policy('out', '0x3e00/0xff00', [...TEMPLATE, '\tlevel use '])));
  expect(item?.what).toBe('IPsec policy 10.0.0.0/24 to 10.1.0.0/24 out mark 0x3e00/0xff00');
  expect(steps(item)).toEqual([
    'ip xfrm policy delete src 10.0.0.0/24 dst 10.1.0.0/24 dir out mark 0x3e00 mask 0xff00',
  ]);
  expect(steps(item, 'restore')).toEqual([
    'ip xfrm policy add src 10.0.0.0/24 dst 10.1.0.0/24 dir out priority 0 ptype main mark 0x3e00 mask 0xff00 tmpl src 1.1.1.1 dst 2.2.2.2 proto esp spi 0x00000003 reqid 1 mode tunnel level use',
  ]);
});

test.each([
  ['a second template', [...TEMPLATE, ...TEMPLATE]],
  ['an interface', ['if_id 0x5', ...TEMPLATE]],
  ['ports', [...TEMPLATE, 'sel src 1.1.1.1/32 dst 2.2.2.2/32 sport 5']],
])('a policy with %s stays, and the plan says so', (_what, template) => {
  const state = nodeOf(policy('out', '0x3e00/0xff00', template));
  expect(xfrmItems(state)).toEqual([]);
  expect(xfrmLeft(state)).toEqual([
    'IPsec policy 10.0.0.0/24 to 10.1.0.0/24 out mark 0x3e00/0xff00: undo could not bring back all of it',
  ]);
});

test('states go by request and mark, and are not kept', () => {
  const own: XfrmState = {
    src: '1.1.1.1',
    dst: '2.2.2.2',
    proto: 'esp',
    spi: 3,
    requestId: 1,
    mode: 'tunnel',
    mark: { value: 0x3e00, mask: 0xff00 },
    sequence: 0n,
  };
  const { mark: _, ...unmarked } = own;
  const items = xfrmItems(
    nodeOf('', [
      own,
      unmarked,
      { ...own, requestId: 7 },
      { ...own, mode: 'transport' },
      { ...own, proto: 'ah' },
    ]),
  );
  expect(items.map((item) => [...steps(item), item.restore])).toEqual([
    ['ip xfrm state delete src 1.1.1.1 dst 2.2.2.2 proto esp spi 0x3 mark 0x3e00 mask 0xff00', undefined],
  ]);
});

test('a policy that stands is left, and one that comes back in another form is reported', async () => {
  const text = policy('out', '0x3e00/0xff00', TEMPLATE);
  const [step] = xfrmItems(nodeOf(text))[0]?.restore ?? [];
  if (step?.bring !== 'xfrm-policy') throw new Error('nothing is recorded');
  using standing = fakePrograms({ ip: `printf '%s' '${text}'` });
  expect(await restoreXfrm(step, systemRun({ PATH: standing.path }))).toBe(false);
  using gone = fakePrograms({ ip: 'exit 0' });
  await expect(restoreXfrm(step, systemRun({ PATH: gone.path }))).rejects.toThrow('in another form');
  expect(gone.calls()[1]).toMatch(/^ip xfrm policy add src/);
});
