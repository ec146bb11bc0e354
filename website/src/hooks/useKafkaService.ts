import type { RecommendationsResponse, TrackEvent, TrackResponse } from '@freshet/client';
import { useMemo } from 'react';
import { freshet } from '../service/freshet.ts';
import { useConnection } from './useConnection.ts';

export interface KafkaService {
  isConnected: boolean;
  /** Resolves to the response body. Rejects on failure; the event is kept and sent again nevertheless, unless it was refused. */
  trackEvent: (event: TrackEvent) => Promise<TrackResponse>;
  /** Resolves to the response body, rejects on failure. */
  getRecommendations: (userId: string) => Promise<RecommendationsResponse>;
}

const trackEvent = (event: TrackEvent) => freshet.tracker.track(event);
const getRecommendations = (userId: string) => freshet.recommendations(userId);

export function useKafkaService(): KafkaService {
  const isConnected = useConnection().connection === 'online';
  return useMemo(() => ({ isConnected, trackEvent, getRecommendations }), [isConnected]);
}

export default useKafkaService;
