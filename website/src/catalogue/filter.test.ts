import { describe, expect, it } from 'vitest';
import { PRODUCTS } from '../testing/api.ts';
import { categoriesOf, filterProducts } from './filter.ts';

const found = (text: string, category = '') => filterProducts(PRODUCTS, { text, category }).map(({ id }) => id);

describe('the search', () => {
  it('finds every word, anywhere, whatever its case and accents', () => {
    expect(found('')).toEqual(['1', '2', '3']);
    expect(found('AI assistant')).toEqual(['1']);
    expect(found('quántum KIT')).toEqual(['3']);
    expect(found('voice')).toEqual(['1']);
    expect(found('assistant processor')).toEqual([]);
    expect(found('.*(')).toEqual([]);
  });

  it('stays in the category', () => {
    expect(found('', 'AI Components')).toEqual(['2']);
    expect(found('smart', 'AI Components')).toEqual([]);
  });

  it('counts the categories', () => {
    const categories = categoriesOf([...PRODUCTS, { ...PRODUCTS[1]!, id: '4' }, { ...PRODUCTS[1]!, id: '5', category: null }]);
    expect(categories[0]).toEqual({ name: 'AI Components', size: 2 });
    expect(categories).toHaveLength(3);
  });
});
