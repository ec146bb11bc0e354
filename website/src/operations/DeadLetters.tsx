import { isNotFound, type DeadLetter } from '@freshet/client';
import { useMutation, useQuery } from '@tanstack/react-query';
import { notify } from '../lib/notices.ts';
import { freshet } from '../service/freshet.ts';
import { useSharedQueryClient } from '../service/queries.ts';
import { DeadLetterRow } from './DeadLetterRow.tsx';
import { NotAvailable, Section } from './Section.tsx';

const EVERY_MS = 5_000;
const EVERY_MS_MISSING = 60_000;
const SHOWN = 50;

type Action = 'replay' | 'drop';

/** Records that could not be processed: why, and what to do with them. */
export function DeadLetters({ token }: { token: string | undefined }) {
  const queries = useSharedQueryClient();
  const letters = useQuery(
    {
      queryKey: ['dead-letters', token === undefined ? 'anyone' : 'administrator'],
      queryFn: ({ signal }) => freshet.deadLetters(SHOWN, token, signal),
      refetchInterval: (query) => (isNotFound(query.state.error) ? EVERY_MS_MISSING : EVERY_MS),
    },
    queries,
  );
  const act = useMutation(
    {
      mutationFn: ({ letter, action }: { letter: DeadLetter; action: Action }) =>
        action === 'replay' ? freshet.replayDeadLetter(letter, token ?? '') : freshet.dropDeadLetter(letter, token ?? ''),
      onSuccess: (_, { action }) => {
        notify(action === 'replay' ? 'Put back into its topic' : 'Dropped');
        return queries.invalidateQueries({ queryKey: ['dead-letters'] });
      },
      onError: (error) => {
        notify(error.message, 'bad');
      },
    },
    queries,
  );
  return (
    <Section title="Dead letters" note={letters.data && letters.data.length > 0 && token === undefined ? 'the admin token shows the records' : undefined}>
      {letters.data ? (
        letters.data.length === 0 ? (
          <p className="py-8 text-center text-sm text-muted">None. Every record could be processed.</p>
        ) : (
          <ul className="divide-y divide-line">
            {letters.data.map((letter) => (
              <DeadLetterRow
                key={`${letter.topic}/${letter.partition}/${letter.offset}`}
                letter={letter}
                disabled={token === undefined || act.isPending}
                onAction={(action) => {
                  act.mutate({ letter, action });
                }}
              />
            ))}
          </ul>
        )
      ) : isNotFound(letters.error) ? (
        <NotAvailable what="its dead letters" />
      ) : (
        <p className="py-8 text-center text-sm text-muted">{letters.isPending ? 'Loading…' : letters.error.message}</p>
      )}
    </Section>
  );
}
