import type { FlowRow } from '../../model/flow-row.ts';
import type { LostEvent } from '../../model/hubble.gen.ts';
import { sanitizeCell } from '../text/sanitize.ts';
import type { TabStop } from '../text/table.ts';
import {
  type FlowStyle,
  flowCells,
  hostText,
  lostSource,
  lostSummary,
  summaryText,
  typeText,
  verdictText,
} from './flow.ts';

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
  return renderPairs([
    ['TIMESTAMP', style.time(row.time)],
    ...(style.nodeName ? [['NODE', row.node] as const] : []),
    ['SOURCE', hostText(row, row.source, style)],
    ['DESTINATION', hostText(row, row.destination, style)],
    ['TYPE', typeText(row)],
    ['VERDICT', verdictText(row, style)],
    ['SUMMARY', summaryText(row, style)],
  ]);
}

/** Lost events, one fact per line. */
export function renderLostDict(time: string, node: string, lost: LostEvent, style: FlowStyle): string {
  return renderPairs([
    ['TIMESTAMP', style.time(time)],
    ...(style.nodeName ? [['NODE', sanitizeCell(node) || '-'] as const] : []),
    ['SOURCE', lostSource(lost)],
    ['TYPE', 'EVENTS LOST'],
    ['VERDICT', '-'],
    ['SUMMARY', lostSummary(lost, style)],
  ]);
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
