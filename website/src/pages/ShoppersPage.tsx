import { RecommendationPanel } from '../components/RecommendationPanel.tsx';
import { Text } from '../components/Text.tsx';
import { AddVisitor } from '../visitor/AddVisitor.tsx';
import { Avatar } from '../visitor/Avatar.tsx';
import { ForgetButton } from '../visitor/ForgetButton.tsx';
import { switchVisitor, useUserId, useVisitors } from '../visitor/visitors.ts';
import { PageTitle } from './PageTitle.tsx';

/** The same shop through several pairs of eyes. */
export default function ShoppersPage() {
  const visitors = useVisitors();
  const userId = useUserId();
  return (
    <div className="flex flex-col gap-6">
      <div className="flex flex-wrap items-end justify-between gap-4">
        <div>
          <PageTitle className="text-2xl">Shoppers, side by side</PageTitle>
          <p className="mt-1 text-muted">One shop, a different list for each of them.</p>
        </div>
        <div className="w-full sm:w-80">
          <AddVisitor />
        </div>
      </div>
      <ul className="grid items-start gap-5 lg:grid-cols-[repeat(auto-fill,minmax(20rem,1fr))]">
        {visitors.map((visitor) => {
          const here = visitor.userId === userId;
          return (
            <li key={visitor.userId} className="min-w-0">
              <div className="mb-2 flex items-center gap-3">
                <Avatar visitor={visitor} className="size-9" />
                <h2 className="min-w-0 flex-1 truncate font-semibold">
                  <Text>{visitor.name}</Text>
                </h2>
                <ForgetButton visitor={visitor} />
                <button
                  type="button"
                  aria-pressed={here}
                  aria-label={`Shop as ${visitor.name}`}
                  onClick={() => {
                    switchVisitor(visitor.userId);
                  }}
                  className="button-quiet px-3 py-1.5 text-sm font-medium aria-pressed:border-accent aria-pressed:text-accent"
                >
                  {here ? 'Shopping' : 'Shop as'}
                </button>
              </div>
              {/* Who opens a product from somebody's list, looks at it as that somebody. */}
              <div onClickCapture={() => { switchVisitor(visitor.userId); }}>
                <RecommendationPanel userId={visitor.userId} className={here ? 'border-accent' : ''} />
              </div>
            </li>
          );
        })}
      </ul>
    </div>
  );
}
