import { UserError } from '../../../../../errors.ts';
import { ENVOY_LEVELS } from '../../../../../model/envoy.ts';

/** The verb that shows what a change did. */
export const CHECK = 'cilium envoy admin logging list';

/** The level, if it is one. */
export function knownLevel(level: string): string {
  if (ENVOY_LEVELS.includes(level)) return level;
  throw new UserError(`"${level}" is not a log level of Envoy`, {
    hint: `Expected one of ${ENVOY_LEVELS.join(', ')}.`,
  });
}
