import { useMemo } from 'react';
import type { ProductData, ProductHandler } from '../catalogue/productData.ts';
import { freshet } from '../service/freshet.ts';

export interface ProductTracking {
  onProductView: ProductHandler;
  onAddToCart: ProductHandler;
  onPurchase: ProductHandler;
  onRemoveFromCart: ProductHandler;
}

/** What a person does with products, told in the background. */
export function useProductTracking(userId: string): ProductTracking {
  return useMemo(() => {
    const tell = (eventType: string) => (productId: string, metadata?: ProductData) => {
      freshet.tracker.enqueue({ userId, eventType, productId, metadata });
    };
    return {
      onProductView: tell('product_view'),
      onAddToCart: tell('add_to_cart'),
      onPurchase: tell('purchase'),
      onRemoveFromCart: tell('remove_from_cart'),
    };
  }, [userId]);
}
