import { Children, cloneElement, isValidElement, type ReactElement, type ReactNode } from 'react';
import type { ProductHandler } from '../catalogue/productData.ts';
import { useProductTracking } from '../hooks/useProductTracking.ts';

export interface TrackerHandlers {
  onProductView: ProductHandler;
  onAddToCart: ProductHandler;
  onPurchase: ProductHandler;
}

export interface EventTrackerProps {
  userId: string;
  /** A component that takes the handlers as props, or a function that is given them. */
  children: ReactNode | ((handlers: TrackerHandlers) => ReactNode);
}

/** Gives its child `onProductView`, `onAddToCart` and `onPurchase`, which track what the child tells them. */
export function EventTracker({ userId, children }: EventTrackerProps) {
  const { onProductView, onAddToCart, onPurchase } = useProductTracking(userId);
  const handlers = { onProductView, onAddToCart, onPurchase };
  if (typeof children === 'function') return children(handlers);
  // HTML elements know no such handlers: they pass as they are.
  return Children.map(children, (child) =>
    isValidElement(child) && typeof child.type !== 'string' ? cloneElement(child as ReactElement<object>, handlers) : child,
  );
}

export default EventTracker;
