import { UserError } from '../../errors.ts';
import { wordsOf } from '../../kube/client.ts';

/** Puts what was attempted in front of an error, which a refusal of the API server has its own words for. */
export function unable(what: string, separator = ': '): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(what + separator + wordsOf(error), {
      hint: error.hint,
      cause: error,
      exitCode: error.exitCode,
    });
  };
}
