import type { AgentClient } from '../../agent/client.ts';
import { Reader } from '../../agent/decode/reader.ts';
import type { Identity } from '../../agent/decode/types.gen.ts';
import type { Context } from '../../context.ts';
import { errorMessage, UserError } from '../../errors.ts';
import type { IpRow } from '../../model/identity.ts';
import { printableLabels } from '../../model/label.ts';

/**
 * Puts labels in the place of identity numbers, asking the agent once for each. One that it cannot name is said on
 * stderr and keeps its number.
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
      names = await labelsOf(row.identity, agent).catch(async (error: unknown) => {
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

async function labelsOf(id: number, agent: AgentClient): Promise<string[]> {
  const answer = await agent.get('/identity/{id}', { path: { id } });
  return printableLabels(new Reader<Identity>('GET /identity/{id}', answer).texts('labels'));
}
