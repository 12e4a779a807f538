import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { fixtureText } from '../helpers/recordings.ts';
import { run } from '../helpers/run.ts';

const FLOWS = fixtureText('recordings/flows-1.20.jsonl')
  .split('\n')
  .filter((line) => line.includes('"flow"'));

/** A folder with flows of two agents, the first of which was killed in the middle of a line. */
async function ofArchive(argv: readonly string[], end: string) {
  const folder = mkdtempSync(join(tmpdir(), 'flows-'));
  try {
    const file = (agent: string) => join(folder, `hubble-flows-${agent}-20261129-070000.json`);
    writeFileSync(file('cilium-a'), `${FLOWS.slice(0, 20).join('\n')}\n${end}`);
    writeFileSync(file('cilium-b'), `${FLOWS.slice(20, 30).join('\n')}\n`);
    writeFileSync(join(folder, 'index.json'), JSON.stringify({ format: 1, tasks: [] }));
    return await run([...argv, '--from', folder]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const CUT =
  /^Warning: \S+: hubble-flows-cilium-a-20261129-070000\.json: its last line breaks off, and is left out\n/;

test.each([[['hubble', 'observe', '--all', '-o', 'jsonpb']], [['policy', 'why', '--last-drop']]])(
  '%j reads flows whose last line breaks off, and says so',
  async (argv) => {
    const whole = await ofArchive(argv, '');
    const cut = await ofArchive(argv, (FLOWS[40] ?? '').slice(0, 200));
    expect(whole.stderr).not.toMatch(CUT);
    expect([cut.code, cut.stdout]).toEqual([whole.code, whole.stdout]);
    expect(cut.stderr).toMatch(CUT);
  },
);

test('a last line that only lacks its end is read', async () => {
  const { stdout, stderr } = await ofArchive(['hubble', 'observe', '--all', '-o', 'jsonpb'], FLOWS[40] ?? '');
  expect(stdout.match(/"flow":/g)?.length).toBe(31);
  expect(stderr).not.toMatch(CUT);
});
