import { errorMessage, UserError } from '../../errors.ts';
import type { Flow } from '../../model/hubble.gen.ts';
import { ENUMS } from '../protobuf/descriptor.gen.ts';
import { type Field, type MessageType, messageType, type Plain } from '../protobuf/schema.ts';

/** Compiles CEL expressions over the variable `_flow`; a flow passes when one of them is true. */
export async function compileCel(expressions: readonly string[]): Promise<(flow: Flow) => boolean> {
  const env = await environment();
  const compiled = expressions.map((expression) => env.compile(expression));
  return (flow) => {
    const view = env.view(flow);
    return compiled.some((program) => program(view));
  };
}

interface CelEnvironment {
  compile(expression: string): (view: unknown) => boolean;
  view(flow: Flow): unknown;
}

let made: Promise<CelEnvironment> | undefined;

function environment(): Promise<CelEnvironment> {
  made ??= makeEnvironment();
  return made;
}

async function makeEnvironment(): Promise<CelEnvironment> {
  const [{ Environment, UnsignedInt }, { RE2JS }] = await Promise.all([
    import('@marcbachmann/cel-js/evaluator'),
    import('re2js'),
  ]);
  const views = new Views((value) => new UnsignedInt(value));
  const flowView = views.of(messageType('flow.Flow'));
  const env = new Environment({ homogeneousAggregateLiterals: false });
  for (const [name, view] of views.all)
    env.registerType(name, { ctor: view.constructor, fields: view.types });
  env.registerVariable('_flow', 'flow.Flow');
  const enums = enumConstants();
  for (const [name, values] of Object.entries(enums)) env.registerConstant(name, 'map', values);
  env.registerConstant('flow', 'map', enums);
  env.registerFunction('re2_matches(string, string): bool', (text: string, pattern: string) =>
    RE2JS.compile(pattern).test(text),
  );
  env.registerFunction('string.re2_matches(string): bool', (text: string, pattern: string) =>
    RE2JS.compile(pattern).test(text),
  );
  env.registerFunction('field_is_set(dyn, string): bool', (view: unknown, name: string) => isSet(view, name));
  env.registerFunction('int(uint): int', (value: { valueOf(): bigint }) => value.valueOf());
  // A message is never null: one that is unset reads as its defaults.
  for (const name of views.all.keys()) env.registerOperator(`${name} == null`, () => false);
  return {
    view: (flow) => new flowView.constructor(flow as Plain),
    compile(expression) {
      const fail = (why: string, cause?: unknown) =>
        new UserError(`failed to compile CEL expression: ${why}`, {
          hint: `The expression is over the variable _flow, for example: _flow.verdict == Verdict.DROPPED && _flow.l4.TCP.destination_port == 80u`,
          cause,
        });
      let program: ReturnType<typeof env.parse>;
      try {
        program = env.parse(rewrite(expression));
      } catch (error) {
        throw fail(errorMessage(error), error);
      }
      const checked = program.check();
      if (!checked.valid) throw fail(errorMessage(checked.error), checked.error);
      const refused = refusal(program.ast, enums);
      if (refused !== undefined) throw fail(refused);
      if (String(checked.type) !== 'bool') throw fail(`expected a boolean, found ${String(checked.type)}`);
      return (view) => {
        try {
          return program({ _flow: view }) === true;
        } catch {
          // An expression that fails on one flow (a bad index, a wrong type) does not select it.
          return false;
        }
      };
    },
  };
}

const COMPARISONS = ['==', '!=', '<', '<=', '>', '>='];
const NUMBERS = ['int', 'uint', 'double'];
/** What they hold is not checked there. */
const MACROS = ['all', 'exists', 'exists_one', 'filter', 'map'];

type Enums = Readonly<Record<string, Readonly<Record<string, bigint>>>>;

/**
 * Says what the reference and a server refuse in an expression that the evaluator takes: a number compared with one of
 * another type, and a value that an enum has not. Undefined when there is nothing.
 */
function refusal(node: unknown, enums: Enums): string | undefined {
  if (typeof node !== 'object' || node === null) return undefined;
  if (Array.isArray(node))
    return node.map((inner) => refusal(inner, enums)).find((found) => found !== undefined);
  if (!('op' in node && 'args' in node)) return undefined;
  const { op, args } = node;
  if (!Array.isArray(args)) return refusal(args, enums);
  const [first, second] = args;
  if (op === 'rcall' && MACROS.includes(String(first))) return refusal(second, enums);
  if (op === '.') {
    const values = first?.op === 'id' && Object.hasOwn(enums, first.args) ? enums[first.args] : undefined;
    if (values && !Object.hasOwn(values, second)) return `the enum ${first.args} has no value ${second}`;
  }
  if (COMPARISONS.includes(String(op))) {
    const [left, right] = [String(first?.checkedType), String(second?.checkedType)];
    if (left !== right && NUMBERS.includes(left) && NUMBERS.includes(right))
      return `no "${op}" between ${left} and ${right}: an unsigned number is written 80u, or converted by int()`;
  }
  return refusal(args, enums);
}

