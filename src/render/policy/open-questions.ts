import { sanitize } from '../text/sanitize.ts';

/** What is not known, for stderr. */
export function renderOpenQuestions(questions: readonly string[]): string {
  return questions.map((question) => `Note: ${sanitize(question)}.\n`).join('');
}
