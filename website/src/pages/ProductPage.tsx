import { isFreshetError, isNotFound, type Product } from '@freshet/client';
import { useEffect, useRef } from 'react';
import { Link } from 'wouter';
import { addToCart } from '../cart/cart.ts';
import { toCartItem } from '../cart/toCartItem.ts';
import { Attributes } from '../catalogue/Attributes.tsx';
import { ProductArt } from '../catalogue/ProductArt.tsx';
import { productData } from '../catalogue/productData.ts';
import { RelatedProducts } from '../catalogue/RelatedProducts.tsx';
import { useProduct } from '../catalogue/useProducts.ts';
import { Notice } from '../components/Notice.tsx';
import { Text } from '../components/Text.tsx';
import { useProductTracking } from '../hooks/useProductTracking.ts';
import { useArrivedTracked } from '../lib/navigation.ts';
import { notify } from '../lib/notices.ts';
import { useUserId } from '../visitor/visitors.ts';
import { NotFound } from './NotFound.tsx';
import { PageTitle } from './PageTitle.tsx';

export default function ProductPage({ id }: { id: string }) {
  const { data: product, isError, error, refetch } = useProduct(id);
  if (product) {
    return (
      <div className="flex flex-col gap-6">
        <nav aria-label="Breadcrumb" className="flex gap-2 text-sm text-muted">
          <Link href="/" className="shrink-0 font-medium underline decoration-line underline-offset-4 hover:decoration-accent">
            Shop
          </Link>
          {product.category !== null && (
            <>
              <span aria-hidden="true">/</span>
              <Link href={`/?category=${encodeURIComponent(product.category)}`} className="truncate font-medium underline decoration-line underline-offset-4 hover:decoration-accent">
                <Text>{product.category}</Text>
              </Link>
            </>
          )}
        </nav>
        <Details product={product} />
        <RelatedProducts productId={id} kind="boughtTogether" title="Bought together" />
        <RelatedProducts productId={id} kind="similar" title="Similar" />
      </div>
    );
  }
  if (isNotFound(error) || (isFreshetError(error) && !error.retryable)) return <NotFound />;
  if (isError) {
    return (
      <Notice title="This product can’t be reached" alert className="card min-h-96" action={{ label: 'Try again', run: () => void refetch() }}>
        The service does not answer. The page goes on trying.
      </Notice>
    );
  }
  return <div aria-busy="true" className="card min-h-[70dvh] animate-pulse-slow" />;
}

function Details({ product }: { product: Product }) {
  const userId = useUserId();
  const { onProductView, onAddToCart, onPurchase } = useProductTracking(userId);
  const arrivedTracked = useArrivedTracked();
  const counted = useRef(arrivedTracked);
  const data = productData(product);

  useEffect(() => {
    // Once; who came by a tracked click was counted there, and who takes over the keyboard did not choose it.
    if (counted.current) return;
    counted.current = true;
    onProductView(product.id, productData(product));
  }, [product, onProductView]);

  const { description, ...attributes } = product.attributes;
  return (
    <article className="card grid overflow-hidden md:grid-cols-2">
      <ProductArt productId={product.id} category={product.category} className="h-full min-h-56 w-full max-md:aspect-16/10" />
      <div className="flex min-w-0 flex-col gap-4 p-6 sm:p-8">
        <div>
          {product.category !== null && (
            <p className="label truncate">
              <Text>{product.category}</Text>
            </p>
          )}
          <PageTitle className="mt-1 line-clamp-6 text-2xl leading-tight">{product.name}</PageTitle>
        </div>
        {product.price !== null && (
          <p className="line-clamp-2 font-mono text-xl font-semibold text-accent">
            <Text>{product.price}</Text>
          </p>
        )}
        {typeof description === 'string' && (
          <p className="line-clamp-12 text-muted">
            <Text>{description}</Text>
          </p>
        )}
        {product.available ? (
          <div className="flex flex-wrap gap-3">
            <button
              type="button"
              className="button-main px-5 py-2.5"
              onClick={() => {
                addToCart(userId, toCartItem(product));
                onAddToCart(product.id, data);
                notify('Added to your cart');
              }}
            >
              Add to cart
            </button>
            <button
              type="button"
              className="button-quiet px-5 py-2.5 font-medium"
              onClick={() => {
                onPurchase(product.id, data);
                notify('Bought. Thank you!');
              }}
            >
              Buy now
            </button>
          </div>
        ) : (
          <p className="label text-warn">Sold out</p>
        )}
        <Attributes attributes={attributes} />
      </div>
    </article>
  );
}
