import type { AgentClient } from '../../agent/client.ts';
import { identityLabels } from '../../agent/decode/identities.ts';
import { buildOfAgent } from '../../cli/release.ts';
import type { Context } from '../../context.ts';
import { errorMessage, UserError } from '../../errors.ts';
import type { IpRow } from '../../model/identity.ts';
import { printableLabels, sortedLabels } from '../../model/label.ts';
import { atLeast, releaseOfPinsOf } from '../../model/release.ts';
import { identityName } from '../../model/reserved-identity.ts';

/**
 * Puts labels in the place of identity numbers, asking the agent once for each. One that it does not know goes by the
 * name that its release has for it, else its number, with a note on stderr. With agents up to 1.13 all that have a name go
 * by it, and identities of addresses show every range around them.
 */
export async function nameIdentities(
  rows: readonly IpRow[],
  agent: AgentClient,
  ctx: Context,
): Promise<IpRow[]> {
  const known = new Map<number, string[]>();
  const build = await buildOfAgent(ctx);
  const release = build && releaseOfPinsOf(build);
  const old = release !== undefined && !atLeast(release, '1.14');
  // Only older agents label an identity with ranges around its own: of another one this drops nothing.
  const labelsOf = release !== undefined && !old ? printableLabels : sortedLabels;
  const named: IpRow[] = [];
  for (const row of rows) {
    let names = known.get(row.identity);
    if (!names) {
      const name = row.identity > 0 ? identityName(row.identity, release) : undefined;
      const isNamed = name !== undefined && name !== String(row.identity);
      const ask = () =>
        identityLabels(agent, row.identity).then(labelsOf, async (error: unknown) => {
          if (!(error instanceof UserError)) throw error;
          await ctx.err.write(`Cannot get identity for ID ${row.identity}: ${errorMessage(error)}\n`);
          return isNamed ? [name] : row.names;
        });
      names = old && isNamed ? [name] : await ask();
      known.set(row.identity, names);
    }
    named.push({ ...row, names });
  }
  return named;
}
