import { persistentStore, useStore } from '../lib/persistentStore.ts';

export interface CartLine {
  productId: string;
  name: string;
  category: string | null;
  price: string | null;
  priceAmount: number | null;
  currency: string | null;
  quantity: number;
}

export type CartItem = Omit<CartLine, 'quantity'>;

export const MAX_QUANTITY = 99;
const MAX_LINES = 100;
/** A cart is a note, not an archive. */
const MAX_TEXT = 200;

type Carts = Readonly<Record<string, readonly CartLine[]>>;

const isLine = (value: unknown): value is CartLine =>
  typeof value === 'object' && value !== null && 'productId' in value && typeof value.productId === 'string' &&
  'name' in value && typeof value.name === 'string' && 'quantity' in value && Number.isInteger(value.quantity);

const carts = persistentStore<Carts>('freshet.carts', (value) =>
  Object.fromEntries(
    Object.entries(value ?? {}).map(([userId, lines]) => [userId, Array.isArray(lines) ? lines.filter(isLine).slice(0, MAX_LINES) : []]),
  ),
);

const EMPTY: readonly CartLine[] = [];

const change = (userId: string, how: (lines: readonly CartLine[]) => readonly CartLine[]) => {
  carts.set((old) => {
    const { [userId]: lines = EMPTY, ...others } = old;
    const changed = how(lines);
    return changed.length === 0 ? others : { ...others, [userId]: changed };
  });
};

/** One more of a product. */
export function addToCart(userId: string, item: CartItem): void {
  change(userId, (lines) =>
    lines.some((line) => line.productId === item.productId)
      ? lines.map((line) => (line.productId === item.productId ? { ...line, quantity: Math.min(line.quantity + 1, MAX_QUANTITY) } : line))
      : [...lines, { ...item, name: item.name.slice(0, MAX_TEXT), quantity: 1 }].slice(-MAX_LINES),
  );
}

export function removeFromCart(userId: string, productId: string): void {
  change(userId, (lines) => lines.filter((line) => line.productId !== productId));
}

export function setQuantity(userId: string, productId: string, quantity: number): void {
  change(userId, (lines) =>
    lines.map((line) => (line.productId === productId ? { ...line, quantity: Math.min(Math.max(quantity, 1), MAX_QUANTITY) } : line)),
  );
}

export function clearCart(userId: string): void {
  change(userId, () => EMPTY);
}

export const useCart = (userId: string): readonly CartLine[] => useStore(carts)[userId] ?? EMPTY;

export const sizeOf = (lines: readonly CartLine[]): number => lines.reduce((sum, line) => sum + line.quantity, 0);

/** What it costs, by currency; lines whose price nobody can read are left out and counted. */
export function totalsOf(lines: readonly CartLine[]): { totals: { currency: string; amount: number }[]; unpriced: number } {
  const sums = new Map<string, number>();
  let unpriced = 0;
  for (const { priceAmount, currency, quantity } of lines) {
    if (priceAmount === null) unpriced += quantity;
    else sums.set(currency ?? 'USD', (sums.get(currency ?? 'USD') ?? 0) + priceAmount * quantity);
  }
  return { totals: [...sums].map(([currency, amount]) => ({ currency, amount })), unpriced };
}
