import { type Command, Option } from 'commander';

/** Flags of all that is done through helm. */
export interface HelmFlags {
  helm?: string;
  helmReleaseName: string;
}

/** Adds the flags that say which helm is used, and which release is meant. */
export function helmFlags(command: Command): Command {
  return command
    .addOption(new Option('--helm-release-name <name>', 'Name of the Helm release').default('cilium'))
    .option('--helm <path>', 'The program helm (default: CILIUM_HELM, then the one on PATH)');
}
