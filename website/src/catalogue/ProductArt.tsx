import { memo, type CSSProperties } from 'react';
import { hash, sequence } from '../lib/hash.ts';
import { motifOf } from './motifs.tsx';

interface Props {
  productId: string;
  category: string | null;
  className?: string;
}

/** The shop has no photographs: a drawing of the category, varied by the product, the same at every visit. */
export const ProductArt = memo(function ProductArt({ productId, category, className = '' }: Props) {
  const { motif, hue } = motifOf(category);
  const random = sequence(hash(`${productId}/${category ?? ''}`));
  const turn = Math.round(random() * 24 - 12);
  const tint = (light: string, dark: string) => `light-dark(oklch(${light} ${hue + turn}), oklch(${dark} ${hue + turn}))`;
  return (
    <svg
      aria-hidden="true"
      viewBox="0 0 320 200"
      preserveAspectRatio="xMidYMid slice"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.75"
      strokeLinecap="round"
      className={className}
      style={{
        '--tile': tint('0.94 0.035', '0.2 0.035'),
        color: tint('0.5 0.13', '0.83 0.14'),
        background: `radial-gradient(120% 140% at ${20 + random() * 60}% 0%, ${tint('0.97 0.03', '0.29 0.06')}, ${tint('0.9 0.045', '0.155 0.03')})`,
      } as CSSProperties}
    >
      {motif(random)}
    </svg>
  );
});
