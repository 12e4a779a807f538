import { RE2JS } from 're2js';
import type { HttpRule, L7Rules } from '../../policy/rule.ts';
import { nameExpression } from './dns-pattern.ts';

/** A request that reaches a proxy. */
export interface Request {
  method: string;
  path: string;
  host: string;
  /** Names in lower case. */
  headers: Readonly<Record<string, string>>;
}

/** Whether rules let a request through. */
export function allowsRequest(rules: readonly L7Rules[], request: Request): boolean {
  const http = rules.flatMap((rule) => rule.http ?? []);
  // A list without entries allows all requests.
  if (rules.some((rule) => rule.http?.length === 0)) return true;
  return http.some((rule) => fits(rule, request));
}

function fits({ method, path, host, headers = [] }: HttpRule, request: Request): boolean {
  const whole = (expression: string | undefined, text: string) =>
    expression === undefined || expression === '' || RE2JS.compile(expression).matches(text);
  return (
    whole(method, request.method) &&
    whole(path, request.path) &&
    whole(host, request.host.replace(/:\d+$/, '')) &&
    headers.every((header) => {
      const [, name = '', value = ''] = /^([^:\s]+):?\s*(.*)$/.exec(header) ?? [];
      const given = request.headers[name.toLowerCase()];
      return given !== undefined && (value === '' || given === value);
    })
  );
}

/** Whether rules let a name be asked for. */
export function allowsName(rules: readonly L7Rules[], name: string): boolean {
  const full = `${name.replace(/\.$/, '').toLowerCase()}.`;
  const selectors = rules.flatMap((rule) => rule.dns ?? []);
  if (rules.some((rule) => rule.dns?.length === 0)) return true;
  return selectors.some(({ matchName, matchPattern }) =>
    nameExpression(matchName || matchPattern || '').test(full),
  );
}
