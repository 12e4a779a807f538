/** Whose objects those of our connectivity tests are. */
export const OWNER_LABEL = 'app.kubernetes.io/managed-by';
export const OWNER = 'cilium-toolkit';
/** What they are for. */
export const PART_LABEL = 'app.kubernetes.io/part-of';
export const PART = 'connectivity-test';

type Labels = Readonly<Record<string, string>>;

/** Whether an object carries the labels that our tests give to what is theirs. */
export function isOfOurTests(labels: Labels = {}): boolean {
  return labels[OWNER_LABEL] === OWNER && labels[PART_LABEL] === PART;
}

/** Whether a connectivity test made it: ours, or that of cilium-cli. */
export function isOfTests(labels: Labels = {}): boolean {
  return isOfOurTests(labels) || labels['app.kubernetes.io/name'] === 'cilium-cli';
}
