import type { ListMetadata } from '@freshet/client';
import { freshet } from '../service/freshet.ts';

/** A recommendation was clicked: the list that it was in, and the strategy that made it, get the credit. */
export function trackRecommendationClick(userId: string, productId: string, list: ListMetadata | undefined): void {
  freshet.tracker.enqueue({
    userId,
    eventType: 'recommendation_click',
    productId,
    metadata: {
      algorithm: list?.algorithm,
      timestamp: Date.now(),
      ...(list?.recommendationId === undefined ? {} : { recommendationId: list.recommendationId }),
    },
  });
}
