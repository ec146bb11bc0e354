import { isFreshetError, type Product } from '@freshet/client';
import { useQuery } from '@tanstack/react-query';
import { freshet } from '../service/freshet.ts';
import { useSharedQueryClient } from '../service/queries.ts';

/** The most that one answer holds. */
const LIMIT = 1_000;
const EVERY_MS_OFFLINE = 5_000;

export function useProducts() {
  const queries = useSharedQueryClient();
  return useQuery(
    {
      queryKey: ['products'],
      queryFn: ({ signal }) => freshet.products({ limit: LIMIT }, signal),
      staleTime: 60_000,
      refetchInterval: (query) => (query.state.status === 'error' ? EVERY_MS_OFFLINE : false),
    },
    queries,
  );
}

/** One product: at once where the catalogue is known already. */
export function useProduct(id: string) {
  const queries = useSharedQueryClient();
  return useQuery<Product>(
    {
      queryKey: ['product', id],
      queryFn: ({ signal }) => freshet.product(id, signal),
      placeholderData: () =>
        queries.getQueryData<{ products: Product[] }>(['products'])?.products.find((product) => product.id === id),
      staleTime: 60_000,
      refetchInterval: (query) =>
        query.state.status === 'error' && isFreshetError(query.state.error) && query.state.error.retryable ? EVERY_MS_OFFLINE : false,
    },
    queries,
  );
}
