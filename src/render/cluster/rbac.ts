import type { Binding, Need, Role } from '../../cluster/rbac/role.ts';
import { goJson } from '../text/json.ts';
import { LIST_TABLE, tabulate } from '../text/table.ts';
import { goYaml } from '../text/yaml.ts';

/** Objects for `kubectl apply -f -`, behind comments. */
export function renderRoles(
  objects: readonly (Role | Binding)[],
  comments: readonly string[],
  output: 'yaml' | 'json',
): string {
  if (output === 'json') return `${goJson({ apiVersion: 'v1', kind: 'List', items: objects }, 2)}\n`;
  const head = comments.map((line) => `# ${line}\n`).join('');
  return `${head}${objects.map((object) => goYaml(object)).join('---\n')}`;
}

const MAKES_NONE = /\/(?:exec|portforward)$/;

/** The verbs that need something of the API server, where, and what may do more than read. */
export function renderNeeds(rows: readonly (readonly [string, readonly Need[]])[]): string {
  const lines = rows.map(([verb, needs]) => {
    const scopes = [...new Set(needs.map((need) => need.in))].toSorted();
    const runs = needs.some(({ resources }) => resources.includes('pods/exec'));
    const writes = needs.some(
      ({ verbs, resources }) =>
        verbs.some((one) => ['create', 'patch', 'update', 'delete'].includes(one)) &&
        resources.some((one) => !MAKES_NONE.test(one)),
    );
    const yes = (is: boolean) => (is ? 'yes' : 'no');
    return [verb, scopes.join(', ') || '-', yes(runs), yes(writes)].join('\t');
  });
  const header = 'VERB\tNAMESPACES\tRUNS IN PODS\tWRITES OBJECTS';
  return tabulate(`${[header, ...lines].join('\n')}\n`, LIST_TABLE);
}
