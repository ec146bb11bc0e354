import { useConnection } from '../hooks/useConnection.ts';
import { useQueue } from '../hooks/useQueue.ts';

const LOOK = {
  connecting: { text: 'connecting', tone: 'text-muted', pulse: true },
  online: { text: 'online', tone: 'text-accent', pulse: false },
  offline: { text: 'offline', tone: 'text-bad', pulse: true },
} as const;

/** Is the service there, and does anything wait for it? */
export function StatusLight() {
  const { connection, reason } = useConnection();
  const { waiting } = useQueue();
  const { text, tone, pulse } = LOOK[connection];
  const queued = connection === 'offline' && waiting > 0;
  return (
    <p role="status" data-testid="status" title={reason} className={`label flex items-center gap-2 max-sm:min-w-18 ${tone}`}>
      <span aria-hidden="true" className={`size-2 rounded-full bg-current shadow-[0_0_8px_currentColor] ${pulse ? 'animate-pulse-slow' : ''}`} />
      <span className={connection === 'connecting' ? 'max-sm:sr-only' : ''}>
        {text}
        {queued && <span className="text-muted max-md:sr-only"> · {waiting} waiting</span>}
      </span>
    </p>
  );
}
