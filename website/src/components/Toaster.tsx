import { useNotices } from '../lib/notices.ts';

export function Toaster() {
  const notices = useNotices();
  return (
    <div role="status" className="pointer-events-none fixed inset-x-4 bottom-4 z-50 flex flex-col items-center gap-2">
      {notices.map(({ id, text, tone }) => (
        <p
          key={id}
          dir="auto"
          className={`line-clamp-3 max-w-md animate-arrive rounded-xl border bg-surface px-4 py-2.5 text-sm font-medium shadow-xl ${tone === 'bad' ? 'border-bad text-bad' : 'border-accent text-ink'}`}
        >
          {text}
        </p>
      ))}
    </div>
  );
}
