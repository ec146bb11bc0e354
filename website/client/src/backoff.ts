/** Exponential backoff with jitter: after an outage, clients come back spread out, not all at once. */

export interface BackoffOptions {
  /** Upper bound of the first wait, milliseconds. */
  baseMs: number;
  /** Upper bound of every wait, milliseconds. */
  maxMs: number;
  random?: () => number;
}

export class Backoff {
  readonly #options: BackoffOptions;
  #failures = 0;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  /** The wait before the next attempt: between half and all of a bound that doubles each time. */
  next(): number {
    const { baseMs, maxMs, random = Math.random } = this.#options;
    const bound = Math.min(maxMs, baseMs * 2 ** Math.min(this.#failures, 30));
    this.#failures += 1;
    return bound / 2 + (bound / 2) * random();
  }

  reset(): void {
    this.#failures = 0;
  }
}
