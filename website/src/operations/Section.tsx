import { useId, type ReactNode } from 'react';

interface Props {
  title: string;
  note?: string;
  actions?: ReactNode;
  children: ReactNode;
  className?: string;
}

export function Section({ title, note, actions, children, className = '' }: Props) {
  const titleId = useId();
  return (
    <section aria-labelledby={titleId} className={`card min-w-0 p-4 ${className}`}>
      <div className="mb-2 flex flex-wrap items-center justify-between gap-x-4 gap-y-2">
        <h2 id={titleId} className="font-mono text-sm font-bold">
          {title}
          {note !== undefined && <span className="ml-3 font-sans text-xs font-normal text-muted">{note}</span>}
        </h2>
        {actions}
      </div>
      {children}
    </section>
  );
}

/** The service has no such route (yet). */
export function NotAvailable({ what }: { what: string }) {
  return <p className="py-8 text-center text-sm text-muted">Not available: this service does not offer {what}.</p>;
}
