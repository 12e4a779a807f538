import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { run } from '../../helpers/run.ts';

let home: string;
let file: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'hubble-config-'));
  file = join(home, '.config/hubble/config.yaml');
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const config = (...words: string[]) => run(['hubble', 'config', ...words], { env: { HOME: home } });

describe('hubble config', () => {
  // differs: hubble-config-set
  test('keeps what is set in a file that only its owner can read, and shows it', async () => {
    expect(await config('set', 'server', 'relay.example.com:443')).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });
    expect(await config('get', 'server')).toEqual({ code: 0, stdout: 'relay.example.com:443\n', stderr: '' });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(home, '.config/hubble'))).toEqual(['config.yaml']);
    expect((await config('view')).stdout).toContain('server: relay.example.com:443\n');
  });

  test('leaves the other keys of the file as they are', async () => {
    await config('set', 'timeout', '90s');
    writeFileSync(file, `${readFileSync(file, 'utf8')}mine: kept\n`);
    await config('set', 'tls', 'true');
    expect(readFileSync(file, 'utf8')).toBe('mine: kept\ntimeout: 90s\ntls: true\n');
  });

  // differs: hubble-config-keys
  test('goes back to the default of one key or of all', async () => {
    await config('set', 'server', 'relay.example.com:443');
    await config('set', 'tls', 'true');
    await config('reset', 'tls');
    expect(await config('get', 'tls')).toMatchObject({ stdout: 'false\n' });
    expect(await config('get', 'server')).toMatchObject({ stdout: 'relay.example.com:443\n' });
    await config('reset');
    expect(await config('get', 'server')).toMatchObject({ stdout: 'localhost:4245\n' });
  });

  // differs: config-file-named, config-file-default
  test('is passed over with a note where it cannot be read, and not when it was named', async () => {
    mkdirSync(file, { recursive: true });
    const note = `Config file ${file} is passed over: is a directory\n`;
    expect(await config('get', 'server')).toEqual({ code: 0, stdout: 'localhost:4245\n', stderr: note });
    const refused = { code: 1, stdout: '', stderr: `read config file ${file}: is a directory\n` };
    expect(await config('get', 'server', '--config', file)).toEqual(refused);
    const env = { HOME: home, HUBBLE_CONFIG: file };
    expect(await run(['hubble', 'config', 'get', 'server'], { env })).toEqual(refused);
    writeFileSync(join(home, 'file'), '');
    const under = { HOME: join(home, 'file') };
    expect(await run(['hubble', 'config', 'get', 'tls'], { env: under })).toMatchObject({
      code: 0,
      stderr: '',
    });
  });

  test.each([
    ['server: "unclosed\n', /^[^\n]*config file [^\n]*config\.yaml: /],
    ['- a\n- list\n', /expected keys and values/],
  ])('writes nothing over a file that it cannot read: %j', async (text, message) => {
    await config('set', 'tls', 'true');
    writeFileSync(file, text);
    const { code, stdout, stderr } = await config('set', 'tls', 'false');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(message);
    expect(readFileSync(file, 'utf8')).toBe(text);
  });

  test.each([
    [['set', 'bogus', '1'], /unknown key: bogus/],
    [['set', 'tls', 'perhaps'], /invalid value "perhaps" for key tls: expected true or false/],
    [['set', 'timeout', 'soon'], /expected a duration such as 5s or 1m30s/],
    [['set'], /set requires exactly 1 or 2 argument/],
    [['get', 'bogus'], /unknown key: bogus/],
  ])('says what is wrong with %j', async (words, message) => {
    const { code, stdout, stderr } = await config(...words);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(message);
  });
});
