import type { LabIdentity } from './state.ts';

/** Identities that mean the same in every cluster. */
export const RESERVED: readonly LabIdentity[] = [
  [1, 'host'],
  [2, 'world'],
  [3, 'unmanaged'],
  [4, 'health'],
  [5, 'init'],
  [6, 'remote-node'],
  [7, 'kube-apiserver', 'remote-node'],
  [8, 'ingress'],
  [9, 'world-ipv4'],
  [10, 'world-ipv6'],
].map(([id, ...names]) => ({ id: Number(id), labels: names.map((name) => `reserved:${name}`) }));

/** Identities from here on belong to prefixes and mean something on this node only. */
export const FIRST_LOCAL_IDENTITY = 16_777_217;

/** A label taken apart. */
export interface Label {
  source: string;
  key: string;
  value: string;
}

/** Parses `source:key=value`. */
export function parseLabel(text: string, fallback = 'unspec'): Label {
  const equals = text.indexOf('=');
  const head = equals === -1 ? text : text.slice(0, equals);
  const colon = head.indexOf(':');
  return {
    source: colon === -1 ? fallback : head.slice(0, colon),
    key: colon === -1 ? head : head.slice(colon + 1),
    value: equals === -1 ? '' : text.slice(equals + 1),
  };
}

/** Whether `have` is the label `want` names: `any` stands for every source. */
function sameLabel(want: Label, have: Label): boolean {
  const source = (label: Label) => label.source || 'unspec';
  return (
    want.key === have.key &&
    want.value === have.value &&
    (want.source === 'any' || source(want) === source(have))
  );
}

/** Whether the labels hold all that are wanted, both in text form. One that is wanted without a source has any. */
export function holdsAll(labels: readonly string[], wanted: readonly string[]): boolean {
  const have = labels.map((text) => parseLabel(text));
  return wanted
    .map((text) => parseLabel(text, 'any'))
    .every((want) => have.some((label) => sameLabel(want, label)));
}
