import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';

const SRC = fileURLToPath(new URL('../src', import.meta.url));
const BASE = ['model', 'lib', 'errors.ts'];

/**
 * The rooms of src and what each may import. A room is a folder or a file; a file belongs to the longest path that
 * leads to it. An allowed path covers everything below it. A room may always import from itself.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  lib: [],
  'errors.ts': ['lib/errno.ts'],
  'version.ts': [],
  model: ['lib'],
  'context.ts': [...BASE, 'agent', 'archive'],

  'render/text': BASE,
  'render/agent': [...BASE, 'render/text'],
  'render/hubble': [...BASE, 'render/text'],
  'render/html': [...BASE, 'render/text'],
  'render/monitor': [...BASE, 'render/text'],
  'render/policy': [...BASE, 'render/text'],
  'render/reports': [...BASE, 'render/text'],
  // The writers of map entries are made from the structs, which are data.
  'render/bpf': [...BASE, 'render/text', 'bpf/layouts'],
  'render/node': [...BASE, 'render/text'],
  'render/lab.ts': [...BASE, 'render/text'],
  'render/profile.ts': [...BASE, 'render/text'],
  // The summary of an archive is made from its index.
  'render/cluster': [...BASE, 'render/text', 'render/html/markup.ts', 'cluster', 'archive'],

  agent: [...BASE, 'agent/http', 'agent/decode', 'agent/client.ts'],
  'agent/http': ['errors.ts', 'lib'],
  'agent/bgp': ['lib', 'model'],
  // The client hands answers out as readers; what is read of each is decided above it.
  'agent/client.ts': [...BASE, 'agent/http', 'agent/decode/reader.ts', 'agent/decode/types.gen.ts'],
  'agent/decode/reader.ts': BASE,
  'agent/decode/types.gen.ts': [],
  'agent/decode': [...BASE, 'agent/http', 'agent/bgp', 'agent/client.ts', 'agent/decode'],
  'agent/monitor': BASE,

  hubble: [...BASE, 'hubble/grpc', 'hubble/protobuf'],
  'hubble/grpc': ['errors.ts', 'lib', 'hubble/http2'],
  'hubble/protobuf': BASE,
  'hubble/filter': [...BASE, 'hubble/protobuf'],
  'hubble/where': [...BASE, 'hubble/filter'],
  'hubble/views': [...BASE, 'hubble/where'],
  // Flows as a table, which files of Parquet and records of OpenTelemetry are made of.
  'hubble/columns.ts': BASE,
  'hubble/parquet': [...BASE, 'hubble/columns.ts'],
  'hubble/otlp': [...BASE, 'hubble/columns.ts', 'hubble/grpc/target.ts'],
  'hubble/captures': [...BASE, 'hubble/filter', 'hubble/protobuf', 'hubble/grpc', 'hubble/parquet'],
  'hubble/http2': [],
  'hubble/scan': [...BASE, 'hubble/protobuf', 'hubble/captures', 'hubble/grpc'],
  'hubble/groups': [...BASE, 'hubble/scan', 'hubble/captures'],

  // Runs in a browser, with what is pure of the rooms below.
  web: [...BASE, 'hubble/views', 'render/hubble', 'render/text/sanitize.ts'],

  // What a collected archive holds and how it is named.
  archive: BASE,

  cluster: BASE,
  kube: [...BASE, 'archive'],
  // What an API server would print, of what an archive has of it; what that is, sysdump's lists say.
  'kube/recorded': [
    ...BASE,
    'archive',
    'kube',
    'cluster/api-request.ts',
    'cluster/printer-columns.ts',
    'cluster/sysdump',
    'render/text',
  ],
  // The only one that knows which agent a command line names.
  'kube/road.ts': [...BASE, 'context.ts', 'kube', 'archive'],
  kvstore: [...BASE, 'agent/http'],

  'bpf/kernel': BASE,
  'bpf/layouts': ['model', 'lib'],
  'bpf/maps': [...BASE, 'bpf/kernel', 'bpf/layouts'],

  'node/state': [...BASE, 'bpf/kernel'],
  // The names of pins are those of the maps that are known.
  'node/cleanup': [...BASE, 'bpf/kernel', 'bpf/layouts', 'node/state'],
  'node/doctor': [...BASE, 'bpf'],

  'policy/rule.ts': ['model', 'lib'],
  'policy/language': [...BASE, 'policy/rule.ts'],
  'policy/read': [...BASE, 'policy/rule.ts', 'policy/language'],
  'policy/evaluate': [],
  'policy/evaluate/selectors': [...BASE, 'policy/rule.ts'],
  'policy/evaluate/maps': [...BASE, 'policy/rule.ts', 'policy/language', 'policy/evaluate/selectors'],
  'policy/evaluate/decide': [...BASE, 'policy/rule.ts', 'policy/evaluate/selectors', 'policy/evaluate/maps'],
  'policy/reports': [...BASE, 'policy/rule.ts', 'policy/evaluate'],

  // From the state of the agent that a lab plays up to what serves it; the files at the top start and find labs.
  lab: BASE,
  'lab/version.ts': ['model/release.ts'],
  'lab/pin-names.ts': ['model/release.ts'],
  'lab/state': [...BASE, 'agent/decode/types.gen.ts'],
  'lab/policy': [...BASE, 'agent/decode/types.gen.ts', 'policy', 'lab/version.ts', 'lab/state'],
  'lab/scenario': [...BASE, 'agent/decode/types.gen.ts', 'lab/assets.ts', 'lab/policy'],
  'lab/world': [...BASE, 'lab/derive.ts', 'lab/state', 'lab/policy', 'lab/scenario'],
  'lab/agent': [
    ...BASE,
    'context.ts',
    'agent/decode/types.gen.ts',
    'lab/derive.ts',
    'lab/version.ts',
    'lab/pin-names.ts',
    'lab/state',
    'lab/policy',
    'lab/scenario',
    'lab/world',
  ],
  'lab/rest': [
    ...BASE,
    'agent/decode/types.gen.ts',
    'policy',
    'lab/assets.ts',
    'lab/derive.ts',
    'lab/version.ts',
    'lab/pin-names.ts',
    'lab/state',
    'lab/policy',
    'lab/world',
    'lab/agent',
  ],
  'lab/hubble': [
    ...BASE,
    'lab/assets.ts',
    'policy',
    'hubble',
    'lab/derive.ts',
    'lab/version.ts',
    'lab/state',
    'lab/policy',
    'lab/scenario',
    'lab/agent',
  ],
  'lab/pins': [
    ...BASE,
    'context.ts',
    'policy',
    'bpf',
    'lab/version.ts',
    'lab/pin-names.ts',
    'lab/state',
    'lab/policy',
    'lab/world',
    'lab/agent',
    'lab/hubble/conversation.ts',
  ],
  'lab/kube': [
    ...BASE,
    // Columns of a list are paths, as kubectl's are.
    'render/text/jsonpath.ts',
    // What it shares with an API server that answers from an archive.
    'cluster/api-request.ts',
    'cluster/printer-columns.ts',
    'policy',
    'lab/derive.ts',
    'lab/folder.ts',
    'lab/spawn.ts',
    'lab/version.ts',
    'lab/state',
    'lab/world',
    'lab/agent',
  ],
  // The programs are run by themselves, in pods.
  'lab/pods/programs': [],
  'lab/pods': [
    ...BASE,
    'lab/assets.ts',
    'policy',
    'lab/kube/workloads',
    'lab/state',
    'lab/world',
    'lab/policy',
    'lab/agent',
    'lab/hubble/seen.ts',
    'lab/pods/programs/dns-server.ts',
    'lab/pods/programs/proxy.ts',
  ],
  'lab/environment.ts': ['lab/folder.ts'],
  'lab/cluster-lab.ts': [...BASE, 'lab'],
  'lab/folder.ts': [...BASE, 'lab/version.ts', 'lab/pins/bpffs.ts'],
  'lab/var-run.ts': [...BASE, 'lab/folder.ts'],
  'lab/monitor.ts': [...BASE, 'lab/assets.ts', 'lab/version.ts'],
  'lab/shell.ts': [...BASE, 'lab/agent', 'lab/rest'],
  'lab/serve.ts': [
    ...BASE,
    'lab/agent',
    'lab/folder.ts',
    'lab/hubble',
    'lab/monitor.ts',
    'lab/rest',
    'lab/shell.ts',
    'lab/version.ts',
  ],
  'lab/lab.ts': [...BASE, 'context.ts', 'lab'],

  cli: [...BASE, 'context.ts', 'render', 'agent', 'kvstore', 'archive', 'cli/profile'],
  'cli/report.ts': ['context.ts', 'version.ts', 'model', 'render/reports'],
  'cli/page.ts': [...BASE, 'context.ts', 'lab/assets.ts', 'render'],
  'cli/fan-out.ts': [
    ...BASE,
    'context.ts',
    'cli/everywhere.ts',
    'cli/exit-codes.ts',
    'cli/line-output.ts',
    'cli/outage.ts',
    'cli/progress.ts',
    'render/text',
    'agent',
    'kube',
  ],
  'cli/kube': [...BASE, 'context.ts', 'cli', 'render', 'agent', 'cluster', 'kube', 'archive'],
  'cli/helm': [...BASE, 'context.ts', 'cli', 'cli/kube', 'cli/policy/files.ts', 'render', 'cluster', 'kube'],
  'cli/sysdump': [
    ...BASE,
    'context.ts',
    'version.ts',
    'cli/exit-codes.ts',
    'cli/progress.ts',
    'cli/hubble',
    'render',
    'agent',
    'archive',
    'cluster',
    'hubble',
    'kube',
  ],
  'cli/profile': BASE,
  'cli/completion': [...BASE, 'context.ts', 'cli', 'render/text'],
  'cli/usage': [...BASE, 'context.ts', 'cli', 'render/text', 'agent'],
  'cli/bpf': [...BASE, 'context.ts', 'cli', 'render', 'agent', 'bpf'],
  'cli/policy': [...BASE, 'context.ts', 'cli', 'cli/hubble', 'render', 'agent', 'hubble', 'policy', 'kube'],
  'cli/hubble': [...BASE, 'context.ts', 'version.ts', 'cli', 'render', 'hubble', 'kube', 'archive'],
  commands: [
    ...BASE,
    'context.ts',
    'version.ts',
    'cli',
    'render',
    'agent',
    'cluster',
    'kvstore',
    'hubble',
    'kube',
    'bpf',
    'node',
    'policy',
    'lab',
  ],
  'system.ts': [...BASE, 'context.ts', 'agent', 'kube', 'render/text'],
  'main.ts': [...BASE, 'context.ts', 'version.ts', 'cli', 'commands'],
  bin: ['main.ts', 'system.ts', 'version.ts', 'lib/inside.ts'],
};

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) => /\.tsx?$/.test(file));

/** Every file of src, each with the files of src that it imports: as values or types, at once or later. */
const imports = new Map(
  files.map((file) => [
    file,
    [...readFileSync(join(SRC, file), 'utf8').matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)]
      .map(([, target = '']) => join(dirname(file), target))
      .filter((target) => !target.startsWith('..')),
  ]),
);

