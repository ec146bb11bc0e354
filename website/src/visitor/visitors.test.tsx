import { render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { fakeApi } from '../testing/api.ts';

beforeEach(() => {
  localStorage.clear();
  vi.resetModules();
});

async function open() {
  const { VisitorSwitcher } = await import('./VisitorSwitcher.tsx');
  const { useUserId } = await import('./visitors.ts');
  function Who() {
    return <output>{useUserId()}</output>;
  }
  render(<><VisitorSwitcher /><Who /></>);
  return () => screen.getByRole('status').textContent;
}

describe('the visitor switcher', () => {
  it('adds shoppers and switches between them', async () => {
    fakeApi();
    const who = await open();
    const first = who();
    await userEvent.click(screen.getByRole('button', { name: /Shopper/ }));
    await userEvent.type(screen.getByLabelText('Name of the new shopper'), 'Trinity <b>{Enter}');
    expect(who()).not.toBe(first);
    expect(localStorage.getItem('userId')).toBe(who());
    expect(screen.getByRole('button', { name: /Shopper: Trinity <b>/ })).toHaveAttribute('aria-expanded', 'false');
    await userEvent.click(screen.getByRole('button', { name: /Shopper/ }));
    await userEvent.click(screen.getByRole('button', { name: 'Neo' }));
    expect(who()).toBe(first);
  });

  it('closes on Escape and gives the focus back', async () => {
    fakeApi();
    await open();
    const button = screen.getByRole('button', { name: /Shopper/ });
    await userEvent.click(button);
    await userEvent.keyboard('{Escape}');
    expect(button).toHaveAttribute('aria-expanded', 'false');
    expect(button).toHaveFocus();
  });

  it('forgets somebody when asked twice, on the server first', async () => {
    const who = await open();
    const first = who();
    const api = fakeApi({ [`DELETE /users/${first}`]: { success: true } });
    await userEvent.click(screen.getByRole('button', { name: /Shopper/ }));
    await userEvent.click(screen.getByRole('button', { name: 'Forget me' }));
    expect(api.asked).toEqual([]);
    await userEvent.click(screen.getByRole('button', { name: 'Really forget everything?' }));
    await vi.waitFor(() => { expect(who()).not.toBe(first); });
    expect(api.count('DELETE', `/users/${first}`)).toBe(1);
    expect(localStorage.getItem('freshet.visitors')).not.toContain(first);
  });

  it('keeps somebody whom the server could not forget', async () => {
    const who = await open();
    const first = who();
    fakeApi({ [`DELETE /users/${first}`]: 503 });
    await userEvent.click(screen.getByRole('button', { name: /Shopper/ }));
    await userEvent.click(screen.getByRole('button', { name: 'Forget me' }));
    await userEvent.click(screen.getByRole('button', { name: 'Really forget everything?' }));
    expect(await screen.findByRole('button', { name: 'Forget me' })).toBeEnabled();
    expect(who()).toBe(first);
  });
});

describe('with storage blocked', () => {
  it('there is a visitor all the same', async () => {
    vi.spyOn(globalThis, 'localStorage', 'get').mockImplementation(() => {
      throw new DOMException('blocked', 'SecurityError');
    });
    fakeApi();
    const who = await open();
    expect(who()).toMatch(/^user_\d+$/);
  });
});
