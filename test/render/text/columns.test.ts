import { describe, expect, test } from '@jest/globals';
import { renderTable, rowTable, type Table } from '../../../src/render/text/blocks.ts';
import { arrange, columnNames, namesOnly } from '../../../src/render/text/columns.ts';
import { crop, fitTable, withoutWide } from '../../../src/render/text/fit.ts';
import { NO_COLOR, paletteFor } from '../../../src/render/text/palette.ts';

const ALL = { columns: [], sort: [], headers: true };
const cellsOf = ({ blocks }: Table) => blocks.flatMap(({ lines }) => lines);

describe('columns', () => {
  test('are named by their headers', () => {
    expect(
      columnNames(rowTable(['IP PREFIX/ADDRESS', 'ID', '', 'Endpoint CIDR', 'Endpoint CIDR'], [])),
    ).toEqual(['ip-prefix-address', 'id', '', 'endpoint-cidr', 'endpoint-cidr-2']);
  });

  test('stand in the order that is asked for, with the lines that continue an entry', () => {
    const table: Table = {
      headers: ['ID\tLABELS\tSTATE\t', '\tall of them\t\t'],
      blocks: [{ key: '1', lines: ['1\ta\tup\t', '\tb\t\t'] }],
    };
    const shown = arrange(table, { ...ALL, columns: ['state', 'labels'] });
    expect([shown.headers, shown.blocks]).toEqual([
      ['STATE\tLABELS', '\tall of them'],
      [{ key: '1', lines: ['up\ta', '\tb'] }],
    ]);
    expect(arrange(table, { ...ALL, columns: ['id'] }).blocks).toEqual([{ key: '1', lines: ['1'] }]);
    expect(arrange(table, { ...ALL, headers: false }).headers).toEqual([]);
    expect(namesOnly(table)).toMatchObject({ headers: [], blocks: [{ key: '1', lines: ['1'] }] });
  });

  test.each([
    ['--columns', { ...ALL, columns: ['STAT'] }],
    ['--sort', { ...ALL, sort: ['-stat'] }],
  ])('that are not there are an error of %s with the nearest and the list', (flag, asked) => {
    expect(() => arrange(rowTable(['ID', 'STATE'], []), asked)).toThrow(
      expect.objectContaining({
        message: expect.stringMatching(
          new RegExp(`^${flag}: there is no column "(STAT|stat)", did you mean "state"`),
        ),
        hint: 'Columns: id, state.',
      }),
    );
  });

  test('of a list that is empty and has no header are not looked up', () => {
    expect(arrange({ headers: [], blocks: [] }, { ...ALL, columns: ['x'] })).toEqual({
      headers: [],
      blocks: [],
    });
  });
});

