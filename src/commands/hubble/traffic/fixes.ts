import type { Command } from 'commander';
import { stringArray } from '../../../cli/flags.ts';
import { loadEngine } from '../../../cli/policy/inputs.ts';
import type { Context } from '../../../context.ts';
import type { Traffic } from '../../../model/traffic.ts';
import type { Fix } from '../../../model/traffic-report.ts';
import { emptyState } from '../../../policy/evaluate/decide/cluster-state.ts';
import { type FlowRecord, POLICY_DROPS } from '../../../policy/evaluate/decide/connections.ts';
import { PolicyEngine } from '../../../policy/evaluate/decide/engine.ts';
import { Peers } from '../../../policy/evaluate/decide/peers.ts';
import type { RuleReference } from '../../../policy/reports/explain.ts';
import { openingFor } from '../../../policy/reports/opening.ts';
import { why } from '../../../policy/reports/why.ts';
import { kubeYaml } from '../../../render/text/kube-yaml.ts';

/** The flags that say which policies drops are explained by. */
export interface RulesFlags {
  rules: string[];
  state?: string;
}

/** Adds `--rules` and `--state`. */
export function addRulesOptions(command: Command): Command {
  return command
    .optionsGroup('Policy Flags:')
    .addOption(
      stringArray(
        '--rules <path>',
        'Explain drops by these policies: a file or folder, in any form that "policy import" accepts',
      ),
    )
    .option(
      '--state <file>',
      'Explain drops by the policies and identities of a JSON file, of the running agent ("agent"), or of the API server ("cluster")',
    );
}

/** Drops that are explained at most: a reader goes through no more. */
const MOST_FIXES = 200;

type Direction = 'ingress' | 'egress';

/** A drop of an edge whose reason is policy, with a flow to judge it by. */
interface PolicyDrop {
  client: string;
  server: string;
  drop: number;
  reason: string;
  direction: Direction;
  policies: readonly string[];
  flow: FlowRecord;
}

/** What policies say of each drop, and which policy would allow it. */
export type Explainer = (traffic: Traffic) => Promise<Fix[]>;

/** Explains drops by the policies that the flags name, if any; policies are read once. */
export function explainer({ rules, state }: RulesFlags, ctx: Context): Explainer {
  const isGiven = rules.length > 0 || state !== undefined;
  let given: Promise<{ engine: PolicyEngine; peers: Peers }> | undefined;
  const load = async (flows: readonly FlowRecord[]) => {
    const loaded = await loadEngine(ctx, { rules, ...(state !== undefined && { state }), flows });
    return { engine: loaded.engine, peers: new Peers(loaded.engine, loaded.state) };
  };
  const bare = emptyState();
  const peers = new Peers(new PolicyEngine(bare.identities, bare.endpoints, {}), bare);
  return async (traffic) => {
    const drops = [...policyDrops(traffic)].slice(0, MOST_FIXES);
    if (isGiven && drops.length > 0) given ??= load(drops.map(({ flow }) => flow));
    const known = await given;
    return drops.map((drop) => ({
      ...fixOf(drop, peers),
      ...(known && verdictOf(drop, known.engine, known.peers)),
    }));
  };
}

function* policyDrops({ edges }: Traffic): Generator<PolicyDrop> {
  for (const { client, server, drops } of edges) {
    for (const [drop, { reason, direction, policies, example }] of drops.entries()) {
      if (!Object.hasOwn(POLICY_DROPS, reason) || !example || !direction) continue;
      yield { client, server, drop, reason, direction, policies, flow: example as FlowRecord };
    }
  }
}

function fixOf({ client, server, drop, reason, direction, policies, flow }: PolicyDrop, peers: Peers): Fix {
  const place = { client, server, drop, why: undefined, decision: undefined };
  if (reason === 'POLICY_DENY' || policies.length > 0) {
    const rule = policies.length > 0 ? `A rule of ${policies.join(', ')}` : 'A rule';
    return { ...place, yaml: undefined, remarks: [`${rule} denies it: no other rule can allow it.`] };
  }
  if (reason === 'AUTH_REQUIRED')
    return { ...place, yaml: undefined, remarks: ['A rule allows it, once both ends have authenticated.'] };
  const { policy, remarks } = openingFor(flow, direction, peers);
  return { ...place, yaml: policy && kubeYaml(policy), remarks };
}

/** What the policies say of the direction that the flow was dropped in. */
function verdictOf(
  { flow, direction }: PolicyDrop,
  engine: PolicyEngine,
  peers: Peers,
): Pick<Fix, 'why' | 'decision'> {
  const answer = why(flow, engine, peers);
  if (typeof answer === 'string')
    return { why: `The policies do not decide it: ${answer}.`, decision: undefined };
  const { text, reason, rules, answer: verdict } = answer[direction];
  if (answer.agrees === false) return { why: `${text} (the agent decided otherwise)`, decision: undefined };
  if (verdict !== 'denied' || rules.length === 0) return { why: text, decision: undefined };
  // Rules that pass traffic on to the next tier stand behind those that decided, and name a part.
  const isClosed = reason === 'default-deny';
  const deciding = isClosed ? rules.filter(({ part }) => part === '') : rules.slice(0, 1);
  return {
    why: text,
    decision: {
      ...{ answer: isClosed ? 'closed' : 'denied', direction },
      subject: direction === 'egress' ? answer.flow.from : answer.flow.to,
      by: [...new Set(deciding.map(shortName))],
    },
  };
}

/** A rule as its writer knows it: by the name of its object, else its labels, else where it is written. */
function shortName({ namespace, name, labels, location }: RuleReference): string {
  if (name) return `policy ${[namespace, name].filter(Boolean).join('/')}`;
  if (labels.length === 0) return `the rule at ${location}, which has no name`;
  const words = labels.map((label) => label.replace(/^unspec:/, '')).join(', ');
  return `a rule with the label ${words}, which has no policy name`;
}
