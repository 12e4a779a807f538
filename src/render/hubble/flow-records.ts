import type { FlowRow } from '../../model/flow-row.ts';
import type { LostEvent } from '../../model/hubble.gen.ts';
import type { TabStop } from '../text/table.ts';
import { type FlowStyle, flowCells, lostCells } from './flow.ts';

/** The writer of Hubble's tables: tab(2,0,3). */
export const HUBBLE_TABLE: TabStop = { minWidth: 2, padding: 3 };

/** Stands on a line between two records. */
export const SEPARATOR = '------------';

/** Key and value per line, keys flush right. */
export function renderPairs(pairs: readonly (readonly [key: string, value: string])[], width = 11): string {
  return pairs.map(([key, value]) => `${key.padStart(width)}: ${value}\n`).join('');
}

/** A flow, one fact per line; its ends are never swapped. */
export function renderDict(row: FlowRow, style: FlowStyle): string {
  return renderCells(flowCells(row, style), style);
}

/** Lost events, one fact per line: nobody knows where they went. */
export function renderLostDict(time: string, node: string, lost: LostEvent, style: FlowStyle): string {
  return renderCells(lostCells(time, node, lost, style), style, 'DESTINATION');
}

/** The cells of a row of the table behind their headers, but for one that is left out. */
function renderCells(cells: readonly string[], style: FlowStyle, leftOut?: string): string {
  const pairs = flowHeaders(style).map((header, i) => [header, cells[i] ?? ''] as const);
  return renderPairs(pairs.filter(([header]) => header !== leftOut));
}

/** Headers of the flow table. */
export function flowHeaders(style: FlowStyle): string[] {
  return [
    'TIMESTAMP',
    ...(style.nodeName ? ['NODE'] : []),
    'SOURCE',
    'DESTINATION',
    'TYPE',
    'VERDICT',
    'SUMMARY',
  ];
}

/** A row of the table before it is aligned. */
export function tableLine(cells: readonly string[]): string {
  return `${cells.join('\t')}\n`;
}

/** A flow as a row of the table before it is aligned. */
export function flowLine(row: FlowRow, style: FlowStyle): string {
  return tableLine(flowCells(row, style));
}
