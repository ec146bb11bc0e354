import { BATCH_PATH, byteLength, MAX_BATCH_EVENTS } from './delivery.ts';
import type { Http } from './http.ts';
import type { WireEvent } from './types.ts';

/** Browsers take 64 KB of beacons at a time. */
const MAX_BEACON_BYTES = 60_000;

/**
 * Hands events to the browser, which sends them after the page is gone. As text: a body of type JSON would need a CORS
 * preflight, which a closing page may not live to see answered. Nobody learns whether they arrived, so they stay kept and
 * are sent again by the next page; their ids make them count once.
 *
 * @returns the events that the browser took.
 */
export function sendByBeacon(http: Http, events: readonly WireEvent[]): WireEvent[] {
  if (typeof navigator === 'undefined' || typeof navigator.sendBeacon !== 'function') return [];
  const taken: WireEvent[] = [];
  for (const chunk of chunks(events)) {
    if (!navigator.sendBeacon(http.url(BATCH_PATH), JSON.stringify({ events: chunk }))) break;
    taken.push(...chunk);
  }
  return taken;
}

/** The page is hidden (the last that phones tell of it) or left. */
export function onPageEnd(listener: () => void): () => void {
  if (typeof document === 'undefined') return () => undefined;
  const hidden = () => {
    if (document.visibilityState === 'hidden') listener();
  };
  addEventListener('pagehide', listener);
  document.addEventListener('visibilitychange', hidden);
  return () => {
    removeEventListener('pagehide', listener);
    document.removeEventListener('visibilitychange', hidden);
  };
}

function chunks(events: readonly WireEvent[]): WireEvent[][] {
  const result: WireEvent[][] = [];
  let bytes = Infinity;
  for (const event of events) {
    const size = byteLength(event) + 1;
    if (size > MAX_BEACON_BYTES) continue;
    const last = result.at(-1);
    if (!last || bytes + size > MAX_BEACON_BYTES || last.length === MAX_BATCH_EVENTS) {
      result.push([event]);
      bytes = size;
    } else {
      last.push(event);
      bytes += size;
    }
  }
  return result;
}
