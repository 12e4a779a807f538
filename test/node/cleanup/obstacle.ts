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

/** Why tests that see this machine's own cgroups must not run: a real Cilium would be taken for that of the test. */
export function realCilium(): string | undefined {
  const links = spawnSync('sh', ['-c', 'PATH=$PATH:/usr/sbin:/sbin bpftool prog show | grep -q "name cil_"']);
  return links.status === 0 ? 'a real Cilium has programs on this machine' : undefined;
}
