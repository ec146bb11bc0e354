import { afterEach, describe, expect, it, vi } from 'vitest';
import { Delivery } from '../src/delivery.ts';
import type { FreshetError } from '../src/errors.ts';
import { Http } from '../src/http.ts';
import { QueueStore } from '../src/queueStore.ts';
import { memoryStorage, openStorage } from '../src/storage.ts';
import { Tracker, type Report, type TrackerOptions } from '../src/tracker.ts';
import { acknowledge, eventsOf, startServer, type Answer, type Seen } from './server.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

const quick: TrackerOptions = { backoff: { baseMs: 5, maxMs: 20 } };

async function setUp(answer: (seen: Seen, index: number) => Answer | Promise<Answer>, options: TrackerOptions = quick, storage = memoryStorage()) {
  const server = await startServer(answer);
  const make = () => {
    const tracker = new Tracker(new Delivery(new Http({ baseUrl: server.url, timeoutMs: 2_000 })), new QueueStore(storage), options);
    cleanups.push(() => {
      tracker.close();
    });
    return tracker;
  };
  cleanups.push(server.close);
  const tracker = make();
  const reports: Report[] = [];
  tracker.onReport((report) => reports.push(report));
  return { server, tracker, reports, storage, make };
}

const view = (productId: string) => ({ userId: 'neo', eventType: 'product_view', productId });
const products = (seen: Seen[]) => seen.flatMap(eventsOf).map((event) => event.productId);
const idle = (tracker: Tracker) => vi.waitFor(() => { expect(tracker.state.waiting).toBe(0); });

describe('a tracked event', () => {
  it('resolves to the response body, with strings for ids and an id of its own', async () => {
    const { server, tracker } = await setUp(acknowledge);
    const answer = await tracker.track({ userId: 7, eventType: 'product_view', productId: 3, metadata: { name: 'A' } });
    expect(answer).toMatchObject({ success: true, message: 'Event tracked successfully' });
    expect(server.seen[0]).toMatchObject({ method: 'POST', path: '/events/track' });
    expect(server.seen[0]!.body).toEqual({
      eventId: answer.eventId, userId: '7', eventType: 'product_view', productId: '3', metadata: { name: 'A' },
    });
  });

  it('is retried with the same id until it is acknowledged, though its promise rejects at the first failure', async () => {
    const { server, tracker, reports } = await setUp((seen, index) =>
      index === 0 ? { status: 500, body: { success: false, error: 'Failed to track event' } } : index === 1 ? 'hang up' : acknowledge(seen),
    );
    const failure = await tracker.track(view('1')).catch((error: unknown) => error as FreshetError);
    expect(failure).toMatchObject({ kind: 'server', status: 500, message: 'Failed to track event', queued: true });
    await idle(tracker);
    expect(server.seen).toHaveLength(3);
    expect(new Set(server.seen.flatMap(eventsOf).map((event) => event.eventId)).size).toBe(1);
    expect(reports.map((report) => report.type)).toEqual(['accepted']);
    expect(tracker.state.failure).toBeUndefined();
  });

  it('is dropped with its reason when it is refused, and holds up nobody', async () => {
    const { tracker, reports } = await setUp((seen) =>
      eventsOf(seen)[0]!.eventType === 'dance'
        ? { status: 400, body: { success: false, error: 'eventType: expected one of …', field: 'eventType' } }
        : acknowledge(seen),
    );
    const refused = tracker.track({ ...view('1'), eventType: 'dance' });
    await expect(refused).rejects.toMatchObject({ kind: 'refused', field: 'eventType', queued: false });
    await tracker.track(view('2'));
    expect(reports.map((report) => report.type)).toEqual(['refused', 'accepted']);
  });

  it('waits as long as the server asks for', async () => {
    const { server, tracker } = await setUp((seen, index) =>
      index === 0 ? { status: 429, headers: { 'retry-after': '0.3' }, body: { success: false, error: 'slow down' } } : acknowledge(seen),
    );
    const began = performance.now();
    tracker.enqueue(view('1'));
    await idle(tracker);
    expect(server.seen).toHaveLength(2);
    expect(performance.now() - began).toBeGreaterThanOrEqual(290);
  });
});

