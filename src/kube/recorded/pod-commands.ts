import { fileSafe } from '../../archive/layout.ts';
import { NotCollected } from '../../archive/not-collected.ts';
import type { RecordedRun } from '../../archive/recorded-agent.ts';
import type { Recording } from '../../archive/recording.ts';
import {
  CLUSTERMESH_CONTAINERS,
  isUnknownCommand,
  OPERATOR_COMMANDS,
  type PodCommand,
} from '../../cluster/sysdump/pod-items.ts';

/** What is run in containers that are no agents. */
const COMMANDS: readonly { container: string; commands: readonly PodCommand[] }[] = [
  { container: 'cilium-operator', commands: OPERATOR_COMMANDS },
  ...CLUSTERMESH_CONTAINERS,
];

/**
 * What a command printed in a container of the operator or of the mesh's server; undefined where no sysdump runs it there.
 * Throws NotCollected where it was not run, or did not succeed.
 */
export async function recordedPodCommand(
  recording: Recording,
  { pod, container, command }: { pod: string; container: string; command: readonly string[] },
): Promise<RecordedRun | undefined> {
  const words = command.slice(1).join(' ');
  const found = COMMANDS.find((one) => one.container === container)?.commands.find(
    ({ argv }) => argv.join(' ') === words,
  );
  if (!found) return undefined;
  const stem = `${pod}-${container}-${found.what}`;
  const file = recording.fileOf(fileSafe(stem), found.extension);
  const task = recording.index?.tasks?.find(({ files }) => files?.some((one) => one.file === file));
  if (file !== undefined && (task === undefined || task.status === 'ok'))
    return { exitCode: 0, stdout: await recording.files.read(file), stderr: '' };
  const why = task?.reason ?? (await recording.why({ stem }))?.text;
  if (why !== undefined && isUnknownCommand(why))
    return { exitCode: 1, stdout: Buffer.alloc(0), stderr: why };
  throw new NotCollected(
    `${recording.label} holds no output of "${command.join(' ')}" in ${pod}${why === undefined ? '' : ` (${why})`}`,
    { hint: 'It was not collected when the archive was made.' },
  );
}
