import { isDeepStrictEqual } from 'node:util';
import { nearest } from '../../lib/nearest.ts';
import { isRecord } from '../../lib/record.ts';
import { byPosition, type Finding, formatPosition } from '../../model/finding.ts';
import { NEWEST_RELEASE, type Release } from '../../model/release.ts';
import { decodeRule } from '../language/decode-rule.ts';
import { type Complaint, Cursor } from '../language/decoders.ts';
import type { Path, Rule, SourcedRule } from '../rule.ts';
import { inNamespace, warnOfOtherNamespace } from './cilium-policy.ts';
import { decodeClusterNetworkPolicy, type OrderedRule } from './cluster-network-policy.ts';
import { type SchemaCheck, schemaCheck, withoutReported } from './crd-schema.ts';
import { type ParsedDocument, parseFile } from './documents.ts';
import { foreignPolicy, optionComplaint } from './foreign-policies.ts';
import { isPolicyKind, type ObjectName, POLICY_KINDS, readName, specsOf } from './kubernetes-object.ts';
import { decodeNetworkPolicy } from './network-policy.ts';
import { templateComplaint } from './template.ts';

export interface ParseOptions {
  /** Unknown fields are errors. Default true. */
  strict?: boolean;
  /** The release to check for. Default: 1.17 for the agent's own form (the last that takes it), 1.20 for objects. */
  target?: Release | undefined;
  /** What the target does not know is a warning. */
  anyRelease?: boolean;
  /** Whether agents read ClusterNetworkPolicy, which from 1.20 on they do with an option. Undefined: not known. */
  clusterNetworkPolicy?: boolean | undefined;
  /** Each file may be for a cluster of its own. */
  apart?: boolean;
  /** Policies that agents may not read, or do not, are for the evaluator: a warning where they do not. */
  readAll?: boolean;
  /** For objects that do not name one. Default `default`. */
  namespace?: string | undefined;
  /** Awaited before each document. */
  onDocument?: (() => Promise<void> | undefined) | undefined;
  /** Called for objects that are not policies; returns true to suppress the warning about one. */
  take?: ((object: Record<string, unknown>) => boolean) | undefined;
}

const RULE_TARGET: Release = '1.17';
const OBJECT_TARGET = NEWEST_RELEASE;

/** A Kubernetes policy object as the user wrote it. */
export interface PolicyObject {
  name: ObjectName;
  value: Record<string, unknown>;
  document: ParsedDocument;
  /** The object's place in its document. */
  path: Path;
}

export interface Policies {
  /** In the order of the files. Rules with errors are included without their wrong parts. */
  rules: SourcedRule[];
  objects: PolicyObject[];
  findings: Finding[];
}

/** Parses and checks policies in any accepted form. Reports the errors of all files as findings; throws nothing. */
export async function parsePolicies(
  files: readonly { file: string; text: string }[],
  options: ParseOptions = {},
): Promise<Policies> {
  const policies: Policies = { rules: [], objects: [], findings: [] };
  for (const { file, text } of files) {
    const { documents, findings } = await parseFile(file, text);
    policies.findings.push(...findings);
    for (const document of documents) {
      await options.onDocument?.();
      readDocument(document, { ...options, schema: await schemaFor(document.value, options) }, policies);
    }
  }
  policies.findings.push(...doubledObjects(policies.objects, options));
  policies.findings.sort(byPosition);
  return policies;
}

/**
 * Objects of one name that differ: of those that are applied together only the last remains. In one file that is never
 * meant; several files may be for several clusters.
 */
function doubledObjects(objects: readonly PolicyObject[], { apart = false }: ParseOptions): Finding[] {
  const first = new Map<string, PolicyObject>();
  return objects.flatMap((object) => {
    const { name, document, path, value } = object;
    if (name.name === '') return [];
    const id = JSON.stringify([name.kind, name.namespace, name.name]);
    const other = first.get(id);
    if (!other) first.set(id, object);
    if (!other || isDeepStrictEqual(other.value, value)) return [];
    const severity = apart && other.document.file !== document.file ? 'warning' : 'error';
    const before = formatPosition(other.document.locate([...other.path, 'metadata', 'name']));
    const place = [...path, 'metadata', 'name'];
    const called = [name.namespace, name.name].filter(Boolean).join('/');
    return {
      severity,
      code: 'doubled-object',
      message: `${name.kind} ${called} is also written at ${before}: of the two only the one that is applied last has an effect`,
      hint: 'Give it another name, or remove one.',
      position: document.locate(place),
      path: place,
    };
  });
}

