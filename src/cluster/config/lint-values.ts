import type { Facts, Moved } from './facts.ts';
import { find, type Given, nameOf } from './given.ts';
import {
  doubled,
  goalsOf,
  type Lint,
  lintAt,
  movedAway,
  notKnown,
  releaseText,
  type Scope,
  wrongValue,
} from './lint.ts';
import { keyScope, lintKey } from './lint-keys.ts';
import { replacementFault } from './proxy-replacement.ts';
import { isRefusedValue, refusals } from './refusals.ts';

/** Checks Helm values for a release. `all` is what stands in every file together, for rules about several values. */
export function lintValues(given: readonly Given[], facts: Facts, minor: number): Lint[] {
  const scope: Scope = {
    facts,
    names: facts.values,
    minor,
    who: 'charts',
    pathOf: (name) => name.split('.'),
  };
  return [...doubled(given), ...given.flatMap((one) => lintValue(one, scope))];
}

function lintValue(given: Given, scope: Scope): Lint[] {
  const { names, minor } = scope;
  const name = nameOf(given);
  if (given.isDoubled) return [];
  const special = SPECIAL.get(name)?.(given, scope);
  if (special) return special;
  const isMap = given.type === 'object';
  const row = names.movedBy(name, minor);
  // `eni: true` became `eni.enabled`: the name stays, what it takes changed.
  const isReshaped =
    row?.to?.some(([, path = '']) => path.startsWith(`${name}.`)) && !isMap && given.type !== 'null';
  if (names.has(name, minor) && !isReshaped) {
    if (isMap) return lintMap(given, name, scope);
    // From 1.16 on the schema names what the chart offers; what only a template looks at is on its way out.
    const isOffered = minor < 16 || names.typesOf(name, minor) !== undefined;
    const late = row && !isOffered && given.value !== null ? [stillTaken(given, row, scope)] : [];
    return [late, mistyped(given, name, scope), wrongValue(given, name, scope) ?? []].flat();
  }
  if (row) return [refused(given, scope) ?? movedAway(given, row, scope)];
  if (isMap && names.movesBelow(name)) return given.children.flatMap((child) => lintValue(child, scope));
  return [refused(given, scope) ?? notKnown(given, scope)];
}

/** A value that went away and that a template still looks at. */
function stillTaken(given: Given, row: Moved, scope: Scope): Lint {
  const { hint } = movedAway(given, row, scope);
  const goals = goalsOf(scope.names, row, scope.minor);
  const write = goals.length > 0 ? `: write ${goals.join(' and ')}` : '';
  return lintAt(given, {
    severity: 'warning',
    code: 'deprecated',
    message: `${row.old} is no value of the chart since ${releaseText(row.gone)}, which still looks at it${write}`,
    hint,
  });
}

/** Values that are copied into the specification of a pod. */
const OF_PODS = new Set(['affinity', 'securityContext', 'podSecurityContext', 'resources', 'nodeSelector']);

function lintMap(given: Given, name: string, scope: Scope): Lint[] {
  const { names, minor } = scope;
  const { children } = given;
  if (name === 'extraConfig') {
    const keys = keyScope(scope.facts, minor, ['extraConfig']);
    return children.flatMap((child) => lintKey(child, child.path.at(-1) ?? '', keys));
  }
  const wrong = mistyped(given, name, scope);
  if (wrong.length > 0 || names.isLeaf(name, minor))
    return names.movesBelow(name) ? movedBelow(given, scope) : wrong;
  // Of what the chart copies only what is known can be judged, and of parts of pods not what the chart once had by default.
  const isKnown = (child: Given) =>
    names.has(nameOf(child), minor) ||
    (!OF_PODS.has(name.split('.').at(-1) ?? '') && names.movedBy(nameOf(child), minor) !== undefined);
  const judged = names.isCopied(name) ? children.filter(isKnown) : children;
  return judged.flatMap((child) => lintValue(child, scope));
}

/** What was moved away from below a name that is no map any more, or takes anything. */
function movedBelow(given: Given, scope: Scope): Lint[] {
  const found = given.children.flatMap((child) => {
    const special = SPECIAL.get(nameOf(child))?.(child, scope);
    if (special) return special;
    const row = scope.names.movedBy(nameOf(child), scope.minor);
    if (row) return [movedAway(child, row, scope)];
    return scope.names.movesBelow(nameOf(child)) ? movedBelow(child, scope) : [];
  });
  return found.length > 0 ? found : mistyped(given, nameOf(given), scope);
}

/** Helm checks values by the chart's schema, from 1.16 on; a null takes the default away before. */
function mistyped(given: Given, name: string, { names, minor }: Scope): Lint[] {
  const types = names.typesOf(name, minor);
  const { type } = given;
  if (!types || type === undefined || type === 'null' || types.includes(type)) return [];
  if (type === 'integer' && types.includes('number')) return [];
  const wanted = types.filter((one) => one !== 'null').join(' or ');
  if (wanted === '') return [];
  const own = `${/^[aeiou]/.test(type) ? 'an' : 'a'} ${type}`;
  return [
    lintAt(
      given,
      {
        severity: 'error',
        code: 'type',
        message: `${name} is ${own}: Helm refuses it, the chart of ${releaseText(minor)} takes ${wanted}`,
        fix: retyped(given, types),
      },
      'value',
    ),
  ];
}