const covers = (path: string, file: string) => file === path || file.startsWith(`${path}/`);

/** The room that a file belongs to. */
function roomOf(file: string): string {
  const around = Object.keys(MAY_IMPORT).filter((path) => covers(path, file));
  return around.reduce((longest, path) => (path.length > longest.length ? path : longest), '');
}

/** The groups of nodes that reach each other: Tarjan's strongly connected components of more than one node. */
function circles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const found: string[][] = [];
  const order = new Map<string, number>();
  const stack: string[] = [];
  /** Returns the lowest place in the order that a node leads back to. */
  const visit = (node: string): number => {
    const place = order.size;
    let low = place;
    order.set(node, place);
    stack.push(node);
    for (const next of graph.get(node) ?? []) {
      if (!order.has(next)) low = Math.min(low, visit(next));
      else if (stack.includes(next)) low = Math.min(low, order.get(next) ?? low);
    }
    if (low === place) {
      const circle = stack.splice(stack.indexOf(node));
      if (circle.length > 1) found.push(circle.sort());
    }
    return low;
  };
  for (const node of graph.keys()) if (!order.has(node)) visit(node);
  return found;
}

test('imports point down, between folders and between the rooms within them', () => {
  const wrong: string[] = [];
  for (const [file, targets] of imports) {
    const room = roomOf(file);
    for (const target of targets) {
      if (roomOf(target) === room) continue;
      if (!MAY_IMPORT[room]?.some((path) => covers(path, target))) wrong.push(`${file} imports ${target}`);
    }
  }
  expect(wrong).toEqual([]);
});

