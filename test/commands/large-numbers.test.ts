import { describe, expect, test } from '@jest/globals';
import { parseJson } from '../../src/lib/exact-json.ts';
import { goJson } from '../../src/render/text/json.ts';
import { agentOf } from '../helpers/agent.ts';
import fc from '../helpers/properties.ts';

const LARGE = '18446744073709551615';
const BODY = `{"pod-metadatas":[{"name":"web","namespace":"shop","ips":[],"containers":[{"cgroup-id":${LARGE},"cgroup-path":"/a, 1234567890123456789"},{"cgroup-id":9007199254740991}]}]}`;

async function ask(...words: string[]): Promise<string> {
  await using agent = await agentOf({
    'GET /v1/cgroup-dump-metadata': { text: BODY, contentType: 'application/json' },
  });
  return (await agent.run(['cgroups', 'list', ...words])).stdout;
}

describe('whole numbers beyond 2^53 keep their digits', () => {
  test('as JSON', async () => {
    const stdout = await ask('-o', 'json');
    expect(stdout).toContain(`"cgroup-id": ${LARGE},`);
    expect(stdout).toContain('"cgroup-id": 9007199254740991\n');
    expect(stdout).toContain('"cgroup-path": "/a, 1234567890123456789"');
  });

  test('as YAML', async () => {
    expect(await ask('-o', 'yaml')).toContain(`cgroupid: ${LARGE}\n`);
  });

  test.each([
    ['{[0].containers[0].cgroup-id}', LARGE],
    ['{[*].containers[*].cgroup-id}', `${LARGE} 9007199254740991`],
    ['{..cgroup-id}', `${LARGE} 9007199254740991`],
    ['{[0].containers[?(@.cgroup-id>9007199254740991)].cgroup-id}', LARGE],
    ['{[0].containers[0]}', `{${LARGE} /a, 1234567890123456789}`],
  ])('as jsonpath %s', async (path, expected) => {
    expect(await ask('-o', `jsonpath=${path}`)).toBe(`${expected}\n`);
  });

  test('in the table', async () => {
    expect(await ask('--no-headers')).toMatch(new RegExp(`^web\\s+shop\\s+${LARGE}\\s`));
  });
});

test('any JSON comes out as it went in', () => {
  const number = fc.oneof(
    fc.bigInt({ min: -(1n << 63n), max: (1n << 64n) - 1n }).map(String),
    fc.integer().map(String),
  );
  const { tree } = fc.letrec<{ tree: string }>((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      number,
      fc.string().map((text) => JSON.stringify(text)),
      fc.array(tie('tree')).map((items) => `[${items.join(',')}]`),
      fc
        .uniqueArray(fc.tuple(fc.string(), tie('tree')), { selector: ([key]) => key })
        .filter((pairs) => pairs.every(([key]) => key !== '__proto__' && !/^\d+$/.test(key)))
        .map((pairs) => `{${pairs.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(',')}}`),
    ),
  }));
  fc.assert(
    fc.property(tree, (json) => {
      const plain = goJson(parseJson(`[${json}]`));
      expect(plain.replace(/\\u003c|\\u003e|\\u0026|\\u007f/g, (c) => JSON.parse(`"${c}"`))).toBe(
        `[${json}]`,
      );
    }),
  );
});

test('only a whole number that a double cannot hold becomes a bigint', () => {
  expect(
    parseJson(`{"a":1234567890123456,"b":[12345678901234567890.5,1e300],"c":[${LARGE},-9007199254740993]}`),
  ).toEqual({
    a: 1234567890123456,
    b: [12345678901234567000, 1e300],
    c: [18446744073709551615n, -9007199254740993n],
  });
});
