import type { Context } from '../../../context.ts';
import { rowLines } from '../../../hubble/scan/holes.ts';
import type { RecordVisitor, ScanOptions } from '../../../hubble/scan/scanner.ts';
import type { FlowRow } from '../../../model/flow-row.ts';
import { sanitizeRow } from '../../../render/hubble/flow.ts';
import type { FlowRenderer } from '../../../render/hubble/flow-renderer.ts';
import { forTerminal } from '../../../render/text/sanitize.ts';
import type { Limit } from './limit.ts';
import type { RecordText } from './record-text.ts';

/** Collects records as text in `texts`, as a renderer prints them. */
export function textCollector(
  texts: RecordText[],
  renderer: FlowRenderer,
  limit: Limit | undefined,
): RecordVisitor {
  const add = (text: RecordText) => {
    texts.push(text);
    return !limit?.isReached(texts.length);
  };
  return {
    texts: (bytes, ends, plain) => {
      if (!limit) return texts.push({ chunk: bytes, start: 0, end: bytes.length, plain }) > 0;
      let start = 0;
      for (const end of ends()) {
        texts.push({ chunk: bytes, start, end, plain });
        start = end;
      }
      return !limit.isReached(texts.length);
    },
    // News of nodes give no text, and are records all the same.
    message: (message) => add(renderer.response(message)),
    most: () => limit?.rest(texts.length) ?? Number.POSITIVE_INFINITY,
  };
}

/** How a renderer wants what is read: as it stands, as whole messages, or as what it prints. */
export function wantOf(renderer: FlowRenderer): ScanOptions['want'] {
  const { format, style } = renderer;
  if (format === 'json') return 'json';
  if (format === 'legacy-json') return 'messages';
  const line = (row: FlowRow) => renderer.line(row);
  const printer = { policies: style.policyNames, clean: sanitizeRow, line, safe: forTerminal };
  return rowLines(printer, style.time.layout);
}

/** HUBBLE_READER makes one of the two ways read every line, which finds out whether they differ. */
export function forcedReader({ env }: Context): Pick<ScanOptions, 'parsedFirst'> {
  switch (env.HUBBLE_READER) {
    case 'parser':
      return { parsedFirst: Number.POSITIVE_INFINITY };
    case 'scanner':
      return { parsedFirst: 0 };
    default:
      return {};
  }
}
