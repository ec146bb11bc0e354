/** What can go wrong, by what a caller can do about it. */

export type FreshetErrorKind = 'network' | 'timeout' | 'server' | 'refused' | 'protocol';

interface Details {
  cause?: unknown;
  status?: number;
  field?: string;
  retryAfterMs?: number;
  body?: unknown;
}

export class FreshetError extends Error {
  readonly kind: FreshetErrorKind;
  /** HTTP status, where there was an answer. */
  readonly status: number | undefined;
  /** The field that was refused, where the server named one. */
  readonly field: string | undefined;
  /** How long the server asks to wait, milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** The answer's body, where it was JSON. */
  readonly body: unknown;
  /** Set on events: the event is kept and sent again, do not track it anew. */
  queued = false;

  constructor(kind: FreshetErrorKind, message: string, details: Details = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'FreshetError';
    this.kind = kind;
    this.status = details.status;
    this.field = details.field;
    this.retryAfterMs = details.retryAfterMs;
    this.body = details.body;
  }

  /** May the same request succeed later, unchanged? */
  get retryable(): boolean {
    return this.kind !== 'refused';
  }
}

/** No answer came: offline, refused connection, or blocked by CORS (browsers do not say which). */
export const networkError = (cause: unknown): FreshetError =>
  new FreshetError('network', 'the service could not be reached', { cause });

export const timeoutError = (ms: number): FreshetError =>
  new FreshetError('timeout', `no answer within ${String(ms / 1000)} s`);

export const protocolError = (message: string, details: Details = {}): FreshetError =>
  new FreshetError('protocol', message, details);

/** Statuses below 500 that a later attempt may pass. */
const PASSING = new Set([408, 425, 429]);

/** An answer that is not 2xx. */
export function statusError(status: number, body: unknown, retryAfter: string | null): FreshetError {
  const fields = isRecord(body) ? body : {};
  const said = [fields['error'], fields['message']].find((text) => typeof text === 'string');
  const message = typeof said === 'string' && said !== '' ? said : `HTTP ${String(status)}`;
  const kind = status >= 500 || PASSING.has(status) ? 'server' : 'refused';
  const field = typeof fields['field'] === 'string' ? fields['field'] : undefined;
  return new FreshetError(kind, message, { status, field, body, retryAfterMs: parseRetryAfter(retryAfter) });
}

export const isFreshetError = (error: unknown): error is FreshetError => error instanceof FreshetError;

/** Is the part simply not there (yet)? */
export const isNotFound = (error: unknown): boolean => isFreshetError(error) && error.status === 404;

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Longest wait that a server may ask for, milliseconds. */
const MAX_RETRY_AFTER_MS = 5 * 60_000;

function parseRetryAfter(text: string | null): number | undefined {
  if (text === null || text.trim() === '') return undefined;
  const seconds = Number(text);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(text) - Date.now();
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS) : undefined;
}
