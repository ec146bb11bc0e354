import { Link, useRoute } from 'wouter';
import { sizeOf, useCart } from '../cart/cart.ts';
import { VisitorSwitcher } from '../visitor/VisitorSwitcher.tsx';
import { useUserId } from '../visitor/visitors.ts';
import { StatusLight } from './StatusLight.tsx';
import { ThemeToggle } from './ThemeToggle.tsx';

export function Header() {
  return (
    <header className="sticky top-0 z-40 border-b border-line bg-ground/90 backdrop-blur-md">
      <a href="#content" className="button-main sr-only left-4 z-50 px-4 py-2 focus:not-sr-only focus:absolute focus:top-2">
        Skip to content
      </a>
      <div className="mx-auto flex min-h-16 max-w-7xl flex-wrap items-center gap-x-2 gap-y-1 px-4 py-2 sm:gap-x-5 sm:px-6">
        <Link href="/" className="flex items-center gap-2 font-mono text-lg font-bold tracking-tight">
          <svg aria-hidden="true" viewBox="0 0 32 32" className="size-7 text-accent" fill="none" stroke="currentColor" strokeWidth="3" strokeLinecap="round">
            <path d="M8 5v13M16 5v6m0 4v11M24 5v9m0 4v4" />
            <path d="M8 23v3" className="text-ink" stroke="currentColor" />
          </svg>
          <span className="max-[24rem]:sr-only">Matrix</span>
        </Link>
        <StatusLight />
        <nav aria-label="Pages" className="order-last flex gap-1 max-md:w-full md:order-none md:ml-4">
          <NavLink href="/">Shop</NavLink>
          <NavLink href="/shoppers">Side by side</NavLink>
          <NavLink href="/operations">Operations</NavLink>
        </nav>
        <div className="ml-auto flex items-center gap-1.5 sm:gap-2">
          <VisitorSwitcher />
          <CartLink />
          <ThemeToggle />
        </div>
      </div>
    </header>
  );
}

function NavLink({ href, children }: { href: string; children: string }) {
  const [here] = useRoute(href);
  return (
    <Link
      href={href}
      aria-current={here ? 'page' : undefined}
      className="rounded-lg px-3 py-1.5 text-sm font-medium text-muted transition-colors hover:text-ink aria-[current]:bg-raised aria-[current]:text-ink"
    >
      {children}
    </Link>
  );
}

function CartLink() {
  const size = sizeOf(useCart(useUserId()));
  return (
    <Link href="/cart" aria-label={`Cart, ${String(size)} ${size === 1 ? 'item' : 'items'}`} className="button-quiet relative grid size-10 place-items-center">
      <svg aria-hidden="true" viewBox="0 0 20 20" className="size-4.5" fill="none" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" strokeLinejoin="round">
        <path d="M2.5 3h2l2 9.5h8.5l1.8-6.8H5.2" />
        <circle cx="7.5" cy="16" r="1.2" />
        <circle cx="14" cy="16" r="1.2" />
      </svg>
      {size > 0 && (
        <span aria-hidden="true" className="absolute -top-1.5 -right-1.5 min-w-5 rounded-full bg-accent px-1 text-center font-mono text-xs leading-5 font-bold text-on-accent">
          {size > 99 ? '99+' : size}
        </span>
      )}
    </Link>
  );
}
