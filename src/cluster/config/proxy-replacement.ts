import { textOf } from './given.ts';
import { releaseText } from './lint.ts';

const TODAY = new Map<string, 'true' | 'false'>([
  ['strict', 'true'],
  ['disabled', 'false'],
  ['true', 'true'],
  ['false', 'false'],
]);

/** The words of kubeProxyReplacement by release, and what is written today. */
export function replacementFault(
  value: unknown,
  minor: number,
): { isError: boolean; message: string; today: 'true' | 'false' | undefined; hint?: string } | undefined {
  const text = textOf(value);
  if (value === null || text === '') return undefined;
  const today = TODAY.get(text);
  const isNew = text === 'true' || text === 'false';
  if (minor <= 13) {
    const words = minor < 13 ? ['probe', 'strict', 'partial', 'disabled'] : ['strict', 'partial', 'disabled'];
    if (words.includes(text)) return undefined;
    // The templates from 1.10 on take a false for nothing at all.
    if (value === false && minor >= 10)
      return {
        isError: false,
        message: `is false, which ${releaseText(minor)} takes for not set: write disabled`,
        today: undefined,
      };
    return {
      isError: true,
      message: `is "${text}": ${releaseText(minor)} takes ${words.join(', ')}`,
      today: undefined,
      ...(isNew && { hint: `Until 1.13 ${text} is written ${text === 'true' ? 'strict' : 'disabled'}.` }),
    };
  }
  if (isNew) return undefined;
  const isOld = ['strict', 'partial', 'disabled'].includes(text);
  const isError = minor >= 16 || !isOld;
  const partial =
    text === 'partial'
      ? 'partial is false today, with the single switches that are wanted, such as socketLB.enabled.'
      : undefined;
  return {
    isError,
    message: isError
      ? `is "${text}": ${releaseText(minor)} takes true or false${today ? `; ${text} is written ${today} today` : ''}`
      : `is "${text}", deprecated since 1.14 and refused from 1.16 on${today ? `: write ${today}` : ''}`,
    today,
    ...(partial && { hint: partial }),
  };
}
