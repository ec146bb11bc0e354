import { isRecord } from './errors.ts';
import { newId } from './ids.ts';
import type { KeyValue } from './storage.ts';
import type { WireEvent } from './types.ts';

/** An event that waits for its acknowledgement, and since when (milliseconds since the epoch). */
export interface Kept {
  event: WireEvent;
  at: number;
}

const PREFIX = 'freshet.queue.';

/**
 * Keeps waiting events over reloads. Every page has a key of its own, so that tabs do not overwrite each other; a new page
 * adopts all keys that it finds. Two living tabs may so send the same event: its `eventId` makes it count once, and
 * nothing is lost with a tab that dies.
 */
export class QueueStore {
  readonly #storage: KeyValue;
  readonly #key = `${PREFIX}${newId()}`;

  constructor(storage: KeyValue) {
    this.#storage = storage;
  }

  save(kept: readonly Kept[]): void {
    if (kept.length === 0) this.#storage.remove(this.#key);
    else this.#storage.set(this.#key, JSON.stringify(kept));
  }

  /** What earlier pages left, oldest first. `take` must have saved them when it returns: their old keys are removed then. */
  adopt(take: (kept: Kept[]) => void): void {
    const keys = this.#storage.keys().filter((key) => key.startsWith(PREFIX) && key !== this.#key);
    const found = keys.flatMap((key) => parse(this.#storage.get(key)));
    if (found.length > 0) take(found.sort((a, b) => a.at - b.at));
    for (const key of keys) this.#storage.remove(key);
  }
}

/** Anything may stand in storage: another version of us, another site on this origin, a half-written value. */
function parse(text: string | null): Kept[] {
  try {
    const value: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(value) ? value.filter(isKept) : [];
  } catch {
    return [];
  }
}

function isKept(value: unknown): value is Kept {
  if (!isRecord(value) || typeof value['at'] !== 'number' || !isRecord(value['event'])) return false;
  const event = value['event'];
  return ['eventId', 'userId', 'eventType', 'productId'].every((name) => typeof event[name] === 'string');
}
