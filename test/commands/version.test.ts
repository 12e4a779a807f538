import { describe, expect, test } from '@jest/globals';
import { answer, ask } from './status/serve.ts';

const NONE = { env: { CILIUM_SOCK: '/nonexistent/agent.sock' } };

describe('version', () => {
  // differs: version-client
  test('tells both versions', async () => {
    const others = [
      answer('/v1/debuginfo', {
        'cilium-version': '1.17.3 abc 2025-01-01T00:00:00Z go version go1.23 linux/arm64',
      }),
    ];
    const { stdout, code } = await ask(['version'], { others });
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^Client: \S+ \S+ \S+ node version v\d+\.\S+ \w+\/\w+\nDaemon: 1\.17\.3 abc 2025-01-01T00:00:00Z go version go1\.23 linux\/arm64\n$/,
    );
  });

  test('is no error without an agent', async () => {
    const { stdout, stderr, code } = await ask(['version'], {}, NONE);
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    expect(stdout).toMatch(/\nDaemon: Not responding\n$/);
  });

  test('has empty fields for an agent that does not answer', async () => {
    const { stdout } = await ask(['version', '-o', 'json'], {}, NONE);
    expect(JSON.parse(stdout).Daemon).toEqual({
      Version: '',
      Revision: '',
      GoRuntimeVersion: '',
      Arch: '',
      AuthorDate: '',
    });
  });

  test('writes the keys of -o yaml as Go does', async () => {
    const { stdout } = await ask(['version', '-o', 'yaml'], {}, NONE);
    expect(stdout).toMatch(/^client:\n {4}version: \S+\n {4}revision: \S+\n {4}goruntimeversion: /);
  });

  const REVISED = '1.20.2 abc 2026-01-01T00:00:00Z go version go1.26.1';
  test.each([
    [`${REVISED} linux/arm64`, 'go1.26.1', 'linux/arm64'],
    [`${REVISED} X:jsonv2 linux/arm64`, 'go1.26.1 X:jsonv2', 'linux/arm64'],
    ['1.20.2 abc', '', ''],
  ])('takes "%s" apart, and prints its parts as JSON', async (version, runtime, arch) => {
    const others = [answer('/v1/debuginfo', { 'cilium-version': version })];
    const { stdout } = await ask(['version', '-o', 'jsonpath={.Daemon}'], { others });
    const known = arch !== '';
    expect(stdout).toBe(
      `${JSON.stringify({
        Version: known ? '1.20.2' : '',
        Revision: known ? 'abc' : '',
        GoRuntimeVersion: runtime,
        Arch: arch,
        AuthorDate: known ? '2026-01-01T00:00:00Z' : '',
      })}\n`,
    );
  });

  test('takes an answer of another kind for none', async () => {
    const others = [answer('/v1/debuginfo', { 'cilium-version': 5 })];
    const { stdout, code } = await ask(['version'], { others });
    expect(code).toBe(0);
    expect(stdout).toMatch(/\nDaemon: Not responding\n$/);
  });
});
