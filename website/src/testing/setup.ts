import '@testing-library/jest-dom/vitest';
import { cleanup } from '@testing-library/react';
import { afterEach } from 'vitest';
import { FakeObserver, FakeSocket } from './browser.ts';

// What a browser has and jsdom has not. Not as stubs: those go after each test.
Object.assign(globalThis, {
  IntersectionObserver: FakeObserver,
  ResizeObserver: FakeObserver,
  WebSocket: FakeSocket,
  scrollTo: () => undefined,
});
// Charts draw nothing into a box without a size.
HTMLElement.prototype.getBoundingClientRect = () => ({ x: 0, y: 0, top: 0, left: 0, right: 480, bottom: 176, width: 480, height: 176, toJSON: () => '' });
HTMLCanvasElement.prototype.getContext = () => null;

afterEach(() => {
  cleanup();
  FakeSocket.all.length = 0;
  FakeObserver.all.clear();
});
