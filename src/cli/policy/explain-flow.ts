import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import type { FlowRecord } from '../../policy/evaluate/decide/connections.ts';
import { Peers } from '../../policy/evaluate/decide/peers.ts';
import { type Why, why } from '../../policy/reports/why.ts';
import { loadEngine, type StateFlags, usualState } from './inputs.ts';

/** Decides a flow by rules and says what decided. Throws UserError where policy does not decide such a flow. */
export async function explainFlow(
  flow: FlowRecord,
  options: StateFlags & { rules: readonly string[] },
  ctx: Context,
): Promise<Why> {
  const { engine, state } = await loadEngine(ctx, {
    ...options,
    state: options.state ?? (options.rules.length === 0 ? usualState(ctx) : undefined),
    flows: [flow],
  });
  const answer = why(flow, engine, new Peers(engine, state));
  if (typeof answer === 'string')
    throw new UserError(`policy does not decide this flow: ${answer}`, {
      hint: 'Policy decides only packets that open a connection. Use a flow of type "policy-verdict" or "drop".',
    });
  return answer;
}
