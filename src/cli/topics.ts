import { Help } from 'commander';
import type { Context } from '../context.ts';
import { HELP } from './help.ts';

/** Something that help tells of and that is no command. */
interface Topic {
  about: string;
  entries: readonly { term: string; text: string }[];
  /** What stands below. */
  end: string;
}

/** What `cilium help TOPIC` prints; the manual pages have the same. */
export const TOPICS = {
  'exit-codes': {
    about: 'Exit codes',
    entries: [
      { term: '0', text: 'Done, and what was checked is in order' },
      {
        term: '1',
        text: 'It failed, the words were wrong, or a check found what it looks for; stderr says which',
      },
      { term: '2', text: 'The worst that "status --fail-on" found is a warning' },
      {
        term: '3',
        text: 'A part could not be read or done, and the rest was; of "status --fail-on": something is degraded',
      },
      { term: '130', text: 'Stopped by Ctrl-C (SIGINT). What goes on until it is stopped then ends with 0' },
      { term: '141', text: 'The reader of the output went away, as "head" does (SIGPIPE)' },
      { term: '143', text: 'Stopped by SIGTERM' },
    ],
    end: '"lab run" and verbs that run the command line of an agent in its pod hand on the exit code of what they ran.',
  },
  environment: {
    about: 'Variables of the environment; a flag that says the same goes before',
    entries: [
      { term: 'CILIUM_SOCK, CILIUM_HOST', text: 'Socket and URI of the agent API (--host)' },
      { term: 'CILIUM_BPF_ROOT', text: 'Root of the bpffs that maps are pinned in (--bpf-root)' },
      { term: 'CILIUM_NAMESPACE', text: 'Namespace that Cilium is installed in (--namespace)' },
      { term: 'CILIUM_TARGET', text: 'Whether verbs that can ask both ask the agent or the cluster' },
      { term: 'CILIUM_DEBUG', text: 'true shows the stack of an error (--debug)' },
      {
        term: 'HUBBLE_SERVER',
        text: 'The Hubble server (--server); every flag of hubble has such a variable',
      },
      { term: 'KUBECONFIG', text: 'How to reach the cluster (--kubeconfig)' },
      {
        term: 'CILIUM_COMPLETION_WAIT',
        text: 'How long the Tab key waits for an agent, a cluster or a server (300ms)',
      },
      { term: 'NO_COLOR', text: 'Set to anything: no colours, unless --color asks for them' },
      {
        term: 'PAGER, NO_PAGER',
        text: 'The program that long texts are shown with in a terminal; none when NO_PAGER is set',
      },
    ],
    end: 'What neither a flag nor a variable says comes from the file ~/.cilium.yaml, of hubble ~/.config/hubble/config.yaml.',
  },
} satisfies Record<string, Topic>;

/** Prints a topic; false when there is none of this name. */
export async function printTopic(name: string, ctx: Context): Promise<boolean> {
  if (!Object.hasOwn(TOPICS, name)) return false;
  const { about, entries, end } = TOPICS[name as keyof typeof TOPICS];
  const helper = Object.assign(new Help(), HELP);
  helper.prepareContext({ helpWidth: ctx.out.columns ?? 100 });
  const width = Math.max(...entries.map(({ term }) => term.length));
  const lines = entries.map(({ term, text }) => helper.formatItem(term, width, text, helper));
  const wrap = (text: string) => helper.boxWrap(text, ctx.out.columns ?? 100);
  await ctx.out.write(`${[wrap(about), '', ...lines, '', wrap(end)].join('\n')}\n`);
  return true;
}
