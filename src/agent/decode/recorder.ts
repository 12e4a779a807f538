import { UserError } from '../../errors.ts';
import type { RecorderMaskRow, RecorderRow } from '../../model/recorder.ts';
import { ApiError } from '../client.ts';
import { Reader } from './reader.ts';
import type { Recorder, RecorderMask } from './types.gen.ts';

/** What is shown of recorders, by number; those without realized state are left out. */
export function decodeRecorders(answer: unknown): RecorderRow[] {
  return new Reader<Recorder[]>('GET /recorder', answer)
    .items()
    .map((recorder) => recorder.at('status').at('realized'))
    .filter((realized) => realized.present)
    .map((realized) => ({
      id: realized.integer('id'),
      captureLength: realized.integer('capture-length'),
      filters: realized
        .at('filters')
        .items()
        .map((filter) => ({
          source: `${filter.text('src-prefix')}:${filter.text('src-port')}`,
          destination: `${filter.text('dst-prefix')}:${filter.text('dst-port')}`,
          protocol: filter.text('protocol'),
        })),
    }))
    .toSorted((a, b) => a.id - b.id);
}

/** What is shown of masks: those of IPv6 first, each by falling priority. */
export function decodeMasks(answer: unknown): RecorderMaskRow[] {
  return new Reader<RecorderMask[]>('GET /recorder/masks', answer)
    .items()
    .map((mask) => mask.at('status').at('realized'))
    .filter((realized) => realized.present)
    .map((realized) => ({
      users: realized.integer('users'),
      priority: realized.integer('priority'),
      source: `${realized.text('src-prefix-mask')}:${realized.text('src-port-mask')}`,
      destination: `${realized.text('dst-prefix-mask')}:${realized.text('dst-port-mask')}`,
      protocol: realized.text('protocol-mask'),
      // Eight hexadecimal digits are an IPv4 mask.
      ipv6: realized.text('src-prefix-mask').length !== 8,
    }))
    .toSorted((a, b) => Number(b.ipv6) - Number(a.ipv6) || b.priority - a.priority);
}

/** Says in one sentence that this agent records no packets; other errors pass. */
export function recorderApiGone(error: unknown): never {
  if (error instanceof ApiError && error.isUnknownPath)
    throw new UserError('this agent has no packet recorder', {
      hint: 'Cilium 1.17 has one, 1.20 does not: there, tcpdump on the node records packets.',
      cause: error,
    });
  throw error;
}