interface ReadOptions extends ParseOptions {
  schema: SchemaCheck | undefined;
}

/** The schema check of the API server, when the document has objects that it is for. */
async function schemaFor(
  value: unknown,
  { target = OBJECT_TARGET }: ParseOptions,
): Promise<ReadOptions['schema']> {
  const specs = [...specsWithSchema(value)];
  return specs.length > 0 ? schemaCheck(target, specs) : undefined;
}

/** Of the objects that `readDocument` finds. */
function* specsWithSchema(value: unknown): Generator<unknown> {
  const items = Array.isArray(value) ? value : isRecord(value) && isList(value) ? value.items : undefined;
  if (items) for (const item of items) yield* specsWithSchema(item);
  else if (isRecord(value) && isPolicyKind(value.kind) && hasSchema(value.kind))
    for (const { spec } of specsOf(value, value.kind)) yield spec;
}

function isList(value: Record<string, unknown>): value is { kind: string; items: unknown[] } {
  return typeof value.kind === 'string' && value.kind.endsWith('List') && Array.isArray(value.items);
}

function hasSchema(kind: unknown): boolean {
  return kind === 'CiliumNetworkPolicy' || kind === 'CiliumClusterwideNetworkPolicy';
}

function readDocument(document: ParsedDocument, options: ReadOptions, into: Policies): void {
  const { value } = document;
  if (!Array.isArray(value)) readItem(document, value, [], options, into);
  else for (const [i, item] of value.entries()) readItem(document, item, [i], options, into);
}

function readItem(
  document: ParsedDocument,
  value: unknown,
  path: Path,
  options: ReadOptions,
  into: Policies,
): void {
  const report = reporter(document, path, options, into);
  if (!isRecord(value)) {
    report({
      severity: 'error',
      code: 'type',
      message: 'expected a policy: an object, or a list of rules',
      path: [],
    });
    return;
  }
  const before = into.findings.length;
  if (value.kind !== undefined || value.apiVersion !== undefined)
    readObject(document, value, path, options, into);
  else if ('Subject' in value || 'L3' in value) {
    report({
      severity: 'error',
      code: 'form',
      message: 'this is an entry of the list that agents from 1.19 on return, not a rule',
      hint: 'Such a list cannot be imported. Get the policies from Kubernetes instead: kubectl get cnp,ccnp -A -o yaml.',
      path: [],
    });
  } else readRule(document, value, path, options, into);
  // Of a template that was not rendered that alone is said. A list says it of each of its items.
  const failed = into.findings.slice(before).some(({ severity }) => severity === 'error');
  const template = failed && !Array.isArray(value.items) ? templateComplaint(value) : undefined;
  if (!template) return;
  into.findings.length = before;
  report(template);
}

/** How a part of an object or rule at `base` is written. */
function writtenIn(document: ParsedDocument, base: Path): (path: Path) => string | undefined {
  return (path) => document.written([...base, ...path]);
}

type Report = (complaint: Complaint) => void;

function reporter(
  document: ParsedDocument,
  base: Path,
  { anyRelease = false }: ParseOptions,
  into: Policies,
): Report {
  return ({ path, ...complaint }) => {
    const whole = [...base, ...path];
    const severity = anyRelease && complaint.code === 'release' ? 'warning' : complaint.severity;
    into.findings.push({ ...complaint, severity, position: document.locate(whole), path: whole });
  };
}

function readRule(
  document: ParsedDocument,
  value: unknown,
  path: Path,
  options: ParseOptions,
  into: Policies,
): void {
  const { strict = true, target = RULE_TARGET } = options;
  const keepUnstated = isOpen(options);
  const at = new Cursor({
    strict,
    target,
    keepUnstated,
    form: 'rule',
    written: writtenIn(document, path),
  });
  const rule = decodeRule(value, at);
  at.complaints.forEach(reporter(document, path, options, into));
  if (rule) into.rules.push({ rule, origin: { kind: 'rule', ...ownerOf(rule), source: document, path } });
}

/** Whether the evaluator has to decide by the release, which is not known. */
function isOpen({ target, readAll }: ParseOptions): boolean {
  return target === undefined && readAll === true;
}

