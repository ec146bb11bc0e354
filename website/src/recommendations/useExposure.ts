import type { RecommendationsResponse } from '@freshet/client';
import { useEffect, type RefObject } from 'react';
import { storage } from '../lib/persistentStore.ts';
import { freshet } from '../service/freshet.ts';

/** A list counts as seen when its first item was half visible for this long. */
const DWELL_MS = 300;
const VISIBLE = 0.5;
const KEY = 'freshet.seen';
const REMEMBERED = 200;

const seen = new Set((storage.get(KEY) ?? '').split(' ').filter(Boolean));

function firstTime(id: string): boolean {
  if (seen.has(id)) return false;
  seen.add(id);
  for (const oldest of [...seen].slice(0, Math.max(seen.size - REMEMBERED, 0))) seen.delete(oldest);
  storage.set(KEY, [...seen].join(' '));
  return true;
}

/** Tracks `recommendation_view`, once for every list that is really on the screen. */
export function useExposure(first: RefObject<HTMLElement | null>, userId: string, list: RecommendationsResponse | undefined): void {
  const id = list?.metadata?.recommendationId;
  const algorithm = list?.metadata?.algorithm;
  const productId = list?.data[0]?.productId;

  useEffect(() => {
    const element = first.current;
    if (!element || id === undefined || productId === undefined || seen.has(id)) return undefined;
    if (typeof IntersectionObserver === 'undefined') return undefined;
    let onScreen = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = () => {
      clearTimeout(timer);
      if (!onScreen || document.visibilityState === 'hidden') return;
      timer = setTimeout(() => {
        if (!firstTime(id)) return;
        freshet.tracker.enqueue({
          userId, eventType: 'recommendation_view', productId, metadata: { algorithm, recommendationId: id },
        });
      }, DWELL_MS);
    };
    const observer = new IntersectionObserver(
      (entries) => {
        onScreen = entries.some((entry) => entry.intersectionRatio >= VISIBLE);
        look();
      },
      { threshold: [0, VISIBLE] },
    );
    observer.observe(element);
    document.addEventListener('visibilitychange', look);
    return () => {
      clearTimeout(timer);
      observer.disconnect();
      document.removeEventListener('visibilitychange', look);
    };
  }, [first, userId, id, algorithm, productId]);
}
