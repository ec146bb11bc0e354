import { isFreshetError, isRecord, networkError, protocolError, statusError, timeoutError } from './errors.ts';

export interface HttpOptions {
  /** Where the API is, without a slash at its end: `https://shop.example/api`. */
  baseUrl: string;
  fetch?: typeof globalThis.fetch;
  /** How long an answer may take, milliseconds. */
  timeoutMs?: number;
  /** Cookies to another origin; nothing here needs them. */
  credentials?: RequestCredentials;
}

export type Query = Record<string, string | number | readonly string[] | undefined>;

export interface RequestOptions {
  query?: Query;
  body?: unknown;
  signal?: AbortSignal;
  /** An administrator's token. */
  token?: string;
  /** Let the request outlive the page. Browsers take 64 KB in all. */
  keepalive?: boolean;
}

export type JsonObject = Record<string, unknown>;

export class Http {
  readonly #options: HttpOptions;
  readonly #baseUrl: string;

  constructor(options: HttpOptions) {
    this.#options = options;
    this.#baseUrl = options.baseUrl.replace(/\/+$/, '');
  }

  url(path: string, query: Query = {}): string {
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
      const text = Array.isArray(value) ? value.join(',') : value;
      if (text !== undefined && text !== '') search.set(name, String(text));
    }
    const tail = search.toString();
    return `${this.#baseUrl}${path}${tail === '' ? '' : `?${tail}`}`;
  }

  get(path: string, options: Omit<RequestOptions, 'body'> = {}): Promise<JsonObject> {
    return this.request('GET', path, options);
  }

  post(path: string, body: unknown, options: Omit<RequestOptions, 'body'> = {}): Promise<JsonObject> {
    return this.request('POST', path, { ...options, body });
  }

  /**
   * The answer's JSON object. Rejects with a {@link FreshetError}, or with the reason of `signal` where the caller gave up.
   */
  async request(method: string, path: string, options: RequestOptions = {}): Promise<JsonObject> {
    const { fetch = globalThis.fetch, timeoutMs = 10_000, credentials = 'same-origin' } = this.#options;
    const headers: Record<string, string> = {};
    if (options.body !== undefined) headers['content-type'] = 'application/json';
    if (options.token !== undefined) headers['authorization'] = `Bearer ${options.token}`;

    const deadline = new AbortController();
    const timer = setTimeout(() => {
      deadline.abort(timeoutError(timeoutMs));
    }, timeoutMs);
    const giveUp = () => {
      deadline.abort(options.signal?.reason);
    };
    options.signal?.addEventListener('abort', giveUp, { once: true });
    if (options.signal?.aborted) giveUp();
    try {
      const response = await fetch(this.url(path, options.query), {
        method,
        headers,
        credentials,
        signal: deadline.signal,
        ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
        ...(options.keepalive ? { keepalive: true } : {}),
      });
      return await readAnswer(response);
    } catch (error) {
      if (deadline.signal.aborted) throw deadline.signal.reason;
      throw isFreshetError(error) ? error : networkError(error);
    } finally {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', giveUp);
    }
  }
}

async function readAnswer(response: Response): Promise<JsonObject> {
  const text = await response.text();
  let body: unknown;
  try {
    body = text === '' ? undefined : JSON.parse(text);
  } catch (cause) {
    if (response.ok) throw protocolError('the answer is not JSON', { cause, status: response.status });
  }
  if (!response.ok) throw statusError(response.status, body, response.headers.get('retry-after'));
  if (!isRecord(body)) throw protocolError('the answer is not a JSON object', { status: response.status, body });
  return body;
}
