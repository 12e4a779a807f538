import type { Output } from '../../context.ts';
import type { Table } from '../../render/text/blocks.ts';
import { columnNames } from '../../render/text/columns.ts';
import type { Candidate, Source } from './place.ts';

const MUTE: Output = { write: async () => {}, pass: async () => {}, isTTY: false, columns: undefined };

/** The columns of the list that the line names. It is made once, without being printed, since its headers may depend on who answers. */
export const columnsOfList: Source = async ({ ctx, command: asked, again, given, current }) => {
  const command = await again(Object.create(ctx, { out: { value: MUTE }, err: { value: MUTE } }));
  for (const option of asked.options) {
    const name = option.attributeName();
    if (asked.getOptionValueSource(name) === 'cli' && !['columns', 'sort'].includes(name))
      command.setOptionValueWithSource(name, asked.getOptionValue(name), 'cli');
  }
  const found: Candidate[] = [];
  command.setOptionValue('collect', (table: Table) => {
    const headers = (table.headers[0] ?? '').split('\t');
    columnNames(table).forEach((value, i) => void found.push({ value, meaning: headers[i]?.trim() ?? '' }));
  });
  await command.parseAsync([...given], { from: 'user' });
  // What sorts in descending order is typed with a dash that stays.
  return current.startsWith('-') ? [] : found.filter(({ value }) => value !== '');
};
