import type { RecommendationsResponse } from '@freshet/client';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { useKafkaService } from '../hooks/useKafkaService.ts';
import { freshet } from '../service/freshet.ts';
import { useSharedQueryClient } from '../service/queries.ts';

const EVERY_MS = 30_000;
/** Without a socket, a new list is looked for at these times after an acknowledged event. */
const CHASE_MS = [120, 350, 900, 2_500];
/** With a socket, once, should the push have been lost. */
const CHASE_MS_LIVE = [2_000];

const madeAt = (list: RecommendationsResponse): number => Date.parse(list.metadata?.generatedAt ?? '') || 0;

/** A list that is not older than what is shown. */
export const newer = (shown: RecommendationsResponse | undefined, come: RecommendationsResponse): RecommendationsResponse =>
  shown && madeAt(shown) > madeAt(come) ? shown : come;

/** A person's list: fetched, refreshed every 30 s, replaced at once by a push. */
export function useRecommendations(userId: string) {
  const queries = useSharedQueryClient();
  const { getRecommendations } = useKafkaService();
  const [live, setLive] = useState(false);
  const isLive = useRef(false);

  const query = useQuery(
    {
      queryKey: ['recommendations', userId],
      queryFn: async () => {
        const began = Date.now();
        const answer = await getRecommendations(userId);
        const state = queries.getQueryState<RecommendationsResponse>(['recommendations', userId]);
        // A push that came while the question was on its way may be newer than the answer.
        return state?.data && state.dataUpdatedAt >= began ? newer(state.data, answer) : answer;
      },
      refetchInterval: EVERY_MS,
    },
    queries,
  );

  useEffect(() => {
    const queryKey = ['recommendations', userId];
    let wasOpen = false;
    return freshet.live.subscribe(userId, {
      onList: (list) => {
        queries.setQueryData<RecommendationsResponse>(queryKey, (shown) => newer(shown, list));
      },
      onState: (state) => {
        isLive.current = state === 'open';
        setLive(isLive.current);
        // Lists that were made while nobody listened.
        if (state === 'open' && wasOpen) void queries.invalidateQueries({ queryKey });
        wasOpen ||= state === 'open';
      },
    });
  }, [queries, userId]);

  useEffect(() => {
    const queryKey = ['recommendations', userId];
    let timers: ReturnType<typeof setTimeout>[] = [];
    const stopChase = () => {
      for (const timer of timers) clearTimeout(timer);
    };
    const stopReports = freshet.tracker.onReport((report) => {
      if (report.type !== 'accepted' || report.event.userId !== userId || report.event.eventType === 'recommendation_view') return;
      const { eventId } = report.event;
      stopChase();
      timers = (isLive.current ? CHASE_MS_LIVE : CHASE_MS).map((ms) =>
        setTimeout(() => {
          const shown = queries.getQueryData<RecommendationsResponse>(queryKey);
          if (shown?.metadata?.causedBy !== eventId) void queries.invalidateQueries({ queryKey });
        }, ms),
      );
    });
    return () => {
      stopReports();
      stopChase();
    };
  }, [queries, userId]);

  return { ...query, live };
}
