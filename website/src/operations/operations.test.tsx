import type { LiveMetrics } from '@freshet/client';
import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, it } from 'vitest';
import { fakeApi } from '../testing/api.ts';
import { renderFresh } from '../testing/render.tsx';
import OperationsPage from './OperationsPage.tsx';
import { extend, type MetricsHistory } from './useMetrics.ts';

const metrics: LiveMetrics = {
  eventsPerSecond: 12.5, meanProcessingMs: 3.21, p99ProcessingMs: 9.87, precision: 0.25, recentPrecision: 0.5, totalEvents: 1234, deadLetters: 1,
  byType: {}, lag: 7, lastUpdate: '2026-01-01T00:00:00.000Z',
  strategies: { content_based: { events: 10, choices: 8, hits: 4, precision: 0.5, clicks: 1, exposures: 4, clickRate: 0.25 } },
  consumers: [{ group: 'g', topic: 'user-events', state: 'Stable', lag: 7, partitions: [{ partition: 2, committed: 3, end: 10, lag: 7 }] }],
};
const letter = { topic: 'user-events-dead', partition: 0, offset: 12, reason: 'eventType: unknown', function: 'recommend', value: '<b>raw</b>' };
const live = { 'GET /recommendations/metrics/live': { success: true, data: metrics } };

describe('the operations page', () => {
  it('shows the figures, strategies and lag', async () => {
    fakeApi(live);
    renderFresh(<OperationsPage />);
    expect(await screen.findByText('12.5', { selector: 'dd' })).toBeInTheDocument();
    expect(screen.getByText('50.0%', { selector: 'dd' })).toBeInTheDocument();
    expect(screen.getByRole('row', { name: /content based 10 50.0% 1 \/ 4 25.0%/ })).toBeInTheDocument();
    expect(screen.getByRole('row', { name: /user-events 2 3 \/ 10 7/ })).toBeInTheDocument();
    expect(screen.getByRole('img', { name: /Processing time.*mean 3.2 ms, p99 9.9 ms/ })).toBeInTheDocument();
  });

  it('says what the service does not offer', async () => {
    fakeApi(live);
    renderFresh(<OperationsPage />);
    await waitFor(() => { expect(screen.getAllByText(/Not available/)).toHaveLength(2); });
  });

  it('shows recent events as the monitor does', async () => {
    fakeApi({
      ...live,
      'GET /operations/events': { success: true, data: [{ userId: '1', eventType: 'product_view', productId: '1', timestamp: '2026-01-01T00:00:00Z', count: 5, processingMs: 2.34, algorithm: 'hybrid' }, { userId: null, eventType: 'purchase', productId: '2', timestamp: '2026-01-01T00:00:00Z' }] },
    });
    renderFresh(<OperationsPage />);
    const stream = await screen.findByRole('region', { name: 'Recent events' });
    expect(await within(stream).findByText('Smart AI Assistant')).toBeInTheDocument();
    expect(stream).toHaveTextContent('product_view user 1 “Smart AI Assistant” → 5 recommendations in 2.3 ms · hybrid');
    // Whose it is, is for administrators.
    expect(stream).toHaveTextContent('purchase “Neural Network Processor”');
  });

  it('replays and drops dead letters, but only with a token', async () => {
    const api = fakeApi({
      ...live,
      'GET /operations/dead-letters': { success: true, data: [letter] },
      'POST /operations/dead-letters/drop': 403,
      'POST /operations/dead-letters/replay': () => {
        api.answers['GET /operations/dead-letters'] = { success: true, data: [] };
        return { success: true };
      },
    });
    renderFresh(<OperationsPage />);
    const drop = await screen.findByRole('button', { name: 'Drop user-events-dead[0]@12' });
    expect(drop).toBeDisabled();
    expect(screen.getByText('<b>raw</b>')).toBeInTheDocument();
    await userEvent.type(screen.getByLabelText('Admin token'), 'secret');
    await userEvent.click(await screen.findByRole('button', { name: 'Drop user-events-dead[0]@12' }));
    expect(api.count('POST', '/operations/dead-letters/drop')).toBe(1);
    expect(screen.getByText('eventType: unknown')).toBeInTheDocument();
    await userEvent.click(await screen.findByRole('button', { name: 'Replay user-events-dead[0]@12' }));
    expect(await screen.findByText(/None\. Every record/)).toBeInTheDocument();
    expect(api.asked.find(({ path }) => path.endsWith('/replay'))?.body).toEqual({ topic: 'user-events-dead', partition: 0, offset: 12 });
    expect(JSON.stringify([localStorage, sessionStorage])).not.toContain('secret');
  });
});

describe('the history', () => {
  it('grows by one, keeps five minutes, and tells no rate that cannot be one', () => {
    let history: MetricsHistory | undefined;
    for (let at = 0; at < 200; at += 1) history = extend(history, { ...metrics, strategies: { a: { ...metrics.strategies['content_based']!, clickRate: 9 } } }, at);
    expect(history?.samples).toHaveLength(150);
    expect(history?.samples.at(-1)).toMatchObject({ at: 199, clickRate: { a: null }, lag: { g: 7 } });
  });
});
