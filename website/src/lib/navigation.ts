import { useHistoryState } from 'wouter/use-browser-location';

export const productHref = (productId: string): string => `/products/${encodeURIComponent(productId)}`;

/** Goes along with a click that was tracked already, so that the page it leads to does not count it a second time. */
export const TRACKED = { tracked: true } as const;

export const useArrivedTracked = (): boolean => {
  const state: unknown = useHistoryState();
  return typeof state === 'object' && state !== null && 'tracked' in state;
};
