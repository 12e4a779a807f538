import type { LabInfo } from '../../lab/folder.ts';

/** The environment in which every command of the toolkit talks to a lab. */
export function labEnvironment(info: LabInfo): Record<string, string> {
  return {
    CILIUM_LAB: info.dir,
    CILIUM_SOCK: info.sockets.agent,
    CILIUM_HEALTH_SOCK: info.sockets.health,
    CILIUM_MONITOR_SOCK: info.sockets.monitor,
    CILIUM_SHELL_SOCK: info.sockets.shell,
    // Also where there are no maps: nothing that is meant for the lab should reach those of the node.
    CILIUM_BPF_ROOT: info.bpfRoot,
    HUBBLE_SERVER: `unix://${info.sockets.hubble}`,
  };
}

/** The environment as lines that a POSIX shell evaluates. */
export function exportLines(info: LabInfo): string {
  return Object.entries(labEnvironment(info))
    .map(([name, value]) => `export ${name}=${quote(value)}\n`)
    .join('');
}

function quote(text: string): string {
  return /^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
