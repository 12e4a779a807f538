import { describe, expect, test } from '@jest/globals';
import { labEnvironment } from '../../src/lab/environment.ts';
import { pinName } from '../../src/lab/pin-names.ts';
import { AGENT_VERSIONS } from '../../src/lab/version.ts';
import { atLeast, type Release } from '../../src/model/release.ts';
import { startTestLab, type TestLab } from '../helpers/lab.ts';
import { MORE_READERS, READERS } from '../helpers/readers.ts';
import { type RunResult, run } from '../helpers/run.ts';

const RELEASES = AGENT_VERSIONS.filter((version): version is Release => version !== 'all');

/** What says that the agent's release does not have something, whichever verb says it. */
const NOT_OF_THIS_RELEASE =
  /This agent does not have the call|this agent (has no|serves no|does not (trace|list)) /;

/** The releases that have what a verb reads; verbs that are not here are answered by every release. */
const ONLY_IN: readonly { verb: RegExp; has: (release: Release) => boolean }[] = [
  { verb: /^policy subject-selectors/, has: (release) => atLeast(release, '1.19') },
  { verb: /^policy trace/, has: (release) => !atLeast(release, '1.15') },
  { verb: /^recorder/, has: (release) => atLeast(release, '1.10') && !atLeast(release, '1.19') },
  { verb: /^statedb/, has: (release) => atLeast(release, '1.17') },
  { verb: /^bgp route-policies/, has: (release) => atLeast(release, '1.15') },
  { verb: /^bgp routes/, has: (release) => atLeast(release, '1.14') },
  { verb: /^nodeid/, has: (release) => atLeast(release, '1.12') },
  { verb: /^(map events|cgroups|bgp)/, has: (release) => atLeast(release, '1.13') },
];

test('a lab plays every release from 1.9 to 1.20', () => {
  expect(RELEASES).toEqual(Array.from({ length: 12 }, (_, i) => `1.${20 - i}`));
});

describe.each(RELEASES)('an agent %s', (version) => {
  test('answers every verb that reads, or says that it has not what is asked for', async () => {
    await using lab = await startTestLab({ version });
    const env = labEnvironment(lab.lab.info);
    const wrong: string[] = [];
    for (const words of [...READERS, ...MORE_READERS]) {
      const argv = words.split(' ').map((word) => pinName(word, version) ?? word);
      const result = await run(argv, { env, nowMs: Date.now() });
      if (!isRight(words, version, result)) wrong.push(`${words}: ${result.code} ${result.stderr}`);
    }
    expect(wrong).toEqual([]);
    expect((await run(['version'], { env })).stdout).toContain(`Daemon: ${version}.0-lab `);
  });

  test('sends monitor events of a form that its release has', async () => {
    await using lab = await startTestLab({ version });
    const { stdout, stderr } = await watch(lab);
    const lines = stdout.split('\n').filter(Boolean);
    expect(lines.length).toBeGreaterThan(10);
    expect(stdout).not.toMatch(/cannot decode|Unknown event/);
    expect(stderr).not.toContain('The agent does not say its release');
    const verdicts = lines.filter((line) => line.startsWith('Policy verdict log: '));
    for (const line of verdicts) expect(line.includes(', auth: ')).toBe(atLeast(version, '1.15'));
  });
});

function isRight(words: string, version: Release, { code, stdout, stderr }: RunResult): boolean {
  const rule = ONLY_IN.find(({ verb }) => verb.test(words));
  if (rule && !rule.has(version))
    return (
      code === 1 && NOT_OF_THIS_RELEASE.test(stderr) && /^(unknown command "\w+" for .*)?$/s.test(stdout)
    );
  return code === 0;
}

/** Watches a lab's monitor until a dozen lines were shown. */
function watch(lab: TestLab): Promise<RunResult> {
  const stop = new AbortController();
  let seen = '';
  const onStdout = (text: string) => {
    seen += text;
    if (seen.split('\n').length > 12) stop.abort();
  };
  return run(['monitor'], { env: labEnvironment(lab.lab.info), signal: stop.signal, onStdout });
}
