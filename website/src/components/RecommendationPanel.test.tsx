import { act, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { fakeApi, list } from '../testing/api.ts';
import { FakeObserver, FakeSocket } from '../testing/browser.ts';
import { renderFresh } from '../testing/render.tsx';
import { freshet } from '../service/freshet.ts';
import { RecommendationPanel } from './RecommendationPanel.tsx';

afterEach(() => {
  vi.useRealTimers();
});

let visitors = 0;
/** Somebody whom no other test knows. */
const somebody = () => `user-${(visitors += 1)}`;
const names = () => screen.queryAllByRole('link').map((link) => link.textContent);

describe('states', () => {
  it('loading, then nothing known', async () => {
    const userId = somebody();
    fakeApi({ [`GET /recommendations/${userId}`]: { success: true, data: [], message: 'No recommendations available yet' } });
    renderFresh(<RecommendationPanel userId={userId} />);
    expect(screen.getByText('Loading recommendations')).toBeInTheDocument();
    expect(await screen.findByText('No recommendations available yet')).toBeInTheDocument();
  });

  it('offline, then there again', async () => {
    const userId = somebody();
    const api = fakeApi({ [`GET /recommendations/${userId}`]: 'down', 'GET /health': 'down' });
    renderFresh(<RecommendationPanel userId={userId} />);
    const again = await screen.findByRole('button', { name: 'Try again' }, { timeout: 3_000 });
    api.answers[`GET /recommendations/${userId}`] = list(userId, 's1', ['A']);
    api.answers['GET /health'] = { status: 'OK', message: '' };
    await userEvent.click(again);
    expect(await screen.findByRole('link', { name: 'A' })).toBeInTheDocument();
  });

  it('offline with a list: the list stays', async () => {
    const userId = somebody();
    fakeApi({ [`GET /recommendations/${userId}`]: list(userId, 's2', ['A']), 'GET /health': 'down' });
    renderFresh(<RecommendationPanel userId={userId} />);
    expect(await screen.findByText('offline')).toBeInTheDocument();
    expect(await screen.findByRole('link', { name: 'A' })).toBeInTheDocument();
  });
});

describe('new lists', () => {
  it('are fetched every 30 seconds', async () => {
    vi.useFakeTimers();
    const userId = somebody();
    const api = fakeApi({ [`GET /recommendations/${userId}`]: list(userId, 'n1', ['A']) });
    renderFresh(<RecommendationPanel userId={userId} />);
    await act(() => vi.advanceTimersByTimeAsync(100));
    expect(names()).toEqual(['A']);
    api.answers[`GET /recommendations/${userId}`] = list(userId, 'n2', ['B'], '2026-01-02T00:00:00Z');
    await act(() => vi.advanceTimersByTimeAsync(29_800));
    expect(names()).toEqual(['A']);
    await act(() => vi.advanceTimersByTimeAsync(400));
    expect(names()).toEqual(['B']);
  });

  it('are shown at once when they are pushed; an older one is not', async () => {
    const userId = somebody();
    fakeApi({ [`GET /recommendations/${userId}`]: list(userId, 'n3', ['A'], '2026-01-02T00:00:00Z') });
    renderFresh(<RecommendationPanel userId={userId} />);
    await screen.findByRole('link', { name: 'A' });
    const socket = FakeSocket.all.at(-1)!;
    act(() => { socket.open(); });
    expect(socket.sent).toEqual([JSON.stringify({ action: 'subscribe_recommendations', userId })]);
    expect(screen.getByText('live')).toBeInTheDocument();
    act(() => { socket.say({ type: 'recommendations', ...list(userId, 'n4', ['B', 'C'], '2026-01-03T00:00:00Z') }); });
    await waitFor(() => { expect(names()).toEqual(['B', 'C']); });
    act(() => { socket.say({ type: 'recommendations', ...list(userId, 'n5', ['D'], '2026-01-01T00:00:00Z') }); });
    expect(names()).toEqual(['B', 'C']);
  });

  it('a push is not undone by an answer that was on its way', async () => {
    const userId = somebody();
    let answer: (() => void) | undefined;
    const late = new Promise<void>((resolve) => { answer = resolve; });
    fakeApi();
    const fetch = globalThis.fetch;
    vi.stubGlobal('fetch', async (url: string, options?: RequestInit) => {
      if (!url.includes('/recommendations/')) return fetch(url, options);
      await late;
      return new Response(JSON.stringify(list(userId, 'n6', ['OLD'], '2026-01-01T00:00:00Z')));
    });
    renderFresh(<RecommendationPanel userId={userId} />);
    act(() => {
      FakeSocket.all.at(-1)!.open();
      FakeSocket.all.at(-1)!.say({ type: 'recommendations', ...list(userId, 'n7', ['NEW'], '2026-01-02T00:00:00Z') });
    });
    expect(await screen.findByRole('link', { name: 'NEW' })).toBeInTheDocument();
    answer?.();
    await act(() => new Promise((resolve) => setTimeout(resolve, 30)));
    expect(names()).toEqual(['NEW']);
  });

  it('are looked for after an event where no socket is open', async () => {
    const userId = somebody();
    const api = fakeApi({ [`GET /recommendations/${userId}`]: list(userId, 'n8', ['A']) });
    renderFresh(<RecommendationPanel userId={userId} />);
    await screen.findByRole('link', { name: 'A' });
    api.answers['POST /events/track'] = (body) => {
      const { eventId } = body as { eventId: string };
      api.answers[`GET /recommendations/${userId}`] = list(userId, 'n9', ['B'], '2026-01-02T00:00:00Z', eventId);
      return { success: true, message: '', eventId };
    };
    freshet.tracker.enqueue({ userId, eventType: 'product_view', productId: '1' });
    expect(await screen.findByRole('link', { name: 'B' })).toBeInTheDocument();
  });
});

describe('an exposure', () => {
  it('is tracked once for each list, when its first item has been on the screen', async () => {
    const userId = somebody();
    const api = fakeApi({ [`GET /recommendations/${userId}`]: list(userId, `e1-${userId}`, ['A', 'B']) });
    renderFresh(<RecommendationPanel userId={userId} />);
    await screen.findByRole('link', { name: 'A' });
    FakeObserver.scroll(0.2);
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(api.events()).toEqual([]);

    FakeObserver.scroll(0.8);
    await waitFor(() => { expect(api.events()).toHaveLength(1); });
    expect(api.events()[0]).toMatchObject({
      userId, eventType: 'recommendation_view', productId: 'p-A', metadata: { algorithm: 'hybrid', recommendationId: `e1-${userId}` },
    });
    FakeObserver.scroll(0);
    FakeObserver.scroll(1);

    act(() => {
      FakeSocket.all.at(-1)!.open();
      FakeSocket.all.at(-1)!.say({ type: 'recommendations', ...list(userId, `e2-${userId}`, ['C'], '2026-01-02T00:00:00Z') });
    });
    await screen.findByRole('link', { name: 'C' });
    FakeObserver.scroll(1);
    await waitFor(() => { expect(api.events()).toHaveLength(2); });
    expect(api.events()[1]).toMatchObject({ productId: 'p-C', metadata: { recommendationId: `e2-${userId}` } });
  });

  it('does not count a list that was scrolled past', async () => {
    const userId = somebody();
    const api = fakeApi({ [`GET /recommendations/${userId}`]: list(userId, `e3-${userId}`, ['A']) });
    renderFresh(<RecommendationPanel userId={userId} />);
    await screen.findByRole('link', { name: 'A' });
    FakeObserver.scroll(1);
    FakeObserver.scroll(0);
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(api.events()).toEqual([]);
  });
});

describe('hostile text', () => {
  it('is text', async () => {
    const userId = somebody();
    const name = '<img src=x onerror="alert(1)"><b>bold</b> ‮مرحبا 🐇';
    const answer = list(userId, 'h1', ['A']);
    answer.data[0] = { ...answer.data[0]!, name, reason: 'x'.repeat(10_000), category: '<script>alert(2)</script>' };
    fakeApi({ [`GET /recommendations/${userId}`]: answer });
    const { container } = renderFresh(<RecommendationPanel userId={userId} />);
    const item = within(await screen.findByRole('listitem'));
    expect(item.getByText(name)).toBeInTheDocument();
    expect(container.querySelector('img, script, b')).toBeNull();
  });
});
