/** Storage that is always there: the browser's, or memory where the browser blocks it. */

export interface KeyValue {
  get(key: string): string | null;
  /** False where it was not kept: blocked or full. */
  set(key: string, value: string): boolean;
  remove(key: string): void;
  keys(): string[];
  /** Does it survive a reload? */
  readonly durable: boolean;
}

class MemoryStorage implements KeyValue {
  readonly durable = false;
  readonly #values = new Map<string, string>();
  get(key: string): string | null {
    return this.#values.get(key) ?? null;
  }
  set(key: string, value: string): boolean {
    this.#values.set(key, value);
    return true;
  }
  remove(key: string): void {
    this.#values.delete(key);
  }
  keys(): string[] {
    return [...this.#values.keys()];
  }
}

class WebStorage implements KeyValue {
  readonly durable = true;
  readonly #storage: Storage;
  constructor(storage: Storage) {
    this.#storage = storage;
  }
  get(key: string): string | null {
    try {
      return this.#storage.getItem(key);
    } catch {
      return null;
    }
  }
  set(key: string, value: string): boolean {
    try {
      this.#storage.setItem(key, value);
      return true;
    } catch {
      return false;
    }
  }
  remove(key: string): void {
    try {
      this.#storage.removeItem(key);
    } catch {
      // Blocked meanwhile: there is nothing left to remove.
    }
  }
  keys(): string[] {
    try {
      return Array.from({ length: this.#storage.length }, (_, index) => this.#storage.key(index)).filter(
        (key): key is string => key !== null,
      );
    } catch {
      return [];
    }
  }
}

/** `localStorage`, or memory. Merely reading `window.localStorage` throws where a person blocks it. */
export function openStorage(pick: () => Storage | undefined = () => globalThis.localStorage): KeyValue {
  try {
    const storage = pick();
    if (!storage) return new MemoryStorage();
    const probe = 'freshet.probe';
    storage.setItem(probe, '1');
    storage.removeItem(probe);
    return new WebStorage(storage);
  } catch {
    return new MemoryStorage();
  }
}

export const memoryStorage = (): KeyValue => new MemoryStorage();
