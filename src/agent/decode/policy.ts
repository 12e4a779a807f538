import { errorMessage, UserError } from '../../errors.ts';
import { parsePlainJson } from '../../lib/exact-json.ts';
import { compareBytes } from '../../lib/order.ts';
import type { AgentPolicy, ApiLabel, SelectorRow } from '../../model/policy.ts';
import { type AgentClient, ApiError } from '../client.ts';
import { type Answer, listAnswer, objectAnswer } from './answer.ts';
import type { Reader } from './reader.ts';
import type { Label, LabelArray, Policy, SelectorCache } from './types.gen.ts';

/** Which selectors are meant: of peers, or of the endpoints that rules apply to (from 1.20 on). */
export type SelectorPath = '/policy/selectors' | '/policy/subject-selectors';

/** The selectors of the rules, with the identities that they match. */
export function listSelectors(agent: AgentClient, path: SelectorPath): Promise<Answer<SelectorRow[]>> {
  return listAnswer<SelectorCache, SelectorRow[]>(agent.get(path), 'SelectorCache', (answer) =>
    answer.items().map((row) => ({
      selector: row.text('selector'),
      labels: labelsOf(row.at('labels')),
      users: row.integer('users'),
      identities: row.integers('identities'),
    })),
  );
}

/** Newer agents send a list of labels per rule, older ones the labels of one rule. */
function labelsOf(labels: Reader<LabelArray>): ApiLabel[][] {
  if (!labels.present) return [];
  const items = labels.items();
  if (!items.some((item) => item.isList))
    return [items.map(labelOf).toSorted((a, b) => compareBytes(a.key, b.key))];
  return items.map((rule) => rule.as<Label[]>().items().map(labelOf));
}

function labelOf(label: Reader<Label>): ApiLabel {
  return { key: label.text('key'), value: label.text('value'), source: label.text('source') };
}

/** The rules of the agent, those with all of the labels where it chooses by them. */
export function readPolicy(
  agent: AgentClient,
  options: { labels?: readonly string[]; timeoutMs?: number } = {},
): Promise<Answer<AgentPolicy>> {
  const { labels = [], timeoutMs } = options;
  const asked = agent.get('/policy', { body: labels.length > 0 ? labels : undefined, timeoutMs });
  return objectAnswer(asked, 'Policy', decodePolicy);
}

/** Which rules go when others come. */
export interface Replacement {
  replace: boolean;
  replaceWithLabels: readonly string[];
}

/** Adds rules; `replace` first removes all others, `replaceWithLabels` those that have the labels. Agents that only add are asked without. */
export function putPolicy(
  agent: AgentClient,
  rules: string,
  replacement: Replacement | undefined,
): Promise<Answer<AgentPolicy>> {
  const labels = replacement?.replaceWithLabels ?? [];
  const query = {
    replace: replacement?.replace,
    'replace-with-labels': labels.length > 0 ? labels : undefined,
  };
  return objectAnswer(agent.put('/policy', { query, body: rules }), 'Policy', decodePolicy);
}

/** Removes the rules that have all of the labels. */
export function deletePolicy(agent: AgentClient, labels: readonly string[]): Promise<Answer<AgentPolicy>> {
  return objectAnswer(agent.delete('/policy', { body: labels }), 'Policy', decodePolicy);
}

/** Reads the rules and the revision: of an own answer, or of the part of another one. */
export function decodePolicy(answer: Reader<Policy>): AgentPolicy {
  return { policy: answer.text('policy'), revision: answer.integer('revision') };
}

/** The rules of a policy, which the agent sends as text: a list of rules, from 1.19 on one of entries. */
export function parsePolicy({ policy }: AgentPolicy): unknown {
  try {
    return parsePlainJson(policy || '[]');
  } catch (cause) {
    throw new UserError(`GET /v1/policy: the rules in the answer are not JSON: ${errorMessage(cause)}`, {
      cause,
    });
  }
}

/** Asks the agent (up to 1.9) for its verdict on traffic. */
export async function tracePolicy(
  agent: AgentClient,
  question: object,
): Promise<Answer<{ verdict: string; log: string }>> {
  return objectAnswer(agent.get('/policy/resolve', { body: question }), 'PolicyTraceResult', (result) => ({
    verdict: result.need('verdict').asText(),
    log: result.text('log'),
  }));
}

/** True for the answer of an agent that does not have this operation: the path or the method is unknown to it. */
export function isMissingOperation(error: unknown): boolean {
  return error instanceof ApiError && (error.isUnknownPath || error.status === 501);
}
