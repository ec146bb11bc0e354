import type { QueueState } from '@freshet/client';
import { useSyncExternalStore } from 'react';
import { freshet } from '../service/freshet.ts';

/** Events that wait for their acknowledgement. */
export const useQueue = (): QueueState =>
  useSyncExternalStore(
    (changed) => freshet.tracker.watch(changed),
    () => freshet.tracker.state,
  );
