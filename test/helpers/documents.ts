import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Ajv, ValidateFunction } from 'ajv';
import { resolve } from '../../src/cli/tree.ts';
import { TREE } from '../../src/commands/index.ts';

/** The folder of schemas of what verbs print. */
export const OUTPUT_SCHEMAS = fileURLToPath(new URL('../../schemas/output/', import.meta.url));

/** Files there that say which verbs hand on what somebody else wrote. */
const PASSED_ON = ['agent.json', 'objects.json'];

/** Command lines whose document is that of another verb. */
const SAME: Readonly<Record<string, string>> = {
  'encryption-status': 'encrypt status --cluster',
  'encryption-status-nodes': 'encrypt status --cluster --per-node-details',
  'encryption-key-status': 'encrypt key-status',
};

/** A document of ours, the verb that prints it, and the flags that make it this document. */
interface OutputSchema {
  name: string;
  verb: string;
  flags: readonly string[];
}

let known: readonly OutputSchema[] | undefined;

/** All of them, by the command line that each has as its title. */
export function outputSchemas(): readonly OutputSchema[] {
  known ??= readdirSync(OUTPUT_SCHEMAS)
    .filter((file) => !PASSED_ON.includes(file))
    .flatMap((file) => {
      const name = file.replace(/\.json$/, '');
      const title = String(readSchema(name).title).replace(/^cilium /, '');
      return [title, SAME[name]].flatMap((line) => (line === undefined ? [] : [schemaOf(name, line)]));
    });
  return known;
}

function schemaOf(name: string, line: string): OutputSchema {
  const words = line.split(' ');
  const at = words.findIndex((word) => word.startsWith('-'));
  return {
    name,
    verb: words.slice(0, at === -1 ? undefined : at).join(' '),
    flags: words.filter((word) => word.startsWith('--')),
  };
}

/** A file of that folder. */
export function readSchema(name: string): Record<string, unknown> {
  return JSON.parse(readFileSync(join(OUTPUT_SCHEMAS, `${name}.json`), 'utf8'));
}

let ajv: Ajv | undefined;
const compiled = new Map<string, ValidateFunction>();

/** What checks a document of ours. */
export async function validatorOf(name: string): Promise<ValidateFunction> {
  // The fuzzers bundle it, where only a file of its own gives the names of a module of CommonJS.
  const { Ajv } = await import('../../src/policy/read/ajv-library.ts');
  ajv ??= new Ajv({ strict: false, allErrors: true });
  const validate = compiled.get(name) ?? ajv.compile(readSchema(name));
  compiled.set(name, validate);
  return validate;
}

/** The schema of what a command line prints; undefined where it is no document of ours. */
export function schemaFor(argv: readonly string[], env: Record<string, string> = {}): string | undefined {
  const given = (flag: string) => argv.some((word) => word === flag || word.startsWith(`${flag}=`));
  const isOfAgent = ['--agent', '--node', '--pod'].some(given);
  const has = (flag: string) =>
    given(flag) || (flag === '--cluster' && env.CILIUM_TARGET === 'cluster' && !isOfAgent);
  const verb = resolve(TREE, argv)
    .path.map(({ name }) => name)
    .join(' ')
    .replace(/^(?:hubble )?observe(?: flows)?$/, 'hubble observe');
  // Verbs of agents alone are run on every node by the same door; `status --all-nodes` is about the nodes that one agent sees.
  const flags = verb === 'status' ? ['--limit-nodes'] : ['--all-nodes', '--limit-nodes'];
  if (flags.some(given) && !/^(?:rbac|hubble|logs|identity)\b/.test(verb)) return 'all-nodes';
  return outputSchemas()
    .filter((schema) => schema.verb === verb && schema.flags.every(has))
    .toSorted((a, b) => b.flags.length - a.flags.length)[0]?.name;
}

/** The documents of a text: one, several behind each other, or one a line. Undefined for anything else, and for what is cut off. */
export function documentsOf(text: string): unknown[] | undefined {
  try {
    return [JSON.parse(text)];
  } catch {}
  try {
    return text
      .trim()
      .split(/\n+(?=[[{])/)
      .map((part) => JSON.parse(part));
  } catch {
    return undefined;
  }
}

function asksForJson(argv: readonly string[]): boolean {
  return / (?:-o[ =]?|--output[ =])json(?: |$)/.test(` ${argv.join(' ')} `);
}

/** Throws for a document of ours that is not as its schema says. */
export async function holdToSchema(
  argv: readonly string[],
  stdout: string,
  env?: Record<string, string>,
): Promise<void> {
  const name = stdout !== '' && asksForJson(argv) ? schemaFor(argv, env) : undefined;
  if (name === undefined) return;
  const validate = await validatorOf(name);
  for (const document of documentsOf(stdout) ?? []) {
    if (validate(document)) continue;
    const why = (validate.errors ?? []).map(
      ({ instancePath, message, params }) => `${instancePath || '/'} ${message} ${JSON.stringify(params)}`,
    );
    throw new Error(`${argv.join(' ')}: not as schemas/output/${name}.json says: ${why.join('; ')}`);
  }
}
