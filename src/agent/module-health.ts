import { UserError } from '../errors.ts';
import type { ModuleReport } from '../model/health.ts';
import { parseAnswer } from './client.ts';
import { Reader } from './decode/reader.ts';
import type { HttpClient, HttpRequest } from './http/http.ts';
import { NoTable } from './statedb.ts';

interface ModulesHealth {
  modules?: { level?: string; message?: string; 'module-id'?: string }[];
}

/** The tree of a module's reports, which stands as JSON in its message. */
interface StatusNode {
  name?: string;
  level?: string;
  message?: string;
  error?: string;
  timestamp?: string;
  count?: number;
  sub_statuses?: StatusNode[];
}

const CALL = 'GET /health';

/** The reports of the modules of 1.15, by the name of the module; from 1.16 on they are a table. */
export async function fetchModuleHealth115(
  http: HttpClient,
  options: Pick<HttpRequest, 'timeoutMs' | 'signal'>,
): Promise<ModuleReport[]> {
  const { status, body } = await http.request({ method: 'GET', path: '/v1/health', ...options });
  if (status === 404) throw new NoTable('the agent has no health of its modules');
  if (status !== 200) throw new UserError(`${CALL}: the agent answered ${status}`);
  const answer = new Reader<ModulesHealth>(CALL, parseAnswer(CALL, body.toString()));
  return answer
    .at('modules')
    .items()
    .toSorted((a, b) => (a.text('module-id') < b.text('module-id') ? -1 : 1))
    .flatMap((module) => {
      const [moduleLevel, message] = [module.text('level'), module.text('message')];
      const said =
        moduleLevel === 'Unknown' || message === ''
          ? [unknown(module.text('module-id'))]
          : reportsOf(new Reader<StatusNode>(CALL, parseAnswer(CALL, message)), []);
      return said.map((report, i) => (i === 0 ? { ...report, moduleLevel } : report));
    });
}

function unknown(module: string): ModuleReport {
  return { path: module.split('.'), level: 'Unknown', message: '', error: '', updated: '', count: 0 };
}

/** The reports of a tree, which are its leaves. A leaf that has its parent's name is what the parent says of itself. */
function reportsOf(node: Reader<StatusNode>, above: readonly string[]): ModuleReport[] {
  const names = node.text('name').split('.');
  const path = names.length === 1 && names[0] === above.at(-1) ? [...above] : [...above, ...names];
  const children = node.at('sub_statuses').items();
  if (children.length > 0) return children.flatMap((child) => reportsOf(child, path));
  const error = node.text('error');
  return [
    {
      path,
      level: node.text('level'),
      message: `${node.text('message')}${error && ` -- ${error}`}`,
      error,
      updated: node.text('timestamp'),
      count: node.integer('count'),
    },
  ];
}
