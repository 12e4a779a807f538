import { expect, test } from '@jest/globals';
import { applyFields } from '../../../src/lab/kube/fields.ts';

const head = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } };

test('a map that is applied without entries takes away those of its manager alone', () => {
  const steps = [{ mine: 'x' }, {}, { mine: 'y' }, {}];
  let object: Record<string, unknown> = { ...head, data: { theirs: '1' } };
  let owners = new Map<string, string>();
  const seen = steps.map((data) => {
    const done = applyFields(object, owners, { ...head, data }, 'me', false);
    if ('conflicts' in done) throw new Error('somebody else has set it');
    ({ object, owners } = done);
    return object.data;
  });
  expect(seen).toEqual([
    { theirs: '1', mine: 'x' },
    { theirs: '1' },
    { theirs: '1', mine: 'y' },
    { theirs: '1' },
  ]);
});
