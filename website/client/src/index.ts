export { FreshetClient, type ClientOptions } from './client.ts';
export { FreshetError, isFreshetError, isNotFound, type FreshetErrorKind } from './errors.ts';
export { newId } from './ids.ts';
export type { SocketListener, SocketState } from './socket.ts';
export { memoryStorage, openStorage, type KeyValue } from './storage.ts';
export type { QueueState, Report } from './tracker.ts';
export * from './types.ts';
