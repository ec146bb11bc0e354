import { lazy, Suspense, useEffect } from 'react';
import { Route, Switch, useRoute } from 'wouter';
import { RecommendationPanel } from '../components/RecommendationPanel.tsx';
import { useUserId } from '../visitor/visitors.ts';
import { Hero } from './Hero.tsx';
import { HomePage } from './HomePage.tsx';
import { Loading, NotFound } from './NotFound.tsx';

const loadProductPage = () => import('./ProductPage.tsx');
const ProductPage = lazy(loadProductPage);
const CartPage = lazy(() => import('./CartPage.tsx'));

/** The shop's pages, with the list beside them. It stays where it is while the page beside it changes. */
export function ShopLayout() {
  const userId = useUserId();
  const [home] = useRoute('/');

  useEffect(() => {
    // A click on a product must not wait for code.
    const timer = setTimeout(() => void loadProductPage(), 1_500);
    return () => {
      clearTimeout(timer);
    };
  }, []);

  const list = (
    <aside key="list" aria-label="For you" className="min-w-0 lg:sticky lg:top-21 lg:col-start-2 lg:row-start-1">
      <RecommendationPanel userId={userId} className="lg:max-h-[calc(100dvh-6.5rem)]" />
    </aside>
  );
  const page = (
    <div key="page" className="min-w-0 lg:col-start-1 lg:row-start-1">
      <Suspense fallback={<Loading />}>
        <Switch>
          <Route path="/" component={HomePage} />
          <Route path="/products/:id">{({ id }) => <ProductPage key={id} id={id} />}</Route>
          <Route path="/cart" component={CartPage} />
          <Route component={NotFound} />
        </Switch>
      </Suspense>
    </div>
  );
  return (
    <div className="flex flex-col gap-6">
      {home && <Hero />}
      <div className="grid items-start gap-6 lg:grid-cols-[minmax(0,1fr)_22rem]">
        {/* On a phone the list comes first in the shop, and after the product one looks at. */}
        {home ? [list, page] : [page, list]}
      </div>
    </div>
  );
}
