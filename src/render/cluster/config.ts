import { compareBytes } from '../../lib/order.ts';
import { tabulate } from '../text/table.ts';

/** Keys and values of the configuration, sorted. A value of several lines continues below, as in the reference. */
export function renderConfigMap(data: Readonly<Record<string, string>>): string {
  const rows = Object.keys(data)
    .toSorted(compareBytes)
    .map((key) => `${key}\t${data[key]}\n`);
  return tabulate(rows.join(''), { minWidth: 0, padding: 4 });
}
