// Writes schemas/config-facts.json: which Helm values and keys of cilium-config which release has. It is made of two
// things that are not part of this project: a folder with one unpacked chart of each release (RELEASE/cilium/values.yaml
// and so on), and a YAML file of facts about renames, removals, mappings and value sets.
//   node --import tsx scripts/generate-config-facts.ts CHARTS FACTS.yaml
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { parseRelease } from '../src/model/release.ts';

const [charts = '', factsFile = ''] = process.argv.slice(2);
const minorOf = (version: string) => Number(parseRelease(version)?.split('.')[1]);
const versions = readdirSync(charts).toSorted((a, b) => minorOf(a) - minorOf(b));

/** What is known of a value or key: the minors that have it, and since when which types are taken. */
interface Known {
  minors: number[];
  types: [number, string][];
  open: boolean;
}
const values = new Map<string, Known>();
const keys = new Map<string, Known>();

function note(into: Map<string, Known>, path: string, minor: number): Known {
  const known = into.get(path) ?? { minors: [], types: [], open: false };
  if (known.minors.at(-1) !== minor) known.minors.push(minor);
  into.set(path, known);
  return known;
}

function noteAll(path: string, minor: number): void {
  const words = path.split('.');
  words.forEach((_, i) => {
    note(values, words.slice(0, i + 1).join('.'), minor);
  });
}

function walk(value: unknown, path: string, minor: number): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
  for (const [name, child] of Object.entries(value)) {
    const here = path === '' ? name : `${path}.${name}`;
    if (!name.includes('.') && !name.includes('/')) noteAll(here, minor);
    walk(child, here, minor);
  }
}

