import { useSyncExternalStore } from 'react';

export interface Notice {
  id: number;
  text: string;
  tone: 'good' | 'bad';
}

/** How long a notice stays, milliseconds. */
const STAYS_MS = 4_000;
/** How many are shown at once. */
const SHOWN = 3;

let notices: readonly Notice[] = [];
let next = 0;
const listeners = new Set<() => void>();

function change(changed: readonly Notice[]): void {
  notices = changed;
  for (const listener of listeners) listener();
}

/** Tells the person something, for a moment. */
export function notify(text: string, tone: Notice['tone'] = 'good'): void {
  const notice = { id: (next += 1), text, tone };
  change([...notices, notice].slice(-SHOWN));
  setTimeout(() => {
    change(notices.filter((other) => other !== notice));
  }, STAYS_MS);
}

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

export const useNotices = (): readonly Notice[] => useSyncExternalStore(subscribe, () => notices);
