import { Link } from 'wouter';
import { PageTitle } from './PageTitle.tsx';

export function NotFound() {
  return (
    <div className="card flex min-h-96 flex-col items-center justify-center gap-4 px-6 text-center">
      <PageTitle className="text-2xl">There is no such page</PageTitle>
      <Link href="/" className="button-main px-4 py-2 text-sm">
        Back to the shop
      </Link>
    </div>
  );
}

export function Loading() {
  return (
    <div aria-busy="true" className="card grid min-h-[70dvh] place-items-center">
      <p className="label animate-pulse-slow">Loading</p>
    </div>
  );
}
