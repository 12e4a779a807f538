import type { Context } from '../../../context.ts';
import { UserError } from '../../../errors.ts';
import type { FlowStyle } from '../../../render/hubble/flow.ts';
import type { FlowFormat } from '../../../render/hubble/flow-renderer.ts';
import { timeFormat } from '../../../render/hubble/flow-time.ts';
import { wantsColor } from '../../../render/text/palette.ts';
import type { ObserveFlags } from './flags.ts';

/** The format that `--output` names. */
export function formatOf(output: string, follow: boolean, ctx: Context): FlowFormat {
  switch (output) {
    case 'compact':
    case 'dict':
      return output;
    case 'json':
    case 'JSON':
      return legacyJson(ctx) ? 'legacy-json' : 'json';
    case 'jsonpb':
      return 'json';
    case 'table':
    case 'tab':
      if (follow)
        throw new UserError('table output format is not compatible with follow mode', {
          hint: 'A table is aligned when all of it is there; compact needs no alignment.',
        });
      return 'table';
    default:
      throw new UserError(`invalid output format: ${output}`, {
        hint: 'Known are compact, dict, json, jsonpb and table.',
      });
  }
}

function legacyJson(ctx: Context): boolean {
  return (ctx.env.HUBBLE_COMPAT ?? '').toLowerCase().split(',').includes('legacy-json-output');
}

/** The look of records that the flags and the terminal ask for. */
export function styleOf(flags: ObserveFlags, ctx: Context): FlowStyle {
  const when = flags.color?.toLowerCase();
  return {
    time: timeFormat(flags.timeFormat),
    color: wantsColor(when === 'always' || when === 'never' ? when : 'auto', ctx.env, ctx.out.isTTY),
    nodeName: flags.printNodeName === true,
    translateIps: flags.ipTranslation !== false && flags.numeric !== true,
    policyNames: flags.printPolicyNames === true,
  };
}
