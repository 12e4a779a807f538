import { UserError } from '../../errors.ts';
import { failureOf, type Run } from '../state/run.ts';

/** Runs a program that must succeed. */
export async function mustRun(run: Run, words: string[], stdin?: string): Promise<void> {
  const ran = await run(words, stdin);
  if (ran.code !== 0) throw new UserError(`${words.join(' ')}: ${failureOf(ran)}`);
}
