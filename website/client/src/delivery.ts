import { isFreshetError, isRecord, protocolError, statusError, type FreshetError } from './errors.ts';
import type { Http } from './http.ts';
import type { TrackResponse, WireEvent } from './types.ts';

/** What became of one event. */
export type Outcome = { ok: true; response: TrackResponse } | { ok: false; error: FreshetError };

export const TRACK_PATH = '/events/track';
export const BATCH_PATH = '/events/track/batch';
/** What the server takes in one batch. */
export const MAX_BATCH_EVENTS = 100;
/** Under the server's 256 KB, with room for the frame around the events. */
export const MAX_BATCH_BYTES = 200_000;
/** Browsers let requests of 64 KB in all outlive their page. */
const MAX_KEEPALIVE_BYTES = 30_000;

export const byteLength = (value: unknown): number => new TextEncoder().encode(JSON.stringify(value)).length;

/** Sends events, one by one or many at once, and tells what became of each. Never rejects. */
export class Delivery {
  readonly #http: Http;
  /** False once a server turned out to have no route for batches. */
  #batches = true;

  constructor(http: Http) {
    this.#http = http;
  }

  /** How many events may go at once. */
  get limit(): number {
    return this.#batches ? MAX_BATCH_EVENTS : 1;
  }

  async send(events: readonly WireEvent[]): Promise<Outcome[]> {
    const [first] = events;
    if (!first) return [];
    if (events.length === 1) return [await this.#one(first)];
    try {
      return await this.#many(events);
    } catch (error) {
      const failure = asFreshetError(error);
      if (failure.kind !== 'refused') return events.map(() => ({ ok: false, error: failure }));
      // The batch as a whole was refused, which says nothing of its events: ask for each.
      if (failure.status === 404 || failure.status === 405) this.#batches = false;
      const outcomes: Outcome[] = [];
      for (const event of events) {
        const outcome = await this.#one(event);
        outcomes.push(outcome);
        if (!outcome.ok && outcome.error.retryable) break;
      }
      return outcomes;
    }
  }

  async #one(event: WireEvent): Promise<Outcome> {
    try {
      const keepalive = byteLength(event) < MAX_KEEPALIVE_BYTES;
      const body = await this.#http.post(TRACK_PATH, event, { keepalive });
      if (body['success'] !== true) throw protocolError('the answer does not acknowledge the event', { body });
      return { ok: true, response: acknowledged(event, body) };
    } catch (error) {
      return { ok: false, error: asFreshetError(error) };
    }
  }

  async #many(events: readonly WireEvent[]): Promise<Outcome[]> {
    const keepalive = byteLength(events) < MAX_KEEPALIVE_BYTES;
    const body = await this.#http.post(BATCH_PATH, { events }, { keepalive });
    const results = body['results'];
    if (!Array.isArray(results) || results.length !== events.length) {
      throw protocolError('the answer does not tell of every event', { body });
    }
    return events.map((event, index) => {
      const result: unknown = results[index];
      return isRecord(result) && result['success'] === true
        ? { ok: true, response: acknowledged(event, result) }
        : { ok: false, error: statusError(400, result, null) };
    });
  }
}

function acknowledged(event: WireEvent, body: Record<string, unknown>): TrackResponse {
  const message = typeof body['message'] === 'string' ? body['message'] : 'Event tracked successfully';
  return { ...body, success: true, message, eventId: event.eventId };
}

const asFreshetError = (error: unknown): FreshetError =>
  isFreshetError(error) ? error : protocolError('unexpected failure', { cause: error });