describe('--sort', () => {
  const sorted = (cells: string[], word = 'x') =>
    cellsOf(
      arrange(
        rowTable(
          ['X'],
          cells.map((cell) => [cell]),
        ),
        { ...ALL, sort: [word] },
      ),
    );

  test.each([
    ['numbers', ['10', '9', '-1', '0x10'], ['-1', '9', '10', '0x10']],
    ['shares and sizes', ['1.5 MiB', '900 B', '30.8 KiB'], ['900 B', '30.8 KiB', '1.5 MiB']],
    ['rates', ['10M', '900k', '1G'], ['900k', '10M', '1G']],
    ['durations', ['1h2m', '59m', '3d4h', '36s'], ['36s', '59m', '1h2m', '3d4h']],
    ['times past', ['2m ago', '30s ago'], ['30s ago', '2m ago']],
    [
      'addresses',
      ['10.0.0.10', '10.0.0.9', 'fd00::1', '9.0.0.1'],
      ['9.0.0.1', '10.0.0.9', '10.0.0.10', 'fd00::1'],
    ],
    ['prefixes', ['10.0.1.0/24', '10.0.0.0/8', '10.0.0.0/16'], ['10.0.0.0/8', '10.0.0.0/16', '10.0.1.0/24']],
    [
      'addresses with ports',
      ['10.0.0.10:80/TCP', '10.0.0.9:443', '10.0.0.10:9', '[fd00::1]:80'],
      ['10.0.0.9:443', '10.0.0.10:9', '10.0.0.10:80/TCP', '[fd00::1]:80'],
    ],
    [
      'counts of how many',
      ['4095/4095 (100.00%)', '20/4095 (  0.49%)'],
      ['20/4095 (  0.49%)', '4095/4095 (100.00%)'],
    ],
    ['texts', ['node-10', 'node-9', 'edge'], ['edge', 'node-9', 'node-10']],
  ])('orders %s as such', (_, cells, expected) => {
    expect(sorted(cells)).toEqual(expected);
    expect(sorted(cells, '-x')).toEqual(expected.toReversed());
  });

  test('leaves what has no value at the end', () => {
    expect(sorted(['-', '2', '', '1'])).toEqual(['1', '2', '-', '']);
    expect(sorted(['-', '2', '', '1'], '-x')).toEqual(['2', '1', '-', '']);
  });

  test('takes one column after the other, and keeps the order of what is alike', () => {
    const rows = [
      ['b', '1', 'first'],
      ['a', '2', 'second'],
      ['a', '10', 'third'],
      ['b', '1', 'fourth'],
    ];
    const table = rowTable(['NAME', 'N', 'WHAT'], rows);
    expect(cellsOf(arrange(table, { columns: ['what'], sort: ['name', '-n'], headers: true }))).toEqual([
      'third',
      'second',
      'first',
      'fourth',
    ]);
  });
});

describe('a table in a terminal', () => {
  const table = rowTable(['NAME', 'PATH', 'N'], [['web', '/sys/fs/bpf/tc/globals/cilium_ct4_global', '12']]);

  test('is cropped in its widest cell, and only as far as needed', () => {
    const text = renderTable(fitTable(table, 40));
    expect(text).toBe('NAME   PATH                           N\nweb    /sys/fs/bpf/tc/globals/cili…   12\n');
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBe(40);
    expect(renderTable(fitTable(table, 200))).toBe(renderTable(table));
  });

  test('crops cells alike that are equally wide', () => {
    const pods = rowTable(['FROM', 'TO', 'N'], [['shop/frontend-5f7c9', 'shop/cart-6d9b-7hj2', '7']]);
    expect(renderTable(fitTable(pods, 29))).toBe(
      'FROM          TO            N\nshop/front…   shop/cart-…   7\n',
    );
    expect(renderTable(fitTable(pods, 30))).toBe(
      'FROM          TO             N\nshop/front…   shop/cart-6…   7\n',
    );
  });

  test('shows what is for -o wide where all of it fits', () => {
    const wide = { ...table, wide: [1] };
    expect(renderTable(withoutWide(wide))).toBe('NAME   N\nweb    12\n');
    expect(renderTable(fitTable(wide, 30))).toBe('NAME   N\nweb    12\n');
    expect(renderTable(fitTable(wide, 200))).toBe(renderTable(table));
  });

  test('is spared columns that it is too narrow for, which are there in a pipe', () => {
    const extra = { ...table, extra: [1] };
    expect(renderTable(withoutWide(extra))).toBe(renderTable(table));
    expect(renderTable(fitTable(extra, 30))).toBe('NAME   N\nweb    12\n');
    expect(renderTable(fitTable(extra, 200))).toBe(renderTable(table));
  });

  test('measures a line by what is seen of it', () => {
    const { bad } = paletteFor('always', {}, true);
    expect(crop(bad('12345'), 5)).toBe(bad('12345'));
    expect(crop(bad('123456'), 5)).toBe('1234…');
    expect(crop(NO_COLOR.bad('\u{1f600}\u{1f600}'), 2)).toBe('\u{1f600}\u{1f600}');
  });
});
