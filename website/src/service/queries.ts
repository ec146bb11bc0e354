import { isFreshetError } from '@freshet/client';
import { QueryClient, QueryClientContext } from '@tanstack/react-query';
import { useContext } from 'react';

export const createQueryClient = () =>
  new QueryClient({
    defaultOptions: {
      queries: {
        // The browser's idea of "online" is about cables. Ask, and see.
        networkMode: 'always',
        staleTime: 10_000,
        retry: (failures, error) => isFreshetError(error) && error.retryable && failures < 1,
        retryDelay: 400,
      },
      mutations: { networkMode: 'always' },
    },
  });

const shared = createQueryClient();

/** The provider's client, or the page's own: our components work without a provider around them. */
export const useSharedQueryClient = (): QueryClient => useContext(QueryClientContext) ?? shared;
