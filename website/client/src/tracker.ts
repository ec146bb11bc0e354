import { Backoff, type BackoffOptions } from './backoff.ts';
import { byteLength, MAX_BATCH_BYTES, type Delivery, type Outcome } from './delivery.ts';
import { FreshetError } from './errors.ts';
import { wireEvent } from './ids.ts';
import type { Kept, QueueStore } from './queueStore.ts';
import type { TrackEvent, TrackResponse, WireEvent } from './types.ts';

/** What became of an event in the end. */
export type Report =
  | { type: 'accepted'; event: WireEvent; response: TrackResponse }
  /** The server will never take it; it is dropped. */
  | { type: 'refused'; event: WireEvent; error: FreshetError }
  /** It waited too long, or too many waited. */
  | { type: 'dropped'; event: WireEvent; reason: 'expired' | 'overflow' };

export interface QueueState {
  /** Events without an acknowledgement. */
  waiting: number;
  /** Why the last attempt failed; undefined once one succeeds. */
  failure: FreshetError | undefined;
}

export interface TrackerOptions {
  backoff?: BackoffOptions;
  maxEvents?: number;
  maxBytes?: number;
  /** The server stamps events as they arrive: one that is older than this would be a wrong fact by then. */
  maxAgeMs?: number;
  now?: () => number;
}

interface Entry extends Kept {
  bytes: number;
  beaconed: boolean;
  settle?: { resolve: (response: TrackResponse) => void; reject: (error: FreshetError) => void };
}

/** Delivers events in order, one request at a time, until each is acknowledged or refused. */
export class Tracker {
  readonly #delivery: Delivery;
  readonly #store: QueueStore;
  readonly #options: Required<Omit<TrackerOptions, 'backoff'>>;
  readonly #backoff: Backoff;
  readonly #reports = new Set<(report: Report) => void>();
  readonly #watchers = new Set<() => void>();
  #entries: Entry[] = [];
  #failure: FreshetError | undefined;
  #state: QueueState = { waiting: 0, failure: undefined };
  #attempting: Promise<unknown> = Promise.resolve();
  #pumping = false;
  #closed = false;
  #wake: (() => void) | undefined;

