import { useSyncExternalStore } from 'react';
import { persistentStore, storage, useStore } from '../lib/persistentStore.ts';

export interface Visitor {
  userId: string;
  name: string;
}

/** Where the page keeps who is shopping: the bare id, as other pages of the shop read it. */
const CURRENT_KEY = 'userId';
const MAX_VISITORS = 12;
const MAX_NAME = 40;
const NAMES = ['Neo', 'Trinity', 'Morpheus', 'Niobe', 'Tank', 'Switch', 'Dozer', 'Oracle', 'Seraph', 'Link', 'Apoc', 'Mouse'];

const isVisitor = (value: unknown): value is Visitor =>
  typeof value === 'object' && value !== null && 'userId' in value && typeof value.userId === 'string' &&
  'name' in value && typeof value.name === 'string';

const visitors = persistentStore<readonly Visitor[]>('freshet.visitors', (value) =>
  Array.isArray(value) ? value.filter(isVisitor).slice(0, MAX_VISITORS) : [],
);

let current = storage.get(CURRENT_KEY) ?? '';
const listeners = new Set<() => void>();

function newUserId(): string {
  const taken = new Set(visitors.get().map((visitor) => visitor.userId));
  let now = Date.now();
  while (taken.has(`user_${String(now)}`)) now += 1;
  return `user_${String(now)}`;
}

export const suggestedName = (known: readonly Visitor[]): string =>
  NAMES.find((name) => known.every((visitor) => visitor.name !== name)) ?? `Shopper ${String(known.length + 1)}`;

export function addVisitor(name = ''): Visitor {
  const known = visitors.get();
  const visitor = { userId: newUserId(), name: name.trim().slice(0, MAX_NAME) || suggestedName(known) };
  visitors.set((old) => [...old, visitor].slice(-MAX_VISITORS));
  switchVisitor(visitor.userId);
  return visitor;
}

/** Another one is at the keyboard. */
export function switchVisitor(userId: string): void {
  current = userId;
  storage.set(CURRENT_KEY, userId);
  for (const listener of listeners) listener();
}

/** Takes somebody off the list; there is always one left. */
export function removeVisitor(userId: string): void {
  visitors.set((old) => old.filter((visitor) => visitor.userId !== userId));
  if (current !== userId) return;
  const [next] = visitors.get();
  if (next) switchVisitor(next.userId);
  else addVisitor();
}

// The first visit makes the first visitor; an id that stands there already, from whichever page, stays who it is.
if (current === '') addVisitor();
else if (visitors.get().every((visitor) => visitor.userId !== current)) {
  visitors.set((old) => [...old, { userId: current, name: suggestedName(old) }].slice(-MAX_VISITORS));
}

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

export const useVisitors = (): readonly Visitor[] => useStore(visitors);

export const useUserId = (): string => useSyncExternalStore(subscribe, () => current);

export function useCurrentVisitor(): Visitor {
  const userId = useUserId();
  return useVisitors().find((visitor) => visitor.userId === userId) ?? { userId, name: userId };
}
