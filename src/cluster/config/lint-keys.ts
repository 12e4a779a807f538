import { AGENT_FLAGS } from './agent-flags.ts';
import type { Facts } from './facts.ts';
import { type Given, textOf } from './given.ts';
import {
  doubled,
  type Lint,
  lintAt,
  movedAway,
  notKnown,
  releaseText,
  type Scope,
  wrongValue,
} from './lint.ts';
import { replacementFault } from './proxy-replacement.ts';

/** Checks the keys of a ConfigMap `cilium-config`, below `data`. */
export function lintKeys(data: Given, facts: Facts, minor: number): Lint[] {
  const scope = keyScope(facts, minor, data.path);
  return [
    ...doubled(data.children),
    ...data.children.flatMap((key) => [...unquoted(key), ...lintKey(key, key.path.at(-1) ?? '', scope)]),
  ];
}

export function keyScope(facts: Facts, minor: number, above: readonly string[]): Scope {
  return { facts, names: facts.keys, minor, who: 'agents', pathOf: (name) => [...above, name] };
}

/** The API server takes nothing but text in a ConfigMap. */
function unquoted(given: Given): Lint[] {
  if (given.type === 'string' || given.type === undefined) return [];
  const isScalar = given.type === 'boolean' || given.type === 'integer' || given.type === 'number';
  return [
    lintAt(
      given,
      {
        severity: 'error',
        code: 'type',
        message: `${given.path.at(-1)} is no text: the API server refuses a ConfigMap with it`,
        hint: isScalar ? `Quote it: "${textOf(given.value)}"` : 'Write it as text.',
        fix: isScalar ? [{ kind: 'set', at: given.path, value: textOf(given.value) }] : undefined,
      },
      'value',
    ),
  ];
}

/** One key of the configuration, which the agent or the operator reads as a flag. */
export function lintKey(given: Given, key: string, scope: Scope): Lint[] {
  const { names, minor } = scope;
  if (given.isDoubled) return [];
  const special = SPECIAL.get(key)?.(given, scope);
  if (special) return special;
  const wrong = wrongWord(given, key, scope);
  if (wrong) return [wrong];
  if (names.has(key, minor))
    return [wrongValue(given, key, scope) ?? wrongSwitch(given, key, scope) ?? []].flat();
  const row = names.movedBy(key, minor);
  if (row) return [movedAway(given, row, scope)];
  if (AGENT_FLAGS.has(key) && names.rangesOf(key).length === 0) return [];
  return [{ ...notKnown({ ...given, path: [key] }, scope), path: [...given.path] }];
}

/** A value of a key that stays, where the value is gone. */
function wrongWord(given: Given, key: string, { names, minor }: Scope): Lint | undefined {
  const row = names.moved.find(
    ({ old, value, gone }) => old === key && gone <= minor && value?.split('|').includes(textOf(given.value)),
  );
  if (!row) return undefined;
  const instead = row.instead ?? 'another value';
  const [, written] = /=(\S+)$/.exec(instead) ?? [];
  return lintAt(
    given,
    {
      severity: 'error',
      code: 'value',
      message: `${key}=${textOf(given.value)} is gone since ${releaseText(row.gone)}: write ${instead}`,
      fix: written === undefined ? undefined : [{ kind: 'set', at: given.path, value: written }],
    },
    'value',
  );
}

const BOOLEAN = /^(?:1|t|T|true|TRUE|True|0|f|F|false|FALSE|False|)$/;

/** Switches are what Go reads as one. */
function wrongSwitch(given: Given, key: string, { facts, minor }: Scope): Lint | undefined {
  if (!key.startsWith('enable-') || facts.valueSet(key, minor) || BOOLEAN.test(textOf(given.value)))
    return undefined;
  return lintAt(
    given,
    {
      severity: 'warning',
      code: 'value',
      message: `${key} is "${textOf(given.value)}": a switch is "true" or "false"`,
    },
    'value',
  );
}

const SPECIAL = new Map<string, (given: Given, scope: Scope) => Lint[] | undefined>(
  Object.entries({
    tunnel,
    'kube-proxy-replacement': lintReplacement,
    'hubble-enabled': (given, { pathOf }) => [
      lintAt(given, {
        severity: 'error',
        code: 'renamed',
        message: 'hubble-enabled was never a key of Cilium: write enable-hubble',
        fix: [{ kind: 'rename', from: given.path, to: pathOf('enable-hubble') }],
      }),
    ],
    'hubble-metrics': lintMetrics,
    'unmanaged-pod-watcher-interval': (given, { minor }) =>
      minor >= 19 && /^\d+$/.test(textOf(given.value))
        ? [
            lintAt(
              given,
              {
                severity: 'error',
                code: 'value',
                message: `unmanaged-pod-watcher-interval is a duration since 1.19: write "${textOf(given.value)}s"`,
                fix: [{ kind: 'set', at: given.path, value: `${textOf(given.value)}s` }],
              },
              'value',
            ),
          ]
        : undefined,
  }),
);

function tunnel(given: Given, { minor, pathOf }: Scope): Lint[] | undefined {
  if (minor < 14) return undefined;
  const value = textOf(given.value);
  const isNative = value === 'disabled';
  const isKnown = isNative || value === 'vxlan' || value === 'geneve';
  const words = isNative
    ? 'routing-mode: native'
    : `routing-mode: tunnel and tunnel-protocol: ${isKnown ? value : 'vxlan or geneve'}`;
  return [
    lintAt(given, {
      severity: minor >= 15 ? 'error' : 'warning',
      code: minor >= 15 ? 'renamed' : 'deprecated',
      message:
        minor >= 15
          ? `tunnel is gone since 1.15, which only logs that it does not know it: write ${words}`
          : `tunnel is deprecated since 1.14 and gone with 1.15: write ${words}`,
      fix: isKnown
        ? [
            { kind: 'set', at: given.path, value: isNative ? 'native' : 'tunnel' },
            { kind: 'rename', from: given.path, to: pathOf('routing-mode') },
            ...(isNative ? [] : [{ kind: 'set' as const, at: pathOf('tunnel-protocol'), value }]),
          ]
        : undefined,
    }),
  ];
}

function lintReplacement(given: Given, { minor }: Scope): Lint[] {
  const fault = replacementFault(given.value, minor);
  if (!fault) return [];
  const { isError, message, today, hint } = fault;
  return [
    lintAt(
      given,
      {
        severity: isError ? 'error' : 'warning',
        code: isError ? 'value' : 'deprecated',
        message: `kube-proxy-replacement ${message}`,
        hint,
        fix: today && minor >= 14 ? [{ kind: 'set', at: given.path, value: today }] : undefined,
      },
      'value',
    ),
  ];
}

/** Metrics are separated by blanks; a comma separates the options of one metric. */
function lintMetrics(given: Given): Lint[] | undefined {
  const words = textOf(given.value).split(/\s+/);
  const joined = words.filter((word) => /^[^:]*,/.test(word));
  if (joined.length === 0) return undefined;
  const written = words.flatMap((word) => (joined.includes(word) ? word.split(',') : [word])).join(' ');
  return [
    lintAt(
      given,
      {
        severity: 'error',
        code: 'value',
        message: `hubble-metrics is a list with blanks between the metrics: "${joined[0]}" names none`,
        hint: `Write: "${written}". In Helm's values hubble.metrics.enabled is a list of them.`,
        fix: [{ kind: 'set', at: given.path, value: written }],
      },
      'value',
    ),
  ];
}
