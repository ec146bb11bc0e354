import { render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, it, vi } from 'vitest';
import CartPage from '../pages/CartPage.tsx';
import { fakeApi, PRODUCTS } from '../testing/api.ts';
import { addToCart, sizeOf, totalsOf, useCart } from './cart.ts';
import { toCartItem } from './toCartItem.ts';
import { renderHook, waitFor } from '@testing-library/react';
import { useUserId } from '../visitor/visitors.ts';

const [assistant, processor] = PRODUCTS.map(toCartItem) as [ReturnType<typeof toCartItem>, ReturnType<typeof toCartItem>];

describe('a cart', () => {
  it('belongs to one person, and counts what is put in twice', () => {
    addToCart('a', assistant);
    addToCart('a', assistant);
    addToCart('b', processor);
    const lines = renderHook(() => useCart('a')).result.current;
    expect(lines).toMatchObject([{ productId: '1', quantity: 2 }]);
    expect(sizeOf(lines)).toBe(2);
  });

  it('adds up by currency, and says what has no readable price', () => {
    const line = (priceAmount: number | null, currency: string | null) => ({ ...assistant, priceAmount, currency, quantity: 2 });
    expect(totalsOf([line(1.5, 'USD'), line(2, 'EUR'), line(null, null)])).toEqual({
      totals: [{ currency: 'USD', amount: 3 }, { currency: 'EUR', amount: 4 }], unpriced: 2,
    });
  });

  it('tracks what is taken out, and a purchase for each product at checkout', async () => {
    const api = fakeApi();
    const userId = renderHook(() => useUserId()).result.current;
    addToCart(userId, assistant);
    addToCart(userId, assistant);
    addToCart(userId, processor);
    addToCart(userId, toCartItem(PRODUCTS[2]!));
    render(<CartPage />);
    await userEvent.click(screen.getByRole('button', { name: 'Remove: Quantum Computer Kit' }));
    expect(screen.getByTestId('total')).toHaveTextContent('$1,199.97');
    await userEvent.click(screen.getByRole('button', { name: 'Check out' }));
    await waitFor(() => { expect(api.events()).toHaveLength(3); });
    expect(api.events()).toMatchObject([
      { eventType: 'remove_from_cart', productId: '3' },
      { eventType: 'purchase', productId: '1', metadata: { name: 'Smart AI Assistant', quantity: 2 } },
      { eventType: 'purchase', productId: '2', metadata: { quantity: 1 } },
    ]);
    expect(screen.getByRole('heading', { name: 'Thank you' })).toBeInTheDocument();
  });

  it('survives rubbish in storage', async () => {
    localStorage.setItem('freshet.carts', '{"neo": [1, null, {"productId": "x"}], "b": 7}');
    vi.resetModules();
    const { useCart: again } = await import('./cart.ts');
    expect(renderHook(() => again('neo')).result.current).toEqual([]);
  });
});
