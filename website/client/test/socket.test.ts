import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { WebSocket as ClientSocket, WebSocketServer, type WebSocket as ServerSocket } from 'ws';
import { LiveLists } from '../src/liveLists.ts';
import type { SocketOptions, SocketState } from '../src/socket.ts';
import type { RecommendationsResponse } from '../src/types.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

interface Conversation {
  socket: ServerSocket;
  said: { action: string; userId?: string }[];
}

/** A real WebSocket server that speaks as CONTRACT says. */
async function startServer(options: { port?: number; pong?: boolean } = {}) {
  const server = new WebSocketServer({ host: '127.0.0.1', port: options.port ?? 0 });
  await new Promise((resolve) => server.once('listening', resolve));
  const conversations: Conversation[] = [];
  server.on('connection', (socket) => {
    const conversation: Conversation = { socket, said: [] };
    conversations.push(conversation);
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as Conversation['said'][number];
      conversation.said.push(message);
      if (message.action === 'ping' && options.pong !== false) socket.send('{"type":"pong"}');
    });
  });
  const close = () => {
    for (const client of server.clients) client.terminate();
    server.close();
  };
  cleanups.push(close);
  const { port } = server.address() as AddressInfo;
  return { port, url: `ws://127.0.0.1:${String(port)}`, conversations, close };
}

function connect(url: string, options: Partial<SocketOptions> = {}) {
  const live = new LiveLists({
    url, backoff: { baseMs: 10, maxMs: 40 }, lingerMs: 20, WebSocket: ClientSocket as unknown as typeof WebSocket, ...options,
  });
  cleanups.push(() => {
    live.close();
  });
  return live;
}

function listen(live: LiveLists, userId: string) {
  const lists: RecommendationsResponse[] = [];
  const states: SocketState[] = [];
  const problems: string[] = [];
  const stop = live.subscribe(userId, {
    onList: (list) => lists.push(list), onState: (state) => states.push(state), onProblem: (reason) => problems.push(reason),
  });
  return { lists, states, problems, stop };
}

const list = (userId: string, productId: string) =>
  JSON.stringify({ type: 'recommendations', success: true, data: [{ productId, name: 'N', score: 0.5, reason: 'r' }], metadata: { userId, algorithm: 'hybrid', recommendationId: 'x' } });

const until = (check: () => void) => vi.waitFor(check, { timeout: 3_000, interval: 5 });
const subscribed = (conversation: Conversation | undefined, userId: string) => {
  expect(conversation?.said).toContainEqual({ action: 'subscribe_recommendations', userId });
};

describe('live lists', () => {
  it('arrive at every listener of that person, over one connection', async () => {
    const server = await startServer();
    const live = connect(server.url);
    const [first, second] = [listen(live, 'neo'), listen(live, 'neo')];
    await until(() => { subscribed(server.conversations[0], 'neo'); });
    server.conversations[0]!.socket.send(list('neo', '4'));
    await until(() => {
      expect(first.lists).toHaveLength(1);
      expect(second.lists).toHaveLength(1);
    });
    expect(first.lists[0]).toMatchObject({ success: true, data: [{ productId: '4', category: null }], metadata: { recommendationId: 'x' } });
    expect(first.lists[0]).not.toHaveProperty('type');
    expect(server.conversations).toHaveLength(1);
  });

  it('of two persons do not mix', async () => {
    const server = await startServer();
    const live = connect(server.url);
    const [neo, trinity] = [listen(live, 'neo'), listen(live, 'trinity')];
    await until(() => { expect(server.conversations.flatMap((c) => c.said)).toHaveLength(2); });
    for (const { socket } of server.conversations) socket.send(list('neo', '4'));
    await until(() => { expect(neo.lists).toHaveLength(1); });
    expect(trinity.lists).toHaveLength(0);
  });

  it('go on after the connection is lost: it connects and subscribes again', async () => {
    const server = await startServer();
    const heard = listen(connect(server.url), 'neo');
    await until(() => { subscribed(server.conversations[0], 'neo'); });
    server.conversations[0]!.socket.terminate();
    await until(() => { subscribed(server.conversations[1], 'neo'); });
    server.conversations[1]!.socket.send(list('neo', '5'));
    await until(() => { expect(heard.lists).toHaveLength(1); });
    expect(heard.states).toEqual(['closed', 'connecting', 'open', 'closed', 'connecting', 'open']);
  });

  it('start as soon as a server is there', async () => {
    const server = await startServer();
    server.close();
    const heard = listen(connect(server.url), 'neo');
    await until(() => { expect(heard.states.slice(1)).toContain('closed'); });
    const later = await startServer({ port: server.port });
    await until(() => { subscribed(later.conversations[0], 'neo'); });
  });

  it('survive rubbish, unknown messages and refusals', async () => {
    const server = await startServer();
    const heard = listen(connect(server.url), 'neo');
    await until(() => { subscribed(server.conversations[0], 'neo'); });
    const { socket } = server.conversations[0]!;
    for (const text of ['no json', '[]', '{"type":"weather"}', '{"type":"recommendations","data":7}', '{"type":"error","error":"too many"}', list('neo', '6')]) socket.send(text);
    await until(() => { expect(heard.lists).toHaveLength(1); });
    expect(heard.problems).toEqual(['a message is not JSON', 'the answer holds no list', 'too many']);
  });
});

describe('a connection', () => {
  it('that answers pings stays; one that is silent is replaced', async () => {
    const server = await startServer();
    const alive = listen(connect(server.url, { pingEveryMs: 10, pongWithinMs: 200 }), 'neo');
    await until(() => { expect(server.conversations[0]?.said.filter((said) => said.action === 'ping').length).toBeGreaterThan(3); });
    expect(alive.states).toEqual(['closed', 'connecting', 'open']);

    const dead = await startServer({ pong: false });
    listen(connect(dead.url, { pingEveryMs: 10, pongWithinMs: 20 }), 'neo');
    await until(() => { expect(dead.conversations.length).toBeGreaterThan(1); });
  });

  it('is kept while a page changes, and given up with an unsubscribe when nobody listens', async () => {
    const server = await startServer();
    const live = connect(server.url);
    const first = listen(live, 'neo');
    await until(() => { subscribed(server.conversations[0], 'neo'); });
    first.stop();
    const second = listen(live, 'neo');
    second.stop();
    await until(() => { expect(server.conversations[0]!.socket.readyState).toBe(ClientSocket.CLOSED); });
    expect(server.conversations).toHaveLength(1);
    expect(server.conversations[0]!.said.at(-1)).toEqual({ action: 'unsubscribe' });
  });
});
