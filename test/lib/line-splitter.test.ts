import { describe, expect, test } from '@jest/globals';
import { LineSplitter } from '../../src/lib/line-splitter.ts';
import fc from '../helpers/properties.ts';

const textOf = ({ bytes }: { bytes: Buffer }) => bytes.toString('utf8');

describe('lines', () => {
  test('come out whole, however the bytes were cut', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' })), fc.array(fc.nat(9)), (words, cuts) => {
        const text = words.join('\n');
        const bytes = Buffer.from(text);
        const splitter = new LineSplitter(1000);
        const lines: string[] = [];
        let at = 0;
        for (const cut of [...cuts, bytes.length]) {
          lines.push(...splitter.push(bytes.subarray(at, at + cut)).map(textOf));
          at += cut;
        }
        lines.push(textOf(splitter.rest()));
        expect(lines).toEqual(text.split('\n'));
      }),
    );
  });

  test('that are too long are kept as far as is wanted, and counted', () => {
    const splitter = new LineSplitter(4);
    expect(splitter.push(Buffer.from('ab'))).toEqual([]);
    expect(splitter.pending).toBe(2);
    expect(splitter.push(Buffer.from('cdef'))).toEqual([]);
    expect(splitter.pending).toBe(6);
    expect(splitter.push(Buffer.from('g\nh\n')).map((line) => [textOf(line), line.length])).toEqual([
      ['abcd', 7],
      ['h', 1],
    ]);
    expect(textOf(splitter.rest())).toBe('');
  });

  test('of 64 MiB in small pieces take no longer than their bytes do', () => {
    const splitter = new LineSplitter(64 * 1024 * 1024);
    const piece = Buffer.alloc(16 * 1024, 'x');
    const startMs = performance.now();
    for (let i = 0; i < 4096; i++) splitter.push(piece);
    expect(splitter.push(Buffer.from('\n'))[0]?.length).toBe(64 * 1024 * 1024);
    expect(performance.now() - startMs).toBeLessThan(10_000);
  });
});
