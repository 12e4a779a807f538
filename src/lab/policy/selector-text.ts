import { formatRange } from '../../lib/address.ts';
import type { Selector } from '../../policy/evaluate/selectors/selector.ts';
import { type AgentVersion, plays } from '../version.ts';

/**
 * A selector as agents print it: Go's text form of a Kubernetes selector. Up to 1.17 prefixes are labels in it, later
 * ones have a text of their own.
 */
export function selectorText(selector: Selector, version: AgentVersion): string {
  switch (selector.kind) {
    case 'cidr': {
      const cidr = formatRange(selector.prefix);
      return plays(version, '1.18') ? `cidr:${cidr}` : labelSelectorText([`cidr.${cidr}: ,`], []);
    }
    case 'fqdn': {
      const [name = ''] = selector.labels;
      const pattern = name.includes('*');
      return `MatchName: ${pattern ? '' : `${name}.`}, MatchPattern: ${pattern ? name : ''}`;
    }
    case 'none':
      return selector.key;
    case 'labels': {
      const key = ({ source, name }: { source: string; name: string }) => `${source}.${name}`;
      const labels: string[] = [];
      const expressions: string[] = [];
      for (const term of selector.terms) {
        if (term.operator === 'In' && term.values.length === 1)
          labels.push(`${key(term)}: ${term.values[0]},`);
        else
          expressions.push(
            `LabelSelectorRequirement{Key:${key(term)},Operator:${term.operator},Values:[${term.values.join(' ')}],},`,
          );
      }
      return labelSelectorText(labels.sort(), expressions);
    }
  }
}

function labelSelectorText(labels: readonly string[], expressions: readonly string[]): string {
  return `&LabelSelector{MatchLabels:map[string]string{${labels.join('')}},MatchExpressions:[]LabelSelectorRequirement{${expressions.join('')}},}`;
}
