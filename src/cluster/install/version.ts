/** A version of a chart. */
export interface ChartVersion {
  major: number;
  minor: number;
  patch: number;
  /** `rc.1`; empty for a release. */
  pre: string;
}

/** Reads `1.17.3`, `v1.18.0-rc.1`; undefined for what is no version. */
export function parseChartVersion(text: string): ChartVersion | undefined {
  const found = /^v?(\d+)\.(\d+)(?:\.(\d+))?(?:-([0-9A-Za-z.-]+))?(?:\+\S*)?$/.exec(text.trim());
  if (!found) return undefined;
  const [, major, minor, patch = '0', pre = ''] = found;
  return { major: Number(major), minor: Number(minor), patch: Number(patch), pre };
}

/** Orders versions as semver does. */
export function compareVersions(a: ChartVersion, b: ChartVersion): number {
  return (
    a.major - b.major ||
    a.minor - b.minor ||
    a.patch - b.patch ||
    Number(a.pre === '') - Number(b.pre === '') ||
    comparePre(a.pre.split('.'), b.pre.split('.'))
  );
}

function comparePre(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const [x, y] = [a[i], b[i]];
    if (x === undefined || y === undefined) return x === y ? 0 : x === undefined ? -1 : 1;
    if (x === y) continue;
    const [isX, isY] = [/^\d+$/.test(x), /^\d+$/.test(y)];
    if (isX && isY) return Number(x) - Number(y);
    if (isX !== isY) return isX ? -1 : 1;
    return x < y ? -1 : 1;
  }
  return 0;
}

/** Why an upgrade should not be done without a word; undefined where it is an ordinary one. */
export function jumpOf(from: string, to: string): string | undefined {
  const [before, after] = [parseChartVersion(from), parseChartVersion(to)];
  if (!before || !after) return `the versions cannot be compared: ${from || '(none)'} and ${to || '(none)'}`;
  if (compareVersions(after, before) < 0) return `${to} is older than ${from}, which is installed`;
  if (after.major !== before.major)
    return `${to} is of another major version than ${from}, which is installed`;
  if (after.minor - before.minor < 2) return undefined;
  const steps = Array.from(
    { length: after.minor - before.minor - 1 },
    (_, i) => `${before.major}.${before.minor + 1 + i}`,
  );
  return `${to} is more than one minor version after ${from}, which is installed: ${steps.join(', ')} would be left out`;
}
