import { isRecord, protocolError } from './errors.ts';
import type { JsonObject } from './http.ts';
import type { Product, ProductPage, Recommendation, RecommendationsResponse } from './types.ts';

/** Answers are checked where they come in: what a page gets has the shape that its type says. */

export function readRecommendations(body: JsonObject): RecommendationsResponse {
  if (!Array.isArray(body['data'])) throw protocolError('the answer holds no list', { body });
  const given = body['metadata'];
  const metadata = isRecord(given) ? { metadata: readMetadata(given, body['data'].length) } : {};
  return { ...body, success: true, data: readItems(body['data']), ...metadata };
}

export const readItems = (items: unknown[]): Recommendation[] => items.filter(isRecord).flatMap(readItem);

function readItem(item: JsonObject): Recommendation[] {
  const productId = text(item['productId']);
  if (productId === null) return [];
  const score = typeof item['score'] === 'number' ? Math.min(Math.max(item['score'], 0), 1) : 0;
  return [
    {
      ...item,
      productId,
      name: text(item['name']),
      category: text(item['category']),
      price: text(item['price']),
      score,
      reason: text(item['reason']) ?? '',
    },
  ];
}

function readMetadata(given: JsonObject, count: number): NonNullable<RecommendationsResponse['metadata']> {
  return {
    ...given,
    userId: text(given['userId']) ?? '',
    generatedAt: text(given['generatedAt']) ?? '',
    isStale: given['isStale'] === true,
    count: typeof given['count'] === 'number' ? given['count'] : count,
    algorithm: text(given['algorithm']) ?? '',
  };
}

export function readProducts(body: JsonObject): ProductPage {
  if (!Array.isArray(body['data'])) throw protocolError('the answer holds no products', { body });
  const products = body['data'].filter(isRecord).flatMap(toProduct);
  const total = isRecord(body['metadata']) ? body['metadata']['total'] : undefined;
  return { products, total: typeof total === 'number' ? total : products.length };
}

export function readProduct(body: JsonObject): Product {
  const [product] = isRecord(body['data']) ? toProduct(body['data']) : [];
  if (!product) throw protocolError('the answer holds no product', { body });
  return product;
}

function toProduct(item: JsonObject): Product[] {
  const id = text(item['id']);
  if (id === null) return [];
  return [
    {
      ...item,
      id,
      name: text(item['name']) ?? id,
      category: text(item['category']),
      price: text(item['price']),
      available: item['available'] !== false,
      attributes: isRecord(item['attributes']) ? item['attributes'] : {},
    },
  ];
}

/** The body's `data` as a list of objects, each checked to have what an address or a line needs. */
export function readRows<T>(body: JsonObject, needed: readonly (keyof T & string)[]): T[] {
  if (!Array.isArray(body['data'])) throw protocolError('the answer holds no list', { body });
  return body['data'].filter(
    (row): row is T => isRecord(row) && needed.every((name) => row[name] !== undefined && row[name] !== null),
  );
}

const text = (value: unknown): string | null =>
  typeof value === 'string' && value !== '' ? value : typeof value === 'number' ? String(value) : null;
