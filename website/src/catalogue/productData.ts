import type { Product } from '@freshet/client';

/** What events tell of a product, as `metadata`. The server learns unknown products from it. */
export interface ProductData extends Record<string, unknown> {
  name?: string;
  category?: string;
  price?: string;
}

export type ProductHandler = (productId: string, productData: ProductData) => void;

export const productData = ({ name, category, price }: Pick<Product, 'name' | 'category' | 'price'>): ProductData => ({
  name,
  ...(category === null ? {} : { category }),
  ...(price === null ? {} : { price }),
});
