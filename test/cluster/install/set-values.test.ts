import { describe, expect, test } from '@jest/globals';
import { mergeValues, putPairs, type SetKind, type Values } from '../../../src/cluster/install/set-values.ts';
import { valuesYaml } from '../../../src/render/cluster/values.ts';

async function read(text: string, kind: SetKind = 'set', base: Values = {}): Promise<Values> {
  const values: Values = {};
  await putPairs(values, text, kind, base, async (path) => `content of ${path}`);
  return values;
}

/** As helm 4 prints the same pairs. */
describe('pairs are read as Helm reads them', () => {
  test.each<[string, Values]>([
    ['a=b,c=d', { a: 'b', c: 'd' }],
    ['a.b[1].c=x', { a: { b: [null, { c: 'x' }] } }],
    ['a={}', { a: [''] }],
    ['a={1,TRUE,null,0,01}', { a: [1, true, null, 0, '01'] }],
    ['a=1,a=2', { a: 2 }],
    ['a[0][1]=q', { a: [[null, 'q']] }],
    ['a=', { a: '' }],
    ['a=b\\,c', { a: 'b,c' }],
    ['a\\.b.c=1', { 'a.b': { c: 1 } }],
    ['a=-5,b=+5,c=1.5,d=0x10,e=1e3,f=yes', { a: -5, b: 5, c: '1.5', d: '0x10', e: '1e3', f: 'yes' }],
    ['a.b=1,a.c.d=null', { a: { b: 1, c: { d: null } } }],
    ['a[0]=1,a[2]=3', { a: [1, null, 3] }],
  ])('%s', async (text, values) => {
    expect(await read(text)).toEqual(values);
  });

  test('texts stay texts, and files are read', async () => {
    expect(await read('a=true,b=1', 'set-string')).toEqual({ a: 'true', b: '1' });
    expect(await read('a.b=/x/y', 'set-file')).toEqual({ a: { b: 'content of /x/y' } });
  });

  test('a list that is changed in places begins as the files have it', async () => {
    expect(await read('a[1]=x', 'set', { a: [1, 2, 3] })).toEqual({ a: [1, 'x', 3] });
  });

  test.each(['a', '=b', 'a[x]=1', 'a={a,b', 'a[99999999]=1', 'a[0]x=1', '__proto__.a=1'])(
    '%s is refused',
    async (text) => {
      await expect(read(text)).rejects.toThrow(`--set ${text}: `);
    },
  );
});

test('maps are joined, and the second counts of all else', () => {
  expect(mergeValues({ a: { b: 1, c: 2 }, d: [1] }, { a: { c: 3 }, d: [2] })).toEqual({
    a: { b: 1, c: 3 },
    d: [2],
  });
});

test('values are written as Helm writes them', async () => {
  const values = {
    z: 'yes',
    a: [{ b: 1, a: 'a: b' }],
    n: null,
    t: '2020-01-01',
    ip: '10.0.0.1',
    e: '',
    m: 'x\ny\n',
  };
  expect(await valuesYaml(values)).toBe(
    'a:\n- a: \'a: b\'\n  b: 1\ne: ""\nip: 10.0.0.1\nm: |\n  x\n  y\n"n": null\nt: "2020-01-01"\nz: "yes"\n',
  );
});
