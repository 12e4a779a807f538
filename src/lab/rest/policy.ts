import type { Port, TraceSelector } from '../../agent/decode/types.gen.ts';
import { holdsLabels, type Label, parseLabels } from '../../model/label.ts';
import { protocolNumber } from '../../policy/evaluate/maps/ports.ts';
import type { Agent } from '../agent/agent.ts';
import { parseRules, RuleError, ruleHas, ruleLabels } from '../policy/rules.ts';
import type { LabIdentity, LabState, PolicyRule } from '../state/state.ts';
import { plays } from '../version.ts';
import { ApiFailure, type Handlers, labelsIn, ok } from './call.ts';

function answer(rules: readonly unknown[], revision: number) {
  return ok({ policy: JSON.stringify(rules, null, 2), revision });
}

export const policyHandlers: Handlers = {
  'GET /policy': ({ body }, agent) => {
    const { rules, revision } = agent.state.policy;
    const labels = parseLabels(labelsIn(body), 'any');
    const found = rules.filter((rule) => ruleHas(rule, labels));
    if (labels.length > 0 && found.length === 0) throw new ApiFailure(404);
    return answer(agent.policy.describe(found), revision);
  },

  'PUT /policy': async ({ body, query }, agent) => {
    const imported = rulesIn(body);
    const replace = query.get('replace') === 'true';
    const labels = query.get('replace-with-labels')?.split(',').filter(Boolean) ?? [];
    const after = await agent.store.update((state) => importRules(state, imported, { replace, labels }));
    agent.emit({
      type: 'policy-updated',
      labels: imported.flatMap(ruleLabels),
      revision: after.policy.revision,
      rules: imported.length,
    });
    return answer(imported, after.policy.revision);
  },

  'DELETE /policy': async ({ body }, agent) => {
    const labels = labelsIn(body);
    let deleted = 0;
    const after = await agent.store.update((state) => {
      const left = state.policy.rules.filter((rule) => !ruleHas(rule, parseLabels(labels, 'any')));
      deleted = state.policy.rules.length - left.length;
      if (deleted === 0 && labels.length > 0) throw notFound(agent);
      return { ...state, policy: { revision: state.policy.revision + 1, rules: left } };
    });
    agent.emit({
      type: 'policy-deleted',
      labels,
      revision: after.policy.revision,
      rules: deleted,
    });
    return answer(after.policy.rules, after.policy.revision);
  },

  'GET /policy/selectors': (_, agent) => ok(agent.policy.selectors()),

  'GET /policy/subject-selectors': (_, agent) => ok(agent.policy.subjectSelectors()),

  'GET /policy/resolve': ({ body }, agent) => {
    const { from, to } = (body ?? {}) as TraceSelector;
    const source = identityOf(from?.labels, agent);
    const destination = identityOf(to?.labels, agent);
    const ports = to?.dports?.length ? to.dports : [{}];
    const lines = ports.map((port: Port) => {
      // A trace is about one packet: any protocol is taken for TCP.
      const named = port.protocol === undefined || port.protocol === 'ANY' ? 'TCP' : port.protocol;
      const protocol = protocolNumber(named);
      const { answer, egress, ingress } = agent.policy.decide(source.id, destination.id, {
        protocol,
        port: port.port,
      });
      const what = port.port === undefined ? '' : ` on port ${port.port}/${port.protocol ?? 'TCP'}`;
      return {
        answer,
        text: `${source.labels.join(' ')} -> ${destination.labels.join(' ')}${what}: egress ${egress.answer}, ingress ${ingress.answer}\n`,
      };
    });
    const allowed = lines.every(({ answer }) => answer === 'allowed');
    return ok({ log: lines.map(({ text }) => text).join(''), verdict: allowed ? 'allowed' : 'denied' });
  },
};

/** The identity with these labels; the world when there is none. */
function identityOf(labels: readonly string[] | undefined, agent: Agent): LabIdentity {
  const wanted = labels ?? [];
  const all = agent.identities();
  const found =
    wanted.length > 0
      ? all.find((identity) => holdsLabels(parseLabels(identity.labels), parseLabels(wanted, 'any')))
      : undefined;
  return found ?? { id: 2, labels: wanted.length > 0 ? [...wanted] : ['reserved:world'] };
}

function notFound(agent: Agent): ApiFailure {
  return plays(agent.version, '1.17') ? new ApiFailure(500, 'policy not found') : new ApiFailure(404);
}

/** The reference sends the rules as a JSON text inside a JSON string; a plain list is taken as well. */
function rulesIn(body: unknown): PolicyRule[] {
  try {
    return parseRules(typeof body === 'string' ? body : JSON.stringify(body));
  } catch (error) {
    if (error instanceof RuleError) throw new ApiFailure(400, error.message);
    throw error;
  }
}

/**
 * Adds rules to the policy. `replace` first removes those whose labels hold the labels of an imported rule, `labels`
 * those that hold all of these; every removal that removes something is a revision of its own, as in the reference.
 */
function importRules(
  state: LabState,
  imported: readonly PolicyRule[],
  { replace, labels }: { replace: boolean; labels: readonly string[] },
): LabState {
  let { rules, revision } = state.policy;
  const remove = (gone: readonly Label[]) => {
    const left = rules.filter((rule) => !ruleHas(rule, gone));
    if (left.length === rules.length) return;
    rules = left;
    revision++;
  };
  if (labels.length > 0) remove(parseLabels(labels, 'any'));
  if (replace) {
    for (const rule of imported) {
      const own = parseLabels(ruleLabels(rule));
      if (own.length > 0) remove(own);
    }
  }
  return { ...state, policy: { revision: revision + 1, rules: [...rules, ...imported] } };
}
