import { spawnSync } from 'node:child_process';

/** Why tests of cleanup on a real kernel cannot run here, if they cannot. */
export function obstacle(): string | undefined {
  if (process.getuid?.() !== 0) return 'not root';
  for (const tool of [
    'ip',
    'tc',
    'bpftool',
    'iptables-nft',
    'iptables-legacy',
    'ipset',
    'nft',
    'unshare',
    'python3',
  ]) {
    if (spawnSync('sh', ['-c', `PATH=$PATH:/usr/sbin:/sbin command -v ${tool}`]).status !== 0)
      return `${tool} is not installed`;
  }
  return undefined;
}
