import type { Ajv, ErrorObject, ValidateFunction } from 'ajv';
import { parsePrefix } from '../../lib/address.ts';
import { isRecord } from '../../lib/record.ts';
import { atLeast, type Release } from '../../model/release.ts';
import type { Complaint } from '../language/decoders.ts';
import type { Path } from '../rule.ts';
import { type Fits, fitsOf, inJavaScript } from './schema-fits.ts';

/** Finds what the API server refuses by the schema of the custom resource. */
export type SchemaCheck = (spec: unknown) => Complaint[];

/** Releases whose schema is here, and how to load it. CiliumClusterwideNetworkPolicy has the same. */
const SCHEMAS = {
  '1.18': () => import('../../../schemas/crds/1.18/ciliumnetworkpolicies.json', { with: { type: 'json' } }),
  '1.19': () => import('../../../schemas/crds/1.19/ciliumnetworkpolicies.json', { with: { type: 'json' } }),
  '1.20': () => import('../../../schemas/crds/1.20/ciliumnetworkpolicies.json', { with: { type: 'json' } }),
} as const;

let ajv: Ajv | undefined;
const checks = new Map<Release, Promise<SchemaCheck>>();
const tests = new Map<Release, Promise<Fits>>();

/**
 * The schema check of a release for these specs. To be ready to say what is wrong takes 0.1 s, so that is done when one of
 * the specs is not sure to fit.
 */
export async function schemaCheck(release: Release, specs: readonly unknown[]): Promise<SchemaCheck> {
  const test = tests.get(release) ?? loadSchema(release).then(fitsOf);
  tests.set(release, test);
  const fits = await test;
  if (specs.every(fits)) return NO_COMPLAINTS;
  const check = checks.get(release) ?? compile(release);
  checks.set(release, check);
  const complain = await check;
  return (spec) => (fits(spec) ? [] : complain(spec));
}

const NO_COMPLAINTS: SchemaCheck = () => [];

/** The schema of a spec. That of a release before 1.18 is the one of 1.18 without what came since; its fields are checked elsewhere. */
export async function loadSchema(release: Release): Promise<object> {
  const schema = specSchema((await (isHere(release) ? SCHEMAS[release] : SCHEMAS['1.18'])()).default);
  return atLeast(release, '1.18') ? schema : asBefore(release, schema);
}

function isHere(release: Release): release is keyof typeof SCHEMAS {
  return Object.hasOwn(SCHEMAS, release);
}

/** What agents of 1.9 to 1.17 ask for as well: patterns, words and required fields are the same in all of them but for these. */
function asBefore(release: Release, schema: object): object {
  const lacks = (first: Release) => !atLeast(release, first);
  const { anyOf, ...others } = JSON.parse(JSON.stringify(schema), (key, value: unknown) => {
    if (!isRecord(value)) return value;
    const { maxLength, oneOf, items, ...rest } = value;
    if (key === 'serverNames') return { type: 'array', items: { type: 'string' } };
    if ((key === 'matchName' || key === 'matchPattern') && maxLength !== undefined && lacks('1.17'))
      return rest;
    if (key === 'rules' && oneOf !== undefined && lacks('1.16')) return rest;
    if ((key === 'toFQDNs' || key === 'dns') && isRecord(items) && lacks('1.16')) {
      const { oneOf: _, ...item } = items;
      return { ...rest, items: item };
    }
    return value;
  }) as Record<string, unknown>;
  return lacks('1.17') ? others : { anyOf, ...others };
}

/** All that the schema of a release says. */
export async function compile(release: Release): Promise<SchemaCheck> {
  const { Ajv: Compiler } = await import('./ajv-library.ts');
  ajv ??= new Compiler({
    allErrors: true,
    strict: false,
    verbose: true,
    formats: {
      cidr: (text: string) => parsePrefix(text) !== undefined,
      'idn-hostname': true,
      int32: true,
      int64: true,
      'date-time': true,
    },
  });
  const schema = repaired(await loadSchema(release));
  const check = ajv.compile(schema);
  return (spec) => complaintsOf(check, withoutNulls(spec, schema));
}

