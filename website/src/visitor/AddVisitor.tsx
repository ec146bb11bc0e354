import { useState } from 'react';
import { addVisitor, suggestedName, useVisitors } from './visitors.ts';

/** Somebody new at the keyboard. */
export function AddVisitor({ onAdded }: { onAdded?: () => void }) {
  const visitors = useVisitors();
  const [name, setName] = useState('');
  return (
    <form
      className="flex gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        addVisitor(name);
        setName('');
        onAdded?.();
      }}
    >
      <label className="min-w-0 flex-1">
        <span className="sr-only">Name of the new shopper</span>
        <input
          value={name}
          maxLength={40}
          dir="auto"
          placeholder={suggestedName(visitors)}
          autoComplete="off"
          onChange={(event) => {
            setName(event.target.value);
          }}
          className="field w-full px-3 py-2 text-sm"
        />
      </label>
      <button type="submit" className="button-main shrink-0 px-3 py-2 text-sm">
        Add shopper
      </button>
    </form>
  );
}
