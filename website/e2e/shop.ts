import { expect, type Locator, type Page, type Request } from '@playwright/test';

export interface Event {
  eventId: string;
  userId: string;
  eventType: string;
  productId: string;
  metadata?: Record<string, unknown>;
}

const isTrack = (request: Request) => request.method() === 'POST' && /\/events\/track(\/batch)?$/.test(request.url());

/** What the page has told so far, retries counted once. */
export function listenForEvents(page: Page): Event[] {
  const events: Event[] = [];
  page.on('request', (request) => {
    if (!isTrack(request)) return;
    const body = request.postDataJSON() as Event & { events?: Event[] };
    for (const event of body.events ?? [body]) {
      if (events.every(({ eventId }) => eventId !== event.eventId)) events.push(event);
    }
  });
  return events;
}

/** Problems that a visitor's console would show, but for what is named. */
export function listenForErrors(page: Page, ...expected: RegExp[]): string[] {
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    const text = `${message.text()} ${message.location().url}`;
    if (message.type() === 'error' && expected.every((pattern) => !pattern.test(text))) errors.push(text);
  });
  return errors;
}

export const panel = (page: Page): Locator => page.getByRole('region', { name: 'Recommended for You' });
export const names = (page: Page): Promise<string[]> => panel(page).getByRole('link').allTextContents();
/** A card of the grid, by the exact name of its product. */
export const card = (page: Page, name: string): Locator =>
  page.getByRole('region', { name: 'Products', exact: true }).getByRole('article').filter({ has: page.getByRole('link', { name, exact: true }) });

export async function openShop(page: Page, path = '/'): Promise<void> {
  await page.goto(path);
  await expect(page.getByTestId('status')).toHaveText('online');
}

/** The id of the list that is shown. */
export const listId = (page: Page): Promise<string | null> => page.getByTestId('recommendations').getAttribute('data-list');

/** Where the page finds its API: as it asks for it. */
export async function apiOf(page: Page): Promise<string> {
  const asked = page.waitForRequest(/\/health$/);
  await page.goto('/');
  return (await asked).url().replace(/\/health$/, '');
}
