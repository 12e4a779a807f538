import { Option } from 'commander';
import { KEYS, type Key } from '../../model/hubble-key.ts';
import { integer, stringArray, stringSlice } from '../flags.ts';
import { fromOption, profileOption } from '../global-flags.ts';
import { type GlobalFlags, TALK_FLAGS } from '../tree.ts';

/** All settings as flags. Their defaults are not given to commander: a file or the environment may come before. */
export const HUBBLE_GLOBALS: GlobalFlags = {
  title: 'Server and Global Flags:',
  options: () => [...KEYS.map(optionOf), profileOption(), ...TALK_FLAGS()],
};

/** Flags that name clusters, or agents of one whose own servers are asked instead of a relay. They are no settings. */
const NODE_FLAGS: GlobalFlags = {
  title: 'Node Flags:',
  options: () => [
    stringArray(
      '--context <name>',
      'Ask the relay of the cluster of this context, as --port-forward does; given several times, the flows of all are merged in the order of their times',
    ),
    new Option('--node <name>', 'Ask the agent of this node of a cluster itself, without a relay'),
    new Option('--all-nodes', 'Ask the agents of all nodes of a cluster, each for itself'),
    new Option('--limit-nodes <selector>', 'Ask the agents of the nodes with these labels'),
    integer('--concurrency <n>', 'Agents that are asked at once (default 10)', { min: 1, max: 500 }),
    fromOption(),
  ],
};

/** Flags of a verb that asks a server. */
export const ASKING_GLOBALS: GlobalFlags = {
  title: HUBBLE_GLOBALS.title,
  options: () => [...HUBBLE_GLOBALS.options(), ...NODE_FLAGS.options()],
};

function optionOf(key: Key): Option {
  const initial = String(key.initial);
  const about =
    initial === '' || initial === 'false' || key.hidesInitial
      ? key.description
      : `${key.description} (default ${initial})`;
  const short = key.short ? `-${key.short}, ` : '';
  switch (key.type) {
    case 'bool':
      return new Option(`${short}--${key.name}`, about);
    case 'stringSlice':
      return stringSlice(`${short}--${key.name} <files>`, about);
    case 'uint16':
      return integer(`${short}--${key.name} <port>`, about, { min: 0, max: 65_535 });
    default:
      return new Option(`${short}--${key.name} <${key.type === 'duration' ? 'duration' : 'value'}>`, about);
  }
}
