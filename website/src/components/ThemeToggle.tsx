import { useState } from 'react';
import { storage } from '../lib/persistentStore.ts';

const KEY = 'theme';
type Theme = 'dark' | 'light';

const present = (): Theme => {
  const chosen = document.documentElement.dataset['theme'] ?? storage.get(KEY);
  if (chosen === 'dark' || chosen === 'light') return chosen;
  return matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark';
};

export function ThemeToggle() {
  const [theme, setTheme] = useState(present);
  const other: Theme = theme === 'dark' ? 'light' : 'dark';
  return (
    <button
      type="button"
      aria-label={`Switch to ${other} mode`}
      className="button-quiet grid size-10 place-items-center"
      onClick={() => {
        document.documentElement.dataset['theme'] = other;
        storage.set(KEY, other);
        setTheme(other);
      }}
    >
      <svg aria-hidden="true" viewBox="0 0 20 20" className="size-4.5" fill="none" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round">
        {theme === 'dark' ? (
          <path d="M16.5 12A7 7 0 0 1 8 3.5a7 7 0 1 0 8.5 8.5Z" strokeLinejoin="round" />
        ) : (
          <>
            <circle cx="10" cy="10" r="3.5" />
            <path d="M10 2v1.5M10 16.5V18M2 10h1.5M16.5 10H18M4.3 4.3l1.1 1.1M14.6 14.6l1.1 1.1M15.7 4.3l-1.1 1.1M5.4 14.6l-1.1 1.1" />
          </>
        )}
      </svg>
    </button>
  );
}
