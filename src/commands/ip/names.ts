import type { AgentClient } from '../../agent/client.ts';
import { identityLabels } from '../../agent/decode/identities.ts';
import type { Context } from '../../context.ts';
import { errorMessage, UserError } from '../../errors.ts';
import type { IpRow } from '../../model/identity.ts';
import { printableLabels } from '../../model/label.ts';

/**
 * Puts labels in the place of identity numbers, asking the agent once for each. One that it does not know keeps
 * its number, with a note on stderr.
 */
export async function nameIdentities(
  rows: readonly IpRow[],
  agent: AgentClient,
  ctx: Context,
): Promise<IpRow[]> {
  const known = new Map<number, string[]>();
  const named: IpRow[] = [];
  for (const row of rows) {
    let names = known.get(row.identity);
    if (!names) {
      names = await identityLabels(agent, row.identity).then(printableLabels, async (error: unknown) => {
        if (!(error instanceof UserError)) throw error;
        await ctx.err.write(`Cannot get identity for ID ${row.identity}: ${errorMessage(error)}\n`);
        return row.names;
      });
      known.set(row.identity, names);
    }
    named.push({ ...row, names });
  }
  return named;
}
