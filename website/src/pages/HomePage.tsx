import { EventTracker } from '../components/EventTracker.tsx';
import { ProductGrid } from '../components/ProductGrid.tsx';
import { useUserId } from '../visitor/visitors.ts';

export function HomePage() {
  const userId = useUserId();
  return (
    <EventTracker userId={userId}>
      <ProductGrid userId={userId} />
    </EventTracker>
  );
}
