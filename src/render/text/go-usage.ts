/** A flag in a usage: `-l, --labels strings   list of labels`. */
export interface UsageFlag {
  short?: string | undefined;
  long: string;
  /** The type of its value; empty for a switch. */
  type: string;
  text: string;
}

/** What Go's cobra prints of a command. */
export interface Usage {
  /** The whole command line: `cilium-dbg endpoint get <endpoint id> [flags]`. */
  line: string;
  /** The verb itself and its other names; left out when it has none. */
  aliases?: string | undefined;
  examples?: string | undefined;
  flags: readonly UsageFlag[];
  globals: readonly UsageFlag[];
}

/** The usage of a command in the form of Go's cobra. */
export function goUsage({ line, aliases, examples, flags, globals }: Usage): string {
  const sections = [
    `Usage:\n  ${line}`,
    ...(aliases ? [`Aliases:\n  ${aliases}`] : []),
    ...(examples ? [`Examples:\n${examples}`] : []),
    `Flags:\n${flagLines(flags)}`,
    `Global Flags:\n${flagLines(globals)}`,
  ];
  return `${sections.join('\n\n')}\n`;
}

/** Sorted by name, what is said of them in one column. */
function flagLines(flags: readonly UsageFlag[]): string {
  const rows = flags
    .toSorted((a, b) => (a.long < b.long ? -1 : 1))
    .map(({ short, long, type, text }) => ({
      head: `  ${short ? `-${short}, ` : '    '}--${long}${type && ` ${type}`}`,
      text,
    }));
  const width = Math.max(...rows.map(({ head }) => head.length));
  return rows.map(({ head, text }) => `${head.padEnd(width)}   ${text}`).join('\n');
}