describe('many events', () => {
  it('go in batches, in the order in which they happened, never two requests at once', async () => {
    let open = 0;
    const { server, tracker } = await setUp(async (seen) => {
      open += 1;
      expect(open).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 2));
      open -= 1;
      return acknowledge(seen);
    });
    const wanted = Array.from({ length: 250 }, (_, index) => String(index));
    for (const id of wanted) tracker.enqueue(view(id));
    await idle(tracker);
    expect(products(server.seen)).toEqual(wanted);
    expect(server.seen.map((seen) => eventsOf(seen).length)).toEqual([100, 100, 50]);
  });

  it('that are refused inside a batch are told apart from those that are taken', async () => {
    const { tracker, reports } = await setUp((seen) => ({
      body: {
        success: true,
        results: eventsOf(seen).map((event) =>
          event.productId === 'bad' ? { success: false, error: 'productId: …', field: 'productId' } : { success: true, eventId: event.eventId },
        ),
      },
    }));
    const answers = await Promise.allSettled(['1', 'bad', '3'].map((id) => tracker.track(view(id))));
    expect(answers.map((answer) => answer.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(reports.map((report) => report.type)).toEqual(['accepted', 'refused', 'accepted']);
  });

  it('go one by one to a server that has no route for batches', async () => {
    const { server, tracker } = await setUp((seen) =>
      seen.path.endsWith('/batch') ? { status: 404, body: { message: 'Not Found' } } : acknowledge(seen),
    );
    for (const id of ['1', '2', '3']) tracker.enqueue(view(id));
    await idle(tracker);
    expect(server.seen.map((seen) => seen.path)).toEqual(['/events/track/batch', '/events/track', '/events/track', '/events/track']);
    expect(products(server.seen.slice(1))).toEqual(['1', '2', '3']);
  });

  it('are bounded: the oldest goes, and somebody is told', async () => {
    const { tracker, reports } = await setUp(() => 'never', { ...quick, maxEvents: 3 });
    for (const id of ['1', '2', '3', '4']) tracker.enqueue(view(id));
    expect(tracker.state.waiting).toBe(3);
    expect(reports).toMatchObject([{ type: 'dropped', reason: 'overflow', event: { productId: '1' } }]);
  });
});

describe('waiting events', () => {
  it('survive a reload and go first', async () => {
    let up = false;
    const patient = { backoff: { baseMs: 60_000, maxMs: 60_000 } };
    const { server, tracker, make } = await setUp((seen) => (up ? acknowledge(seen) : 'hang up'), patient);
    tracker.enqueue(view('1'));
    tracker.enqueue(view('2'));
    await vi.waitFor(() => { expect(tracker.state.failure).toBeDefined(); });
    tracker.close();
    up = true;
    const failed = server.seen.length;
    const next = make();
    next.enqueue(view('3'));
    await idle(next);
    expect(products(server.seen.slice(failed))).toEqual(['1', '2', '3']);
    const third = make();
    expect(third.state.waiting).toBe(0);
  });

  it('survive rubbish in storage', async () => {
    const storage = memoryStorage();
    storage.set('freshet.queue.a', '{"half":');
    storage.set('freshet.queue.b', '[1, {"event": {"eventId": 5}, "at": 1}, null]');
    const { tracker } = await setUp(acknowledge, quick, storage);
    expect(tracker.state.waiting).toBe(0);
    expect(storage.keys()).toEqual([]);
  });

  it('expire: the server would stamp them with a wrong time', async () => {
    let now = 0;
    const { tracker, reports } = await setUp(() => 'hang up', { ...quick, maxAgeMs: 1_000, now: () => now });
    tracker.enqueue(view('1'));
    now = 2_000;
    await vi.waitFor(() => { expect(reports).toMatchObject([{ type: 'dropped', reason: 'expired' }]); });
  });

  it('of a forgotten person are not sent any more', async () => {
    let up = false;
    const { server, tracker } = await setUp((seen) => (up ? acknowledge(seen) : 'hang up'));
    tracker.enqueue(view('1'));
    tracker.enqueue({ ...view('2'), userId: 'trinity' });
    await vi.waitFor(() => { expect(tracker.state.failure).toBeDefined(); });
    await tracker.forget('neo');
    up = true;
    const before = server.seen.length;
    await idle(tracker);
    expect(products(server.seen.slice(before))).toEqual(['2']);
  });

  it('are kept in memory where storage is blocked', async () => {
    const storage = openStorage(() => {
      throw new DOMException('blocked', 'SecurityError');
    });
    expect(storage.durable).toBe(false);
    const { tracker } = await setUp(acknowledge, quick, storage);
    await expect(tracker.track(view('1'))).resolves.toMatchObject({ success: true });
  });

  it('are handed to the browser at page end, once', async () => {
    const { tracker } = await setUp(() => 'never');
    tracker.enqueue(view('1'));
    const handed: string[][] = [];
    const send = (events: { productId: string }[]) => {
      handed.push(events.map((event) => event.productId));
      return events as never;
    };
    tracker.takeForBeacon(send);
    tracker.enqueue(view('2'));
    tracker.takeForBeacon(send);
    expect(handed).toEqual([['1'], ['2']]);
    expect(tracker.state.waiting).toBe(2);
  });
});