test('every arrow of the table is used', () => {
  const unused = Object.entries(MAY_IMPORT).flatMap(([room, allowed]) => {
    const targets = files.filter((file) => roomOf(file) === room).flatMap((file) => imports.get(file) ?? []);
    const own = allowed.filter((path) => !BASE.includes(path));
    return own
      .filter((path) => !targets.some((file) => covers(path, file)))
      .map((path) => `${room} may import ${path}`);
  });
  expect(unused).toEqual([]);
});

test('every file and every folder of rooms stands in the table', () => {
  const missing = files.filter((file) => roomOf(file) === '');
  // A folder of which one room is named names all of them.
  for (const folder of new Set(files.map((file) => file.split('/').slice(0, -1).slice(0, 2).join('/')))) {
    const divided = Object.keys(MAY_IMPORT).some((room) => room.startsWith(`${dirname(folder)}/`));
    if (divided && !MAY_IMPORT[folder]) missing.push(folder);
  }
  const gone = Object.keys(MAY_IMPORT).filter((room) => !files.some((file) => covers(room, file)));
  expect({ missing, gone }).toEqual({ missing: [], gone: [] });
});

test('what the verbs of two nouns share does not stand among the verbs of one', () => {
  const nounOf = (file: string) => /^commands\/([^/]+)\/./.exec(file)?.[1];
  const wrong = [...imports].flatMap(([file, targets]) =>
    targets
      .filter((target) => nounOf(file) && nounOf(target) !== nounOf(file) && covers('commands', target))
      .map((target) => `${file} imports ${target}`),
  );
  expect(wrong).toEqual([]);
});

