import { useState } from 'react';
import { Notice } from '../components/Notice.tsx';
import { clock, count, decimal, milliseconds, percent, words } from '../lib/format.ts';
import { PageTitle } from '../pages/PageTitle.tsx';
import { AdminToken } from './AdminToken.tsx';
import { Chart, type Series } from './Chart.tsx';
import { DeadLetters } from './DeadLetters.tsx';
import { Figures } from './Figures.tsx';
import { LagTable } from './LagTable.tsx';
import { LiveStream } from './LiveStream.tsx';
import { StrategyTable } from './StrategyTable.tsx';
import { useMetrics } from './useMetrics.ts';

const EVENTS: Series[] = [{ name: 'events/s', value: (sample) => sample.eventsPerSecond }];
const PROCESSING: Series[] = [
  { name: 'mean', value: (sample) => sample.mean },
  { name: 'p99', value: (sample) => sample.p99 },
];
const PRECISION: Series[] = [
  { name: 'lately', value: (sample) => sample.recentPrecision },
  { name: 'in all', value: (sample) => sample.precision },
];

/** The whole system at a glance: how much, how fast, how good, and what went wrong. */
export default function OperationsPage() {
  const { data, isError, error, refetch } = useMetrics();
  const [typed, setTyped] = useState('');
  const token = typed === '' ? undefined : typed;
  const samples = data?.samples ?? [];
  const metrics = data?.latest;
  const clickRates: Series[] = Object.keys(metrics?.strategies ?? {}).map((name) => ({
    name: words(name), value: (sample) => sample.clickRate[name],
  }));
  const lags: Series[] = (metrics?.consumers ?? []).map(({ group, topic }) => ({
    name: topic, value: (sample) => sample.lag[group],
  }));

  return (
    <div className="flex flex-col gap-5">
      <div className="flex flex-wrap items-end justify-between gap-3">
        <div>
          <PageTitle className="text-2xl">Operations</PageTitle>
          <p className="mt-1 text-muted">Events in, lists out, every two seconds.</p>
        </div>
        <p className={`label ${isError ? 'text-bad' : ''}`}>
          {isError ? 'no answer' : metrics?.lastUpdate ? `last event counted ${clock(metrics.lastUpdate)}` : 'no events yet'}
        </p>
      </div>
      {isError && !data && (
        <Notice title="The figures can’t be reached" alert className="card" action={{ label: 'Try again', run: () => void refetch() }}>
          {error.message}
        </Notice>
      )}
      <Figures metrics={metrics} />
      <div className="grid gap-4 lg:grid-cols-2">
        <Chart title="Events a second" samples={samples} series={EVENTS} format={decimal1} tick={round} />
        <Chart title="Processing time" samples={samples} series={PROCESSING} format={milliseconds} tick={wholeMs} />
        <Chart title="Precision" samples={samples} series={PRECISION} format={percent1} tick={wholePercent} />
        <Chart title="Click rate by strategy" samples={samples} series={clickRates} format={percent1} tick={wholePercent} />
      </div>
      <StrategyTable strategies={metrics?.strategies ?? {}} />
      <div className="grid gap-4 lg:grid-cols-2">
        <Chart title="Lag" samples={samples} series={lags} format={count} />
        <LagTable consumers={metrics?.consumers ?? []} />
      </div>
      <div className="flex justify-end">
        <AdminToken token={typed} onChange={setTyped} />
      </div>
      <div className="grid gap-4 lg:grid-cols-2">
        <LiveStream token={token} />
        <DeadLetters token={token} />
      </div>
    </div>
  );
}

const percent1 = (value: number | null | undefined) => percent(value, 1);
const wholePercent = (value: number) => percent(value, value > 0 && value < 0.05 ? 1 : 0);
const wholeMs = (value: number) => `${round(value)} ms`;
const round = (value: number) => (value > 0 && value < 10 ? decimal(value) : count(value));
const decimal1 = (value: number | null | undefined) => decimal(value, 1);
