import { basename, isAbsolute, resolve } from 'node:path';
import { Ajv, type ErrorObject } from 'ajv';
import { type Document, isMap, LineCounter, parseDocument } from 'yaml';
import { errorCode, errorMessage, UserError } from '../../errors.ts';
import { nearest } from '../../lib/nearest.ts';
import type { Path } from '../../model/finding.ts';
import { assetNames, assetPath, readAsset } from '../assets.ts';
import { checkScenario, type Problem } from './check.ts';
import type { Scenario } from './scenario.ts';

/** The scenario that a lab plays when none is named. */
export const DEFAULT_SCENARIO = 'beginners-guide';
/** The one for a cluster whose pods run: everything in it is what somebody made there. */
export const EMPTY_SCENARIO = 'empty';

const MAX_ERRORS = 10;

/** A scenario that was read, and where from. */
export interface LoadedScenario {
  scenario: Scenario;
  /** Absolute path. */
  file: string;
}

/** Names of the scenarios that ship with the toolkit. */
export function shippedScenarios(): string[] {
  return assetNames('scenarios')
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => basename(file, '.yaml'))
    .sort();
}

/** Reads a scenario: a shipped one by its name, or a file by its path. */
export function loadScenario(nameOrFile: string, cwd: string): LoadedScenario {
  const shipped = shippedScenarios();
  const file = shipped.includes(nameOrFile)
    ? assetPath(`scenarios/${nameOrFile}.yaml`)
    : isAbsolute(nameOrFile)
      ? nameOrFile
      : resolve(cwd, nameOrFile);
  let text: string;
  try {
    text = readAsset(file).toString('utf8');
  } catch (cause) {
    const missing = errorCode(cause) === 'ENOENT';
    const near = missing ? nearest(nameOrFile, shipped) : undefined;
    throw new UserError(
      missing ? `no scenario ${nameOrFile}: no such file` : `read scenario ${file}: ${String(cause)}`,
      {
        hint: `${near === undefined ? '' : `Did you mean "${near}"? `}The scenarios that ship with the toolkit are ${shipped.join(', ')}; any other word is the path of a YAML file.`,
        cause,
      },
    );
  }
  if (text.length > MAX_LENGTH)
    throw new UserError(`scenario ${file}: it is longer than ${MAX_LENGTH / 1024 / 1024} MiB`);
  try {
    return { scenario: parseScenario(text, file), file };
  } catch (cause) {
    // What nests deeper than the stack is no scenario.
    if (!(cause instanceof RangeError)) throw cause;
    throw new UserError(`${file}:1:1: its parts are nested too deeply to be read`, { cause });
  }
}

/** Larger than any scenario; the parser takes a second for a MiB. */
const MAX_LENGTH = 4 * 1024 * 1024;

/** Parses and checks the text of a scenario; errors name `file:line:column`. */
function parseScenario(text: string, file: string): Scenario {
  const lines = new LineCounter();
  const doc = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  const fail = (problems: string[]): never => {
    const more = problems.length > MAX_ERRORS ? [`… and ${problems.length - MAX_ERRORS} more`] : [];
    throw new UserError([...problems.slice(0, MAX_ERRORS), ...more].join('\n'), {
      hint: 'The fields of a scenario are described in schemas/lab-scenario.json and docs/lab.md.',
    });
  };
  // The parser makes an error of its text of a stack that is exhausted.
  if (doc.errors.some(({ message }) => message.includes('call stack')))
    fail([`${file}:1:1: its parts are nested too deeply to be read`]);
  if (doc.errors.length > 0) {
    fail(
      doc.errors.map((error) => {
        const { line, col } = error.linePos?.[0] ?? { line: 1, col: 1 };
        return `${file}:${line}:${col}: ${error.message.split('\n')[0]?.replace(/ at line \d+.*$/, '')}`;
      }),
    );
  }
  const at = (path: Path) => {
    const { line, col } = lines.linePos(offsetOf(doc, path));
    return `${file}:${line}:${col}: `;
  };
  let value: unknown;
  try {
    value = doc.toJS();
  } catch (error) {
    // An alias that stands for nothing, or too many of them.
    if (error instanceof RangeError) throw error;
    fail([`${file}:1:1: ${errorMessage(error)}`]);
  }
  const problems = schemaProblems(value);
  if (problems.length > 0) fail(problems.map((p) => at(p.path) + p.text));
  const scenario = value as Scenario;
  const wrong = checkScenario(scenario);
  if (wrong.length > 0) fail(wrong.map((p) => at(p.path) + p.text));
  return scenario;
}

function offsetOf(doc: Document.Parsed, path: Path): number {
  for (let length = path.length; length > 0; length--) {
    const parent = doc.getIn(path.slice(0, length - 1), true);
    const last = path[length - 1];
    if (isMap(parent)) {
      const pair = parent.items.find((item) => String(item.key) === String(last));
      const key = pair?.key;
      if (typeof key === 'object' && key !== null && 'range' in key && Array.isArray(key.range))
        return Number(key.range[0]);
    }
    const node = doc.getIn(path.slice(0, length), true);
    if (typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range))
      return Number(node.range[0]);
  }
  return 0;
}

let validate: ReturnType<Ajv['compile']> | undefined;

function schemaProblems(value: unknown): Problem[] {
  if (!validate) {
    // Not strict: the description of the agent's API carries words of its own, such as x-versions.
    const ajv = new Ajv({ allErrors: true, strict: false, validateFormats: false });
    ajv.addSchema(readJson('schemas/agent-api.json'), 'agent-api.json');
    validate = ajv.compile(readJson('schemas/lab-scenario.json'));
  }
  if (validate(value)) return [];
  const problems = (validate.errors ?? []).map((error) => problemOf(error));
  // An alternative that fails says so once for itself and once for each of its branches: the deepest is enough.
  return problems.filter((p, i) => problems.findIndex((q) => q.path.join() === p.path.join()) === i);
}

function readJson(name: string): object {
  return JSON.parse(readAsset(assetPath(name)).toString('utf8')) as object;
}

function problemOf(error: ErrorObject): Problem {
  const path = error.instancePath
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
  const params: Record<string, unknown> = error.params;
  const where = path.length > 0 ? `${showPath(path)}: ` : '';
  if (error.keyword === 'additionalProperties') {
    const extra = String(params.additionalProperty);
    return { path: [...path, extra], text: `${where}there is no field "${extra}"` };
  }
  if (error.keyword === 'required')
    return { path, text: `${where}the field "${params.missingProperty}" is missing` };
  if (error.keyword === 'enum' && Array.isArray(params.allowedValues))
    return { path, text: `${where}expected one of ${params.allowedValues.join(', ')}` };
  if (error.keyword === 'type') return { path, text: `${where}expected ${String(params.type)}` };
  return { path, text: `${where}${error.message ?? 'is wrong'}` };
}

/** `endpoints[2].ipv4` */
function showPath(path: Path): string {
  return path.map((part, i) => (typeof part === 'number' ? `[${part}]` : i > 0 ? `.${part}` : part)).join('');
}
