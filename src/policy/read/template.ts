import type { Finding } from '../../model/finding.ts';
import type { Complaint } from '../language/decoders.ts';
import type { Path } from '../rule.ts';

const UNRENDERED = {
  severity: 'error',
  code: 'template',
  message: 'this is a template, not a policy yet: it has "{{" expressions',
  hint: 'Render it first: helm template CHART | cilium policy validate -',
} as const;

/** An expression where a value, an item or a line begins: no YAML or JSON that means anything. */
const BARE = /(?:^\s*|[:\-,[(]\s*|-\s)(\{\{-?\s*[\w.$"`(/*])/;
/** An expression of Go's templates in a string. */
const EXPRESSION =
  /\{\{-?\s*(?:\/\*|[.$]|(?:if|else|end|range|with|define|include|template|block|tpl|toYaml|printf|quote|default|lookup|required)\b)/;

/** The one thing that is wrong with a file that cannot be parsed because it has not been rendered. */
export function templateFault(file: string, text: string): Finding | undefined {
  for (const [i, line] of text.split('\n').entries()) {
    const found = /^\s*#/.test(line) ? null : BARE.exec(line);
    if (!found?.[1]) continue;
    const column = found.index + found[0].length - found[1].length;
    return {
      ...UNRENDERED,
      position: { file, line: i + 1, column: column + 1 },
      path: [],
      excerpt: `${line.trimEnd().slice(0, 100)}\n${' '.repeat(Math.min(column, 100))}^`,
    };
  }
  return undefined;
}

/** The same of a policy with errors whose expressions stand in quotes. */
export function templateComplaint(policy: unknown): Complaint | undefined {
  const path = expressionIn(policy, []);
  return path && { ...UNRENDERED, path };
}

/** Texts for people may speak of templates. */
const PROSE: ReadonlySet<string> = new Set(['description', 'annotations']);

function expressionIn(value: unknown, path: Path): Path | undefined {
  if (typeof value === 'string') return EXPRESSION.test(value) ? path : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, item] of Object.entries(value)) {
    if (PROSE.has(key)) continue;
    const step = Array.isArray(value) ? Number(key) : key;
    const found = EXPRESSION.test(key) ? [...path, step] : expressionIn(item, [...path, step]);
    if (found) return found;
  }
  return undefined;
}
