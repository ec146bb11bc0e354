import type { RecommendationsResponse } from '@freshet/client';
import { useId, useRef } from 'react';
import { useConnection } from '../hooks/useConnection.ts';
import { clock, words } from '../lib/format.ts';
import { RecommendationItem } from '../recommendations/RecommendationItem.tsx';
import { trackRecommendationClick } from '../recommendations/click.ts';
import { useExposure } from '../recommendations/useExposure.ts';
import { useRecommendations } from '../recommendations/useRecommendations.ts';
import { Notice } from './Notice.tsx';

export interface RecommendationPanelProps {
  userId: string;
  className?: string;
}

/** How many are shown. The panel keeps room for as many, so that nothing moves when they come. */
const SHOWN = 6;
const LIST = 'flex gap-3 max-lg:overflow-x-auto max-lg:snap-x max-lg:scroll-px-4 max-lg:px-4 max-lg:pb-2 lg:flex-col lg:gap-0 lg:px-2';
const ROOM = 'h-32 lg:h-150 lg:min-h-0 lg:overflow-y-auto';

export function RecommendationPanel({ userId, className = '' }: RecommendationPanelProps) {
  const titleId = useId();
  const { data: list, isPending, isError, live, refetch } = useRecommendations(userId);
  const { connection } = useConnection();
  const first = useRef<HTMLLIElement>(null);
  useExposure(first, userId, list);

  const offline = isError || connection === 'offline';
  const items = list?.data.slice(0, SHOWN) ?? [];
  return (
    <section aria-labelledby={titleId} className={`card flex flex-col overflow-hidden ${className}`} data-testid="recommendations" data-list={list?.metadata?.recommendationId}>
      <header className="flex items-center justify-between gap-3 px-4 pt-4 pb-3">
        <h2 id={titleId} className="font-mono text-base font-bold tracking-tight">
          Recommended for You
        </h2>
        <Freshness offline={offline} live={live} stale={list?.metadata?.isStale === true} />
      </header>
      <div className={ROOM} aria-busy={isPending}>
        {items.length > 0 ? (
          <ol className={LIST}>
            {items.map((item, index) => (
              <RecommendationItem
                key={item.productId}
                ref={index === 0 ? first : undefined}
                item={item}
                onClick={() => {
                  trackRecommendationClick(userId, item.productId, list?.metadata);
                }}
              />
            ))}
          </ol>
        ) : isPending ? (
          <Skeleton />
        ) : offline ? (
          <Notice title="Offline" className="h-full" action={{ label: 'Try again', run: () => void refetch() }}>
            The recommendation service can’t be reached. What you do is kept and sent as soon as it is back.
          </Notice>
        ) : (
          <Notice title="No recommendations available yet" className="h-full">
            Look at a product or two: your list appears here, and tells you why.
          </Notice>
        )}
      </div>
      <footer className="label flex min-h-9 items-center justify-between gap-3 border-t border-line px-4 py-2">
        <Origin list={list} />
      </footer>
      <p role="status" className="sr-only">
        {items.length > 0 && `${String(items.length)} recommendations, first ${items[0]?.name ?? items[0]?.productId ?? ''}`}
      </p>
    </section>
  );
}

function Freshness({ offline, live, stale }: { offline: boolean; live: boolean; stale: boolean }) {
  const [text, tone] = offline
    ? ['offline', 'text-bad']
    : live
      ? ['live', 'text-accent']
      : stale
        ? ['older than 5 min', 'text-warn']
        : ['every 30 s', 'text-muted'];
  return (
    <span className={`label inline-flex items-center gap-1.5 whitespace-nowrap ${tone}`}>
      <span aria-hidden="true" className={`size-1.5 rounded-full bg-current ${live && !offline ? 'animate-pulse-slow' : ''}`} />
      {text}
    </span>
  );
}

function Origin({ list }: { list: RecommendationsResponse | undefined }) {
  if (!list?.metadata) return null;
  const { algorithm, generatedAt } = list.metadata;
  return (
    <>
      <span className="truncate">{words(algorithm)}</span>
      <time dateTime={generatedAt}>{clock(generatedAt)}</time>
    </>
  );
}

function Skeleton() {
  return (
    <div className={LIST} data-testid="recommendations-loading">
      <span className="sr-only">Loading recommendations</span>
      {Array.from({ length: SHOWN }, (_, index) => (
        <div key={index} aria-hidden="true" className="flex h-28 w-72 shrink-0 gap-3 p-2 lg:h-25 lg:w-auto">
          <div className="size-16 shrink-0 animate-pulse-slow rounded-lg bg-raised" />
          <div className="flex flex-1 flex-col gap-2 py-1">
            <div className="h-3.5 w-4/5 animate-pulse-slow rounded bg-raised" />
            <div className="h-3 w-1/2 animate-pulse-slow rounded bg-raised" />
            <div className="h-3 w-2/3 animate-pulse-slow rounded bg-raised" />
          </div>
        </div>
      ))}
    </div>
  );
}

export default RecommendationPanel;
