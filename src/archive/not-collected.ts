import { UserError } from '../errors.ts';

/** Something is asked for that an archive does not hold. */
export class NotCollected extends UserError {
  override name = 'NotCollected';
}
