/** A figure with a bar as long as its share of the largest. */
export function Bar({ share, label }: { share: number; label: string }) {
  return (
    <span className="flex items-center gap-3">
      <span aria-hidden="true" className="h-2 min-w-12 flex-1 overflow-hidden rounded-full bg-raised">
        <span className="block h-full rounded-full bg-accent transition-[width] duration-500" style={{ width: `${Math.min(Math.max(share, 0), 1) * 100}%` }} />
      </span>
      <span className="w-16 text-right">{label}</span>
    </span>
  );
}
