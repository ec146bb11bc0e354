/** What goes over the wire. Ids may be numbers on the way in; they are strings everywhere else. */

export const EVENT_TYPES = [
  'product_view',
  'add_to_cart',
  'remove_from_cart',
  'purchase',
  'recommendation_click',
  'recommendation_view',
] as const;

export type EventType = (typeof EVENT_TYPES)[number];

export type Metadata = Record<string, unknown>;

/** What a page tells. The server refuses an unknown `eventType` by name, so that any string compiles. */
export interface TrackEvent {
  userId: string | number;
  eventType: EventType | (string & {});
  productId: string | number;
  metadata?: Metadata;
  /** Made by the client where absent. The same one twice counts once. */
  eventId?: string;
}

/** An event as it is sent: complete, with the id that makes a retry safe. */
export interface WireEvent {
  eventId: string;
  userId: string;
  eventType: string;
  productId: string;
  metadata?: Metadata;
}

export interface TrackResponse {
  success: true;
  message: string;
  eventId: string;
}

export interface Recommendation {
  productId: string;
  name: string | null;
  category: string | null;
  price: string | null;
  priceAmount?: number;
  currency?: string;
  /** How well it fits, 0 to 1. */
  score: number;
  /** Why, in a sentence. */
  reason: string;
  /** Why, for machines. */
  because?: string;
  becauseProductId?: string;
}

export interface ListMetadata {
  userId: string;
  generatedAt: string;
  isStale: boolean;
  count: number;
  /** The strategy that made the list. */
  algorithm: string;
  /** Names the list in clicks and exposures. */
  recommendationId?: string;
  /** The `eventId` that caused this list. */
  causedBy?: string;
  experiment?: string;
  variant?: string;
}

export interface RecommendationsResponse {
  success: true;
  data: Recommendation[];
  /** Absent where nothing is known of the person; `message` says so then. */
  metadata?: ListMetadata;
  message?: string;
}

export interface RecommendationQuery {
  limit?: number;
  strategy?: string;
  category?: string;
  exclude?: readonly string[];
  fallback?: 'popular';
}

export interface Product {
  id: string;
  name: string;
  category: string | null;
  /** The display text as the shop gave it. */
  price: string | null;
  priceAmount?: number;
  currency?: string;
  available: boolean;
  confirmed?: boolean;
  attributes: Metadata;
}

export interface ProductPage {
  products: Product[];
  total: number;
}

export interface Health {
  status: string;
  message: string;
  parts?: Record<string, string>;
}

export interface StrategyFigures {
  events: number;
  choices: number;
  hits: number;
  precision: number | null;
  clicks: number;
  exposures: number;
  clickRate: number | null;
}

export interface PartitionLag {
  partition: number;
  committed: number | null;
  end: number;
  lag: number;
}

export interface ConsumerState {
  group: string;
  topic: string;
  state: string;
  /** Records not yet read; -1 where it can't be told. */
  lag: number;
  partitions: PartitionLag[];
}

export interface LiveMetrics {
  eventsPerSecond: number;
  meanProcessingMs: number | null;
  p99ProcessingMs: number | null;
  precision: number | null;
  recentPrecision: number | null;
  totalEvents: number;
  deadLetters: number;
  byType: Record<string, number>;
  strategies: Record<string, StrategyFigures>;
  consumers: ConsumerState[];
  lag: number;
  lastUpdate: string | null;
}

/** Where a dead letter lies. */
export interface DeadLetterAddress {
  topic: string;
  partition: number;
  offset: number;
}

/** A record that could not be processed, with why. */
export interface DeadLetter extends DeadLetterAddress {
  reason: string;
  field?: string | null;
  function?: string | null;
  timestamp?: string | number | null;
  /** The record's place in its own topic. */
  source?: DeadLetterAddress;
  valueBytes?: number;
  /** The record. Null for all but administrators. */
  value?: unknown;
}

/** One handled event of the live stream. */
export interface RecentEvent {
  /** Null for all but administrators. */
  userId: string | null;
  eventType: string;
  productId: string;
  timestamp: string;
  /** Items of the list that it caused. */
  count?: number | null;
  processingMs?: number | null;
  algorithm?: string | null;
}
