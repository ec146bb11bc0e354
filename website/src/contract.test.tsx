/** Components as other people wrote them against the names and props that are fixed. They must work unchanged. */
import { act, render, renderHook, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EventTracker } from './components/EventTracker.tsx';
import { ProductGrid } from './components/ProductGrid.tsx';
import { RecommendationPanel } from './components/RecommendationPanel.tsx';
import { useKafkaService } from './hooks/useKafkaService.ts';
import { fakeApi, list } from './testing/api.ts';
import { renderFresh } from './testing/render.tsx';

beforeEach(() => {
  history.replaceState(null, '', '/');
});
afterEach(() => {
  vi.useRealTimers();
});

describe('useKafkaService', () => {
  it('gives isConnected, trackEvent and getRecommendations, and needs no provider', async () => {
    fakeApi({ 'GET /recommendations/neo': list('neo', 'l1', ['A']) });
    const { result } = renderHook(() => useKafkaService());
    expect(Object.keys(result.current).sort()).toEqual(['getRecommendations', 'isConnected', 'trackEvent']);
    await waitFor(() => { expect(result.current.isConnected).toBe(true); });
    await expect(result.current.trackEvent({ userId: 'neo', eventType: 'product_view', productId: 1, metadata: { name: 'A' } })).resolves.toMatchObject({
      success: true, message: 'Event tracked successfully',
    });
    await expect(result.current.getRecommendations('neo')).resolves.toMatchObject({ success: true, data: [{ productId: 'p-A' }], metadata: { algorithm: 'hybrid' } });
  });

  it('rejects on failure', async () => {
    fakeApi({ 'POST /events/track': 400, 'GET /recommendations/neo': 503 });
    const { result } = renderHook(() => useKafkaService());
    await expect(result.current.trackEvent({ userId: 'neo', eventType: 'dance', productId: '1' })).rejects.toThrow('status 400');
    await expect(result.current.getRecommendations('neo')).rejects.toThrow('status 503');
  });

  it('asks for the health at once and every 30 seconds', async () => {
    vi.useFakeTimers();
    const api = fakeApi();
    function Light() {
      return <p>{useKafkaService().isConnected ? 'on' : 'off'}</p>;
    }
    renderFresh(<Light />);
    expect(screen.getByText('off')).toBeInTheDocument();
    await act(() => vi.advanceTimersByTimeAsync(100));
    expect(screen.getByText('on')).toBeInTheDocument();
    expect(api.count('GET', '/health')).toBe(1);
    await act(() => vi.advanceTimersByTimeAsync(29_000));
    expect(api.count('GET', '/health')).toBe(1);
    api.answers['GET /health'] = 'down';
    await act(() => vi.advanceTimersByTimeAsync(1_000));
    expect(api.count('GET', '/health')).toBe(2);
    expect(screen.getByText('off')).toBeInTheDocument();
  });
});

describe('EventTracker', () => {
  interface Given {
    onProductView?: (productId: string, productData: object) => void;
    onAddToCart?: (productId: string, productData: object) => void;
    onPurchase?: (productId: string, productData: object) => void;
  }
  function TheirShop({ onProductView, onAddToCart, onPurchase }: Given) {
    return (
      <>
        <button onClick={() => onProductView?.('1', { name: 'A', price: '$1' })}>look</button>
        <button onClick={() => onAddToCart?.('2', { name: 'B' })}>add</button>
        <button onClick={() => onPurchase?.('3', { name: 'C' })}>buy</button>
      </>
    );
  }

  it('gives its child the three handlers, which send productData as metadata', async () => {
    const api = fakeApi();
    render(<EventTracker userId="neo"><TheirShop /></EventTracker>);
    for (const name of ['look', 'add', 'buy']) await userEvent.click(screen.getByText(name));
    await waitFor(() => { expect(api.events()).toHaveLength(3); });
    expect(api.events()).toMatchObject([
      { userId: 'neo', eventType: 'product_view', productId: '1', metadata: { name: 'A', price: '$1' } },
      { userId: 'neo', eventType: 'add_to_cart', productId: '2', metadata: { name: 'B' } },
      { userId: 'neo', eventType: 'purchase', productId: '3', metadata: { name: 'C' } },
    ]);
  });

  it('takes a function as well, and leaves plain elements alone', () => {
    fakeApi();
    render(
      <EventTracker userId="neo">
        {({ onPurchase }) => <p>{typeof onPurchase}</p>}
      </EventTracker>,
    );
    expect(screen.getByText('function')).toBeInTheDocument();
    render(<EventTracker userId="neo"><div>plain</div></EventTracker>);
    expect(screen.getByText('plain')).toBeInTheDocument();
  });
});

