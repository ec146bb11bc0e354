import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Seen {
  method: string;
  path: string;
  headers: IncomingMessage['headers'];
  body: unknown;
}

export type Answer = { status?: number; body?: unknown; text?: string; headers?: Record<string, string> } | 'hang up' | 'never';

/** A real HTTP server that answers as `answer` says and remembers what it was asked. */
export async function startServer(answer: (seen: Seen, index: number) => Answer | Promise<Answer>) {
  const seen: Seen[] = [];
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const entry: Seen = {
      method: request.method ?? '',
      path: request.url ?? '',
      headers: request.headers,
      body: text === '' ? undefined : JSON.parse(text),
    };
    seen.push(entry);
    const given = await answer(entry, seen.length - 1);
    if (given === 'never') return;
    if (given === 'hang up') {
      request.socket.destroy();
      return;
    }
    response.writeHead(given.status ?? 200, { 'content-type': 'application/json', ...given.headers });
    response.end(given.text ?? JSON.stringify(given.body ?? { success: true }));
  };
  const server = createServer((request, response) => {
    void handle(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${String(port)}`,
    seen,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** An API that acknowledges all events, one by one and in batches. */
export const acknowledge = (seen: Seen): Answer => {
  const events = eventsOf(seen);
  if (!seen.path.endsWith('/batch')) return { body: { success: true, message: 'Event tracked successfully', eventId: events[0]!.eventId } };
  return { body: { success: true, results: events.map(({ eventId }) => ({ success: true, eventId })) } };
};

export function eventsOf(seen: Seen): { eventId: string; productId: string; eventType: string }[] {
  const body = seen.body as { events?: never[] };
  return body.events ?? [body as never];
}
