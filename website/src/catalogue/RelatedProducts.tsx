import { useQuery } from '@tanstack/react-query';
import { useId } from 'react';
import { Link } from 'wouter';
import { Text } from '../components/Text.tsx';
import { percent } from '../lib/format.ts';
import { productHref } from '../lib/navigation.ts';
import { freshet } from '../service/freshet.ts';
import { useSharedQueryClient } from '../service/queries.ts';
import { ProductArt } from './ProductArt.tsx';

interface Props {
  productId: string;
  kind: 'similar' | 'boughtTogether';
  title: string;
}

const SHOWN = 6;

/** What goes with a product. A section that the service has nothing for is not there. */
export function RelatedProducts({ productId, kind, title }: Props) {
  const titleId = useId();
  const queries = useSharedQueryClient();
  const { data } = useQuery(
    { queryKey: [kind, productId], queryFn: ({ signal }) => freshet[kind](productId, signal), staleTime: 60_000 },
    queries,
  );
  const items = data?.filter((item) => item.productId !== productId).slice(0, SHOWN) ?? [];
  if (items.length === 0) return null;
  return (
    <section aria-labelledby={titleId}>
      <h2 id={titleId} className="mb-3 font-mono text-base font-bold">
        {title}
      </h2>
      <ul className="grid grid-cols-2 gap-3 sm:grid-cols-3">
        {items.map((item) => (
          <li key={item.productId} className="card group relative min-w-0 overflow-hidden transition-colors hover:border-accent">
            <ProductArt productId={item.productId} category={item.category} className="aspect-16/9 w-full" />
            <div className="flex flex-col gap-1 p-3">
              <Link
                href={productHref(item.productId)}
                className="line-clamp-2 text-sm leading-snug font-semibold after:absolute after:inset-0 after:rounded-2xl focus-visible:outline-none focus-visible:after:outline-2 focus-visible:after:-outline-offset-2"
              >
                <Text>{item.name ?? item.productId}</Text>
              </Link>
              <p className="flex justify-between gap-2 font-mono text-xs text-muted">
                {item.price !== null && <Text className="truncate text-ink">{item.price}</Text>}
                <span className="ml-auto shrink-0 text-accent">{percent(item.score)}</span>
              </p>
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}
