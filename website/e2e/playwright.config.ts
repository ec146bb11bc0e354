import { defineConfig } from '@playwright/test';

/** The system under test is running already: the site here, with its API and WebSocket behind it. */
const site = process.env['FRESHET_SITE_URL'] ?? 'http://localhost:3000';

export default defineConfig({
  testDir: '.',
  outputDir: './artefacts/traces',
  // One shop, one machine: tests that share both tell less when they run at once.
  workers: 1,
  // Where nobody watches, a test that passes only the second time is printed as flaky and does not stop a change.
  retries: process.env['CI'] === undefined ? 0 : 1,
  timeout: 45_000,
  expect: { timeout: 10_000 },
  forbidOnly: process.env['CI'] !== undefined,
  reporter: [['list']],
  use: {
    baseURL: site,
    browserName: 'chromium',
    viewport: { width: 1440, height: 900 },
    colorScheme: 'dark',
    trace: 'retain-on-failure',
    launchOptions: {
      executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
      args: [
        '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
        '--disable-background-networking', '--disable-component-update', '--disable-sync',
      ],
    },
  },
});
