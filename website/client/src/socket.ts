import { Backoff, type BackoffOptions } from './backoff.ts';
import { isRecord } from './errors.ts';
import type { RecommendationsResponse } from './types.ts';
import { readRecommendations } from './read.ts';

export type SocketState = 'connecting' | 'open' | 'closed';

export interface SocketOptions {
  url: string;
  backoff?: BackoffOptions;
  /** How often an open socket is asked whether it lives, milliseconds. */
  pingEveryMs?: number;
  /** How long it may take to answer anything, milliseconds. */
  pongWithinMs?: number;
  /** How long a socket stays when its last listener left: pages come and go. */
  lingerMs?: number;
  WebSocket?: typeof globalThis.WebSocket;
}

export interface SocketListener {
  onList: (list: RecommendationsResponse) => void;
  onState?: (state: SocketState) => void;
  /** The server refused or said something that is no list. */
  onProblem?: (reason: string) => void;
}

const NORMAL_CLOSURE = 1000;
/** Closed for what we did, not for the network: no hurry to do it again. */
const POLICY_VIOLATION = 1008;

/** One person's socket: connects, subscribes, watches that it lives, and begins anew whenever it does not. */
export class UserSocket {
  readonly #userId: string;
  readonly #options: Required<Omit<SocketOptions, 'backoff'>>;
  readonly #backoff: Backoff;
  readonly #listeners = new Set<SocketListener>();
  #socket: WebSocket | undefined;
  #state: SocketState = 'closed';
  #again: ReturnType<typeof setTimeout> | undefined;
  #ping: ReturnType<typeof setTimeout> | undefined;
  #linger: ReturnType<typeof setTimeout> | undefined;
  readonly #onClosed: () => void;

  constructor(userId: string, options: SocketOptions, onClosed: () => void) {
    this.#userId = userId;
    this.#options = {
      url: options.url,
      pingEveryMs: options.pingEveryMs ?? 25_000,
      pongWithinMs: options.pongWithinMs ?? 8_000,
      lingerMs: options.lingerMs ?? 1_000,
      WebSocket: options.WebSocket ?? globalThis.WebSocket,
    };
    this.#backoff = new Backoff(options.backoff ?? { baseMs: 1_000, maxMs: 30_000 });
    this.#onClosed = onClosed;
  }

  add(listener: SocketListener): () => void {
    clearTimeout(this.#linger);
    this.#listeners.add(listener);
    listener.onState?.(this.#state);
    if (this.#state === 'closed' && this.#again === undefined) this.#connect();
    return () => {
      if (!this.#listeners.delete(listener) || this.#listeners.size > 0) return;
      this.#linger = setTimeout(() => {
        this.close();
      }, this.#options.lingerMs);
    };
  }

  /** The network is back, or the page is seen again: do not wait for the timer. */
  hurry(): void {
    if (this.#again !== undefined) this.#connect();
    else if (this.#state === 'open') this.#checkAlive();
  }

  close(): void {
    clearTimeout(this.#linger);
    this.#send({ action: 'unsubscribe' });
    this.#abandon();
    clearTimeout(this.#again);
    this.#again = undefined;
    this.#onClosed();
  }

  #connect(): void {
    clearTimeout(this.#again);
    this.#again = undefined;
    this.#abandon();
    this.#setState('connecting');
    let socket: WebSocket;
    try {
      socket = new this.#options.WebSocket(this.#options.url);
    } catch (error) {
      this.#problem(String(error));
      this.#later();
      return;
    }
    this.#socket = socket;
    socket.onopen = () => {
      this.#send({ action: 'subscribe_recommendations', userId: this.#userId });
      this.#setState('open');
      this.#schedulePing();
    };
    socket.onmessage = (message: MessageEvent<unknown>) => {
      // Whatever comes shows that the connection lives, and lives well enough to be counted as a success.
      this.#backoff.reset();
      this.#schedulePing();
      this.#read(message.data);
    };
    // `onclose` follows and says more.
    socket.onerror = () => undefined;
    socket.onclose = (event) => {
      if (event.code === POLICY_VIOLATION) this.#problem(event.reason || 'the server closed the connection');
      this.#lost();
    };
  }

  #read(data: unknown): void {
    let body: unknown;
    try {
      body = JSON.parse(String(data));
    } catch {
      this.#problem('a message is not JSON');
      return;
    }
    if (!isRecord(body)) return;
    if (body['type'] === 'error') {
      const said = body['error'] ?? body['message'];
      this.#problem(typeof said === 'string' ? said : 'the server refused');
      return;
    }
    if (body['type'] !== 'recommendations') return;
    const { type: _, ...answer } = body;
    try {
      const list = readRecommendations(answer);
      // A list that says whose it is must be ours.
      const owner = list.metadata?.userId ?? '';
      if (owner !== '' && owner !== this.#userId) return;
      for (const listener of this.#listeners) listener.onList(list);
    } catch (error) {
      this.#problem(error instanceof Error ? error.message : String(error));
    }
  }

  #schedulePing(): void {
    clearTimeout(this.#ping);
    this.#ping = setTimeout(() => {
      this.#checkAlive();
    }, this.#options.pingEveryMs);
  }

  /** Asks, and takes silence for death: a dead connection may look open for many minutes. */
  #checkAlive(): void {
    clearTimeout(this.#ping);
    this.#send({ action: 'ping' });
    this.#ping = setTimeout(() => {
      this.#lost();
    }, this.#options.pongWithinMs);
  }

  #lost(): void {
    this.#abandon();
    this.#later();
  }

  #later(): void {
    this.#setState('closed');
    if (this.#listeners.size === 0) {
      this.close();
      return;
    }
    clearTimeout(this.#again);
    this.#again = setTimeout(() => {
      this.#connect();
    }, this.#backoff.next());
  }

  #abandon(): void {
    clearTimeout(this.#ping);
    const socket = this.#socket;
    this.#socket = undefined;
    this.#setState('closed');
    if (!socket) return;
    socket.onmessage = socket.onclose = null;
    // Closing while it connects is an error in the browser's console; it is closed as soon as it is open.
    socket.onopen = () => {
      socket.close(NORMAL_CLOSURE);
    };
    if (socket.readyState === socket.OPEN) socket.close(NORMAL_CLOSURE);
  }

  #send(message: object): void {
    if (this.#socket?.readyState === this.#options.WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #setState(state: SocketState): void {
    if (state === this.#state) return;
    this.#state = state;
    for (const listener of this.#listeners) listener.onState?.(state);
  }

  #problem(reason: string): void {
    for (const listener of this.#listeners) listener.onProblem?.(reason);
  }
}
