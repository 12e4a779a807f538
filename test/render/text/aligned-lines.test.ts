import { expect, test } from '@jest/globals';
import { AlignedLines } from '../../../src/render/text/aligned-lines.ts';
import { tabulate } from '../../../src/render/text/table.ts';
import fc from '../../helpers/properties.ts';

const STOP = { minWidth: 2, padding: 3 };
const HEADER = ['A', 'LONGER', 'C'];
const line = (cells: readonly string[]) => `${cells.join('\t')}\n`;

/** The table of lines that come in blocks. */
function aligned(blocks: readonly (readonly (readonly string[])[])[]): string {
  const table = new AlignedLines(line(HEADER), STOP);
  for (const block of blocks) table.add(Buffer.from(block.map(line).join('')));
  return Buffer.concat([...table.take()]).toString();
}

const cell = fc.oneof(
  fc.string({ maxLength: 12 }).map((text) => text.replace(/[\t\n]/g, '')),
  fc.constantFrom('', 'é', '日本', '😀', '\u0000'),
);

test.each([
  { what: 'lines of the same cells', cells: fc.array(cell, { minLength: 3, maxLength: 3 }) },
  { what: 'lines of any cells', cells: fc.array(cell, { minLength: 1, maxLength: 4 }) },
])('$what are aligned as tabulate does, whatever the blocks', ({ cells }) => {
  const blocks = fc.array(fc.array(cells, { maxLength: 4 }), { maxLength: 4 });
  fc.assert(
    fc.property(blocks, (all) => {
      const lines = all.flat();
      expect(aligned(all)).toBe(
        lines.length === 0 ? '' : tabulate([HEADER, ...lines].map(line).join(''), STOP),
      );
    }),
  );
});
