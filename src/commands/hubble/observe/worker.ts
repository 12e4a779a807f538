import { parentPort, workerData } from 'node:worker_threads';
import { ChunkPrinter, type FileQuery } from './chunk-printer.ts';
import type { ChunkAnswer, ChunkTask } from './parallel.ts';

/** A thread that prints chunks of a file of flows. Its printer is compiled while the first chunk is being read. */
const printer = ChunkPrinter.open(workerData as FileQuery);
const encoder = new TextEncoder();

parentPort?.on('message', async ({ buffer, length }: ChunkTask) => {
  const chunk = Buffer.from(buffer, 0, length);
  const parts: ChunkAnswer['parts'] = [];
  let text = '';
  let run: [start: number, end: number] | undefined;
  const settle = () => {
    if (text !== '') parts.push(encoder.encode(text));
    if (run) parts.push(run);
    text = '';
    run = undefined;
  };
  const open = await printer;
  open.startFile();
  open.print(chunk, {
    text: (record) => {
      if (run) settle();
      text += record;
      return true;
    },
    bytes: (_, start, end) => {
      if (run?.[1] === start) run[1] = end;
      else {
        settle();
        run = [start, end];
      }
      return true;
    },
  });
  settle();
  const answer: ChunkAnswer = {
    buffer,
    parts,
    lines: open.lineCount,
    status: open.takeStatus(),
    problems: open.takeProblems(),
  };
  parentPort?.postMessage(answer, [
    buffer,
    ...parts.flatMap((part) => (part instanceof Uint8Array ? [part.buffer] : [])),
  ]);
});
