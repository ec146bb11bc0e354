import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { freshet } from '../service/freshet.ts';
import { useSharedQueryClient } from '../service/queries.ts';

export type Connection = 'connecting' | 'online' | 'offline';

const EVERY_MS = 30_000;
/** While it is down, so that the light is not the last to know. */
const EVERY_MS_OFFLINE = 5_000;

/** Is the service there? Asked at once, every 30 s, and whenever something else fails. */
export function useConnection(): { connection: Connection; reason: string | undefined } {
  const queries = useSharedQueryClient();
  const health = useQuery(
    {
      queryKey: ['health'],
      queryFn: ({ signal }) => freshet.health(signal),
      refetchInterval: (query) => (query.state.status === 'error' ? EVERY_MS_OFFLINE : EVERY_MS),
      retry: false,
    },
    queries,
  );
  if (health.isPending) return { connection: 'connecting', reason: undefined };
  if (health.isError) return { connection: 'offline', reason: health.error.message };
  return health.data.status === 'OK'
    ? { connection: 'online', reason: undefined }
    : { connection: 'offline', reason: health.data.message };
}

const isList = ({ queryKey }: { queryKey: unknown }): boolean => Array.isArray(queryKey) && queryKey[0] === 'recommendations';

/** Once a page: failures are followed by a question, and recovery by all that waited for it. */
export function useRecovery(): void {
  const queries = useSharedQueryClient();
  const { connection } = useConnection();
  const wasOffline = useRef(false);

  useEffect(() => {
    const ask = () => {
      const known = queries.getQueryState(['health']);
      if (known?.fetchStatus !== 'fetching' && known?.status === 'success') void queries.invalidateQueries({ queryKey: ['health'] });
    };
    const ofEvents = freshet.tracker.watch(() => {
      if (freshet.tracker.state.failure) ask();
    });
    const ofQueries = queries.getQueryCache().subscribe(({ type, query }) => {
      if (type === 'updated' && isList(query) && query.state.status === 'error') ask();
    });
    return () => {
      ofEvents();
      ofQueries();
    };
  }, [queries]);

  useEffect(() => {
    if (connection === 'offline') wasOffline.current = true;
    if (connection !== 'online' || !wasOffline.current) return;
    wasOffline.current = false;
    freshet.tracker.retryNow();
    void queries.refetchQueries({
      type: 'active',
      predicate: (query) => query.state.status === 'error' || isList(query),
    });
  }, [connection, queries]);
}
