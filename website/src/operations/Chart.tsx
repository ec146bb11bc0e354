import { useId } from 'react';
import { Area, AreaChart, CartesianGrid, ResponsiveContainer, Tooltip, XAxis, YAxis } from 'recharts';
import { clock, count } from '../lib/format.ts';
import type { Sample } from './useMetrics.ts';

export interface Series {
  name: string;
  value: (sample: Sample) => number | null | undefined;
}

interface Props {
  title: string;
  samples: readonly Sample[];
  series: readonly Series[];
  format: (value: number | null | undefined) => string;
  /** How the axis is written; as `format` where absent. */
  tick?: (value: number) => string;
}

const COLOURS = ['var(--color-series-1)', 'var(--color-series-2)', 'var(--color-series-3)', 'var(--color-series-4)'];
const DASHES = ['', '6 3', '2 3', '8 3 2 3'];
const colour = (index: number) => COLOURS[index % COLOURS.length];

/** Lines over the last minutes. Told apart by dash as well as by colour; said in words to those who cannot see them. */
export function Chart({ title, samples, series, format, tick = format }: Props) {
  const titleId = useId();
  const latest = samples.at(-1);
  const now = series.map(({ name, value }) => `${name} ${format(latest ? value(latest) : null)}`).join(', ');
  return (
    <figure className="card flex min-w-0 flex-col p-4" aria-labelledby={titleId}>
      <figcaption className="mb-3 flex flex-wrap items-baseline justify-between gap-x-4 gap-y-1">
        <span id={titleId} className="font-mono text-sm font-bold">
          {title}
        </span>
        <span className="flex flex-wrap gap-x-4 gap-y-1 font-mono text-xs">
          {series.map(({ name, value }, index) => (
            <span key={name} className="inline-flex items-center gap-1.5">
              <svg aria-hidden="true" viewBox="0 0 20 4" className="h-1 w-5">
                <path d="M0 2H20" stroke={colour(index)} strokeWidth="3" strokeDasharray={DASHES[index % DASHES.length]} />
              </svg>
              <span className="text-muted">{name}</span>
              <span className="font-semibold">{format(latest ? value(latest) : null)}</span>
            </span>
          ))}
        </span>
      </figcaption>
      <div role="img" aria-label={`${title}, last minutes. Now: ${now}`} className="relative min-h-44 flex-1">
        {/* Out of the flow, so that the drawing follows the box and never stretches it. */}
        <div className="absolute inset-0">
        <ResponsiveContainer width="100%" height="100%" initialDimension={{ width: 480, height: 176 }}>
          <AreaChart data={[...samples]} margin={{ top: 4, right: 4, bottom: 0, left: 0 }} accessibilityLayer={false}>
            <CartesianGrid vertical={false} stroke="var(--color-line)" />
            <XAxis
              dataKey="at"
              type="number"
              domain={['dataMin', 'dataMax']}
              tickFormatter={clock}
              minTickGap={60}
              tick={{ fill: 'var(--color-muted)', fontSize: 11 }}
              stroke="var(--color-line)"
            />
            <YAxis
              width={58}
              domain={[0, 'auto']}
              tickFormatter={tick}
              tick={{ fill: 'var(--color-muted)', fontSize: 11 }}
              stroke="var(--color-line)"
              tickCount={4}
              allowDecimals={format !== count}
            />
            <Tooltip
              isAnimationActive={false}
              labelFormatter={(at) => clock(Number(at))}
              formatter={(value) => format(Number(value))}
              contentStyle={{ background: 'var(--color-surface)', border: '1px solid var(--color-line)', borderRadius: 10, fontSize: 12 }}
            />
            {series.map(({ name, value }, index) => (
              <Area
                key={name}
                name={name}
                dataKey={value}
                type="monotone"
                isAnimationActive={false}
                dot={false}
                stroke={colour(index)}
                strokeWidth={1.75}
                strokeDasharray={DASHES[index % DASHES.length]}
                fill={colour(index)}
                fillOpacity={series.length === 1 ? 0.14 : 0.04}
              />
            ))}
          </AreaChart>
        </ResponsiveContainer>
        </div>
      </div>
    </figure>
  );
}
