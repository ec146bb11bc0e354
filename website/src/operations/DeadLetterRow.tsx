import type { DeadLetter } from '@freshet/client';
import { clock, count } from '../lib/format.ts';

interface Props {
  letter: DeadLetter;
  disabled: boolean;
  onAction: (action: 'replay' | 'drop') => void;
}

/** A record may hold megabytes; a page shows the beginning. */
const SHOWN_CHARACTERS = 4_000;

function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value, null, 2) as string | undefined) ?? '';
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
}

export function DeadLetterRow({ letter, disabled, onAction }: Props) {
  const { topic, partition, offset, reason, field, timestamp, valueBytes, value } = letter;
  const address = `${topic}[${partition}]@${offset}`;
  const button = (action: 'replay' | 'drop', label: string, tone: string) => (
    <button
      type="button"
      disabled={disabled}
      aria-label={`${label} ${address}`}
      title={disabled ? 'Needs the admin token' : undefined}
      onClick={() => {
        onAction(action);
      }}
      className={`button-quiet px-3 py-1 text-sm font-medium disabled:border-line disabled:bg-surface disabled:text-muted ${tone}`}
    >
      {label}
    </button>
  );
  return (
    <li className="flex flex-col gap-1 py-3">
      <div className="flex flex-wrap items-start justify-between gap-x-4 gap-y-2">
        <div className="min-w-0 flex-1 basis-64">
          <p dir="auto" className="line-clamp-3 text-sm font-medium text-warn">
            {reason}
          </p>
          <p className="font-mono text-xs text-muted">
            {address}
            {letter.function && ` · ${letter.function}`}
            {field && ` · field ${field}`}
            {valueBytes !== undefined && ` · ${count(valueBytes)} bytes`}
            {timestamp !== null && timestamp !== undefined && ` · ${clock(timestamp)}`}
          </p>
        </div>
        <div className="flex gap-2">
          {button('replay', 'Replay', '')}
          {button('drop', 'Drop', 'text-bad')}
        </div>
      </div>
      {value !== undefined && value !== null && (
        <details>
          <summary className="w-fit rounded text-xs font-medium text-muted hover:text-ink">Record</summary>
          <div role="region" aria-label={`Record ${address}`} tabIndex={0} className="mt-2 max-h-60 overflow-auto rounded-lg bg-raised p-3">
            <pre className="font-mono text-xs whitespace-pre-wrap">{shown(value)}</pre>
          </div>
        </details>
      )}
    </li>
  );
}
