import type { Finding } from '../../model/finding.ts';

/** What only a template has: a line or a value that begins with `{{`, or an expression of Go's templates anywhere. */
const MARK =
  /^\s*(?:- )*\{\{-?\s*[\w.$"`(/*]|[:\-,[(]\s*\{\{-?\s*[\w.$"`(/*]|\{\{-?\s*(?:\/\*|[.$]|(?:if|else|end|range|with|define|include|template|block|tpl|toYaml|printf|quote|default|lookup|required)\b)/;
/** Texts for people, which may speak of templates. */
const PROSE = /^\s*(?:- )?["']?description["']?\s*:/;

/** The one thing that is wrong with a file that is a template of Helm or the like: it has not been rendered. */
export function templateFault(file: string, text: string): Finding | undefined {
  if (!text.includes('{{')) return undefined;
  for (const [i, line] of text.split('\n').entries()) {
    const column = line.indexOf('{{');
    if (column < 0 || /^\s*#/.test(line) || PROSE.test(line) || !MARK.test(line)) continue;
    return {
      severity: 'error',
      code: 'template',
      message: 'this is a template, not a policy yet: it has "{{" expressions',
      hint: 'Render it first: helm template CHART | cilium policy validate -',
      position: { file, line: i + 1, column: column + 1 },
      path: [],
      excerpt: `${line.trimEnd().slice(0, 100)}\n${' '.repeat(Math.min(column, 100))}^`,
    };
  }
  return undefined;
}
