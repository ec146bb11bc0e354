import type { ConsumerState } from '@freshet/client';
import { count } from '../lib/format.ts';
import { Bar } from './Bar.tsx';
import { Section } from './Section.tsx';

/** What each consumer has not yet read, by partition. */
export function LagTable({ consumers }: { consumers: readonly ConsumerState[] }) {
  const rows = consumers.flatMap((consumer) => consumer.partitions.map((partition) => ({ ...partition, topic: consumer.topic, group: consumer.group })));
  const largest = Math.max(...rows.map(({ lag }) => lag), 1);
  const broken = consumers.filter(({ state, lag }) => lag < 0 || !['Stable', 'Empty'].includes(state));
  return (
    <Section title="Lag by partition" note="records not yet read">
      <div role="region" aria-label="Lag by partition" tabIndex={0} className="max-h-80 overflow-auto">
        <table className="w-full text-sm">
          <thead className="sticky top-0 bg-surface whitespace-nowrap">
            <tr className="label text-left">
              <th scope="col" className="py-2 pr-4 font-normal">Topic</th>
              <th scope="col" className="py-2 pr-4 text-right font-normal">Partition</th>
              <th scope="col" className="py-2 pr-4 text-right font-normal">Read / end</th>
              <th scope="col" className="w-2/5 py-2 font-normal">Lag</th>
            </tr>
          </thead>
          <tbody className="font-mono">
            {rows.map(({ topic, group, partition, committed, end, lag }) => (
              <tr key={`${group}/${topic}/${partition}`} className="border-t border-line">
                <th scope="row" className="py-1.5 pr-4 text-left font-medium whitespace-nowrap">{topic}</th>
                <td className="py-1.5 pr-4 text-right">{partition}</td>
                <td className="py-1.5 pr-4 text-right whitespace-nowrap">
                  {count(committed)} / {count(end)}
                </td>
                <td className="py-1.5">
                  <Bar share={lag / largest} label={count(lag)} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {rows.length === 0 && <p className="py-6 text-center text-sm text-muted">No consumer is known.</p>}
      {broken.map(({ group, state }) => (
        <p key={group} className="mt-2 line-clamp-3 text-sm text-warn">
          {group}: {state}
        </p>
      ))}
    </Section>
  );
}
