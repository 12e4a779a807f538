/** Makes a regular expression of the agents' kind; throws UserError where it is none. */
export type Compile = (pattern: string) => (text: string) => boolean;

/** Whether a test, or a scenario of one, is wanted. */
export interface Selection {
  test(name: string, scenarios: readonly string[]): boolean;
  scenario(test: string, scenario: string): boolean;
}

/**
 * The tests that `--test` names: regular expressions on `test` and `test/scenario`, of which one suffices, and one that
 * begins with ! excludes.
 */
export function selectionOf(terms: readonly string[], compile: Compile): Selection {
  const compiled = terms
    .filter((term) => term !== '' && term !== '!')
    .map((term) => {
      const isNot = term.startsWith('!');
      return { isNot, isMatch: compile(isNot ? term.slice(1) : term) };
    });
  const wanted = compiled.filter(({ isNot }) => !isNot);
  const unwanted = compiled.filter(({ isNot }) => isNot);
  const scenario = (test: string, name: string) => {
    const texts = [test, `${test}/${name}`];
    if (unwanted.some(({ isMatch }) => texts.some(isMatch))) return false;
    return wanted.length === 0 || wanted.some(({ isMatch }) => texts.some(isMatch));
  };
  return {
    scenario,
    test: (name, scenarios) =>
      !unwanted.some(({ isMatch }) => isMatch(name)) &&
      (scenarios.length === 0
        ? wanted.length === 0 || wanted.some(({ isMatch }) => isMatch(name))
        : scenarios.some((one) => scenario(name, one))),
  };
}