/**
 * A value as the API server checks it: without the fields of the schema that are null, as "ingress:" with nothing after
 * it is. Items of lists and of maps stay, and are refused.
 */
function withoutNulls(value: unknown, schema: unknown): unknown {
  const known = isRecord(schema) ? schema : {};
  if (Array.isArray(value)) return value.map((item) => withoutNulls(item, known.items));
  if (!isRecord(value)) return value;
  const fields = isRecord(known.properties) ? known.properties : {};
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, item]) => item !== null || !Object.hasOwn(fields, name))
      .map(([name, item]) => [name, withoutNulls(item, fields[name] ?? known.additionalProperties)]),
  );
}

function specSchema(crd: unknown): object {
  const at = (value: unknown, step: string | number): unknown =>
    typeof value === 'object' && value !== null
      ? Object.entries(value).find(([k]) => k === String(step))?.[1]
      : undefined;
  const spec = ['spec', 'versions', 0, 'schema', 'openAPIV3Schema', 'properties', 'spec'].reduce(at, crd);
  if (typeof spec !== 'object' || spec === null) throw new Error('the bundled CRD has no schema of "spec"');
  return spec;
}

function repaired(schema: object): object {
  return JSON.parse(JSON.stringify(schema), (key, value: unknown) =>
    key === 'pattern' && typeof value === 'string' ? inJavaScript(value) : value,
  );
}

function complaintsOf(check: ValidateFunction, spec: unknown): Complaint[] {
  if (check(spec)) return [];
  return (check.errors ?? []).flatMap((error) => complaintOf(error) ?? []);
}

function complaintOf(error: ErrorObject): Complaint | undefined {
  const message = messageOf(error);
  if (message === undefined) return undefined;
  return { severity: 'error', code: 'schema', message, path: pathOf(error.instancePath) };
}

function pathOf(pointer: string): Path {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((step) => (/^\d+$/.test(step) ? Number(step) : step));
}

function messageOf({
  keyword,
  params,
  data,
  schema,
  message = '',
  schemaPath,
}: ErrorObject): string | undefined {
  // The error of the alternative as a whole covers those of its parts.
  if (/\/(oneOf|anyOf)\/\d+\//.test(schemaPath)) return undefined;
  const shown = JSON.stringify(data);
  switch (keyword) {
    case 'enum':
      return `${shown} is not one of ${Array.isArray(schema) ? schema.join(', ') : ''}`;
    case 'pattern':
      return `${shown} does not match ${params.pattern}`;
    case 'format':
      return params.format === 'cidr'
        ? `${shown} is not in the form address/length, which Kubernetes requires`
        : `${shown} is not a valid ${params.format}`;
    case 'oneOf':
    case 'anyOf': {
      const names = alternatives(schema);
      if (names.length === 0) return undefined;
      return keyword === 'oneOf'
        ? `expected exactly one of ${names.join(', ')}`
        : `expected at least one of ${names.join(', ')}`;
    }
    case 'required':
      return `the field "${params.missingProperty}" is missing`;
    default:
      return `the value ${message}`;
  }
}

function alternatives(schema: unknown): string[] {
  if (!Array.isArray(schema)) return [];
  return schema.flatMap((one: { required?: unknown }) =>
    Array.isArray(one.required) ? one.required.map(String) : [],
  );
}

/** The schema's complaints without those about something that our checks have reported already. */
export function withoutReported(schema: readonly Complaint[], ours: readonly Complaint[]): Complaint[] {
  const errors = ours.filter(({ severity }) => severity === 'error').map(({ path }) => path);
  return schema.filter(({ path }) => !errors.some((reported) => reports(reported, path)));
}

/** Whether an error at `reported` is about `path`. An error about the whole rule is not about its parts. */
function reports(reported: Path, path: Path): boolean {
  if (reported.length === 0) return path.length === 0;
  const shared = Math.min(reported.length, path.length);
  return reported.slice(0, shared).every((step, i) => step === path[i]);
}
