/** A flag of a command, as far as it says how its value is written. */
export interface FlagForm {
  long?: string | undefined;
  short?: string | undefined;
  takesValue: boolean;
}

/** The words of a command in one form, however its flags were written: arguments in their order, then flags in theirs. */
export function sameWords(words: readonly string[], flags: readonly FlagForm[]): string {
  const plain: string[] = [];
  const given: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? '';
    if (word === '--') {
      plain.push(...words.slice(i + 1));
      break;
    }
    if (!/^-./.test(word)) {
      plain.push(word);
      continue;
    }
    const equals = word.indexOf('=');
    const name = equals > 0 ? word.slice(0, equals) : word;
    const whole = flags.find(({ long, short }) => name === long || name === short);
    const glued =
      whole ?? flags.find(({ short, takesValue }) => takesValue && short && word.startsWith(short));
    const called = glued?.long ?? glued?.short ?? name;
    if (equals > 0 && (whole || word.startsWith('--'))) given.push(`${called}=${word.slice(equals + 1)}`);
    else if (!glued) given.push(word);
    else if (!whole) given.push(`${called}=${word.slice(2)}`);
    else if (!glued.takesValue) given.push(called);
    else given.push(`${called}=${words[++i] ?? ''}`);
  }
  return JSON.stringify([...plain, '--', ...given.filter((flag) => !isDefault(flag)).toSorted()]);
}

/** Text is what is printed without a format too. */
function isDefault(flag: string): boolean {
  return flag === '--output=';
}