  constructor(delivery: Delivery, store: QueueStore, options: TrackerOptions = {}) {
    this.#delivery = delivery;
    this.#store = store;
    this.#options = {
      maxEvents: options.maxEvents ?? 500,
      maxBytes: options.maxBytes ?? 512 * 1024,
      maxAgeMs: options.maxAgeMs ?? 24 * 3_600_000,
      now: options.now ?? Date.now,
    };
    this.#backoff = new Backoff(options.backoff ?? { baseMs: 500, maxMs: 30_000 });
    store.adopt((kept) => {
      this.#entries = kept.map(({ event, at }) => ({ event, at, bytes: byteLength(event), beaconed: false }));
      this.#changed();
    });
    void this.#pump();
  }

  /** Sends and forgets: delivery goes on in the background. Returns the event's id. */
  enqueue(event: TrackEvent): string {
    return this.#add(event).event.eventId;
  }

  /**
   * Resolves when the event is acknowledged. Rejects when the first attempt fails; unless it was refused (`error.queued` is
   * false) the event stays and is sent again, so do not track it anew.
   */
  track(event: TrackEvent): Promise<TrackResponse> {
    return new Promise((resolve, reject) => {
      this.#add(event, { resolve, reject });
    });
  }

  /** For `useSyncExternalStore`: the same object until something changes. */
  get state(): QueueState {
    return this.#state;
  }

  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  onReport(listener: (report: Report) => void): () => void {
    this.#reports.add(listener);
    return () => this.#reports.delete(listener);
  }

  /** Tries at once instead of at the end of the present wait. */
  retryNow(): void {
    this.#wake?.();
  }

  /** Drops what waits of a person; resolves when nothing of theirs is on its way any more. */
  async forget(userId: string): Promise<void> {
    const theirs = this.#entries.filter((entry) => entry.event.userId === userId);
    this.#remove(theirs);
    await this.#attempting;
    for (const entry of theirs) entry.settle?.reject(new FreshetError('refused', 'the person was forgotten'));
  }

  /** What waits and was not handed to `sendBeacon` before; marks it as handed over. */
  takeForBeacon(send: (events: WireEvent[]) => WireEvent[]): void {
    const fresh = this.#entries.filter((entry) => !entry.beaconed);
    const sent = new Set(send(fresh.map((entry) => entry.event)));
    for (const entry of fresh) entry.beaconed = sent.has(entry.event);
  }

  get closed(): boolean {
    return this.#closed;
  }

  close(): void {
    this.#closed = true;
    this.#wake?.();
  }

  #add(event: TrackEvent, settle?: Entry['settle']): Entry {
    const wire = wireEvent(event);
    const entry: Entry = { event: wire, at: this.#options.now(), bytes: byteLength(wire), beaconed: false };
    if (settle) entry.settle = settle;
    this.#entries.push(entry);
    this.#bound();
    // First of all, so that the request leaves before the page draws what else the click changes.
    void this.#pump();
    this.#changed();
    return entry;
  }

  #bound(): void {
    const { maxEvents, maxBytes } = this.#options;
    let bytes = this.#entries.reduce((sum, entry) => sum + entry.bytes, 0);
    while (this.#entries.length > maxEvents || (bytes > maxBytes && this.#entries.length > 1)) {
      const oldest = this.#entries.shift();
      if (!oldest) return;
      bytes -= oldest.bytes;
      this.#drop(oldest, 'overflow');
    }
  }

  #expire(): void {
    const oldest = this.#options.now() - this.#options.maxAgeMs;
    const expired = this.#entries.filter((entry) => entry.at < oldest);
    if (expired.length === 0) return;
    this.#remove(expired);
    for (const entry of expired) this.#drop(entry, 'expired');
  }

  #drop(entry: Entry, reason: 'expired' | 'overflow'): void {
    entry.settle?.reject(new FreshetError('network', `the event was dropped: ${reason}`));
    this.#report({ type: 'dropped', event: entry.event, reason });
  }

  /** One loop per page, so that events arrive in the order in which they happened. */
  async #pump(): Promise<void> {
    if (this.#pumping || this.#closed) return;
    this.#pumping = true;
    // What is tracked in one go is sent in one batch.
    await Promise.resolve();
    while (this.#entries.length > 0) {
      // It may have been closed in a pause.
      if (this.closed) break;
      this.#expire();
      const attempt = this.#attempt(this.#head());
      this.#attempting = attempt;
      const failure = await attempt;
      if (failure) await this.#pause(failure.retryAfterMs ?? this.#backoff.next());
      else this.#backoff.reset();
    }
    this.#pumping = false;
  }

  #head(): Entry[] {
    let bytes = 0;
    return this.#entries
      .slice(0, this.#delivery.limit)
      .filter((entry, index) => (bytes += entry.bytes) <= MAX_BATCH_BYTES || index === 0);
  }

  async #attempt(batch: Entry[]): Promise<FreshetError | undefined> {
    const outcomes = await this.#delivery.send(batch.map((entry) => entry.event));
    const settled: [Entry, Outcome][] = [];
    this.#failure = undefined;
    for (const [index, entry] of batch.entries()) {
      const outcome = outcomes[index];
      if (!outcome) break;
      if (outcome.ok || !outcome.error.retryable) {
        settled.push([entry, outcome]);
        continue;
      }
      this.#failure = outcome.error;
      outcome.error.queued = true;
      entry.settle?.reject(outcome.error);
      delete entry.settle;
    }
    // Saved as gone before anybody is told.
    this.#remove(settled.map(([entry]) => entry));
    for (const [entry, outcome] of settled) this.#settle(entry, outcome);
    return this.#failure;
  }

  #settle({ event, settle }: Entry, outcome: Outcome): void {
    if (outcome.ok) {
      settle?.resolve(outcome.response);
      this.#report({ type: 'accepted', event, response: outcome.response });
    } else {
      settle?.reject(outcome.error);
      this.#report({ type: 'refused', event, error: outcome.error });
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #remove(gone: readonly Entry[]): void {
    const leaving = new Set(gone);
    this.#entries = this.#entries.filter((entry) => !leaving.has(entry));
    this.#changed();
  }

  #changed(): void {
    this.#store.save(this.#entries.map(({ event, at }) => ({ event, at })));
    this.#state = { waiting: this.#entries.length, failure: this.#failure };
    for (const watcher of this.#watchers) watcher();
  }

  #report(report: Report): void {
    for (const listener of this.#reports) listener(report);
  }
}