const LITERAL =
  /[rR][bB]?"[^"]*"|[rR][bB]?'[^']*'|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\/\/[^\n]*|\bmatches(?=\s*\()|\bhas\(\s*(\w+(?:\s*\.\s*\w+)*?)\s*\.\s*(\w+)\s*\)/gs;

/**
 * Sends `matches` to RE2 instead of V8's regular expressions, and `has` to the message: its unset fields read as
 * their defaults. Literals and comments stay as they are.
 */
function rewrite(expression: string): string {
  return expression.replace(LITERAL, (text: string, owner?: string, field?: string) => {
    if (text === 'matches') return 're2_matches';
    return owner !== undefined && field !== undefined && text.startsWith('has')
      ? `field_is_set(${owner}, "${field}")`
      : text;
  });
}

/** Enums of the package `flow` by their short names, as the expression's container makes them visible. */
function enumConstants(): Record<string, Record<string, bigint>> {
  const constants: Record<string, Record<string, bigint>> = {};
  for (const [name, row] of Object.entries(ENUMS)) {
    const [pkg, short, nested] = name.split('.');
    if (pkg !== 'flow' || short === undefined || nested !== undefined) continue;
    constants[short] = Object.fromEntries(
      row.split(' ').map((word) => {
        const [value = '', number = ''] = word.split('=');
        return [value, BigInt(number)];
      }),
    );
  }
  return constants;
}

const PLAIN = Symbol('plain');

/** Whether a message has the field, as CEL's has() sees it. */
function isSet(view: unknown, name: string): boolean {
  if (typeof view !== 'object' || view === null || !(PLAIN in view)) return false;
  const plain = view[PLAIN];
  return typeof plain === 'object' && plain !== null && Object.hasOwn(plain, name);
}

interface View {
  constructor: new (plain: Plain) => object;
  /** Types of the fields in CEL's terms. */
  types: Record<string, string>;
}

/** Classes that show a plain message as CEL expects it: typed numbers, and defaults for what is unset. */
class Views {
  readonly all = new Map<string, View>();

  constructor(private readonly unsigned: (value: bigint) => unknown) {}

  of(type: MessageType): View {
    const known = this.all.get(type.name);
    if (known) return known;
    class MessageView {
      readonly [PLAIN]: Plain;
      constructor(plain: Plain) {
        this[PLAIN] = plain;
      }
    }
    const view: View = { constructor: MessageView, types: {} };
    // Types come before what uses them: the environment wants them declared in that order.
    for (const field of type.fields) {
      const read = this.#reader(field);
      view.types[field.name] = field.repeated ? `list<${this.#typeOf(field)}>` : this.#typeOf(field);
      Object.defineProperty(MessageView.prototype, field.name, {
        get(this: MessageView) {
          const value = this[PLAIN][field.name];
          if (!field.repeated) return read(value);
          return Array.isArray(value) ? value.map(read) : [];
        },
      });
    }
    this.all.set(type.name, view);
    return view;
  }

  #typeOf(field: Field): string {
    switch (field.kind) {
      case 'message':
        return field.message().name;
      case 'enum':
      case 'int32':
      case 'int64':
        return 'int';
      case 'uint32':
      case 'uint64':
        return 'uint';
      case 'bool':
      case 'string':
      case 'double':
        return field.kind;
      default:
        return 'dyn';
    }
  }

  #reader(field: Field): (value: unknown) => unknown {
    switch (field.kind) {
      case 'message': {
        const view = this.of(field.message());
        const unset = new view.constructor({});
        return (value) => (value === undefined ? unset : new view.constructor(value as Plain));
      }
      case 'enum': {
        const { numbers } = field.values();
        return (value) => BigInt(typeof value === 'number' ? value : (numbers.get(String(value)) ?? 0));
      }
      case 'int32':
      case 'int64':
        return (value) => BigInt((value as number | string | undefined) ?? 0);
      case 'uint32':
      case 'uint64':
        return (value) => this.unsigned(BigInt((value as number | string | undefined) ?? 0));
      case 'bool':
        return (value) => value ?? false;
      case 'double':
        return (value) => Number(value ?? 0);
      case 'timestamp':
        return (value) => new Date(String(value ?? '1970-01-01T00:00:00Z'));
      case 'boolValue':
        return (value) => value ?? null;
      case 'int32Value':
      case 'uint32Value':
        return (value) => (value === undefined ? null : BigInt(Number(value)));
      default:
        return (value) => value ?? '';
    }
  }
}
