import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { annotationsOf, junitErrors, sarifResults, schemaErrors } from '../helpers/reports.ts';
import { installSources } from '../helpers/session.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

interface Step {
  name: string;
  id?: string;
  run?: string;
  env?: Record<string, string>;
}
const action = parse(read('ci/github/action.yml')) as {
  inputs: Record<string, { default?: string }>;
  runs: { steps: Step[] };
};
const template = parse(read('ci/gitlab/policies.yml')) as {
  '.cilium-policies': { script: string[]; variables: Record<string, string> };
};
const hooks = parse(read('.pre-commit-hooks.yaml')) as Record<string, unknown>[];

describe('files for CI systems', () => {
  test('keep to what is published of their formats', () => {
    expect(schemaErrors('github-actions', action)).toEqual([]);
    const job = { extends: '.cilium-policies', variables: { CHECK_POLICIES: 'policies' } };
    expect(schemaErrors('gitlab-ci', { ...template, 'cilium-policies': job })).toEqual([]);
    // A schema that takes anything would show nothing.
    expect(schemaErrors('github-actions', { ...action, nonsense: 1 })).not.toEqual([]);
    expect(schemaErrors('gitlab-ci', { ...template, stages: 7 })).not.toEqual([]);
  });

  test('the workflows and pipelines of the docs keep to them too', () => {
    const blocks = Array.from(read('docs/ci.md').matchAll(/```yaml\n(# [^\n]*\n)([\s\S]*?)```/g));
    const found = blocks.map(([, title = '', text = '']) => ({ title, value: parse(text) }));
    const errors = found.map(({ title, value }) => {
      if (title.includes('.github/workflows')) return schemaErrors('github-workflows', value);
      if (title.includes('.gitlab-ci.yml')) return schemaErrors('gitlab-ci', value);
      expect(title).toContain('.pre-commit-config.yaml');
      const ids = value.repos.flatMap(({ hooks: own }: { hooks: { id: string }[] }) =>
        own.map(({ id }) => id),
      );
      for (const id of ids) expect(hooks.map((hook) => hook.id)).toContain(id);
      return [];
    });
    expect(errors).toEqual([[], [], []]);
  });

  test('hooks have what pre-commit asks for, and verbs that are there', () => {
    for (const hook of hooks) {
      expect(Object.keys(hook)).toEqual(expect.arrayContaining(['id', 'name', 'entry', 'language']));
      expect(hook.entry).toMatch(/^ci\/cilium\.sh policy (validate|test)$/);
    }
  });

  test('no input is a part of a script', () => {
    for (const { run = '' } of action.runs.steps) expect(run).not.toContain('${{');
    for (const line of template['.cilium-policies'].script) expect(line).not.toContain('$[[');
    // Every input is used, and every variable of the script is set by the action and the template.
    const text = read('ci/github/action.yml');
    for (const input of Object.keys(action.inputs)) expect(text).toContain(`inputs.${input} `);
    const asked = new Set(read('ci/check.sh').match(/\bCHECK_[A-Z_]+/g));
    const given = Object.keys(action.runs.steps[0]?.env ?? {}).filter((name) => name !== 'CILIUM');
    expect([...asked].toSorted()).toEqual(given.toSorted());
    expect(Object.keys(template['.cilium-policies'].variables)).toEqual(expect.arrayContaining(given));
  });

  const shellcheck = spawnSync('shellcheck', ['--version']).status === 0 ? test : test.skip;
  shellcheck('shellcheck has nothing to say of the scripts', () => {
    const scripts = [
      read('ci/check.sh'),
      read('ci/cilium.sh'),
      ...[...action.runs.steps.flatMap(({ run }) => run ?? []), ...template['.cilium-policies'].script].map(
        (text) => `#!/bin/bash\n${text}`,
      ),
    ];
    for (const input of scripts) {
      const { stdout } = spawnSync('shellcheck', ['-'], { input, encoding: 'utf8' });
      expect(stdout).toBe('');
    }
  });
});

