import type { RedirectRow } from '../../model/lrp.ts';
import type { Table } from '../text/blocks.ts';
import { sanitizeCell } from '../text/sanitize.ts';

/** `lrp list`: each policy, and below it where its frontends lead. */
export function redirectTable(rows: readonly RedirectRow[]): Table {
  const blocks = rows.map((row) => {
    const mappings = row.mappings.map(({ frontend, backends }) => {
      const targets = backends.map(({ ip, port, pod }) => `${ip}:${port}(${pod}), `).join('');
      return `\t|\t${sanitizeCell(`${frontend.ip}:${frontend.port}/${frontend.protocol} -> ${targets}`)}`;
    });
    const cells = [row.namespace, row.name, row.frontendType, row.service];
    return {
      key: `${row.namespace}/${row.name}`,
      lines: [cells.map(sanitizeCell).join('\t'), ...mappings],
    };
  });
  return { headers: ['LRP namespace\tLRP name\tFrontendType\tMatching Service'], blocks };
}
