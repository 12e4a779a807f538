import { LIST_TABLE, tabulate } from '../text/table.ts';

/** A row of `config drift`, as far as the table shows it. */
export interface ShownDrift {
  node: string;
  key: string;
  helm?: string;
  configMap?: string;
  nodeConfig?: string;
  agent?: string;
  verdict: string;
  say?: string;
}

const COLUMNS: readonly { header: string; cell: (row: ShownDrift) => string | undefined }[] = [
  { header: 'NODE', cell: ({ node }) => node || '*' },
  { header: 'KEY', cell: ({ key }) => key },
  { header: 'HELM', cell: ({ helm }) => helm },
  { header: 'CONFIGMAP', cell: ({ configMap }) => configMap },
  { header: 'NODECONFIG', cell: ({ nodeConfig }) => nodeConfig },
  { header: 'AGENT', cell: ({ agent }) => agent },
  { header: 'VERDICT', cell: ({ verdict, say }) => (say === undefined ? verdict : `${verdict}: ${say}`) },
];

/** One line a row; what all of `nodes` nodes have alike is one line for all of them. */
export function renderDrift(rows: readonly ShownDrift[], nodes: number): string {
  const alike = Map.groupBy(rows, ({ node, say, ...rest }) =>
    JSON.stringify([node === '', rest, say?.replaceAll(node === '' ? '\0' : node, '\0')]),
  );
  const shown = [...alike.values()].flatMap((group) => {
    const [first] = group;
    if (!first || nodes < 2 || group.length < nodes || first.node === '') return group;
    const { node, say, ...rest } = first;
    const general = say?.replaceAll(`--node ${node}`, '--node NODE');
    return [{ ...rest, node: `all ${nodes}`, ...(general !== undefined && { say: general }) }];
  });
  const lines = [
    COLUMNS.map(({ header }) => header),
    ...shown.map((row) => COLUMNS.map(({ cell }) => written(cell(row)))),
  ];
  return tabulate(lines.map((cells) => `${cells.join('\t')}\n`).join(''), LIST_TABLE);
}

/** A value in one line; nothing where there is none, and quotes where there is an empty one. */
function written(value: string | undefined): string {
  if (value === undefined) return '-';
  return value === '' ? '""' : value.replaceAll('\n', '\\n').replaceAll('\t', '\\t');
}
