import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { loadEnv, type Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

const DEFAULTS = { VITE_API_URL: 'http://localhost:3001/api', VITE_WS_URL: 'ws://localhost:3002' };

/**
 * In what is built, the page may load from its own origin and talk to its API, and do nothing else. On the developer's
 * machine, where every system that runs has ports of its own, that is any port of this machine.
 */
function contentSecurityPolicy(env: Record<string, string>): Plugin {
  const sources = (name: keyof typeof DEFAULTS): string => {
    const url = env[name] ?? DEFAULTS[name];
    if (!/^[a-z]+:/.test(url)) return '';
    const { origin, protocol, hostname } = new URL(url);
    const loopback = ['localhost', '127.0.0.1'];
    return loopback.includes(hostname) ? loopback.map((host) => `${protocol}//${host}:*`).join(' ') : origin;
  };
  const policy = [
    "default-src 'self'",
    `connect-src 'self' ${sources('VITE_API_URL')} ${sources('VITE_WS_URL')}`.trim(),
    "img-src 'self' data:",
    "style-src 'self' 'unsafe-inline'",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
  ].join('; ');
  return {
    name: 'content-security-policy',
    apply: 'build',
    transformIndexHtml: () => [
      { tag: 'meta', attrs: { 'http-equiv': 'Content-Security-Policy', content: policy }, injectTo: 'head-prepend' },
    ],
  };
}

/** The letters of headings and prices come with the page, not after its style. */
const preloadFont = (): Plugin => ({
  name: 'preload-font',
  apply: 'build',
  transformIndexHtml: {
    order: 'post',
    handler: (_, { bundle = {} }) =>
      Object.keys(bundle)
        .filter((file) => file.endsWith('.woff2'))
        .map((file) => ({
          tag: 'link',
          attrs: { rel: 'preload', as: 'font', type: 'font/woff2', href: `/${file}`, crossorigin: true },
          injectTo: 'head' as const,
        })),
  },
});

// `localhost`: nobody but this machine can reach it.
const server = { host: 'localhost', port: 3000, strictPort: true };

export default defineConfig(({ mode }) => ({
  plugins: [react(), tailwindcss(), contentSecurityPolicy(loadEnv(mode, import.meta.dirname)), preloadFont()],
  server,
  preview: server,
  build: { target: 'es2022', manifest: true, reportCompressedSize: false },
  test: {
    projects: [
      { extends: true, test: { name: 'client', environment: 'node', include: ['client/test/**/*.test.ts'] } },
      {
        extends: true,
        test: {
          name: 'site',
          environment: 'jsdom',
          include: ['src/**/*.test.{ts,tsx}'],
          setupFiles: ['src/testing/setup.ts'],
          restoreMocks: true,
          unstubGlobals: true,
        },
      },
    ],
  },
}));
