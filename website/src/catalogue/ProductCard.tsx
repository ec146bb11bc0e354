import type { Product } from '@freshet/client';
import { Link } from 'wouter';
import { Text } from '../components/Text.tsx';
import { productHref, TRACKED } from '../lib/navigation.ts';
import { ProductArt } from './ProductArt.tsx';

interface Props {
  product: Product;
  onView: () => void;
  onAddToCart: () => void;
  onBuy: () => void;
}

export function ProductCard({ product, onView, onAddToCart, onBuy }: Props) {
  const { id, name, category, price, available } = product;
  return (
    <article className="card group relative flex h-full flex-col overflow-hidden transition-[border-color,translate] duration-200 focus-within:border-accent hover:-translate-y-0.5 hover:border-accent motion-reduce:transform-none">
      <ProductArt productId={id} category={category} className="aspect-16/10 w-full" />
      <div className="flex flex-1 flex-col gap-1 p-4">
        <p className="label truncate">{category !== null ? <Text>{category}</Text> : 'Other'}</p>
        <h3 className="text-base leading-snug font-semibold">
          <Link
            href={productHref(id)}
            state={TRACKED}
            onClick={onView}
            className="line-clamp-2 after:absolute after:inset-0 after:rounded-2xl focus-visible:outline-none focus-visible:after:outline-2 focus-visible:after:-outline-offset-2"
          >
            <Text>{name}</Text>
          </Link>
        </h3>
        <div className="mt-auto flex flex-col gap-3 pt-1">
          <p className="h-5 max-w-full truncate font-mono text-sm font-semibold">{price !== null && <Text>{price}</Text>}</p>
          {available ? (
            <div className="relative z-10 grid grid-cols-2 gap-2">
              <button type="button" className="button-quiet px-2 py-1.5 text-sm font-medium" onClick={onBuy} aria-label={`Buy now: ${short(name)}`}>
                Buy now
              </button>
              <button type="button" className="button-main px-2 py-1.5 text-sm" onClick={onAddToCart} aria-label={`Add to cart: ${short(name)}`}>
                Add to cart
              </button>
            </div>
          ) : (
            <p className="label text-warn">Sold out</p>
          )}
        </div>
      </div>
    </article>
  );
}

/** A screen reader need not read ten thousand letters twice. */
const short = (name: string) => (name.length > 80 ? `${name.slice(0, 80)}…` : name);
