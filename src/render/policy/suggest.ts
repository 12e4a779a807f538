import { goJson } from '../text/json.ts';
import { sanitizeCell } from '../text/sanitize.ts';
import { goYaml } from '../text/yaml.ts';

/** Suggested policies with what their readers must know, as the text shows them. */
export interface SuggestionsView {
  suggestions: readonly {
    policy: { metadata: { name: string; namespace: string } };
    remarks: readonly string[];
  }[];
  unnamed: readonly { why: string }[];
  /** Keys of labels that are left out, by workload. */
  left: ReadonlyMap<string, ReadonlySet<string>>;
}

/** The policies as YAML documents, each below its remarks, or as a list in JSON, which has no comments. */
export function renderSuggestions(
  { suggestions, unnamed }: SuggestionsView,
  format: 'yaml' | 'json',
): string {
  if (format === 'json')
    return `${goJson(
      suggestions.map(({ policy }) => policy),
      2,
    )}\n`;
  const documents = suggestions.map(({ policy, remarks }) => comments(remarks) + goYaml(policy));
  return comments(unnamed.map(({ why }) => why)) + documents.join('---\n');
}

function comments(sentences: readonly string[]): string {
  return sentences.map((sentence) => `# ${sanitizeCell(sentence)}\n`).join('');
}

/** What the reader of the policies must know, for stderr: what no policy covers first. */
export function remarkLines({ suggestions, unnamed, left }: SuggestionsView): string {
  const lines = [
    ...unnamed.map(({ why }) => `Warning: ${why}`),
    ...[...left].map(
      ([workload, keys]) =>
        `Note: ${workload}: left out labels that change from run to run: ${[...keys].toSorted().join(', ')}.`,
    ),
    ...suggestions.flatMap(({ policy: { metadata }, remarks }) =>
      remarks.map((remark) => `Note: ${metadata.namespace}/${metadata.name}: ${remark}`),
    ),
  ];
  return lines.map((line) => `${sanitizeCell(line)}\n`).join('');
}