test('no circle of rooms exists', () => {
  const rooms = Map.groupBy(files, roomOf);
  const arrows = new Map(
    [...rooms].map(([room, inside]) => [room, inside.flatMap((file) => imports.get(file) ?? []).map(roomOf)]),
  );
  expect(circles(arrows)).toEqual([]);
});

test('no circle of files exists', () => {
  expect(circles(imports)).toEqual([]);
});

test('a circle is found whatever else leads to it', () => {
  const graph = { a: ['b'], b: ['c', 'd'], c: ['e'], d: [], e: ['b', 'd'], f: ['g'], g: ['f', 'a'] };
  expect(circles(new Map(Object.entries(graph)))).toEqual([
    ['b', 'c', 'e'],
    ['f', 'g'],
  ]);
});

test('only system.ts and what is run by itself touch the process', () => {
  const wrong = files.filter(
    (file) =>
      file !== 'system.ts' &&
      !covers('bin', file) &&
      !covers('lab/pods/programs', file) &&
      /\bprocess\.(exit|stdout|stderr|stdin|env|argv|on)\b|console\./.test(
        readFileSync(join(SRC, file), 'utf8'),
      ),
  );
  expect(wrong).toEqual([]);
});

test("only src/agent asks the agent's API and decodes its answers; src/lab serves them", () => {
  const decoders = ['agent/decode/reader.ts', 'agent/decode/types.gen.ts'];
  const wrong: string[] = [];
  for (const [file, targets] of imports) {
    if (covers('agent', file) || covers('lab', file)) continue;
    for (const target of targets) if (decoders.includes(target)) wrong.push(`${file} imports ${target}`);
    const asked = readFileSync(join(SRC, file), 'utf8').match(/\.(get|put|patch|delete)\(\s*'\/.*/);
    if (asked) wrong.push(`${file} calls ${asked[0]}`);
  }
  expect(wrong).toEqual([]);
});

test('what steers a terminal is made in one place, and leaves through one door', () => {
  const wrong: string[] = [];
  for (const file of files) {
    const text = readFileSync(join(SRC, file), 'utf8');
    const room = roomOf(file);
    // YAML has a name for ESC, and sanitize one for every control character.
    if (
      !['render/text/sanitize.ts', 'render/text/yaml.ts'].includes(file) &&
      /\\(?:u001b|x1b|u\{1b\}|033)/i.test(text)
    )
      wrong.push(`${file} has an escape sequence`);
    if (
      file !== 'render/text/sanitize.ts' &&
      room !== 'render/text' &&
      /\bownSequence\b/.test(text) &&
      file !== 'render/hubble/flow.ts'
    )
      wrong.push(`${file} makes sequences: ask render/text/palette.ts or screen.ts`);
    if (
      file !== 'commands/hubble/observe/safe-text.tsx' &&
      /import \{[^}]*\bText\b[^}]*\} from 'ink'/.test(text)
    )
      wrong.push(`${file} shows text that is not made safe`);
  }
  expect(wrong).toEqual([]);
});

test('what a function returns is awaited before its resources go, or its error would be nobody’s meanwhile', () => {
  const wrong: string[] = [];
  for (const file of files) {
    const lines = readFileSync(join(SRC, file), 'utf8').split('\n');
    const depth = (line: string) => line.search(/\S/);
    lines.forEach((line, at) => {
      if (!/^\s+await using /.test(line)) return;
      const end = lines.findIndex((other, i) => i > at && other !== '' && depth(other) < depth(line));
      // A function within begins a scope of its own.
      let inner = Number.POSITIVE_INFINITY;
      for (const other of lines.slice(at + 1, end)) {
        if (depth(other) <= inner) inner = Number.POSITIVE_INFINITY;
        if (/=> \{$|function/.test(other)) inner = Math.min(inner, depth(other));
        else if (inner === Number.POSITIVE_INFINITY && /\breturn (?!await\b)[\w.]+\(/.test(other))
          wrong.push(`${file}: ${other.trim()}`);
      }
    });
  }
  expect(wrong).toEqual([]);
});
