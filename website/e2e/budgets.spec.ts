import { AxeBuilder } from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';
import { gzipSync } from 'node:zlib';
import { card, openShop, panel } from './shop.ts';

const MAX_SCRIPT_KB = 120;
const MAX_CLS = 0.05;
const WIDTHS = [{ name: 'desktop', width: 1440, height: 900 }, { name: 'phone', width: 390, height: 844 }];

/** Somebody of whom something is known: lists are there. */
async function becomeKnown(page: Page): Promise<void> {
  await openShop(page);
  await card(page, 'Quantum Computer Kit').getByRole('button', { name: /Add to cart/ }).click();
  await card(page, 'Smart AI Assistant').getByRole('link').click();
  await expect(panel(page).getByRole('listitem').first()).toBeVisible();
}

const PAGES = [
  { name: 'home', path: '/', ready: (page: Page) => expect(card(page, 'Smart AI Assistant')).toBeVisible() },
  { name: 'product', path: '/products/3', ready: (page: Page) => expect(page.getByRole('heading', { name: 'Quantum Computer Kit' })).toBeVisible() },
  { name: 'cart', path: '/cart', ready: (page: Page) => expect(page.getByRole('button', { name: 'Check out' })).toBeVisible() },
  { name: 'shoppers', path: '/shoppers', ready: (page: Page) => expect(panel(page).first().getByRole('listitem').first()).toBeVisible() },
  { name: 'operations', path: '/operations', ready: (page: Page) => expect(page.getByRole('row', { name: /user-events 0/ })).toBeVisible() },
];

for (const scheme of ['dark', 'light'] as const) {
  for (const { name: device, width, height } of WIDTHS) {
    test(`axe finds nothing, and nothing overflows: ${device}, ${scheme}`, async ({ page }) => {
      await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
      await page.setViewportSize({ width, height });
      await becomeKnown(page);
      for (const { name, path, ready } of PAGES) {
        await page.goto(path);
        await ready(page);
        await expect(page.getByTestId('status')).toHaveText('online');
        const { violations } = await new AxeBuilder({ page }).analyze();
        expect(violations.map(({ id, nodes }) => `${name}: ${id}: ${nodes.map((node) => node.html).join(' ')}`)).toEqual([]);
        expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), name).toBeLessThanOrEqual(0);
        await page.screenshot({ path: `e2e/artefacts/${name}-${device}-${scheme}.png` });
      }
      await page.goto('/');
      await page.getByRole('button', { name: /^Shopper/ }).click();
      const { violations } = await new AxeBuilder({ page }).analyze();
      expect(violations.map(({ id }) => id)).toEqual([]);
      await page.screenshot({ path: `e2e/artefacts/switcher-${device}-${scheme}.png` });
    });
  }
}

test('the first load fits its budget', async ({ page }) => {
  const scripts = new Map<string, number>();
  const bodies: Promise<void>[] = [];
  page.on('response', (response) => {
    if (response.request().resourceType() !== 'script') return;
    bodies.push(response.body().then((body) => void scripts.set(response.url(), gzipSync(body).length)));
  });
  // What is fetched ahead, for the next page, counts as well.
  const ahead = page.waitForResponse(/ProductPage.*\.js$/);
  await openShop(page);
  await expect(card(page, 'Smart AI Assistant')).toBeVisible();
  await expect(panel(page).getByText('No recommendations available yet')).toBeVisible();
  await ahead;
  await Promise.all(bodies);
  const kb = [...scripts.values()].reduce((sum, size) => sum + size, 0) / 1024;
  console.log(`first load: ${kb.toFixed(1)} KB of gzipped JavaScript in ${scripts.size} files`);
  expect(scripts.size).toBeGreaterThan(0);
  expect(kb).toBeLessThanOrEqual(MAX_SCRIPT_KB);
});

for (const { name, width, height } of WIDTHS) {
  test(`nothing moves when the panel fills: ${name}`, async ({ page }) => {
    await page.setViewportSize({ width, height });
    await page.addInitScript(() => {
      const shifts = { total: 0 };
      Object.assign(window, { shifts });
      new PerformanceObserver((entries) => {
        for (const entry of entries.getEntries() as (PerformanceEntry & { value: number; hadRecentInput: boolean })[]) {
          if (!entry.hadRecentInput) shifts.total += entry.value;
        }
      }).observe({ type: 'layout-shift', buffered: true });
    });
    const cls = () => page.evaluate(() => (window as unknown as { shifts: { total: number } }).shifts.total);
    await openShop(page);
    await expect(panel(page).getByText('No recommendations available yet')).toBeVisible();
    await card(page, 'Smart AI Assistant').getByRole('button', { name: /Add to cart/ }).click();
    await expect(panel(page).getByRole('listitem').first()).toBeVisible();
    const filled = await cls();
    await page.reload();
    await expect(panel(page).getByRole('listitem').first()).toBeVisible();
    await expect(card(page, 'Smart AI Assistant')).toBeVisible();
    const loaded = await cls();
    console.log(`CLS, ${name}: ${filled.toFixed(4)} when the panel fills, ${loaded.toFixed(4)} when the page loads with a list`);
    expect(filled).toBeLessThanOrEqual(MAX_CLS);
    expect(loaded).toBeLessThanOrEqual(MAX_CLS);
  });
}
