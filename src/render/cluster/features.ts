import {
  type FeatureRow,
  featureRows,
  type NodeMetrics,
  nodesOf,
  wholeNumber,
} from '../../cluster/features.ts';
import { sanitizeCell } from '../text/sanitize.ts';
import { tabulate } from '../text/table.ts';

/** How a part of the answer is called, and its metrics. */
export interface FeatureBlock {
  title: string;
  metrics: NodeMetrics;
}

const TABLE = { minWidth: 0, padding: 2 };

/** `features status`. */
export function renderFeatures(blocks: readonly FeatureBlock[]): string {
  return blocks
    .map(({ title, metrics }) => {
      const rows = featureRows(metrics).map((row) => [
        row.isUniform === undefined ? ' ' : row.isUniform ? 'Yes' : 'No',
        ...cellsOf(row),
      ]);
      const lines = [['Uniform', 'Name', 'Labels', ...nodesOf(metrics)], ...rows];
      const text = lines.map((cells) => cells.map((cell) => `${sanitizeCell(cell)}\t`).join(''));
      return `${title}\n${tabulate(`${text.join('\n')}\n`, TABLE)}`;
    })
    .join('\n');
}

/** `features status -o markdown`. */
export function featuresMarkdown(blocks: readonly FeatureBlock[]): string {
  return blocks
    .map(({ title, metrics }) => {
      const nodes = nodesOf(metrics);
      const rows = featureRows(metrics).map((row) => {
        const mark = row.isUniform === undefined ? '' : row.isUniform ? ':heavy_check_mark: ' : ':warning: ';
        const [name = '', labels = '', ...values] = cellsOf(row).map(sanitizeCell);
        return `| ${mark}| ${name} | ${labels} |${values.map((value) => ` ${value} |`).join('')}`;
      });
      return [
        `# ${title}`,
        `| Uniform | Name | Labels |${nodes.map((node) => ` ${sanitizeCell(node)} |`).join('')}`,
        `|-|-|${'-|'.repeat(nodes.length)}-|`,
        ...rows,
        '',
      ].join('\n');
    })
    .join('\n');
}

function cellsOf({ name, labels, values }: FeatureRow): string[] {
  return [name, labels, ...values.map(wholeNumber)];
}
