import { openStorage } from '@freshet/client';
import { useSyncExternalStore } from 'react';

export const storage = openStorage();

export interface Store<T> {
  get: () => T;
  set: (change: (old: T) => T) => void;
  subscribe: (listener: () => void) => () => void;
}

/** A value that all components share, kept in storage where there is one, and followed when another tab changes it. */
export function persistentStore<T>(key: string, read: (value: unknown) => T): Store<T> {
  const load = (): T => {
    try {
      return read(JSON.parse(storage.get(key) ?? 'null'));
    } catch {
      return read(null);
    }
  };
  let value = load();
  const listeners = new Set<() => void>();
  const tell = () => {
    for (const listener of listeners) listener();
  };
  addEventListener('storage', (event) => {
    if (event.key !== key && event.key !== null) return;
    value = load();
    tell();
  });
  return {
    get: () => value,
    set: (change) => {
      value = change(value);
      storage.set(key, JSON.stringify(value));
      tell();
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

export const useStore = <T>(store: Store<T>): T => useSyncExternalStore(store.subscribe, store.get);