/** Rules made from a Kubernetes object have its name in their labels. */
function ownerOf(rule: Rule): { namespace?: string; name?: string } {
  const find = (key: string) =>
    rule.labels?.find((label) => label.key === `io.cilium.k8s.policy.${key}`)?.value;
  const namespace = find('namespace');
  const name = find('name');
  return { ...(namespace && { namespace }), ...(name && { name }) };
}

function readObject(
  document: ParsedDocument,
  value: Record<string, unknown>,
  path: Path,
  options: ReadOptions,
  into: Policies,
): void {
  const { kind } = value;
  const report = reporter(document, path, options, into);
  if (isList(value)) {
    for (const [i, item] of value.items.entries())
      readItem(document, item, [...path, 'items', i], options, into);
    return;
  }
  const { strict = true, target = OBJECT_TARGET } = options;
  const foreign = foreignPolicy(value, target);
  if (foreign) {
    report(foreign);
    return;
  }
  if (!isPolicyKind(kind)) {
    if (options.take?.(value)) return;
    const near = typeof kind === 'string' ? nearest(kind, POLICY_KINDS) : undefined;
    report({
      // Something that names no kind may be meant as a policy.
      severity: near || typeof kind !== 'string' || kind === '' ? 'error' : 'warning',
      code: 'kind',
      message:
        kind === undefined
          ? 'the object has no "kind"'
          : `kind ${JSON.stringify(kind)} is not a network policy`,
      hint: near ? `Did you mean "${near}"?` : `The kinds of policies are ${POLICY_KINDS.join(', ')}.`,
      path: kind === undefined ? [] : ['kind'],
    });
    return;
  }
  const at = new Cursor({ strict, target, form: 'kubernetes', written: writtenIn(document, path) });
  const name = readName(value, kind, options, at);
  at.complaints.forEach(report);
  if (kind === 'ClusterNetworkPolicy') reportOption(options, report);
  into.objects.push({ name, value, document, path });
  for (const { part, spec } of specsOf(value, kind)) {
    const written = writtenIn(document, [...path, ...part]);
    const here = new Cursor({ strict, target, keepUnstated: isOpen(options), form: 'kubernetes', written });
    const found = readSpec(spec, name, here);
    const bySchema = (hasSchema(kind) && options.schema?.(spec)) || [];
    const complaints = [...here.complaints, ...withoutReported(bySchema, here.complaints)];
    complaints.forEach(reporter(document, [...path, ...part], options, into));
    for (const { rule, part: below, needsNodeLabels } of found)
      into.rules.push({
        rule,
        origin: {
          kind,
          ...(name.namespace && { namespace: name.namespace }),
          name: name.name,
          source: document,
          path: [...path, ...part],
          ...(below && { part: below }),
        },
        ...(needsNodeLabels && { needsNodeLabels }),
      });
  }
}

function readSpec(spec: unknown, name: ObjectName, at: Cursor): SpecRule[] {
  if (name.kind === 'ClusterNetworkPolicy') return decodeClusterNetworkPolicy(spec, name, at);
  const rule = name.kind === 'NetworkPolicy' ? decodeNetworkPolicy(spec, name, at) : readOwn(spec, name, at);
  return rule ? [{ rule }] : [];
}

function reportOption({ clusterNetworkPolicy, readAll = false }: ParseOptions, report: Report): void {
  const complaint = optionComplaint(clusterNetworkPolicy);
  if (!complaint || (readAll && clusterNetworkPolicy === undefined)) return;
  report({ ...complaint, severity: readAll ? 'warning' : 'error' });
}

/** A rule of an object; `part` where the object makes several. */
type SpecRule = { rule: Rule } & Partial<OrderedRule>;

function readOwn(spec: unknown, name: ObjectName, at: Cursor): Rule | undefined {
  const rule = decodeRule(spec, at);
  if (rule?.nodeSelector && name.kind === 'CiliumNetworkPolicy')
    at.fail(
      'node-selector',
      'Invalid CiliumNetworkPolicy spec: rule cannot have NodeSelector',
      'A host policy is a CiliumClusterwideNetworkPolicy.',
      ['nodeSelector'],
    );
  if (rule && name.kind === 'CiliumNetworkPolicy') warnOfOtherNamespace(rule, name.namespace, at);
  return rule && inNamespace(rule, name, at.options.target);
}
