import { isDeepStrictEqual } from 'node:util';
import { isRecord } from './record.ts';

/** A field that differs: without `before` it is new, without `after` it is gone. */
export interface FieldChange {
  /** `spec.ingress[0].toPorts`. */
  path: string;
  before?: unknown;
  after?: unknown;
}

/** The fields in which two values differ, each as deep as it goes. */
export function* fieldChanges(before: unknown, after: unknown, path = ''): Generator<FieldChange> {
  if (isDeepStrictEqual(before, after)) return;
  if (isRecord(before) && isRecord(after)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)]))
      yield* fieldChanges(before[key], after[key], path === '' ? key : `${path}.${key}`);
  } else if (Array.isArray(before) && Array.isArray(after)) {
    for (let i = 0; i < Math.max(before.length, after.length); i++)
      yield* fieldChanges(before[i], after[i], `${path}[${i}]`);
  } else
    yield {
      path,
      ...(before !== undefined && { before }),
      ...(after !== undefined && { after }),
    };
}
