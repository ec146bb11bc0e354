import { afterEach, describe, expect, it } from 'vitest';
import { FreshetClient } from '../src/client.ts';
import { isNotFound } from '../src/errors.ts';
import { memoryStorage } from '../src/storage.ts';
import { startServer, type Answer, type Seen } from './server.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

async function setUp(answer: (seen: Seen) => Answer) {
  const server = await startServer(answer);
  const client = new FreshetClient({
    apiUrl: `${server.url}/api/`, wsUrl: 'ws://127.0.0.1:1', storage: memoryStorage(), http: { timeoutMs: 200 },
  });
  cleanups.push(server.close, () => {
    client.close();
  });
  return { server, client };
}

describe('what fails, says how', () => {
  it.each([
    ['no answer', 'hang up', { kind: 'network', retryable: true }],
    ['silence', 'never', { kind: 'timeout', retryable: true }],
    ['500', { status: 500, body: { error: 'oh' } }, { kind: 'server', status: 500, message: 'oh', retryable: true }],
    ['429', { status: 429, body: {} }, { kind: 'server', status: 429, message: 'HTTP 429', retryable: true }],
    ['503 that is a page', { status: 503, text: '<html>' }, { kind: 'server', status: 503, retryable: true }],
    ['400', { status: 400, body: { error: 'limit: …', field: 'limit' } }, { kind: 'refused', field: 'limit', retryable: false }],
    ['200 that is a page', { text: '<html>' }, { kind: 'protocol', retryable: true }],
    ['200 without a list', { body: { success: true } }, { kind: 'protocol' }],
  ] satisfies [string, Answer, object][])('%s', async (_, answer, wanted) => {
    const { client } = await setUp(() => answer);
    await expect(client.recommendations('neo')).rejects.toMatchObject(wanted);
  });

  it('a caller who gives up gets their own reason', async () => {
    const { client } = await setUp(() => 'never');
    const giveUp = new AbortController();
    const asked = client.health(giveUp.signal);
    giveUp.abort(new Error('left the page'));
    await expect(asked).rejects.toThrow('left the page');
  });

  it('a route that is not there', async () => {
    const { client } = await setUp(() => ({ status: 404, body: { message: 'Not Found' } }));
    expect(isNotFound(await client.similar('1').catch((error: unknown) => error))).toBe(true);
  });
});

describe('what is asked', () => {
  it('keeps ids whole, whatever their characters', async () => {
    const { server, client } = await setUp(() => ({ body: { success: true, data: [] } }));
    await client.recommendations('a/b?c#d é', { limit: 5, exclude: ['1', '2'] });
    expect(server.seen[0]!.path).toBe('/api/recommendations/a%2Fb%3Fc%23d%20%C3%A9?limit=5&exclude=1%2C2');
  });

  it('carries the token only where it is given', async () => {
    const { server, client } = await setUp(() => ({ body: { success: true, data: [] } }));
    await client.deadLetters(10);
    const letter = { topic: 't', partition: 0, offset: 3, reason: 'why', value: 'secret' };
    await client.dropDeadLetter(letter, 'token');
    expect(server.seen[0]!.headers.authorization).toBeUndefined();
    expect(server.seen[1]).toMatchObject({
      headers: { authorization: 'Bearer token' }, path: '/api/operations/dead-letters/drop', body: { topic: 't', partition: 0, offset: 3 },
    });
  });

  it('forgets a person by DELETE', async () => {
    const { server, client } = await setUp(() => ({ body: { success: true } }));
    await client.forget('neo');
    expect(server.seen[0]).toMatchObject({ method: 'DELETE', path: '/api/users/neo' });
  });
});

describe('what is read', () => {
  it('has the shape of its type, whatever came', async () => {
    const { client } = await setUp(() => ({
      body: { success: true, data: [{ productId: 7, score: 3, name: null, extra: 1 }, null, 'x', { name: 'no id' }], metadata: { algorithm: 'hybrid' } },
    }));
    const list = await client.recommendations('neo');
    expect(list.data).toEqual([{ productId: '7', score: 1, name: null, category: null, price: null, reason: '', extra: 1 }]);
    expect(list.metadata).toMatchObject({ algorithm: 'hybrid', isStale: false, count: 4 });
  });
});
