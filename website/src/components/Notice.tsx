import type { ReactNode } from 'react';

interface Props {
  title: string;
  children?: ReactNode;
  action?: { label: string; run: () => void };
  /** Said at once to screen readers. */
  alert?: boolean;
  className?: string;
}

/** A place that has nothing to show, and says why. */
export function Notice({ title, children, action, alert = false, className = '' }: Props) {
  return (
    <div role={alert ? 'alert' : undefined} className={`flex flex-col items-center justify-center gap-2 px-6 py-8 text-center ${className}`}>
      <p className="font-mono text-sm font-semibold">{title}</p>
      {children !== undefined && <p className="max-w-prose text-sm text-muted">{children}</p>}
      {action && (
        <button type="button" className="button-quiet mt-2 px-4 py-2 text-sm font-medium" onClick={action.run}>
          {action.label}
        </button>
      )}
    </div>
  );
}
