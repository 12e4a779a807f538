import type { Context } from '../../../context.ts';
import { UserError } from '../../../errors.ts';
import type { FlowStyle } from '../../../render/hubble/flow.ts';
import type { FlowFormat } from '../../../render/hubble/flow-format.ts';
import { renderTableLines, SEPARATOR } from '../../../render/hubble/flow-records.ts';
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
  return (ctx.env.HUBBLE_COMPAT ?? '').split(',').includes('legacy-json-output');
}

/** What decides about the look of a record; can be handed to a worker. */
export interface StyleFlags {
  timeFormat: string;
  color: boolean;
  nodeName: boolean;
  translateIps: boolean;
  policyNames: boolean;
}

/** The look that the flags and the terminal ask for. */
export function styleFlags(flags: ObserveFlags, ctx: Context): StyleFlags {
  const when = flags.color?.toLowerCase();
  return {
    timeFormat: flags.timeFormat,
    color: wantsColor(when === 'always' || when === 'never' ? when : 'auto', ctx.env, ctx.out.isTTY),
    nodeName: flags.printNodeName === true,
    translateIps: flags.ipTranslation !== false && flags.numeric !== true,
    policyNames: flags.printPolicyNames === true,
  };
}

/** The look as the renderers take it. */
export function styleOf({ timeFormat: layout, ...style }: StyleFlags): FlowStyle {
  return { ...style, time: timeFormat(layout) };
}

/** Collects records for stdout: writes them in large pieces, begins dicts right and aligns tables at the end. */
export class RecordSink {
  #text = '';
  #pieces: (string | Buffer)[] = [];
  #begun = false;

  constructor(
    private readonly ctx: Context,
    private readonly format: FlowFormat,
    private readonly headers: readonly string[],
    /** What stands between two records of the dict format, and before all but the first. */
    private readonly separator = `${SEPARATOR}\n`,
  ) {}

  add(text: string): void {
    this.#text += text;
  }

  /** As `add`, for text that is encoded already. The bytes must stay as they are until the next flush. */
  addBytes(bytes: Buffer): void {
    if (this.format === 'table' || this.format === 'dict') {
      this.add(bytes.toString());
      return;
    }
    if (this.#text !== '') this.#pieces.push(this.#text);
    this.#text = '';
    this.#pieces.push(bytes);
  }

  /** Writes what waits. A table waits for its end. */
  async flush(): Promise<void> {
    if (this.format === 'table') return;
    for (const piece of this.#pieces.splice(0)) await this.ctx.out.write(piece);
    if (this.#text === '') return;
    const text = this.#text;
    this.#text = '';
    const cut = this.format === 'dict' && !this.#begun ? this.separator.length : 0;
    this.#begun = true;
    await this.ctx.out.write(cut > 0 ? text.slice(cut) : text);
  }

  async end(): Promise<void> {
    if (this.format !== 'table') return this.flush();
    const text = renderTableLines(this.headers, this.#text);
    if (text !== '') await this.ctx.out.write(text);
  }
}
