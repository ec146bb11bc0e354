import { useEffect, useId, useRef, useState } from 'react';
import { Link } from 'wouter';
import { Text } from '../components/Text.tsx';
import { AddVisitor } from './AddVisitor.tsx';
import { Avatar } from './Avatar.tsx';
import { ForgetButton } from './ForgetButton.tsx';
import { switchVisitor, useCurrentVisitor, useVisitors } from './visitors.ts';

/** Who is shopping: several people on one machine, each with a list and a cart of their own. */
export function VisitorSwitcher() {
  const current = useCurrentVisitor();
  const visitors = useVisitors();
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const panelId = useId();

  useEffect(() => {
    if (!open) return undefined;
    const outside = (event: Event) => {
      if (event.target instanceof Node && !root.current?.contains(event.target)) setOpen(false);
    };
    const escape = (event: KeyboardEvent) => {
      if (event.key !== 'Escape') return;
      setOpen(false);
      button.current?.focus();
    };
    // By Tab only: a page that arrives and takes the focus is no reason to close.
    const tabbed = (event: KeyboardEvent) => {
      if (event.key === 'Tab' && !root.current?.contains(document.activeElement)) setOpen(false);
    };
    document.addEventListener('pointerdown', outside);
    document.addEventListener('keyup', tabbed);
    document.addEventListener('keydown', escape);
    return () => {
      document.removeEventListener('pointerdown', outside);
      document.removeEventListener('keyup', tabbed);
      document.removeEventListener('keydown', escape);
    };
  }, [open]);

  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  return (
    <div ref={root} className="relative">
      <button
        ref={button}
        type="button"
        aria-label={`Shopper: ${current.name}`}
        aria-expanded={open}
        aria-controls={panelId}
        onClick={() => {
          setOpen(!open);
        }}
        className="button-quiet flex h-10 items-center gap-2 px-1.5 sm:pr-3"
      >
        <Avatar visitor={current} />
        <Text className="max-w-24 truncate text-sm font-medium max-sm:hidden">{current.name}</Text>
        <svg aria-hidden="true" viewBox="0 0 12 12" className="size-3 text-muted max-sm:hidden" fill="none" stroke="currentColor" strokeWidth="1.75" strokeLinecap="round">
          <path d="m2.5 4.5 3.5 3.5 3.5-3.5" />
        </svg>
      </button>
      <div id={panelId} hidden={!open} className="card absolute right-0 z-50 mt-2 w-80 max-w-[calc(100vw-2rem)] p-3 shadow-2xl max-sm:fixed max-sm:inset-x-4 max-sm:w-auto">
        <p className="label px-1 pb-2">Who is shopping?</p>
        <ul className="flex max-h-72 flex-col gap-1 overflow-y-auto">
          {visitors.map((visitor) => (
            <li key={visitor.userId}>
              <button
                type="button"
                aria-current={visitor.userId === current.userId ? 'true' : undefined}
                onClick={() => {
                  switchVisitor(visitor.userId);
                  close();
                }}
                className="flex w-full items-center gap-3 rounded-lg px-2 py-2 text-left hover:bg-raised aria-[current]:bg-raised"
              >
                <Avatar visitor={visitor} />
                <Text className="min-w-0 flex-1 truncate text-sm font-medium">{visitor.name}</Text>
                {visitor.userId === current.userId && <span className="label text-accent">here</span>}
              </button>
            </li>
          ))}
        </ul>
        <div className="mt-2 border-t border-line pt-3">
          <AddVisitor onAdded={close} />
        </div>
        <div className="mt-3 flex items-center justify-between gap-2 border-t border-line pt-3 text-sm">
          <Link href="/shoppers" className="rounded px-1 font-medium underline decoration-line underline-offset-4 hover:decoration-accent" onClick={close}>
            Compare side by side
          </Link>
          <ForgetButton key={current.userId} visitor={current} />
        </div>
      </div>
    </div>
  );
}
