import { agentEnvironment, labEnvironment } from '../../lab/environment.ts';
import type { LabInfo } from '../../lab/folder.ts';
import { shellWord } from '../../lib/shell-word.ts';

/** The environment as lines that a POSIX shell evaluates. */
export function exportLines(info: LabInfo): string {
  const environment = labEnvironment(info);
  // Of a lab before this one, which a cluster would not be asked for.
  const others = Object.keys(agentEnvironment(info)).filter((name) => !(name in environment));
  return [
    ...(others.length > 0 ? [`unset ${others.join(' ')}\n`] : []),
    ...Object.entries(environment).map(([name, value]) => `export ${name}=${shellWord(value)}\n`),
  ].join('');
}
