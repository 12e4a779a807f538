/**
 * Whether a version is in a range as Go's semver has it: alternatives with `||`, all of what stands between them
 * (`>=1.17.0 <1.18.0`, `!1.16.2`). Numbers alone count: a build on the way to a release is taken as that release.
 */
export function isInRange(range: string, version: string): boolean {
  const own = numbersOf(version);
  return range.split('||').some((alternative) =>
    alternative
      .trim()
      .split(/\s+/)
      .every((term) => {
        const [, sign = '', text = ''] = /^(>=|<=|>|<|!=?|=)?(.*)$/.exec(term) ?? [];
        const order = compare(own, numbersOf(text));
        if (sign === '>=') return order >= 0;
        if (sign === '<=') return order <= 0;
        if (sign === '>') return order > 0;
        if (sign === '<') return order < 0;
        return sign.startsWith('!') ? order !== 0 : order === 0;
      }),
  );
}

function numbersOf(version: string): number[] {
  const [, major = 0, minor = 0, patch = 0] = /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?/.exec(version) ?? [];
  return [major, minor, patch].map(Number);
}

function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((n, i) => n !== b[i]);
  return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
}
