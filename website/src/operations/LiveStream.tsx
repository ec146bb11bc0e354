import { isNotFound, type RecentEvent } from '@freshet/client';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { useProducts } from '../catalogue/useProducts.ts';
import { clock, milliseconds } from '../lib/format.ts';
import { freshet } from '../service/freshet.ts';
import { useSharedQueryClient } from '../service/queries.ts';
import { NotAvailable, Section } from './Section.tsx';

const EVERY_MS = 1_500;
const EVERY_MS_MISSING = 60_000;
const SHOWN = 50;

/** Events as they are handled, newest first. */
export function LiveStream({ token }: { token: string | undefined }) {
  const queries = useSharedQueryClient();
  const [paused, setPaused] = useState(false);
  const { data, error, isPending } = useQuery(
    {
      queryKey: ['recent-events', token === undefined ? 'anyone' : 'administrator'],
      queryFn: ({ signal }) => freshet.recentEvents(SHOWN, token, signal),
      enabled: !paused,
      refetchInterval: (query) => (isNotFound(query.state.error) ? EVERY_MS_MISSING : EVERY_MS),
    },
    queries,
  );
  const products = useProducts().data?.products;
  const names = useMemo(() => new Map(products?.map(({ id, name }) => [id, name])), [products]);
  const pause = (
    <button type="button" aria-pressed={paused} className="button-quiet px-3 py-1 text-sm font-medium" onClick={() => { setPaused(!paused); }}>
      {paused ? 'Go on' : 'Pause'}
    </button>
  );
  return (
    <Section title="Live stream" actions={data && pause}>
      {data ? (
        <div role="region" aria-label="Recent events" tabIndex={0} className="h-80 overflow-y-auto">
          <ol className="flex flex-col gap-1 font-mono text-xs leading-5">
            {data.map((event) => (
              <li key={`${event.userId ?? ''}/${event.timestamp}/${event.productId}/${event.eventType}`} className="line-clamp-2">
                <Line event={event} name={names.get(event.productId)} />
              </li>
            ))}
          </ol>
          {data.length === 0 && <p className="py-8 text-center text-sm text-muted">Nothing has happened yet.</p>}
        </div>
      ) : isNotFound(error) ? (
        <NotAvailable what="a live stream" />
      ) : (
        <p className="py-8 text-center text-sm text-muted">{isPending ? 'Loading…' : error.message}</p>
      )}
    </Section>
  );
}

function Line({ event, name }: { event: RecentEvent; name: string | undefined }) {
  const { userId, eventType, productId, timestamp, count, processingMs, algorithm } = event;
  return (
    <>
      <time dateTime={timestamp} className="text-muted">[{clock(timestamp)}]</time> <span className="text-accent">{eventType}</span>{' '}
      {userId !== null && (
        <>
          user <bdi className="font-semibold">{userId}</bdi>{' '}
        </>
      )}
      “<bdi>{name ?? productId}</bdi>”
      {typeof count === 'number' && (
        <span className="text-muted">
          {' '}→ {count} {count === 1 ? 'recommendation' : 'recommendations'}
          {typeof processingMs === 'number' && ` in ${milliseconds(processingMs)}`}
          {typeof algorithm === 'string' && ` · ${algorithm}`}
        </span>
      )}
    </>
  );
}
