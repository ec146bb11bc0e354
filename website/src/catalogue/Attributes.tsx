import type { Metadata } from '@freshet/client';
import { Text } from '../components/Text.tsx';
import { words } from '../lib/format.ts';

/** A shop may say anything of a product; a page shows this much of it. */
const SHOWN = 8;
const TAGS = 12;

/** The free attributes, as text whatever they hold. */
export function Attributes({ attributes }: { attributes: Metadata }) {
  const rows = Object.entries(attributes).slice(0, SHOWN);
  if (rows.length === 0) return null;
  return (
    <dl className="mt-auto flex flex-col gap-3 border-t border-line pt-4 text-sm">
      {rows.map(([name, value]) => (
        <div key={name} className="grid grid-cols-[5rem_minmax(0,1fr)] gap-3">
          <dt className="label line-clamp-2 pt-0.5">
            <Text>{words(name)}</Text>
          </dt>
          <dd>
            {Array.isArray(value) ? (
              <ul className="flex flex-wrap gap-1.5">
                {value.slice(0, TAGS).map((tag, index) => (
                  <li key={index} className="max-w-full truncate rounded-md bg-raised px-2 py-0.5 font-mono text-xs">
                    <Text>{shown(tag)}</Text>
                  </li>
                ))}
              </ul>
            ) : (
              <p className="line-clamp-3">
                <Text>{shown(value)}</Text>
              </p>
            )}
          </dd>
        </div>
      ))}
    </dl>
  );
}

const shown = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
