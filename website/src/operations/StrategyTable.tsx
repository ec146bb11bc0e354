import type { LiveMetrics } from '@freshet/client';
import { count, percent, words } from '../lib/format.ts';
import { Bar } from './Bar.tsx';
import { Section } from './Section.tsx';
import { believable } from './useMetrics.ts';

export function StrategyTable({ strategies }: { strategies: LiveMetrics['strategies'] }) {
  const rows = Object.entries(strategies);
  const highest = Math.max(...rows.map(([, { clickRate }]) => believable(clickRate) ?? 0), 0);
  return (
    <Section title="Strategies" note="clicks on recommendations, of the lists that were seen">
      <div role="region" aria-label="Strategies" tabIndex={0} className="overflow-x-auto">
        <table className="w-full text-sm">
          <thead className="whitespace-nowrap">
            <tr className="label text-left">
              <th scope="col" className="py-2 pr-4 font-normal">Strategy</th>
              <th scope="col" className="py-2 pr-4 text-right font-normal">Events</th>
              <th scope="col" className="py-2 pr-4 text-right font-normal">Precision</th>
              <th scope="col" className="py-2 pr-4 text-right font-normal">Clicks / seen</th>
              <th scope="col" className="w-2/5 py-2 font-normal">Click rate</th>
            </tr>
          </thead>
          <tbody className="font-mono">
            {rows.map(([name, figures]) => (
              <tr key={name} className="border-t border-line">
                <th scope="row" className="py-2 pr-4 text-left font-semibold whitespace-nowrap">{words(name)}</th>
                <td className="py-2 pr-4 text-right">{count(figures.events)}</td>
                <td className="py-2 pr-4 text-right">{percent(figures.precision, 1)}</td>
                <td className="py-2 pr-4 text-right whitespace-nowrap">
                  {count(figures.clicks)} / {count(figures.exposures)}
                </td>
                <td className="py-2">
                  <Bar share={highest > 0 ? (believable(figures.clickRate) ?? 0) / highest : 0} label={percent(believable(figures.clickRate), 1)} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {rows.length === 0 && <p className="py-6 text-center text-sm text-muted">No events yet.</p>}
    </Section>
  );
}
