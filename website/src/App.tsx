import { lazy, Suspense, useEffect, useRef } from 'react';
import { Route, Switch, useLocation } from 'wouter';
import { Header } from './components/Header.tsx';
import { Toaster } from './components/Toaster.tsx';
import { useRecovery } from './hooks/useConnection.ts';
import { notify } from './lib/notices.ts';
import { Loading } from './pages/NotFound.tsx';
import { ShopLayout } from './pages/ShopLayout.tsx';
import { freshet } from './service/freshet.ts';

const OperationsPage = lazy(() => import('./operations/OperationsPage.tsx'));
const ShoppersPage = lazy(() => import('./pages/ShoppersPage.tsx'));

export function App() {
  useRecovery();
  useRefusals();
  useScrollToTop();
  return (
    <>
      <Header />
      <main id="content" className="mx-auto max-w-7xl px-4 py-6 sm:px-6">
        <Suspense fallback={<Loading />}>
          <Switch>
            <Route path="/operations" component={OperationsPage} />
            <Route path="/shoppers" component={ShoppersPage} />
            <Route component={ShopLayout} />
          </Switch>
        </Suspense>
      </main>
      <footer className="mx-auto max-w-7xl px-4 pt-6 pb-20 text-sm text-muted sm:px-6">
        Recommendations by Freshet. What you look at, put into the cart and buy is used for them; “Forget me” removes it.
      </footer>
      <Toaster />
    </>
  );
}

/** An event that the service will never take is told, not swallowed. */
function useRefusals(): void {
  useEffect(
    () =>
      freshet.tracker.onReport((report) => {
        if (report.type === 'refused') notify(`Not counted: ${report.error.message}`, 'bad');
      }),
    [],
  );
}

/** Another page starts at its top; going back is left to the browser. */
function useScrollToTop(): void {
  const [path] = useLocation();
  const back = useRef(false);
  useEffect(() => {
    const onBack = () => {
      back.current = true;
    };
    addEventListener('popstate', onBack);
    return () => {
      removeEventListener('popstate', onBack);
    };
  }, []);
  useEffect(() => {
    if (!back.current) scrollTo(0, 0);
    back.current = false;
  }, [path]);
}
