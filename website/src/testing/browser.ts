/** A socket that a test speaks for. The real one is tested against a real server in `client/test`. */
export class FakeSocket {
  static readonly all: FakeSocket[] = [];
  static readonly OPEN = 1;
  readonly OPEN = 1;
  readyState = 0;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  onerror: (() => void) | null = null;
  readonly sent: string[] = [];
  readonly url: string;

  constructor(url: string) {
    this.url = url;
    FakeSocket.all.push(this);
  }
  send(text: string): void {
    this.sent.push(text);
  }
  close(): void {
    this.readyState = 3;
  }
  open(): void {
    this.readyState = 1;
    this.onopen?.();
  }
  say(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
}

/** Everything is off the screen until a test scrolls to it. */
export class FakeObserver {
  static readonly all = new Set<FakeObserver>();
  readonly #callback: IntersectionObserverCallback;
  readonly #elements = new Set<Element>();

  constructor(callback: IntersectionObserverCallback) {
    this.#callback = callback;
    FakeObserver.all.add(this);
  }
  observe(element: Element): void {
    this.#elements.add(element);
  }
  unobserve(element: Element): void {
    this.#elements.delete(element);
  }
  disconnect(): void {
    FakeObserver.all.delete(this);
  }
  static scroll(intersectionRatio: number): void {
    for (const observer of FakeObserver.all) {
      const entries = [...observer.#elements].map((target) => ({ target, intersectionRatio, isIntersecting: intersectionRatio > 0 }));
      observer.#callback(entries as IntersectionObserverEntry[], observer as never);
    }
  }
}
