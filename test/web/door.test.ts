import { expect, test } from '@jest/globals';
import type { TrafficReport } from '../../src/model/traffic-report.ts';
import { safeReport } from '../../src/web/door.ts';

test('the names by which ends are told apart pass as they are, and fields of a flow that are called so do not', () => {
  const example = { flow: { client: 'a\u202eb', id: ['\u001b[2J'], 'server\u202e': { times: 'c\n' } } };
  const edge = { client: 'id\u202e', server: 'x', drops: [{ reason: 'r\u202e', example }] };
  const report = { title: 't\u0007', traffic: { edges: [edge] } } as unknown as TrafficReport;
  expect(safeReport(report)).toEqual({
    title: 't\\x07',
    traffic: {
      edges: [
        {
          client: 'id\u202e',
          server: 'x',
          drops: [
            {
              reason: 'r\\u202e',
              example: { flow: { client: 'a\\u202eb', id: ['^[[2J'], 'server\\u202e': { times: 'c\\n' } } },
            },
          ],
        },
      ],
    },
  });
});
