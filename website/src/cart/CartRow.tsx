import { Link } from 'wouter';
import { ProductArt } from '../catalogue/ProductArt.tsx';
import { Text } from '../components/Text.tsx';
import { productHref } from '../lib/navigation.ts';
import { MAX_QUANTITY, setQuantity, type CartLine } from './cart.ts';

interface Props {
  userId: string;
  line: CartLine;
  onRemove: () => void;
}

export function CartRow({ userId, line, onRemove }: Props) {
  const { productId, name, category, price, quantity } = line;
  const step = (by: number, label: string, sign: string, disabled: boolean) => (
    <button
      type="button"
      aria-label={`${label}: ${name}`}
      disabled={disabled}
      onClick={() => {
        setQuantity(userId, productId, quantity + by);
      }}
      className="grid size-9 place-items-center rounded-lg font-mono hover:bg-raised disabled:text-edge"
    >
      {sign}
    </button>
  );
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-2 py-4">
      <ProductArt productId={productId} category={category} className="h-14 w-20 shrink-0 rounded-lg" />
      <div className="min-w-40 flex-1">
        <Link href={productHref(productId)} className="line-clamp-2 leading-snug font-semibold hover:text-accent">
          <Text>{name}</Text>
        </Link>
        {price !== null && (
          <p className="truncate font-mono text-sm text-muted">
            <Text>{price}</Text>
          </p>
        )}
      </div>
      <div className="flex items-center rounded-lg border border-line" role="group" aria-label={`Quantity of ${name}`}>
        {step(-1, 'One less', '−', quantity <= 1)}
        <span aria-live="polite" className="min-w-7 text-center font-mono text-sm font-semibold">
          {quantity}
        </span>
        {step(1, 'One more', '+', quantity >= MAX_QUANTITY)}
      </div>
      <button type="button" aria-label={`Remove: ${name}`} onClick={onRemove} className="rounded-lg px-2 py-1.5 text-sm font-medium text-bad hover:underline">
        Remove
      </button>
    </li>
  );
}
