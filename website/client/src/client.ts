import { Delivery } from './delivery.ts';
import { isRecord, protocolError } from './errors.ts';
import { Http, type HttpOptions } from './http.ts';
import { LiveLists, watchConnectivity } from './liveLists.ts';
import { onPageEnd, sendByBeacon } from './pageEnd.ts';
import { QueueStore } from './queueStore.ts';
import { readItems, readProduct, readProducts, readRecommendations, readRows } from './read.ts';
import type { SocketOptions } from './socket.ts';
import { openStorage, type KeyValue } from './storage.ts';
import { Tracker, type TrackerOptions } from './tracker.ts';
import type {
  DeadLetter,
  DeadLetterAddress,
  Health,
  LiveMetrics,
  Product,
  ProductPage,
  RecentEvent,
  Recommendation,
  RecommendationQuery,
  RecommendationsResponse,
} from './types.ts';

export interface ClientOptions {
  /** Where the API is: `https://shop.example/api`. */
  apiUrl: string;
  /** Where the WebSocket is: `wss://shop.example`. */
  wsUrl: string;
  http?: Omit<HttpOptions, 'baseUrl'>;
  socket?: Omit<SocketOptions, 'url'>;
  tracker?: TrackerOptions;
  storage?: KeyValue;
}

const segment = encodeURIComponent;

/** Everything that a website asks of Freshet. Make one per page. */
export class FreshetClient {
  /** Events on their way. */
  readonly tracker: Tracker;
  /** New lists, pushed. */
  readonly live: LiveLists;
  readonly #http: Http;
  readonly #stop: (() => void)[];

  constructor(options: ClientOptions) {
    this.#http = new Http({ ...options.http, baseUrl: options.apiUrl });
    const store = new QueueStore(options.storage ?? openStorage());
    this.tracker = new Tracker(new Delivery(this.#http), store, options.tracker);
    this.live = new LiveLists({ ...options.socket, url: options.wsUrl });
    this.#stop = [
      watchConnectivity(() => {
        this.tracker.retryNow();
      }),
      onPageEnd(() => {
        this.tracker.takeForBeacon((events) => sendByBeacon(this.#http, events));
      }),
    ];
  }

  async health(signal?: AbortSignal): Promise<Health> {
    const body = await this.#http.get('/health', { signal });
    if (typeof body['status'] !== 'string') throw protocolError('the answer tells no status', { body });
    return body as unknown as Health;
  }

  async recommendations(
    userId: string,
    query: RecommendationQuery = {},
    signal?: AbortSignal,
  ): Promise<RecommendationsResponse> {
    const path = `/recommendations/${segment(userId)}`;
    return readRecommendations(await this.#http.get(path, { query: { ...query }, signal }));
  }

  async products(query: { limit?: number; offset?: number; category?: string } = {}, signal?: AbortSignal): Promise<ProductPage> {
    return readProducts(await this.#http.get('/products', { query, signal }));
  }

  async product(id: string, signal?: AbortSignal): Promise<Product> {
    return readProduct(await this.#http.get(`/products/${segment(id)}`, { signal }));
  }

  similar(id: string, signal?: AbortSignal): Promise<Recommendation[]> {
    return this.#items(`/products/${segment(id)}/similar`, signal);
  }

  boughtTogether(id: string, signal?: AbortSignal): Promise<Recommendation[]> {
    return this.#items(`/products/${segment(id)}/bought-together`, signal);
  }

  /** Forgets a person: what waits here, and everything that the server knows. */
  async forget(userId: string): Promise<void> {
    await this.tracker.forget(userId);
    await this.#http.request('DELETE', `/users/${segment(userId)}`);
  }

  async metrics(signal?: AbortSignal): Promise<LiveMetrics> {
    const { data } = await this.#http.get('/recommendations/metrics/live', { signal });
    if (!isRecord(data)) throw protocolError('the answer holds no figures');
    return data as unknown as LiveMetrics;
  }

  /** The last events, newest first. With an administrator's token, they tell whose. */
  async recentEvents(limit: number, token?: string, signal?: AbortSignal): Promise<RecentEvent[]> {
    const body = await this.#http.get('/operations/events', { query: { limit }, token, signal });
    return readRows<RecentEvent>(body, ['eventType', 'productId', 'timestamp']);
  }

  /** What could not be processed, newest first. With an administrator's token, with the records themselves. */
  async deadLetters(limit: number, token?: string, signal?: AbortSignal): Promise<DeadLetter[]> {
    const body = await this.#http.get('/operations/dead-letters', { query: { limit }, token, signal });
    return readRows<DeadLetter>(body, ['topic', 'partition', 'offset', 'reason']);
  }

  /** Puts a dead letter back where it came from. For administrators. */
  async replayDeadLetter(address: DeadLetterAddress, token: string): Promise<void> {
    await this.#http.post('/operations/dead-letters/replay', pick(address), { token });
  }

  /** Drops a dead letter. For administrators. */
  async dropDeadLetter(address: DeadLetterAddress, token: string): Promise<void> {
    await this.#http.post('/operations/dead-letters/drop', pick(address), { token });
  }

  close(): void {
    for (const stop of this.#stop) stop();
    this.tracker.close();
    this.live.close();
  }

  async #items(path: string, signal?: AbortSignal): Promise<Recommendation[]> {
    const { data } = await this.#http.get(path, { signal });
    if (!Array.isArray(data)) throw protocolError('the answer holds no list');
    return readItems(data);
  }
}

const pick = ({ topic, partition, offset }: DeadLetterAddress): DeadLetterAddress => ({ topic, partition, offset });
