import type { LiveMetrics } from '@freshet/client';
import { useQuery } from '@tanstack/react-query';
import { freshet } from '../service/freshet.ts';
import { useSharedQueryClient } from '../service/queries.ts';

export const EVERY_MS = 2_000;
/** Five minutes. */
const KEPT = 150;

/** What the charts draw of one moment. */
export interface Sample {
  at: number;
  eventsPerSecond: number;
  mean: number | null;
  p99: number | null;
  precision: number | null;
  recentPrecision: number | null;
  /** Click rate by strategy. */
  clickRate: Record<string, number | null>;
  /** Records not yet read, by consumer group. */
  lag: Record<string, number | null>;
}

export interface MetricsHistory {
  latest: LiveMetrics;
  samples: readonly Sample[];
}

/** Clients that track clicks but no exposures make more clicks than lists that were seen: no rate. */
export const believable = (rate: number | null): number | null => (rate !== null && rate <= 1 ? rate : null);

const sampleOf = (metrics: LiveMetrics, at: number): Sample => ({
  at,
  eventsPerSecond: metrics.eventsPerSecond,
  mean: metrics.meanProcessingMs,
  p99: metrics.p99ProcessingMs,
  precision: metrics.precision,
  recentPrecision: metrics.recentPrecision,
  clickRate: Object.fromEntries(Object.entries(metrics.strategies).map(([name, { clickRate }]) => [name, believable(clickRate)])),
  lag: Object.fromEntries(metrics.consumers.map(({ group, lag }) => [group, lag < 0 ? null : lag])),
});

/** A history that is one moment longer, and not too long. */
export const extend = (history: MetricsHistory | undefined, latest: LiveMetrics, at: number): MetricsHistory => ({
  latest,
  samples: [...(history?.samples ?? []), sampleOf(latest, at)].slice(-KEPT),
});

/** The live figures with their last minutes. The history is the page's own: the service tells of now. */
export function useMetrics() {
  const queries = useSharedQueryClient();
  return useQuery(
    {
      queryKey: ['metrics'],
      queryFn: async ({ signal }) => {
        const latest = await freshet.metrics(signal);
        return extend(queries.getQueryData<MetricsHistory>(['metrics']), latest, Date.now());
      },
      refetchInterval: EVERY_MS,
      structuralSharing: false,
    },
    queries,
  );
}
