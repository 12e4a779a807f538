import { nearest } from '../../lib/nearest.ts';
import { isRecord } from '../../lib/record.ts';
import { type Label, POLICY_LABEL } from '../../model/label.ts';
import type { LabelSelector } from '../../model/selector.ts';
import { type Cursor, kindOf } from '../language/decoders.ts';
import type { OriginKind, Path } from '../rule.ts';

/** A kind of Kubernetes object that is a policy. */
type PolicyKind = Exclude<OriginKind, 'rule'>;

/** The kind and name of a Kubernetes object. */
export interface ObjectName {
  kind: PolicyKind;
  /** Empty for clusterwide objects. */
  namespace: string;
  name: string;
  uid?: string | undefined;
}

/** The labels that the agent gives the rules of an object, by which they can be found and deleted. */
export function derivedLabels({ kind, namespace, name, uid }: ObjectName): Label[] {
  const label = (key: string, value: string): Label => ({
    key: `${POLICY_LABEL}.${key}`,
    value,
    source: 'k8s',
  });
  return [
    label('derived-from', kind),
    label('name', name),
    ...(namespace === '' ? [] : [label('namespace', namespace)]),
    ...(uid ? [label('uid', uid)] : []),
  ];
}

/** The selector with one more label, keys in order. */
export function withLabel(selector: LabelSelector, key: string, value: string): LabelSelector {
  const entries = Object.entries({ ...selector.matchLabels, [key]: value });
  return {
    matchLabels: Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1))),
    ...(selector.matchExpressions && { matchExpressions: selector.matchExpressions }),
  };
}

const API_VERSIONS: Readonly<Record<PolicyKind, string>> = {
  CiliumNetworkPolicy: 'cilium.io/v2',
  CiliumClusterwideNetworkPolicy: 'cilium.io/v2',
  NetworkPolicy: 'networking.k8s.io/v1',
  ClusterNetworkPolicy: 'policy.networking.k8s.io/v1alpha2',
};
const CLUSTERWIDE: readonly PolicyKind[] = ['CiliumClusterwideNetworkPolicy', 'ClusterNetworkPolicy'];
/** The kinds of Kubernetes objects that are policies. */
export const POLICY_KINDS = Object.keys(API_VERSIONS);

/** Whether a kind of Kubernetes object is a policy. */
export function isPolicyKind(kind: unknown): kind is PolicyKind {
  return typeof kind === 'string' && Object.hasOwn(API_VERSIONS, kind);
}

/** The specs of an object with their places in it: `spec`, and the items of `specs`. */
export function specsOf(value: Record<string, unknown>, kind: PolicyKind): { part: Path; spec: unknown }[] {
  const found: { part: Path; spec: unknown }[] = [];
  if (value.spec !== undefined && value.spec !== null) found.push({ part: ['spec'], spec: value.spec });
  if (kind !== 'NetworkPolicy' && Array.isArray(value.specs))
    found.push(...value.specs.map((spec: unknown, i) => ({ part: ['specs', i], spec })));
  return found;
}

const OBJECT_FIELDS = ['apiVersion', 'kind', 'metadata', 'spec', 'specs', 'status'];
const NAMESPACE_NAME = /^(?=.{1,63}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const OBJECT_NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** Checks an object's own fields, and reads its name. Without a namespace it gets `options.namespace`. */
export function readName(
  value: Record<string, unknown>,
  kind: PolicyKind,
  options: { strict?: boolean; namespace?: string | undefined },
  at: Cursor,
): ObjectName {
  const wanted = API_VERSIONS[kind];
  if (value.apiVersion !== wanted)
    at.fail('api-version', `the apiVersion of a ${kind} is ${wanted}`, undefined, ['apiVersion']);
  for (const field of Object.keys(value)) {
    if (OBJECT_FIELDS.includes(field) || options.strict === false) continue;
    const inSpec =
      /^(endpointSelector|nodeSelector|ingress|egress|ingressDeny|egressDeny|podSelector|tier|priority|subject)$/.test(
        field,
      );
    const near = nearest(field, OBJECT_FIELDS);
    const hint = inSpec ? 'It belongs inside "spec".' : near && `Did you mean "${near}"?`;
    at.fail('unknown-field', `unknown field "${field}"`, hint, [field]);
  }
  if (specsOf(value, kind).length === 0) at.fail('missing', `a ${kind} must have a "spec"`);
  const metadata = isRecord(value.metadata) ? value.metadata : {};
  const read = (field: string): string | undefined => {
    const text = metadata[field];
    if (text === undefined || text === null || typeof text === 'string') return text || undefined;
    const place = ['metadata', field];
    return at.fail('type', `metadata.${field} must be a string`, at.quoted(text, place), place);
  };
  checkTexts(metadata, 'labels', at);
  checkTexts(metadata, 'annotations', at);
  const name = read('name') ?? '';
  const namespace = read('namespace');
  if (name === '') {
    if (!metadata.name) at.fail('name', `${kind} must have name`, undefined, ['metadata']);
  } else if (!OBJECT_NAME.test(name) || name.length > 253)
    at.fail('name', `"${name}" is not a valid object name`, 'Lower-case letters, digits, "-" and ".".', [
      'metadata',
      'name',
    ]);
  const clusterwide = CLUSTERWIDE.includes(kind);
  if (!clusterwide && namespace !== undefined && !NAMESPACE_NAME.test(namespace))
    at.fail(
      'name',
      `"${namespace}" is not the name of a namespace`,
      'At most 63 lower-case letters, digits and "-", beginning and ending with a letter or digit.',
      ['metadata', 'namespace'],
    );
  if (clusterwide && namespace)
    at.warn('namespace', `a ${kind} has no namespace: "${namespace}" is ignored`, undefined, [
      'metadata',
      'namespace',
    ]);
  return {
    kind,
    name,
    namespace: clusterwide ? '' : (namespace ?? options.namespace ?? 'default'),
    uid: read('uid'),
  };
}

/** Labels and annotations are strings: the API server refuses an object with anything else among them. */
function checkTexts(metadata: Record<string, unknown>, field: string, at: Cursor): void {
  const texts = metadata[field];
  if (!isRecord(texts)) return;
  for (const [key, value] of Object.entries(texts)) {
    const place = ['metadata', field, key];
    if (value === null || typeof value === 'string') continue;
    at.fail('type', `expected a string, found ${kindOf(value)}`, at.quoted(value, place), place);
  }
}