const RULES = `- endpointSelector: { matchLabels: { app: api } }
  ingress: [{ fromEndpoints: [{ matchLabels: { app: web } }] }]
`;
const TESTS = `rules: ../policies
tests:
  - { from: app=web, to: app=api, port: 80, expect: allow }
  - { from: app=other, to: app=api, port: 80, expect: deny }
`;

describe('a run', () => {
  let root: string;
  beforeEach(() => {
    root = realpathSync(mkdtempSync(join(tmpdir(), 'ci-')));
    for (const folder of ['bin', 'repo/policies', 'repo/tests', 'repo/.git'])
      mkdirSync(join(root, folder), { recursive: true });
    installSources(join(root, 'bin'));
    writeFileSync(join(root, 'repo/policies/api.json'), JSON.stringify(parse(RULES)));
    writeFileSync(join(root, 'repo/tests/a.yaml'), TESTS);
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const at = (name: string) => join(root, 'repo', name);
  interface Ran {
    code: number | null;
    stdout: string;
    stderr: string;
    summary: string;
    outputs: Record<string, string>;
  }

  /** Runs the steps of the action as the runner does, with inputs in the environment. */
  function runAction(inputs: Record<string, string>): Ran {
    const given: Record<string, string> = { cilium: join(root, 'bin/cilium'), ...inputs };
    const env: Record<string, string> = {
      ...{ PATH: process.env.PATH ?? '', HOME: root, GITHUB_ACTIONS: 'true', GITHUB_WORKSPACE: at('') },
      GITHUB_ACTION_PATH: join(ROOT, 'ci/github'),
      GITHUB_OUTPUT: join(root, 'output'),
      GITHUB_STEP_SUMMARY: join(root, 'summary'),
    };
    for (const name of ['output', 'summary']) writeFileSync(join(root, name), '');
    let last = { code: 0 as number | null, stdout: '', stderr: '' };
    for (const step of action.runs.steps) {
      if (step.run === undefined) continue;
      const own = Object.entries(step.env ?? {}).map(([name, text]): [string, string] => {
        const input = /^\$\{\{ inputs\.([\w-]+) \}\}$/.exec(text)?.[1] ?? '';
        return [name, given[input] ?? action.inputs[input]?.default ?? ''];
      });
      const argv = ['--noprofile', '--norc', '-eo', 'pipefail', '-c', step.run];
      const { status, stdout, stderr } = spawnSync('bash', argv, {
        cwd: at(''),
        env: { ...env, ...Object.fromEntries(own) },
        encoding: 'utf8',
      });
      last = { code: status, stdout, stderr };
      if (status !== 0) break;
    }
    const outputs: Record<string, string> = {};
    for (const [, name = '', , value = ''] of readFileSync(join(root, 'output'), 'utf8').matchAll(
      /^(\w+)<<(end-\d+)\n([\s\S]*?)\n\2$/gm,
    ))
      outputs[name] = value;
    return { ...last, outputs, summary: readFileSync(join(root, 'summary'), 'utf8') };
  }

  test('that finds nothing passes, and leaves reports of each check', async () => {
    const flows = join(ROOT, 'fixtures/recordings/flows-1.20.jsonl');
    const ran = runAction({ policies: 'policies\n', tests: 'tests/a.yaml', flows, 'fail-on': 'never' });
    expect({ code: ran.code, stderr: ran.stderr }).toEqual({ code: 0, stderr: '' });
    expect(annotationsOf(ran.stdout).filter(({ command }) => command === 'error')).toEqual([]);
    expect(ran.stdout).toContain('cilium policy validate: 1 check, 0 failed\n');
    expect(ran.stdout).toContain('cilium policy test: 2 checks, 0 failed\n');
    expect(ran.outputs).toEqual({
      sarif: 'cilium-reports',
      junit: 'cilium-reports',
      comment: 'cilium-reports/comment.md',
      failed: 'false',
    });
    const files = ['validate', 'test', 'replay'].flatMap((name) => [`${name}.sarif`, `${name}.xml`]);
    expect(readdirSync(at('cilium-reports')).toSorted()).toEqual(['comment.md', ...files].toSorted());
    for (const file of files) {
      const text = readFileSync(at(`cilium-reports/${file}`), 'utf8');
      if (file.endsWith('.xml')) expect(await junitErrors(text)).toEqual([]);
      else sarifResults(text);
    }
    expect(ran.summary).toContain('### cilium policy validate: 1 of 1 check passed\n');
    expect(ran.summary).toBe(readFileSync(at('cilium-reports/comment.md'), 'utf8'));
  });

  test('that finds something fails at the end, with annotations on the lines', () => {
    writeFileSync(at('policies/bad.yaml'), `${RULES}  ingres: []\n`);
    writeFileSync(at('tests/b.yaml'), TESTS.replace('expect: deny', 'expect: allow'));
    const ran = runAction({ policies: 'policies', tests: 'tests/a.yaml\ntests/b.yaml', target: '1.17' });
    expect(ran.code).toBe(1);
    expect(ran.outputs.failed).toBe('true');
    const [first] = annotationsOf(ran.stdout);
    expect(first?.properties).toMatchObject({ file: 'policies/bad.yaml', line: '3', col: '3' });
    // The tests load the broken policy: what stops them is in the log and in the comment.
    expect(ran.stderr).toContain('bad.yaml');
    expect(ran.summary).toContain('### cilium policy test could not be run: the log says why\n');
  });

  test('takes hostile names for names', () => {
    const evil = '$(touch pwned) `touch pwned`; touch pwned "x" \'y\' -o.yaml';
    writeFileSync(at(evil), `${RULES}  ingres: []\n`);
    const ran = runAction({ policies: `${evil}\n-v.yaml\n`, reports: '-r $(touch pwned)' });
    expect(ran.code).toBe(1);
    expect(existsSync(at('pwned'))).toBe(false);
    // A name that looks like a flag is a file, which is not there.
    expect(ran.stdout).toContain('-v.yaml: stat -v.yaml: no such file or directory');
    const [found] = annotationsOf(runAction({ policies: evil, reports: '-r $(touch pwned)' }).stdout);
    expect(found?.properties.file).toBe(evil);
    expect(readdirSync(at('-r $(touch pwned)'))).toContain('validate.sarif');
  });

  test('without anything to check, or with a wrong setting, says so', () => {
    expect(runAction({ policies: '\n\n' })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Nothing to check: CHECK_POLICIES names no file'),
    });
    expect(runAction({ policies: 'policies', 'fail-on': 'x; touch pwned' })).toMatchObject({
      code: 2,
      stderr: 'CHECK_FAIL_ON is newly-denied, newly-allowed or never, not "x; touch pwned".\n',
    });
    expect(existsSync(at('pwned'))).toBe(false);
  });

  test('writes through no link that the checkout holds', () => {
    const other = join(root, 'other');
    writeFileSync(other, 'mine');
    mkdirSync(at('cilium-reports'));
    for (const name of ['comment.md', 'validate.sarif', 'test.md'])
      symlinkSync(other, at(`cilium-reports/${name}`));
    expect(runAction({ policies: 'policies' }).code).toBe(0);
    expect(readFileSync(other, 'utf8')).toBe('mine');
    symlinkSync(root, at('linked'));
    const { code, stderr } = runAction({ policies: 'policies', reports: 'linked/' });
    expect([code, stderr]).toEqual([2, expect.stringContaining('CHECK_REPORTS is a link')]);
  });

  test('elsewhere prints text, and writes the same reports', () => {
    const { status, stdout } = spawnSync('bash', [join(ROOT, 'ci/check.sh')], {
      cwd: at(''),
      env: {
        PATH: `${join(root, 'bin')}:${process.env.PATH}`,
        CHECK_POLICIES: 'policies',
        CHECK_TESTS: 'tests/a.yaml',
      },
      encoding: 'utf8',
    });
    expect({ status, stdout }).toEqual({
      status: 0,
      stdout: `All policy elements in policies are valid.\nok      app=web to app=api on 80\nok      app=other to app=api on 80\n\n2 tests, 0 failed\n`,
    });
    expect(readdirSync(at('cilium-reports'))).toContain('validate.xml');
  });
});
