import { expect, test } from '@jest/globals';
import { agentOf } from '../helpers/agent.ts';
import { run } from '../helpers/run.ts';

const LABELS = { status: { realized: { user: [] }, 'security-relevant': ['k8s:app=web'] } };
const ANSWERS = {
  'GET /v1/endpoint/7/labels': { body: LABELS },
  'PATCH /v1/endpoint/7/labels': { body: {} },
};

test.each(['-q', '--quiet'])('%s leaves notes out', async (flag) => {
  await using agent = await agentOf(ANSWERS);
  const words = ['endpoint', 'labels', '7', '--delete', 'user:x'];
  const loud = await agent.run(words);
  expect(loud.stderr).toBe(
    'Note: "user:x" is not a label that was added to endpoint 7: nothing to delete.\n',
  );
  for (const argv of [
    [flag, ...words],
    [...words, flag],
  ])
    expect(await agent.run(argv)).toEqual({ ...loud, stderr: '' });
});

test('an error stays, without the line below it', async () => {
  const argv = ['endpoint', 'list', '-H', 'unix:///nowhere'];
  const [error, hint] = (await run(argv)).stderr.split('\n');
  expect(hint).toMatch(/^Is the agent running\?/);
  expect(await run([...argv, '-q'])).toEqual({ stdout: '', stderr: `${error}\n`, code: 1 });
});

test('hubble takes it too, and its settings do not have it', async () => {
  const argv = ['hubble', 'status', '--server', 'unix:///nowhere'];
  const loud = await run(argv);
  const quiet = await run([...argv, '-q']);
  expect(loud.stderr.split('\n').length).toBeGreaterThan(2);
  expect(quiet).toEqual({ ...loud, stderr: `${loud.stderr.split('\n')[0]}\n` });
  expect((await run(['hubble', 'config', 'view'])).stdout).not.toContain('quiet');
});
