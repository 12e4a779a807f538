import { expect, test } from '@jest/globals';
import { apiMessage, found } from '../../src/kube/answer.ts';

/** An error as the client library throws it. */
function answered(code: unknown, message = 'HTTP-Code'): Error {
  return Object.assign(new Error(message), { code });
}

test('an answer is handed on, and what is not found is nothing', async () => {
  expect(await found(Promise.resolve({ a: 1 }), 'x')).toEqual({ a: 1 });
  expect(await found(Promise.reject(answered(404)), 'x')).toBeUndefined();
});

test.each([
  [answered(403), 'Node n1: the API server answered 403', 'The service account or user may not read it.'],
  [answered(500), 'Node n1: the API server answered 500', undefined],
  [answered('ECONNREFUSED', 'no\nsecond line'), 'Node n1: no', undefined],
  [new Error('fetch failed', { cause: new Error('inner') }), 'Node n1: fetch failed: inner', undefined],
  [
    new Error('fetch failed', { cause: new Error('outer', { cause: answered('ENOTFOUND') }) }),
    'Node n1: fetch failed: ENOTFOUND',
    undefined,
  ],
])('%s becomes a sentence', async (error, message, hint) => {
  await expect(found(Promise.reject(error), 'Node n1')).rejects.toMatchObject({ message, hint });
});

test('the message of the API server is taken out of its status object', () => {
  const withBody = (body: unknown) => Object.assign(new Error('HTTP-Code: 422'), { body });
  expect(apiMessage(withBody('{"message":"spec: invalid"}'))).toBe('spec: invalid');
  expect(apiMessage(withBody({ message: 'forbidden' }))).toBe('forbidden');
  for (const body of ['not JSON', '[]', 'null', '{}', undefined])
    expect(apiMessage(withBody(body))).toBe('HTTP-Code: 422');
  expect(apiMessage('text')).toBe('text');
});
