import { UserError } from '../../../../../errors.ts';

/** Envoy's log levels. */
export const LEVELS = ['trace', 'debug', 'info', 'warning', 'error', 'critical', 'off'];

/** The verb that shows what a change did. */
export const CHECK = 'cilium envoy admin logging list';

/** The level, if it is one. */
export function knownLevel(level: string): string {
  if (LEVELS.includes(level)) return level;
  throw new UserError(`"${level}" is not a log level of Envoy`, {
    hint: `Expected one of ${LEVELS.join(', ')}.`,
  });
}
