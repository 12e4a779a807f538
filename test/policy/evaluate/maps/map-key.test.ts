import { describe, expect, test } from '@jest/globals';
import {
  broaderKeys,
  l4Key,
  portOf,
  prefixOf,
  protocolOf,
} from '../../../../src/policy/evaluate/maps/map-key.ts';
import { portBlocks } from '../../../../src/policy/evaluate/maps/ports.ts';

describe('port ranges', () => {
  test.each([
    [0, 0, ['0/0']],
    [80, 0, ['80/16']],
    [0, 65_535, ['0/0']],
    [16, 31, ['16/12']],
    [8000, 8999, ['8000/10', '8064/9', '8192/7', '8704/8', '8960/11', '8992/13']],
    [1, 65_535, expect.arrayContaining(['1/16', '32768/1'])],
  ])('%i to %i', (first, last, expected) => {
    expect(portBlocks(first, last).map(({ port, prefix }) => `${port}/${prefix}`)).toEqual(expected);
  });

  test('a key holds protocol, port and prefix, and knows the broader ones', () => {
    const key = l4Key(132, { port: 65_535, prefix: 16 });
    expect([protocolOf(key), portOf(key), prefixOf(key)]).toEqual([132, 65_535, 16]);
    const broader = broaderKeys(l4Key(6, { port: 8080, prefix: 16 }));
    expect(broader).toHaveLength(17);
    expect(broader.slice(-2).map((each) => [protocolOf(each), portOf(each), prefixOf(each)])).toEqual([
      [6, 0, 0],
      [0, 0, 0],
    ]);
  });
});
