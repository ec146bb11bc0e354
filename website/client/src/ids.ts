import type { TrackEvent, WireEvent } from './types.ts';

/** A random id. `randomUUID` is missing on pages that are served without TLS from elsewhere than this machine. */
export function newId(): string {
  if (typeof crypto.randomUUID === 'function') return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The event as it is sent. */
export function wireEvent(event: TrackEvent): WireEvent {
  return {
    eventId: event.eventId ?? newId(),
    userId: String(event.userId),
    eventType: event.eventType,
    productId: String(event.productId),
    ...(event.metadata === undefined ? {} : { metadata: event.metadata }),
  };
}
