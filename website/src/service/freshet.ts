import { FreshetClient } from '@freshet/client';

/** What the server that hands out the page says in its head: it knows the ports of this very system. */
function told(name: string): string | undefined {
  const content = document.querySelector<HTMLMetaElement>(`meta[name="${name}"]`)?.content ?? '';
  return content === '' ? undefined : content;
}

/** The one client of this page. */
export const freshet = new FreshetClient({
  apiUrl: told('freshet-api') ?? import.meta.env.VITE_API_URL ?? 'http://localhost:3001/api',
  wsUrl: told('freshet-socket') ?? import.meta.env.VITE_WS_URL ?? 'ws://localhost:3002',
});
