import type { Place } from './kinds.ts';
import type { ObjectStore, Stored } from './store.ts';

/** The API refuses a request, in the form that clients know (`kind: Status`). */
export class Refusal extends Error {
  constructor(
    readonly code: number,
    readonly reason: string,
    message: string,
    readonly details: object = {},
  ) {
    super(message);
  }
}

/** A refusal as clients read it. */
export function statusOf({ code, reason, message, details }: Refusal): object {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason,
    details,
    code,
  };
}

/** The object that a place names. Throws Refusal where there is none. */
export function existing(store: ObjectStore, { kind, namespace, name = '' }: Place): Stored {
  const found = store.find(kind, namespace, name);
  if (found) return found;
  const group = kind.apiVersion.includes('/') ? `.${kind.apiVersion.split('/')[0]}` : '';
  throw new Refusal(404, 'NotFound', `${kind.plural}${group} "${name}" not found`, {
    name,
    kind: kind.plural,
  });
}
