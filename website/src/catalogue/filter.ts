import type { Product } from '@freshet/client';

export interface Filter {
  text: string;
  category: string;
}

const fold = (text: string): string => text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();

/** Products that hold every word, in name, category or attributes. */
export function filterProducts(products: readonly Product[], { text, category }: Filter): Product[] {
  const wanted = fold(text).split(/\s+/).filter(Boolean);
  return products.filter((product) => {
    if (category !== '' && product.category !== category) return false;
    if (wanted.length === 0) return true;
    const hay = fold([product.name, product.category, ...Object.values(product.attributes).flat()].join(' '));
    return wanted.every((word) => hay.includes(word));
  });
}

/** Categories by how much there is in them. */
export function categoriesOf(products: readonly Product[]): { name: string; size: number }[] {
  const sizes = new Map<string, number>();
  for (const { category } of products) {
    if (category !== null) sizes.set(category, (sizes.get(category) ?? 0) + 1);
  }
  return [...sizes].map(([name, size]) => ({ name, size })).sort((a, b) => b.size - a.size || a.name.localeCompare(b.name));
}
