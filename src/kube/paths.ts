/**
 * The path of the objects of a kind in a namespace, or of the one that is named. A kind of a group is written with it:
 * `secrets`, `apps/v1/daemonsets`.
 */
export function pathIn(namespace: string, kind: string, name?: string): string {
  const at = kind.lastIndexOf('/');
  const root = at < 0 ? '/api/v1' : `/apis/${kind.slice(0, at)}`;
  const objects = `${root}/namespaces/${encodeURIComponent(namespace)}/${kind.slice(at + 1)}`;
  return name === undefined ? objects : `${objects}/${encodeURIComponent(name)}`;
}

export const NAMESPACES = '/api/v1/namespaces';
/** The definitions of kinds. */
export const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

export function namespacePath(name: string): string {
  return `${NAMESPACES}/${encodeURIComponent(name)}`;
}

export function definitionPath(name: string): string {
  return `${DEFINITIONS}/${encodeURIComponent(name)}`;
}
