import { expect, test } from '@playwright/test';
import { apiOf, card, listenForErrors, listenForEvents, names, openShop, panel, type Event } from './shop.ts';

test('the API goes down: the light says so, what is done is kept; it comes back: all of it is sent, under one id each', async ({ page, context }) => {
  await openShop(page);
  await expect(card(page, 'Smart AI Assistant')).toBeVisible();
  let down = true;
  // By their ids: what a page was about to send when it ended is sent by the next one as well, and counts once.
  const arrived = new Map<string, string>();
  await context.route('**/api/**', async (route) => {
    if (down) {
      await route.abort('connectionrefused');
      return;
    }
    if (route.request().url().includes('/events/track')) {
      const body = route.request().postDataJSON() as Event & { events?: Event[] };
      for (const { eventId, eventType, productId } of body.events ?? [body]) arrived.set(eventId, `${eventType} ${productId}`);
    }
    await route.continue();
  });

  await card(page, 'Smart AI Assistant').getByRole('button', { name: /Add to cart/ }).click();
  await expect(page.getByTestId('status')).toContainText('offline');
  await expect(panel(page).getByText('offline', { exact: true })).toBeVisible();
  await card(page, 'Neural Network Processor').getByRole('button', { name: /Add to cart/ }).click();
  await expect(page.getByTestId('status')).toContainText('2 waiting');

  // Not even leaving the page loses them.
  down = false;
  await page.reload();
  await expect(page.getByTestId('status')).toHaveText('online');
  await expect(page.getByRole('link', { name: 'Cart, 2 items' })).toBeVisible();
  await expect.poll(() => [...arrived.values()].filter((event) => event.startsWith('add_to_cart'))).toEqual(['add_to_cart 1', 'add_to_cart 2']);
  await expect.poll(() => names(page)).not.toEqual([]);
});

test('the API is down from the start, then there: the page fills without a reload', async ({ page, context }) => {
  let down = true;
  await context.route('**/api/**', (route) => (down ? route.abort('connectionrefused') : route.continue()));
  await page.goto('/');
  await expect(page.getByTestId('status')).toContainText('offline');
  await expect(panel(page).getByText('Offline', { exact: true })).toBeVisible();
  await expect(page.getByText('The shelves can’t be reached')).toBeVisible();
  down = false;
  await expect(page.getByTestId('status')).toHaveText('online');
  await expect(card(page, 'Smart AI Assistant')).toBeVisible();
  await expect(panel(page).getByText('No recommendations available yet')).toBeVisible();
});

test('what is done in the last moment still arrives when the page is gone', async ({ page, context, request }) => {
  const api = await apiOf(page);
  await openShop(page);
  await expect(card(page, 'Smart AI Assistant')).toBeVisible();
  // Answers of the track route never come: the page goes before.
  await context.route('**/events/track', () => undefined);
  const tried = page.waitForRequest('**/events/track');
  await card(page, 'Smart AI Assistant').getByRole('button', { name: /Add to cart/ }).click();
  const { eventId, userId } = (await tried).postDataJSON() as Event;
  await page.goto('about:blank');
  await expect
    .poll(async () => ((await (await request.get(`${api}/recommendations/${userId}`)).json()) as { metadata?: { causedBy: string } }).metadata?.causedBy)
    .toBe(eventId);
});

test('hostile names are text, and break no layout', async ({ page, request }) => {
  const api = await apiOf(page);
  const stamp = Date.now();
  const hostile = [
    { id: `evil-html-${stamp}`, name: '<img src=x onerror="window.hacked=1"><script>window.hacked=2</script>' },
    { id: `evil-long-${stamp}`, name: 'W'.repeat(1_000) },
    { id: `evil-rtl-${stamp}`, name: `‮مرحبا بالعالم 🐇👨‍👩‍👧‍👦 ${'كلمة '.repeat(60)}` },
  ];
  for (const { id, name } of hostile) {
    const answer = await request.post(`${api}/events/track`, {
      data: { userId: `evil-${stamp}`, eventType: 'product_view', productId: id, metadata: { name, category: name.slice(0, 300), price: `${'9'.repeat(200)} €` } },
    });
    expect(answer.ok()).toBe(true);
  }
  await page.addInitScript((userId) => { localStorage.setItem('userId', userId); }, `evil-${stamp}`);
  // A name of 10 KB, which this service would not take, from one that does.
  await page.route(/\/recommendations\/evil/, async (route) => {
    const answer = await route.fetch();
    const body = (await answer.json()) as { data: { name: string; reason: string }[] };
    if (body.data[0]) body.data[0].reason = body.data[0].name = 'x'.repeat(10_000);
    await route.fulfill({ response: answer, json: body });
  });

  await expect(async () => {
    await openShop(page, '/?q=evil');
    for (const { name } of hostile) await openShop(page, `/?q=${encodeURIComponent(name.slice(0, 12))}`);
    await expect(page.getByRole('region', { name: 'Products', exact: true }).getByRole('article').first()).toBeVisible({ timeout: 1_000 });
  }).toPass();
  for (const width of [1440, 390]) {
    await page.setViewportSize({ width, height: 900 });
    for (const path of ['/', ...hostile.map(({ id }) => `/products/${id}`)]) {
      await page.goto(path);
      await expect(panel(page).getByRole('listitem').first()).toBeVisible();
      await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      expect(overflow, `${path} at ${width} px`).toBeLessThanOrEqual(0);
      for (const item of await panel(page).getByRole('listitem').all()) expect((await item.boundingBox())?.height).toBeLessThanOrEqual(128);
    }
    await page.screenshot({ path: `e2e/artefacts/hostile-${width}.png` });
  }
  await page.goto(`/products/${hostile[0]!.id}`);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(hostile[0]!.name);
  expect(await page.evaluate(() => 'hacked' in window)).toBe(false);
});

test('with storage blocked the shop works', async ({ page }) => {
  await page.addInitScript(() => {
    for (const name of ['localStorage', 'sessionStorage']) {
      Object.defineProperty(window, name, {
        get() {
          throw new DOMException('Access is denied for this document.', 'SecurityError');
        },
      });
    }
  });
  const errors = listenForErrors(page, /\/(similar|bought-together)$/, /WebSocket/);
  const events = listenForEvents(page);
  await openShop(page);
  await card(page, 'Smart AI Assistant').getByRole('button', { name: /Add to cart/ }).click();
  await expect(page.getByRole('link', { name: 'Cart, 1 item' })).toBeVisible();
  await expect.poll(() => names(page)).not.toEqual([]);
  await page.getByRole('button', { name: /Switch to light mode/ }).click();
  await page.getByRole('link', { name: 'Cart, 1 item' }).click();
  await page.getByRole('button', { name: 'Check out' }).click();
  await expect.poll(() => events.map(({ eventType }) => eventType).filter((type) => !type.startsWith('recommendation'))).toEqual(['add_to_cart', 'purchase']);
  expect(events[0]?.userId).toMatch(/^user_\d+$/);
  expect(errors).toEqual([]);
});

test('a page that is not there, and a product that is not there', async ({ page }) => {
  for (const path of ['/nowhere', '/products/no-such-product']) {
    await page.goto(path);
    await expect(page.getByRole('heading', { name: 'There is no such page' })).toBeVisible();
  }
});