/** `# name: value` below the key that the comment is indented under. */
function commented(text: string, minor: number): void {
  const parents: { indent: number; name: string }[] = [];
  let inSchema = false;
  for (const line of text.split('\n')) {
    if (/^ *# @schema\b/.test(line)) inSchema = !inSchema;
    const [, blanks = '', hash, name] = /^( *)(# ?)?([A-Za-z][\w-]*):(?: |$)/.exec(line) ?? [];
    // Types of the schema, references and words that begin a sentence are no values.
    if (name === undefined || (hash && (inSchema || /^(?:ref|[A-Z][a-z]+)$/.test(name)))) continue;
    const indent = blanks.length;
    while ((parents.at(-1)?.indent ?? -1) >= indent) parents.pop();
    if (hash) noteAll([...parents.map((parent) => parent.name), name].join('.'), minor);
    else parents.push({ indent, name });
  }
}

const TYPES: Readonly<Record<string, string>> = {
  boolean: 'b',
  integer: 'i',
  number: 'n',
  string: 's',
  array: 'a',
  object: 'o',
  null: '0',
};

interface Schema {
  type?: string | string[];
  properties?: Record<string, Schema>;
}

/** The values that the schema of a chart names. */
const typed = new Set<string>();

function schema({ properties = {} }: Schema, path: string, minor: number): void {
  for (const [name, child] of Object.entries(properties)) {
    const here = path === '' ? name : `${path}.${name}`;
    const known = note(values, here, minor);
    typed.add(here);
    const types = [child.type ?? []].flat().map((type) => TYPES[type] ?? '');
    const told = types.toSorted().join('');
    if (told !== (known.types.at(-1)?.[1] ?? '')) known.types.push([minor, told]);
    schema(child, here, minor);
  }
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile())
    .map((file) => join(file.parentPath, file.name));
}

for (const version of versions) {
  const minor = minorOf(version);
  const folder = join(charts, version, 'cilium');
  const text = readFileSync(join(folder, 'values.yaml'), 'utf8');
  walk(parse(text), '', minor);
  commented(text, minor);
  for (const [, name = ''] of readFileSync(join(folder, 'README.md'), 'utf8').matchAll(/^\| ([\w.-]+) \| /gm))
    if (name !== 'Key' && !/^-+$/.test(name)) noteAll(name, minor);
  for (const file of filesBelow(join(folder, 'templates'))) {
    const template = readFileSync(file, 'utf8');
    for (const line of template.split('\n'))
      for (const [, name = ''] of line.matchAll(/\.Values\.([A-Za-z][\w]*(?:\.[A-Za-z][\w]*)*)/g)) {
        // What the chart only looks at to refuse or to warn is no value of this release.
        if (/(?:validate\.yaml|warnings\.txt|NOTES\.txt)$/.test(file)) continue;
        noteAll(name, minor);
        if (/toYaml|toJson|\bwith\b|\brange\b/.test(line)) note(values, name, minor).open = true;
      }
    if (!file.endsWith('cilium-configmap.yaml')) continue;
    for (const [, key = ''] of template.matchAll(/^ {2}([a-z][a-z0-9-]+):(?: |$)/gm)) note(keys, key, minor);
  }
  const file = join(folder, 'values.schema.json');
  if (!existsSync(file)) continue;
  typed.clear();
  schema(JSON.parse(readFileSync(file, 'utf8')) as Schema, '', minor);
  for (const [path, { types }] of values)
    if (!typed.has(path) && (types.at(-1)?.[1] ?? '') !== '') types.push([minor, '']);
}
for (const name of ['data', 'metadata', 'kind', 'name', 'namespace']) keys.delete(name);
// Helm's own, which a chart of 1.8 had its values below.
for (const name of values.keys()) if (/^global(?:\.|$)/.test(name)) values.delete(name);

// A path below which nothing is known takes whatever it is given; so does one that is written out whole.
const parents = new Set([...values.keys()].map((path) => path.slice(0, Math.max(0, path.lastIndexOf('.')))));

/** `9-13,15-20 16:b,18:0b *`: minors that have it, types since a minor, whether all below it is taken. */
function told({ minors, types, open }: Known, path: string): string {
  const ranges: [number, number][] = [];
  for (const minor of minors.toSorted((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last && last[1] + 1 === minor) last[1] = minor;
    else if (last?.[1] !== minor) ranges.push([minor, minor]);
  }
  const letters = types.map(([minor, some]) => `${minor}:${some}`).join(',');
  const parts = [ranges.map((range) => range.join('-')).join(','), letters || '-'];
  return [...parts, ...(open && parents.has(path) ? ['*'] : [])].join(' ').replace(/ -$/, '');
}

/** A row of what was renamed or removed. */
interface Moved {
  old: string;
  /** Only with this value. */
  value?: string;
  /** The first minor without it. */
  gone: number;
  /** What takes its place, by the minor since when it does; several where one became several. */
  to?: [number, ...string[]][];
  /** What takes its place, where that is no name. */
  instead?: string;
  /** What is to be known of it. */
  say?: string;
}

const PATH = /^[A-Za-z][\w.*-]*$/;

/** The rows of a fact, one for each name that it is about; empty where nothing went away. */
function moved(old: string, gone: string | undefined, to: string, note: string | undefined): Moved[] {
  if (gone === undefined) return [];
  const since = minorOf(gone);
  const names = old
    .replace(/ and the other .*$/, '')
    .replace(/ \((?:operator|integer)\)$/, '')
    .split(', ');
  const said = /^\(gone(?::? (.*))?\)$/.exec(to);
  const say = [said ? said[1] : undefined, note]
    .filter((text) => text !== undefined && text !== '')
    .join('; ');
  const goals: [number, ...string[]][] = [];
  const pieces = [...to.matchAll(/([A-Za-z][\w.-]*) \((\d\.\d+)[^)]*\)/g)];
  if (said) goals.length = 0;
  else if (pieces.length > 0 && pieces.map(([all]) => all).join(', ') === to)
    for (const [, path = '', first = ''] of pieces) goals.push([minorOf(first), path]);
  else if (to.split(', ').every((path) => PATH.test(path))) goals.push([since, ...to.split(', ')]);
  const free = goals.length === 0 && !said ? to : '';
  return names
    .filter((name) => name !== 'pprof' && name !== 'pprof-port')
    .map((name) => {
      const [path = '', value] = name.split('=');
      return {
        old: path,
        ...(value !== undefined && { value }),
        gone: since,
        ...(goals.length > 0 && { to: goals }),
        ...(free !== '' && { instead: free }),
        ...(say !== '' && { say }),
      };
    });
}

const sorted = <T>(map: Map<string, T>) => [...map].toSorted(([a], [b]) => (a < b ? -1 : 1));
const facts = parse(readFileSync(factsFile, 'utf8')) as {
  helm_values: { rows: Record<string, string>[] };
  config_keys_gone: Record<string, string>[];
  value_sets: Record<string, (string | number)[]>;
  config_map: Record<string, { vals?: string[]; if?: string; is?: string; by?: string; since?: string }>;
};
const out = {
  source:
    "Names, dates and mappings, read from the values, schemas and templates of Cilium's charts (the last patch of each minor; 1.20 as 1.20.0-pre.3) and from its upgrade guides. `values` and `keys`: first and last minor of 1.x that have it, JSON types since a minor, * where everything below is taken",
  charts: versions,
  values: Object.fromEntries(sorted(values).map(([path, known]) => [path, told(known, path)])),
  keys: Object.fromEntries(sorted(keys).map(([key, known]) => [key, told(known, key)])),
  valuesMoved: facts.helm_values.rows.flatMap(({ old = '', gone, to = '', note }) =>
    moved(old, gone, to, note),
  ),
  keysMoved: facts.config_keys_gone.flatMap(({ key = '', gone, to = '' }) => moved(key, gone, to, undefined)),
  valueSets: facts.value_sets,
  configMap: Object.fromEntries(
    Object.entries(facts.config_map)
      .filter(([, row]) => typeof row === 'object')
      .map(([key, { vals, by }]) => [key, { ...(vals && { vals }), ...(by && { by }) }]),
  ),
};
const line = (value: unknown) => JSON.stringify(value);
const block = (value: object) =>
  Array.isArray(value)
    ? `[\n${value.map((row) => `    ${line(row)}`).join(',\n')}\n  ]`
    : `{\n${Object.entries(value)
        .map(([name, row]) => `    ${line(name)}: ${line(row)}`)
        .join(',\n')}\n  }`;
const text = `{\n${Object.entries(out)
  .map(([name, value]) => `  ${line(name)}: ${typeof value === 'object' ? block(value) : line(value)}`)
  .join(',\n')}\n}\n`;
writeFileSync(new URL('../schemas/config-facts.json', import.meta.url), text);
console.log(`${values.size} values, ${keys.size} keys, ${text.length} bytes`);
