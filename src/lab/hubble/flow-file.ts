import { gunzipSync } from 'node:zlib';
import { errorMessage, UserError } from '../../errors.ts';
import { parseRecord, withoutMark } from '../../hubble/captures/record-line.ts';
import type { Flow } from '../../model/hubble.gen.ts';
import { readAsset } from '../assets.ts';

/** Reads the flows of a file of JSON lines, as `hubble observe -o json` writes it; lines of other kinds are left out. */
export function readFlows(file: string): Flow[] {
  let bytes: Buffer;
  try {
    bytes = readAsset(file);
  } catch (cause) {
    throw new UserError(`read the flows of ${file}: ${errorMessage(cause)}`, { cause });
  }
  const text = (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString('utf8');
  const flows: Flow[] = [];
  for (const [i, marked] of text.split('\n').entries()) {
    const line = withoutMark(marked);
    if (line.trim() === '') continue;
    try {
      const { flow } = parseRecord(line, { ignoreUnknown: true });
      if (flow) flows.push(flow);
    } catch (cause) {
      throw new UserError(`${file}:${i + 1}: ${errorMessage(cause)}`, {
        hint: 'One GetFlowsResponse per line is expected, as "hubble observe -o json" prints them.',
        cause,
      });
    }
  }
  if (flows.length === 0) throw new UserError(`there are no flows in ${file}`);
  return flows;
}
