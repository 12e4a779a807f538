import type { Option } from 'commander';
import { UserError } from '../../errors.ts';
import { REDACTIONS, redactor } from '../../hubble/captures/redact.ts';
import type { Flow } from '../../model/hubble.gen.ts';
import { stringSlice } from '../flags.ts';

/** The flag that says what is left out of flows which are handed on. */
export function redactOption(): Option {
  return stringSlice('--redact <what>', `Fields to leave out: ${REDACTIONS.join(', ')}`);
}

/** What leaves out what the flag names; undefined where it names nothing. */
export function redactorOf(words: readonly string[]): ((flow: Flow) => Flow) | undefined {
  if (words.length === 0) return undefined;
  return redactor(
    words.map((word) => {
      const known = REDACTIONS.find((name) => name === word);
      if (known) return known;
      throw new UserError(`--redact: "${word}" cannot be redacted`, {
        hint: `Known are ${REDACTIONS.join(', ')}.`,
      });
    }),
  );
}
