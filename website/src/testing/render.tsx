import { QueryClientProvider } from '@tanstack/react-query';
import { render } from '@testing-library/react';
import type { ReactNode } from 'react';
import { createQueryClient } from '../service/queries.ts';

/** With a memory of its own. */
export function renderFresh(children: ReactNode) {
  const client = createQueryClient();
  return render(children, { wrapper: ({ children: inner }) => <QueryClientProvider client={client}>{inner}</QueryClientProvider> });
}
