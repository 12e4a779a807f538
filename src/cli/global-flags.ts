import { InvalidArgumentError, Option } from 'commander';
import { AGENT_TRANSPORTS } from '../context.ts';
import {
  type Build,
  compareReleases,
  OLDEST_RELEASE,
  parseBuild,
  type Release,
  releaseOfPinsOf,
} from '../model/release.ts';
import { durationOption, integer, stringArray, stringSlice } from './flags.ts';
import { ELSEWHERE_TITLE, type GlobalFlags, TALK_FLAGS } from './tree.ts';

/** Global flags of the agent's command line. */
export const AGENT_GLOBALS: GlobalFlags = {
  title: 'Global Flags:',
  options: () => [
    new Option('--config <file>', 'Config file (default is $HOME/.cilium.yaml)'),
    profileOption(),
    new Option('-D, --debug', 'Print debug messages, and the stack trace of an error'),
    new Option('-H, --host <uri>', 'URI of the agent API: unix://PATH or tcp://HOST:PORT'),
    new Option('--color <when>', 'Colour the output: auto, always, never').choices([
      'auto',
      'always',
      'never',
    ]),
    durationOption('--timeout <duration>', 'How long to wait for an answer of the agent (default 30s)'),
    ...TALK_FLAGS(),
  ],
};

/** The flag that names a profile. */
export function profileOption(): Option {
  return new Option(
    '--profile <name>',
    'Profile whose agent, cluster and Hubble are meant (none: no profile)',
  );
}

/** Flags of verbs that ask a cluster what no archive tells, or do something to be done while it is there. */
export const LIVE_CLUSTER_GLOBALS: GlobalFlags = {
  title: ELSEWHERE_TITLE,
  options: () => [
    new Option('--kubeconfig <file>', 'How to reach the cluster (default: KUBECONFIG, then ~/.kube/config)'),
    new Option('--context <name>', 'Context of the kubeconfig'),
    new Option('-n, --namespace <name>', 'Namespace that Cilium is installed in (default: looked for)'),
    new Option('--as <user>', 'Ask the API server as this user'),
    stringArray('--as-group <group>', 'Ask as a member of this group too; may be repeated'),
  ],
};

/** Flags of verbs that ask the API server of a cluster. */
export const CLUSTER_GLOBALS: GlobalFlags = {
  title: ELSEWHERE_TITLE,
  options: () => [...LIVE_CLUSTER_GLOBALS.options(), fromOption()],
};

/** The flag that names an archive. */
export function fromOption(): Option {
  return new Option(
    '--from <archive>',
    'Read what "cilium sysdump" collected instead of a cluster: a zip, or the folder it was unpacked to',
  );
}

/** Flags of verbs that can ask an agent of a cluster instead of the one of this machine. */
export const ELSEWHERE_GLOBALS: GlobalFlags = {
  title: CLUSTER_GLOBALS.title,
  options: () => [
    new Option('--node <name>', 'Ask the agent of this node of a cluster'),
    new Option('--pod <[namespace/]name>', 'Ask the agent of the node that this pod runs on'),
    new Option('--all-nodes', 'Ask the agents of all nodes of a cluster'),
    new Option('--limit-nodes <selector>', 'Ask the agents of the nodes with these labels'),
    integer('--concurrency <n>', 'Agents that are asked at once (default 10)', { min: 1, max: 500 }),
    new Option(
      '--agent-transport <way>',
      'How an agent is reached: relay (its socket, through perl in its pod), cli (its own command line there), or auto: the second where there is no perl (default auto)',
    ).choices(AGENT_TRANSPORTS),
    ...CLUSTER_GLOBALS.options(),
  ],
};

/** Flags of a verb that reads this machine, or of a cluster what an archive has of it. */
export const ARCHIVE_GLOBALS: GlobalFlags = {
  title: CLUSTER_GLOBALS.title,
  options: () => [
    fromOption(),
    new Option('--node <name>', 'With --from: read what it has of this node'),
    new Option('--all-nodes', 'With --from: read what it has of each node'),
  ],
};

/** The same for verbs whose words have meanings of their own: `-n` is no flag there. */
export const ELSEWHERE_LONG_GLOBALS: GlobalFlags = {
  title: ELSEWHERE_GLOBALS.title,
  options: () =>
    ELSEWHERE_GLOBALS.options().map((option) => {
      if (option.short === undefined) return option;
      option.flags = option.flags.replace(/^-\w, /, '');
      delete option.short;
      return option;
    }),
};

/** Reads a release; one that is newer than all that are known is taken. */
export function releaseArgument(text: string): Release {
  return buildArgument(text).release;
}

/** Reads whose maps are meant: `1.13.90` are those of agents on the way to a release. */
function mapsReleaseArgument(text: string): Release {
  return releaseOfPinsOf(buildArgument(text));
}

function buildArgument(text: string): Build {
  const build = parseBuild(text);
  if (build && compareReleases(build.release, OLDEST_RELEASE) >= 0) return build;
  throw new InvalidArgumentError(`Expected a release from ${OLDEST_RELEASE} on, such as 1.14.`);
}

/** Flags of every bpf verb: where maps are pinned, and who made them. */
export const BPF_GLOBALS: GlobalFlags = {
  title: 'BPF Flags:',
  options: () => [
    new Option('--bpf-root <folder>', 'Root of the bpffs that maps are pinned in (default /sys/fs/bpf)'),
    new Option(
      '--agent-release <release>',
      'Release of the agent that made the maps, such as 1.14 (default: as the maps and the agent tell)',
    ).argParser(mapsReleaseArgument),
  ],
};

/** Flags of all that speak to the kvstore. */
export const KVSTORE_GLOBALS: GlobalFlags = {
  title: 'Key-Value Store Flags:',
  options: () => [
    new Option('--kvstore <type>', 'Key-Value Store type'),
    stringSlice(
      '--kvstore-opt <options>',
      'Key-Value Store options, such as etcd.address=http://127.0.0.1:2379',
    ),
  ],
};