describe('ProductGrid', () => {
  it('tracks a view, a cart and a purchase by itself, each once', async () => {
    const api = fakeApi();
    renderFresh(<ProductGrid userId="neo" />);
    await userEvent.click(await screen.findByRole('link', { name: 'Smart AI Assistant' }));
    await userEvent.click(screen.getByRole('button', { name: 'Add to cart: Neural Network Processor' }));
    await userEvent.click(screen.getByRole('button', { name: 'Buy now: Neural Network Processor' }));
    await waitFor(() => { expect(api.events()).toHaveLength(3); });
    expect(api.events()).toMatchObject([
      { eventType: 'product_view', productId: '1', metadata: { name: 'Smart AI Assistant', category: 'AI Consumer Products', price: '$299.99' } },
      { eventType: 'add_to_cart', productId: '2' },
      { eventType: 'purchase', productId: '2' },
    ]);
  });

  it('tells handlers it is given instead', async () => {
    const api = fakeApi();
    const [onProductView, onAddToCart, onPurchase] = [vi.fn(), vi.fn(), vi.fn()];
    renderFresh(<ProductGrid userId="neo" onProductView={onProductView} onAddToCart={onAddToCart} onPurchase={onPurchase} />);
    await userEvent.click(await screen.findByRole('link', { name: 'Smart AI Assistant' }));
    await userEvent.click(screen.getByRole('button', { name: 'Add to cart: Smart AI Assistant' }));
    await userEvent.click(screen.getByRole('button', { name: 'Buy now: Smart AI Assistant' }));
    const data = { name: 'Smart AI Assistant', category: 'AI Consumer Products', price: '$299.99' };
    for (const handler of [onProductView, onAddToCart, onPurchase]) {
      expect(handler).toHaveBeenCalledExactlyOnceWith('1', expect.objectContaining(data));
    }
    expect(api.events()).toEqual([]);
  });

  it('inside an EventTracker tracks each of them once', async () => {
    const api = fakeApi();
    renderFresh(<EventTracker userId="neo"><ProductGrid userId="neo" /></EventTracker>);
    await userEvent.click(await screen.findByRole('button', { name: 'Add to cart: Smart AI Assistant' }));
    await userEvent.click(screen.getByRole('link', { name: 'Neural Network Processor' }));
    await waitFor(() => { expect(api.events()).toHaveLength(2); });
    expect(api.events().map(({ eventType }) => eventType)).toEqual(['add_to_cart', 'product_view']);
  });

  it('offers nothing of what is sold out', async () => {
    fakeApi();
    renderFresh(<ProductGrid userId="neo" />);
    const card = (await screen.findByRole('link', { name: 'Quantum Computer Kit' })).closest('article')!;
    expect(within(card).getByText('Sold out')).toBeInTheDocument();
    expect(within(card).queryByRole('button')).toBeNull();
  });
});

describe('RecommendationPanel', () => {
  it('is titled, takes a class, and shows name, category, price, score in per cent and the reason', async () => {
    fakeApi({ 'GET /recommendations/neo': list('neo', 'l2', ['A']) });
    const { container } = renderFresh(<RecommendationPanel userId="neo" className="theirs" />);
    const panel = screen.getByRole('region', { name: 'Recommended for You' });
    expect(container.querySelector('.theirs')).toBe(panel);
    const item = await within(panel).findByRole('listitem');
    for (const text of ['A', 'Robotics', '$10.00', 'Because of A']) expect(within(item).getByText(text)).toBeInTheDocument();
    expect(item).toHaveTextContent('90%');
  });

  it('tracks a click with its algorithm, its time in milliseconds and the list it was in', async () => {
    const api = fakeApi({ 'GET /recommendations/neo': list('neo', 'l3', ['A', 'B']) });
    renderFresh(<RecommendationPanel userId="neo" />);
    const before = Date.now();
    await userEvent.click(await screen.findByRole('link', { name: 'B' }));
    await waitFor(() => { expect(api.events()).toHaveLength(1); });
    const [event] = api.events();
    expect(event).toMatchObject({ userId: 'neo', eventType: 'recommendation_click', productId: 'p-B' });
    expect(event!.metadata).toEqual({ algorithm: 'hybrid', recommendationId: 'l3', timestamp: expect.any(Number) as number });
    expect(event!.metadata!['timestamp']).toBeGreaterThanOrEqual(before);
    expect(location.pathname).toBe('/products/p-B');
  });
});

describe('the visitor', () => {
  it('is made as user_<milliseconds> at the first visit, and stays', async () => {
    localStorage.clear();
    vi.resetModules();
    const before = Date.now();
    await import('./visitor/visitors.ts');
    const made = localStorage.getItem('userId')!;
    expect(made).toMatch(/^user_\d+$/);
    expect(Number(made.slice(5))).toBeGreaterThanOrEqual(before);
    vi.resetModules();
    await import('./visitor/visitors.ts');
    expect(localStorage.getItem('userId')).toBe(made);
  });
});