/** The same value as the type that is wanted, where there is no doubt. */
function retyped({ path, value }: Given, types: readonly string[]): Lint['fix'] {
  if (typeof value === 'string' && types.includes('boolean') && /^(?:true|false)$/.test(value))
    return [{ kind: 'set', at: path, value: value === 'true' }];
  if (typeof value === 'string' && types.includes('integer') && /^(?:0|[1-9]\d{0,8})$/.test(value))
    return [{ kind: 'set', at: path, value: Number(value) }];
  if ((typeof value === 'number' || typeof value === 'boolean') && types.includes('string'))
    return [{ kind: 'set', at: path, value: String(value) }];
  return undefined;
}

/** A value that is gone, and that the chart ends at when it is set. */
function refused(given: Given, scope: Scope): Lint | undefined {
  const name = nameOf(given);
  if (!isRefusedValue(name, scope.minor) || !isSet(given)) return undefined;
  const row = scope.names.movedBy(name, scope.minor);
  const told = row ? movedAway(given, row, scope) : notKnown(given, scope);
  return {
    ...told,
    severity: 'error',
    code: 'refused',
    message: `${told.message.replace(/: charts of .*$/, '')}; the chart of ${releaseText(scope.minor)} refuses it`,
  };
}

/** As a template's `if` sees it. */
function isSet({ value, children }: Given): boolean {
  if (children.length > 0) return true;
  if (value === null || value === false || value === '' || value === 0) return false;
  return typeof value !== 'object' || Object.keys(value).length > 0;
}

/** Values whose meaning moved, not their name alone. */
const SPECIAL = new Map<string, (given: Given, scope: Scope) => Lint[] | undefined>(
  Object.entries({
    tunnel,
    'global.tunnel': tunnel,
    kubeProxyReplacement: lintReplacement,
  }),
);

function tunnel(given: Given, { minor }: Scope): Lint[] | undefined {
  const { value, path } = given;
  // Nothing is lost where nothing is written.
  if (minor < 14 || value === null || (minor === 14 && value === '')) return minor < 14 ? undefined : [];
  const native = value === 'disabled';
  const known = native || value === 'vxlan' || value === 'geneve';
  const words = native
    ? 'routingMode: native'
    : known
      ? `routingMode: tunnel and tunnelProtocol: ${value}`
      : 'routingMode and tunnelProtocol';
  const gone = minor >= 15;
  // Below `global` nothing is looked at any more.
  const isRefused = gone && isSet(given) && path.length === 1;
  return [
    lintAt(given, {
      severity: gone ? 'error' : 'warning',
      code: isRefused ? 'refused' : gone ? 'renamed' : 'deprecated',
      message: gone
        ? `${nameOf(given)} is gone since 1.15: write ${words}${isRefused ? `; the chart of ${releaseText(minor)} refuses it` : ''}`
        : `${nameOf(given)} is deprecated since 1.14 and gone with 1.15: write ${words}`,
      hint: native
        ? 'Native routing needs routes between the nodes (autoDirectNodeRoutes=true on one L2 network), and ipv4NativeRoutingCIDR where addresses are masqueraded.'
        : undefined,
      fix: known
        ? [
            { kind: 'set', at: path, value: native ? 'native' : 'tunnel' },
            { kind: 'rename', from: path, to: ['routingMode'] },
            ...(native ? [] : [{ kind: 'set' as const, at: ['tunnelProtocol'], value }]),
          ]
        : undefined,
    }),
  ];
}

function lintReplacement(given: Given, { minor }: Scope): Lint[] | undefined {
  const fault = replacementFault(given.value, minor);
  if (!fault) return [];
  const { isError, message, today, hint } = fault;
  return [
    lintAt(
      given,
      {
        severity: isError ? 'error' : 'warning',
        code: isError && minor >= 11 ? 'refused' : isError ? 'value' : 'deprecated',
        message: `${nameOf(given)} ${message}${isError && minor >= 11 ? '; the chart refuses it' : ''}`,
        hint,
        fix: today && minor >= 14 ? [{ kind: 'set', at: given.path, value: today === 'true' }] : undefined,
      },
      'value',
    ),
  ];
}

/** Values that the chart refuses together. */
export function lintTogether(sets: readonly (readonly Given[])[], minor: number): Lint[] {
  // Of several files the last one that gives a value counts.
  const at = (name: string) =>
    sets.map((given) => find(given, name)).findLast((found) => found !== undefined && found.value !== null);
  return refusals(at, minor).map(({ given, ...fault }) =>
    lintAt(given, { severity: 'error', code: 'refused', ...fault }, 'value'),
  );
}
