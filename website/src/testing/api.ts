import type { TrackEvent } from '@freshet/client';
import { vi } from 'vitest';

type Fixed = Record<string, unknown> | number | 'down';
type Answer = Fixed | ((body: unknown) => Fixed);

export interface Asked {
  method: string;
  path: string;
  body: unknown;
}

const track = (body: unknown) => ({ success: true, message: 'Event tracked successfully', eventId: (body as TrackEvent).eventId });
const trackMany = (body: unknown) => ({
  success: true,
  results: (body as { events: TrackEvent[] }).events.map(({ eventId }) => ({ success: true, eventId })),
});

/** The API as CONTRACT says, in place of `fetch`. `answers` may be changed while it runs. */
export function fakeApi(given: Record<string, Answer> = {}) {
  const asked: Asked[] = [];
  const answers: Record<string, Answer> = {
    'GET /health': { status: 'OK', message: 'fine' },
    'POST /events/track': track,
    'POST /events/track/batch': trackMany,
    'GET /products': { success: true, data: PRODUCTS, metadata: { total: PRODUCTS.length } },
    ...given,
  };
  vi.stubGlobal('fetch', async (url: string, options: RequestInit = {}) => {
    const path = new URL(url).pathname.replace(/^\/api/, '');
    const method = options.method ?? 'GET';
    const body: unknown = typeof options.body === 'string' ? JSON.parse(options.body) : undefined;
    asked.push({ method, path, body });
    const answer = answers[`${method} ${path}`] ?? 404;
    const result = typeof answer === 'function' ? answer(body) : answer;
    if (result === 'down') throw new TypeError('Failed to fetch');
    return typeof result === 'number'
      ? new Response(JSON.stringify({ success: false, error: `status ${result}` }), { status: result })
      : new Response(JSON.stringify(result));
  });
  const events = () =>
    asked
      .filter(({ method, path }) => method === 'POST' && path.startsWith('/events/track'))
      .flatMap(({ body }) => (body as { events?: TrackEvent[] }).events ?? [body as TrackEvent]);
  const count = (method: string, path: string) => asked.filter((one) => one.method === method && one.path === path).length;
  return { answers, asked, events, count };
}

export const PRODUCTS = [
  { id: '1', name: 'Smart AI Assistant', category: 'AI Consumer Products', price: '$299.99', priceAmount: 299.99, currency: 'USD', available: true, attributes: { tags: ['voice'] } },
  { id: '2', name: 'Neural Network Processor', category: 'AI Components', price: '$599.99', priceAmount: 599.99, currency: 'USD', available: true, attributes: {} },
  { id: '3', name: 'Quantum Computer Kit', category: 'Quantum Computing', price: '$1299.99', available: false, attributes: {} },
];

/** A list as `GET /recommendations/{userId}` answers it. */
export const list = (userId: string, id: string, products: string[], generatedAt = '2026-01-01T00:00:00.000Z', causedBy?: string) => ({
  success: true,
  data: products.map((name, index) => ({
    productId: `p-${name}`, name, category: 'Robotics', price: '$10.00', score: 0.9 - index * 0.1, reason: `Because of ${name}`,
  })),
  metadata: { userId, generatedAt, isStale: false, count: products.length, algorithm: 'hybrid', recommendationId: id, ...(causedBy ? { causedBy } : {}) },
});
