import type { Product } from '@freshet/client';
import { useDeferredValue, useMemo, useState } from 'react';
import { useSearchParams } from 'wouter';
import { addToCart } from '../cart/cart.ts';
import { toCartItem } from '../cart/toCartItem.ts';
import { CatalogueToolbar } from '../catalogue/CatalogueToolbar.tsx';
import { categoriesOf, filterProducts, type Filter } from '../catalogue/filter.ts';
import { ProductCard } from '../catalogue/ProductCard.tsx';
import { productData, type ProductHandler } from '../catalogue/productData.ts';
import { useProducts } from '../catalogue/useProducts.ts';
import { useProductTracking } from '../hooks/useProductTracking.ts';
import { notify } from '../lib/notices.ts';
import { Notice } from './Notice.tsx';

export interface ProductGridProps {
  userId: string;
  /** Told instead of tracked here: `EventTracker` gives handlers that track. */
  onProductView?: ProductHandler;
  onAddToCart?: ProductHandler;
  onPurchase?: ProductHandler;
}

const PAGE = 24;
const GRID = 'grid grid-cols-1 gap-4 sm:grid-cols-2 xl:grid-cols-3';

/** The catalogue: search, categories, and products to look at, put into the cart and buy. Each of them is tracked once. */
export function ProductGrid({ userId, onProductView, onAddToCart, onPurchase }: ProductGridProps) {
  const own = useProductTracking(userId);
  const view = onProductView ?? own.onProductView;
  const add = onAddToCart ?? own.onAddToCart;
  const buy = onPurchase ?? own.onPurchase;

  const { data, isPending, isError, refetch } = useProducts();
  const products = data?.products;
  const [filter, setFilter] = useFilter();
  const settled = useDeferredValue(filter);
  const found = useMemo(() => filterProducts(products ?? [], settled), [products, settled]);
  const categories = useMemo(() => categoriesOf(products ?? []), [products]);
  const [limit, setLimit] = useState(PAGE);

  const handlers = (product: Product) => ({
    onView: () => {
      view(product.id, productData(product));
    },
    onAddToCart: () => {
      addToCart(userId, toCartItem(product));
      add(product.id, productData(product));
      notify('Added to your cart');
    },
    onBuy: () => {
      buy(product.id, productData(product));
      notify('Bought. Thank you!');
    },
  });

  return (
    <section aria-label="Products" className="flex flex-col gap-4">
      <CatalogueToolbar filter={filter} categories={categories} shown={found.length} onChange={setFilter} />
      {isPending ? (
        <Skeleton />
      ) : isError && !products ? (
        <Notice title="The shelves can’t be reached" alert className="card min-h-96" action={{ label: 'Try again', run: () => void refetch() }}>
          The service does not answer. The page goes on trying.
        </Notice>
      ) : found.length === 0 ? (
        <Notice
          title={products?.length === 0 ? 'The shop is empty' : 'Nothing fits'}
          className="card min-h-96"
          action={products?.length === 0 ? undefined : { label: 'Show everything', run: () => { setFilter({ text: '', category: '' }); } }}
        />
      ) : (
        <>
          <ul className={GRID}>
            {found.slice(0, limit).map((product) => (
              <li key={product.id} className="min-w-0">
                <ProductCard product={product} {...handlers(product)} />
              </li>
            ))}
          </ul>
          {found.length > limit && (
            <button type="button" className="button-quiet mx-auto px-5 py-2.5 text-sm font-medium" onClick={() => { setLimit(limit + PAGE); }}>
              Show {Math.min(PAGE, found.length - limit)} more
            </button>
          )}
        </>
      )}
    </section>
  );
}

/** Search and category stand in the address, so that going back finds them again. */
function useFilter(): [Filter, (filter: Filter) => void] {
  const [params, setParams] = useSearchParams();
  const filter = { text: params.get('q') ?? '', category: params.get('category') ?? '' };
  const set = ({ text, category }: Filter) => {
    const given = Object.entries({ q: text, category }).filter(([, value]) => value !== '');
    setParams(new URLSearchParams(given), { replace: true });
  };
  return [filter, set];
}

function Skeleton() {
  return (
    <div className={GRID} aria-busy="true">
      <span className="sr-only">Loading products</span>
      {Array.from({ length: 9 }, (_, index) => (
        <div key={index} aria-hidden="true" className="card overflow-hidden">
          <div className="aspect-16/10 animate-pulse-slow bg-raised" />
          <div className="flex h-40 flex-col gap-2 p-4">
            <div className="h-3 w-1/3 animate-pulse-slow rounded bg-raised" />
            <div className="h-4 w-3/4 animate-pulse-slow rounded bg-raised" />
          </div>
        </div>
      ))}
    </div>
  );
}

export default ProductGrid;
