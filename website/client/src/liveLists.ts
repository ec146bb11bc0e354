import { UserSocket, type SocketListener, type SocketOptions } from './socket.ts';

/**
 * New lists as they are made, by person. A connection carries one person's subscription, so each person gets a socket of
 * its own, shared by any number of listeners.
 */
export class LiveLists {
  readonly #options: SocketOptions;
  readonly #sockets = new Map<string, UserSocket>();
  readonly #stopWatching: () => void;

  constructor(options: SocketOptions) {
    this.#options = options;
    this.#stopWatching = watchConnectivity(() => {
      for (const socket of this.#sockets.values()) socket.hurry();
    });
  }

  subscribe(userId: string, listener: SocketListener): () => void {
    let socket = this.#sockets.get(userId);
    if (!socket) {
      socket = new UserSocket(userId, this.#options, () => this.#sockets.delete(userId));
      this.#sockets.set(userId, socket);
    }
    return socket.add(listener);
  }

  close(): void {
    this.#stopWatching();
    for (const socket of this.#sockets.values()) socket.close();
  }
}

/** Calls when the browser is online again or the page is seen again. */
export function watchConnectivity(listener: () => void): () => void {
  if (typeof document === 'undefined') return () => undefined;
  const visible = () => {
    if (document.visibilityState === 'visible') listener();
  };
  addEventListener('online', listener);
  document.addEventListener('visibilitychange', visible);
  return () => {
    removeEventListener('online', listener);
    document.removeEventListener('visibilitychange', visible);
  };
}
