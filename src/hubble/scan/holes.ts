import { COLUMN_FIELDS, FlowRow, POLICY_FIELDS, readFlow } from '../../model/flow-row.ts';
import type { LineMaker, Piece } from './machine.ts';

/**
 * Values that stand in a line as they are, so that lines which differ in them alone are made once: the fields of a flow that fill
 * each hole, of which one is set. Around a hole it counts whether it is empty and whether a colon in it asks for brackets; a number
 * below 100 may have a name, and a part of a path may be printed shorter. memo.h knows these rules, and the number of a hole, which is
 * its place here and one.
 */
const HOLES: readonly (readonly string[])[] = [
  ['time'],
  ['Summary'],
  ['node_name'],
  ...['source', 'destination'].flatMap((side) => [
    ['TCP', 'UDP', 'SCTP'].map((name) => `l4.${name}.${side}_port`),
    [`IP.${side}`],
    [`ethernet.${side}`],
    [`${side}.namespace`],
    [`${side}.pod_name`],
    [`${side}.identity`],
    [`${side}_service.name`],
    [`${side}_service.namespace`],
  ]),
];

const LEAST_NUMBER = 100;
/** From it on they are of the ends, whose names are printed as paths. */
const FIRST_OF_SIDES = 3;
/** No text from outside has it: it would be escaped. */
const MARK = '\u0001';
const MARKED = new RegExp(`(${MARK}:?\\d+${MARK})`);

const COLUMNS = HOLES.map((fields) => COLUMN_FIELDS.find(({ path }) => path === fields[0])?.slot ?? -1);

/** Puts marks in place of the values that stand as they are; `isPlain` says it of the text of a field. */
function markHoles({ values }: FlowRow, isPlain: (field: string) => boolean): void {
  for (const [i, fields] of HOLES.entries()) {
    const column = COLUMNS[i] ?? -1;
    const value = values[column];
    if (typeof value === 'number' ? value < LEAST_NUMBER : !value || !isPlain(fields[0] ?? '')) continue;
    if (i >= FIRST_OF_SIDES && /\/|^\.{1,2}$/.test(String(value))) continue;
    values[column] = `${MARK}${String(value).includes(':') ? ':' : ''}${i + 1}${MARK}`;
  }
}

/** A line that has marks, as scan.c puts it together. */
function piecesOf(line: string): Piece[] {
  const parts = `${MARK}0${MARK}${line}`.split(MARKED).slice(1);
  return Array.from({ length: parts.length / 2 }, (_, i) => ({
    hole: Number((parts[2 * i] ?? '').replace(/\D/g, '')),
    text: parts[2 * i + 1] ?? '',
  }));
}

/** How lines are made of rows. */
export interface RowPrinter {
  /** Names of policies are printed. */
  policies: boolean;
  /** Makes the texts of a row safe. */
  clean(row: FlowRow): void;
  /** The line of a row, whose time is printed as it stands. */
  line(row: FlowRow): string;
  /** Makes text of a line what a terminal is to get. */
  safe(text: string): string;
}

/** Makes lines of the columns of flows. */
export function rowLines(printer: RowPrinter, time: LineMaker['time']): LineMaker {
  const row = new FlowRow();
  return {
    fields: [...COLUMN_FIELDS.map(({ path }) => path), ...(printer.policies ? POLICY_FIELDS : [])],
    holes: HOLES,
    time,
    pieces: (flow, isPlain) => {
      readFlow(row, flow);
      printer.clean(row);
      markHoles(row, isPlain);
      return piecesOf(printer.line(row)).map(({ hole, text }) => ({ hole, text: printer.safe(text) }));
    },
  };
}
