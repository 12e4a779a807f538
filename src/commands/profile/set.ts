import type { Command } from 'commander';
import { NO_PROFILE, profilesPath, requiredPath } from '../../cli/config-file.ts';
import { examples } from '../../cli/flags.ts';
import { changeProfiles, keyNamed, profileNamed, typedValue } from '../../cli/profile/file.ts';
import { PROFILE_KEYS, type ProfileValue } from '../../cli/profile/keys.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { isRecord } from '../../lib/record.ts';
import { sanitizeCell } from '../../render/text/sanitize.ts';

/** Declares `profile set`. */
export function addProfileSetCommand(command: Command, ctx: Context): void {
  command
    .argument('<name>', 'the profile')
    .argument('<key=value...>', 'settings; KEY= takes one away')
    .option('--use', 'Make it the current one, too')
    .addHelpText('after', `\nSettings:\n${PROFILE_KEYS.map(({ name }) => `  ${name}`).join('\n')}`)
    .addHelpText(
      'after',
      examples(
        'cilium profile set prod context=prod namespace=kube-system port-forward=true',
        'cilium profile set edge host=unix:///run/edge/cilium.sock --use',
        'cilium profile set prod namespace=',
      ),
    )
    .action((name: string, pairs: readonly string[], { use }: { use?: boolean }) =>
      runProfileSet(name, pairs, use === true, ctx),
    );
}

/** Writes settings into a profile, and takes away those without a value. */
export async function runProfileSet(
  name: string,
  pairs: readonly string[],
  uses: boolean,
  ctx: Context,
): Promise<void> {
  if (name === NO_PROFILE || !/^[\w][\w.:@/-]*$/.test(name))
    throw new UserError(`"${name}" cannot be the name of a profile`, {
      hint: `Expected letters, digits and any of . _ : @ / -, and not ${NO_PROFILE}.`,
    });
  const changes = new Map<string, ProfileValue | undefined>();
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    if (at < 1) throw new UserError(`"${pair}": expected KEY=VALUE, such as context=prod`);
    const key = keyNamed(pair.slice(0, at), 'profile');
    const text = pair.slice(at + 1);
    changes.set(key.name, text === '' ? undefined : typedValue(key, text));
  }
  const path = requiredPath(profilesPath(ctx));
  let isNew = false;
  await changeProfiles(path, ({ byName }) => {
    isNew = !Object.hasOwn(byName, name);
    const before = isNew ? {} : (byName[name] ?? {});
    const after: Record<string, unknown> = isRecord(before) ? { ...before } : {};
    for (const [key, value] of changes) {
      if (value === undefined) delete after[key];
      else after[key] = value;
    }
    // What is wrong with it is said before it is written.
    profileNamed(name, { path, byName: { [name]: after } });
    return (document) => {
      if (!isRecord(byName[name])) document.setIn(['profiles', name], document.createNode({}));
      for (const [key, value] of changes) {
        if (value === undefined) document.deleteIn(['profiles', name, key]);
        else document.setIn(['profiles', name, key], value);
      }
      if (uses) document.setIn(['current'], name);
    };
  });
  const done = isNew ? 'was made' : 'was changed';
  await ctx.out.write(
    `Profile ${sanitizeCell(name)} ${done}${uses ? ', and is current' : ''}: ${sanitizeCell(path)}\n`,
  );
}
