import { useState } from 'react';
import { Link } from 'wouter';
import { CartRow } from '../cart/CartRow.tsx';
import { clearCart, removeFromCart, totalsOf, useCart, type CartLine } from '../cart/cart.ts';
import { productData } from '../catalogue/productData.ts';
import { useProductTracking } from '../hooks/useProductTracking.ts';
import { money } from '../lib/format.ts';
import { notify } from '../lib/notices.ts';
import { useUserId } from '../visitor/visitors.ts';
import { PageTitle } from './PageTitle.tsx';

export default function CartPage() {
  const userId = useUserId();
  const lines = useCart(userId);
  const [boughtBy, setBoughtBy] = useState('');
  const { onPurchase, onRemoveFromCart } = useProductTracking(userId);

  const checkout = () => {
    for (const line of lines) onPurchase(line.productId, { ...productData(line), quantity: line.quantity });
    clearCart(userId);
    setBoughtBy(userId);
    notify('Bought. Thank you!');
  };
  const remove = (line: CartLine) => {
    removeFromCart(userId, line.productId);
    onRemoveFromCart(line.productId, productData(line));
    notify('Removed from your cart');
  };

  if (lines.length === 0) {
    return (
      <div className="card flex min-h-96 flex-col items-center justify-center gap-4 px-6 text-center">
        <PageTitle className="text-2xl">{boughtBy === userId ? 'Thank you' : 'Your cart is empty'}</PageTitle>
        <p className="max-w-sm text-muted">
          {boughtBy === userId ? 'It is on its way, as far as things in the Matrix are.' : 'Put something into it, and come back.'}
        </p>
        <Link href="/" className="button-main px-4 py-2 text-sm">
          Back to the shop
        </Link>
      </div>
    );
  }
  const { totals, unpriced } = totalsOf(lines);
  return (
    <div className="card p-4 sm:p-8">
      <PageTitle className="text-2xl">Your cart</PageTitle>
      <ul className="mt-4 divide-y divide-line">
        {lines.map((line) => (
          <CartRow key={line.productId} userId={userId} line={line} onRemove={() => { remove(line); }} />
        ))}
      </ul>
      <div className="mt-4 flex flex-wrap items-center justify-between gap-4 border-t border-line pt-5">
        <div>
          <p className="label">Total</p>
          <p className="font-mono text-2xl font-bold" data-testid="total">
            {totals.map(({ currency, amount }) => money(amount, currency)).join(' + ') || '–'}
          </p>
          {unpriced > 0 && <p className="text-sm text-muted">and {unpriced} without a readable price</p>}
        </div>
        <button type="button" className="button-main px-6 py-3" onClick={checkout}>
          Check out
        </button>
      </div>
    </div>
  );
}
