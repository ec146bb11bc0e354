import type { Product } from '@freshet/client';
import type { CartItem } from './cart.ts';

export const toCartItem = ({ id, name, category, price, priceAmount, currency }: Product): CartItem => ({
  productId: id,
  name,
  category,
  price,
  priceAmount: priceAmount ?? null,
  currency: currency ?? null,
});
