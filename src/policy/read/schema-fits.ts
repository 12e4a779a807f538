import { parsePrefix } from '../../lib/address.ts';
import { isRecord } from '../../lib/record.ts';

/** Whether a value is sure to fit a schema. False says nothing: ajv, which takes a tenth of a second to be ready, decides. */
export type Fits = (value: unknown) => boolean;

/** What has no effect on a value, or none here. */
const IGNORED = /^(description|default|title|x-kubernetes-.*)$/;
/** Checked with `properties`. */
const TOGETHER = new Set(['additionalProperties', 'required']);

const never: Fits = () => false;

/** Tests of schemas by keyword; undefined where the keyword's value is one that is not read here. */
const TESTS: Readonly<
  Record<string, (of: unknown, schema: Readonly<Record<string, unknown>>) => Fits | undefined>
> = {
  type: (type) => (typeof type === 'string' && Object.hasOwn(TYPES, type) ? TYPES[type] : undefined),
  properties: (properties, schema) => (isRecord(properties) ? fieldsFit(properties, schema) : undefined),
  items: (items) => {
    const fits = fitsOf(items);
    return (value) => !Array.isArray(value) || value.every(fits);
  },
  enum: (words) => {
    if (!Array.isArray(words) || !words.every((word) => typeof word === 'string')) return undefined;
    const known: ReadonlySet<unknown> = new Set(words);
    return (value) => known.has(value);
  },
  pattern: (pattern) => {
    if (typeof pattern !== 'string') return undefined;
    const regexp = new RegExp(inJavaScript(pattern), 'u');
    return (value) => typeof value !== 'string' || regexp.test(value);
  },
  format: (format) => {
    if (format === 'cidr') return (value) => typeof value !== 'string' || parsePrefix(value) !== undefined;
    return ['idn-hostname', 'int32', 'int64', 'date-time'].includes(String(format)) ? () => true : undefined;
  },
  // Of characters, of which there are as many as code units at most, and half as many at least.
  maxLength: (most) => (value) => typeof value !== 'string' || value.length <= Number(most),
  minLength: (least) => (value) => typeof value !== 'string' || value.length >= 2 * Number(least) - 1,
  maxItems: (most) => (value) => !Array.isArray(value) || value.length <= Number(most),
  minItems: (least) => (value) => !Array.isArray(value) || value.length >= Number(least),
  maximum: (most) => (value) => typeof value !== 'number' || value <= Number(most),
  minimum: (least) => (value) => typeof value !== 'number' || value >= Number(least),
  anyOf: (schemas) => {
    if (!Array.isArray(schemas)) return undefined;
    const all = schemas.map(fitsOf);
    return (value) => all.some((fits) => fits(value));
  },
  oneOf: (schemas) => {
    const names = Array.isArray(schemas) ? schemas.map(onlyRequired) : [undefined];
    if (names.includes(undefined)) return undefined;
    return (value) => !isRecord(value) || names.filter((name) => has(value, name ?? '')).length === 1;
  },
};

const TYPES: Readonly<Record<string, Fits>> = {
  object: isRecord,
  array: Array.isArray,
  string: (value) => typeof value === 'string',
  boolean: (value) => typeof value === 'boolean',
  integer: Number.isInteger,
};

/** The test of a schema of a custom resource. */
export function fitsOf(schema: unknown): Fits {
  if (!isRecord(schema)) return never;
  const whole = Object.keys(schema).some((key) => TOGETHER.has(key)) ? { properties: {}, ...schema } : schema;
  const tests: Fits[] = [];
  for (const [keyword, of] of Object.entries(whole)) {
    if (IGNORED.test(keyword) || TOGETHER.has(keyword)) continue;
    const test = Object.hasOwn(TESTS, keyword) ? TESTS[keyword]?.(of, whole) : undefined;
    if (!test) return never;
    tests.push(test);
  }
  return (value) => tests.every((test) => test(value));
}

/** Fields with their schemas, those without one, and those that have to be there. A null may stand for a field that is not. */
function fieldsFit(
  properties: Readonly<Record<string, unknown>>,
  { required = [], additionalProperties = {} }: Readonly<Record<string, unknown>>,
): Fits | undefined {
  if (!Array.isArray(required)) return undefined;
  const known = new Map(Object.entries(properties).map(([name, schema]) => [name, lazily(schema)]));
  const others = lazily(additionalProperties);
  return (value) => {
    if (!isRecord(value)) return true;
    for (const name of Object.keys(value)) {
      const item = value[name];
      if (item === null || !(known.get(name) ?? others)(item)) return false;
    }
    return required.every((name) => has(value, String(name)));
  };
}

/** Of most schemas few parts are used. */
function lazily(schema: unknown): Fits {
  let fits: Fits | undefined;
  return (value) => {
    fits ??= fitsOf(schema);
    return fits(value);
  };
}

/** The name in `{ properties: { name: {} }, required: [name] }`. */
function onlyRequired(schema: unknown): string | undefined {
  if (!isRecord(schema) || !Array.isArray(schema.required) || schema.required.length !== 1) return undefined;
  const { required, properties = {}, ...others } = schema;
  const isPlain =
    isRecord(properties) && Object.values(properties).every((own) => JSON.stringify(own) === '{}');
  return isPlain && Object.keys(others).length === 0 ? String(required[0]) : undefined;
}

function has(value: Record<string, unknown>, name: string): boolean {
  return Object.hasOwn(value, name) && value[name] !== undefined;
}

/** Patterns of a schema are RE2, in which `\PC` means `\P{C}`. */
export function inJavaScript(pattern: string): string {
  return pattern.replaceAll('\\PC', '\\P{C}');
}
