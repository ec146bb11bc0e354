import { afterEach, describe, expect, it, vi } from 'vitest';
import { Http } from '../src/http.ts';
import { sendByBeacon } from '../src/pageEnd.ts';

const http = new Http({ baseUrl: 'https://shop.example/api' });
const event = (eventId: string, size = 1) => ({ eventId, userId: 'neo', eventType: 'product_view', productId: '1', metadata: { name: 'x'.repeat(size) } });

function browser(takes: (body: string) => boolean = () => true) {
  const sent: { url: string; body: unknown }[] = [];
  const sendBeacon = (url: string, body: string) => {
    sent.push({ url, body });
    return takes(body);
  };
  vi.stubGlobal('navigator', { sendBeacon });
  return sent;
}

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('at page end', () => {
  it('events go to the batch route as text, which needs no CORS preflight', () => {
    const sent = browser();
    const events = [event('a'), event('b')];
    expect(sendByBeacon(http, events)).toEqual(events);
    expect(sent).toHaveLength(1);
    expect(sent[0]!.url).toBe('https://shop.example/api/events/track/batch');
    expect(typeof sent[0]!.body).toBe('string');
    expect(JSON.parse(sent[0]!.body as string)).toEqual({ events });
  });

  it('no beacon is larger than browsers take, or longer than the server takes', () => {
    const sent = browser();
    const large = Array.from({ length: 5 }, (_, index) => event(String(index), 20_000));
    expect(sendByBeacon(http, large)).toHaveLength(5);
    for (const { body } of sent) expect((body as string).length).toBeLessThan(64 * 1024);
    const many = Array.from({ length: 250 }, (_, index) => event(String(index)));
    sent.length = 0;
    sendByBeacon(http, many);
    expect(sent.map(({ body }) => (JSON.parse(body as string) as { events: [] }).events.length)).toEqual([100, 100, 50]);
  });

  it('only what the browser took counts as handed over', () => {
    let left = 1;
    browser(() => left-- > 0);
    const large = [event('a', 50_000), event('b', 50_000)];
    expect(sendByBeacon(http, large).map(({ eventId }) => eventId)).toEqual(['a']);
    expect(sendByBeacon(http, [event('huge', 70_000)])).toEqual([]);
    vi.stubGlobal('navigator', {});
    expect(sendByBeacon(http, large)).toEqual([]);
  });
});
