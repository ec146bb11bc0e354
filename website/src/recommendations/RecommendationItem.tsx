import type { Recommendation } from '@freshet/client';
import type { MouseEvent, Ref } from 'react';
import { Link } from 'wouter';
import { ProductArt } from '../catalogue/ProductArt.tsx';
import { Text } from '../components/Text.tsx';
import { percent } from '../lib/format.ts';
import { productHref, TRACKED } from '../lib/navigation.ts';

interface Props {
  item: Recommendation;
  onClick: () => void;
  ref?: Ref<HTMLLIElement>;
}

export function RecommendationItem({ item, onClick, ref }: Props) {
  const { productId, name, category, price, score, reason } = item;
  return (
    <li
      ref={ref}
      className="group relative flex h-28 w-72 shrink-0 animate-arrive snap-start gap-3 overflow-hidden rounded-xl px-2 py-1.5 transition-colors hover:bg-raised max-lg:border max-lg:border-line lg:h-25 lg:w-auto"
    >
      <ProductArt productId={productId} category={category} className="size-16 shrink-0 rounded-lg" />
      <div className="flex min-w-0 flex-1 flex-col gap-0.5">
        <div className="flex items-start gap-2">
          <Link
            href={productHref(productId)}
            state={TRACKED}
            onClick={onClick}
            onAuxClick={(event: MouseEvent) => {
              // The middle button opens it in another tab.
              if (event.button === 1) onClick();
            }}
            className="line-clamp-2 min-w-0 flex-1 text-sm leading-tight font-semibold after:absolute after:inset-0 after:rounded-xl group-hover:text-accent focus-visible:outline-none focus-visible:after:outline-2 focus-visible:after:-outline-offset-2"
          >
            <Text>{name ?? productId}</Text>
          </Link>
          <Score score={score} />
        </div>
        <p className="flex min-w-0 items-baseline gap-2 text-xs leading-4 text-muted">
          {price !== null && <Text className="max-w-24 shrink-0 truncate font-mono font-semibold text-ink">{price}</Text>}
          {category !== null && <Text className="truncate">{category}</Text>}
        </p>
        <p className="line-clamp-2 text-xs leading-tight text-muted">
          <Text>{reason}</Text>
        </p>
      </div>
    </li>
  );
}

function Score({ score }: { score: number }) {
  return (
    <span className="flex w-11 shrink-0 flex-col gap-1 pt-0.5 text-right font-mono text-xs font-semibold text-accent">
      <span>
        {percent(score)}
        <span className="sr-only"> match</span>
      </span>
      <span aria-hidden="true" className="h-1 overflow-hidden rounded-full bg-line">
        <span className="block h-full rounded-full bg-current" style={{ width: percent(score) }} />
      </span>
    </span>
  );
}
