/** How figures are written. */

const EMPTY = '–';
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

export const percent = (share: number | null | undefined, digits = 0): string =>
  share === null || share === undefined ? EMPTY : `${(share * 100).toFixed(digits)}%`;

export const count = (value: number | null | undefined): string =>
  value === null || value === undefined ? EMPTY : Math.abs(value) < 100_000 ? whole.format(value) : compact.format(value);

export const decimal = (value: number | null | undefined, digits = 1): string =>
  value === null || value === undefined ? EMPTY : value >= 1000 ? whole.format(value) : value.toFixed(digits);

export const milliseconds = (value: number | null | undefined): string =>
  value === null || value === undefined ? EMPTY : `${decimal(value, value < 100 ? 1 : 0)} ms`;

export function money(amount: number, currency = 'USD'): string {
  try {
    return new Intl.NumberFormat('en-US', { style: 'currency', currency }).format(amount);
  } catch {
    return `${amount.toFixed(2)} ${currency}`;
  }
}

export function clock(time: string | number | Date): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? EMPTY : date.toLocaleTimeString('en-GB');
}

/** `product_view` as people read it. */
export const words = (name: string): string => name.replaceAll('_', ' ');
