import type { ApiLabel, SelectorRow } from '../../model/policy.ts';
import { ApiError } from '../client.ts';
import { Reader } from './reader.ts';
import type { Label, LabelArray, Policy, SelectorCache } from './types.gen.ts';

/** Picks what `policy selectors` shows from the agent's answer. */
export function decodeSelectors(answer: unknown, path: string): SelectorRow[] {
  return new Reader<SelectorCache>(`GET ${path}`, answer).items().map((row) => ({
    selector: row.text('selector'),
    labels: labelsOf(row.at('labels')),
    users: row.integer('users'),
    identities: row.integers('identities'),
  }));
}

/** Newer agents send a list of labels per rule, older ones the labels of one rule. */
function labelsOf(labels: Reader<LabelArray>): ApiLabel[][] {
  if (!labels.present) return [];
  const items = labels.items();
  if (!items.some((item) => item.isList)) return [items.map(labelOf)];
  return items.map((rule) => rule.listOf<Label>().map(labelOf));
}

function labelOf(label: Reader<Label>): ApiLabel {
  return { key: label.text('key'), value: label.text('value'), source: label.text('source') };
}

/** The rules and the revision of a policy answer. */
export function decodePolicy(answer: unknown, call: string): { policy: string; revision: number } {
  const reader = new Reader<Policy>(call, answer);
  return { policy: reader.text('policy'), revision: reader.integer('revision') };
}

/** True for the answer of an agent that does not have this operation: the path or the method is unknown to it. */
export function isMissingOperation(error: unknown): boolean {
  if (!(error instanceof ApiError)) return false;
  if (error.status === 405 || error.status === 501) return true;
  return error.status === 404 && /path .* was not found/.test(JSON.stringify(error.payload ?? ''));
}
