import { rowTable, type Table } from './text/blocks.ts';
import { sanitizeCell } from './text/sanitize.ts';

/** A profile in the list of profiles. */
export interface ProfileRow {
  name: string;
  current: boolean;
  agent: string;
  cluster: string;
  hubble: string;
  /** What is wrong with it. */
  fault?: string;
}

/** The table of profiles; a star marks the one that counts. */
export function profileTable(rows: readonly ProfileRow[]): Table {
  const cells = rows.map(({ name, current, agent, cluster, hubble, fault }) =>
    [name, current ? '*' : '', fault ?? agent, cluster, hubble].map(sanitizeCell),
  );
  return rowTable(['NAME', 'CURRENT', 'AGENT', 'CLUSTER', 'HUBBLE'], cells, { keys: 1, isOurs: true });
}

/** A setting with what gives it. */
export interface SettingRow {
  setting: string;
  value: string;
  from: string;
}

/** The table of settings. */
export function settingTable(rows: readonly SettingRow[]): Table {
  const cells = rows.map(({ setting, value, from }) => [setting, value || '-', from].map(sanitizeCell));
  return rowTable(['SETTING', 'VALUE', 'FROM'], cells, { keys: 1, isOurs: true });
}
