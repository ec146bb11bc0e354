import { hash } from '../lib/hash.ts';
import type { Visitor } from './visitors.ts';

/** The first letter, as people count letters: an emoji is one. */
const letters = new Intl.Segmenter();
const initial = (name: string): string => [...letters.segment(name)][0]?.segment.toUpperCase() ?? '?';

export function Avatar({ visitor, className = 'size-7' }: { visitor: Visitor; className?: string }) {
  const hue = hash(visitor.userId) % 360;
  return (
    <span
      aria-hidden="true"
      className={`grid shrink-0 place-items-center overflow-hidden rounded-full font-mono text-xs font-bold ${className}`}
      style={{
        background: `light-dark(oklch(0.88 0.08 ${String(hue)}), oklch(0.32 0.08 ${String(hue)}))`,
        color: `light-dark(oklch(0.32 0.1 ${String(hue)}), oklch(0.93 0.08 ${String(hue)}))`,
      }}
    >
      {initial(visitor.name)}
    </span>
  );
}
