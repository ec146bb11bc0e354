import type { LiveMetrics } from '@freshet/client';
import { count, decimal, milliseconds, percent } from '../lib/format.ts';

export function Figures({ metrics }: { metrics: LiveMetrics | undefined }) {
  const figures = [
    { name: 'Events a second', value: decimal(metrics?.eventsPerSecond), note: `${count(metrics?.totalEvents)} in all` },
    { name: 'Mean', value: milliseconds(metrics?.meanProcessingMs), note: 'processing' },
    { name: 'p99', value: milliseconds(metrics?.p99ProcessingMs), note: 'processing' },
    { name: 'Precision', value: percent(metrics?.recentPrecision, 1), note: `${percent(metrics?.precision, 1)} in all` },
    { name: 'Lag', value: count(metrics?.lag), note: 'records not yet read' },
    { name: 'Dead letters', value: count(metrics?.deadLetters), note: 'in all', bad: (metrics?.deadLetters ?? 0) > 0 },
  ];
  return (
    <dl className="grid grid-cols-2 gap-3 sm:grid-cols-3 xl:grid-cols-6">
      {figures.map(({ name, value, note, bad }) => (
        <div key={name} className="card flex flex-col px-4 py-3">
          <dt className="label">{name}</dt>
          <dd className={`truncate font-mono text-2xl font-bold tracking-tight ${bad ? 'text-warn' : 'text-accent'}`}>{value}</dd>
          <dd className="truncate text-xs text-muted">{note}</dd>
        </div>
      ))}
    </dl>
  );
}
