import { Text } from '../components/Text.tsx';
import type { Filter } from './filter.ts';

interface Props {
  filter: Filter;
  categories: { name: string; size: number }[];
  shown: number;
  onChange: (filter: Filter) => void;
}

/** More are in the list behind the search. */
const MAX_CHIPS = 16;

export function CatalogueToolbar({ filter, categories, shown, onChange }: Props) {
  const chip = (name: string, label: string, size?: number) => (
    <button
      key={name}
      type="button"
      aria-pressed={filter.category === name}
      onClick={() => {
        onChange({ ...filter, category: name });
      }}
      className="inline-flex max-w-56 shrink-0 items-center gap-1.5 rounded-full border border-line px-3 py-1.5 text-sm whitespace-nowrap transition-colors hover:border-accent aria-pressed:border-accent aria-pressed:bg-accent aria-pressed:text-on-accent"
    >
      <Text className="truncate">{label}</Text>
      {size !== undefined && <span className="font-mono text-xs opacity-85">{size}</span>}
    </button>
  );
  return (
    <div className="flex flex-col gap-3" role="search" aria-label="Products">
      <div className="flex items-center gap-3">
        <label className="relative flex-1">
          <span className="sr-only">Search products</span>
          <svg aria-hidden="true" viewBox="0 0 20 20" fill="none" stroke="currentColor" strokeWidth="1.75" strokeLinecap="round" className="pointer-events-none absolute top-1/2 left-3 size-4 -translate-y-1/2 text-muted">
            <circle cx="9" cy="9" r="5.5" />
            <path d="m13.5 13.5 4 4" />
          </svg>
          <input
            type="search"
            value={filter.text}
            onChange={(event) => {
              onChange({ ...filter, text: event.target.value });
            }}
            placeholder="Search the shop"
            className="field w-full py-2.5 pr-3 pl-9 text-base"
          />
        </label>
        <p role="status" className="label min-w-20 text-right whitespace-nowrap">
          {shown} {shown === 1 ? 'product' : 'products'}
        </p>
      </div>
      <div role="group" aria-label="Category" className="-mx-1 flex min-h-11 gap-2 overflow-x-auto p-1">
        {chip('', 'Everything')}
        {categories.slice(0, MAX_CHIPS).map(({ name, size }) => chip(name, name, size))}
      </div>
    </div>
  );
}
