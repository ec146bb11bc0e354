import { DigitalRain } from '../components/DigitalRain.tsx';
import { PageTitle } from './PageTitle.tsx';

export function Hero() {
  return (
    <div className="card relative isolate overflow-hidden px-6 py-6 sm:px-10 sm:py-8">
      <DigitalRain className="absolute inset-y-0 right-0 -z-10 h-full w-full mask-[linear-gradient(90deg,transparent_25%,black)] text-accent opacity-25 sm:opacity-45" />
      <PageTitle className="max-w-2xl text-2xl sm:text-4xl">Every click bends the shop.</PageTitle>
      <p className="mt-3 max-w-lg text-muted sm:text-lg">
        Look at something. Your list changes before you have scrolled, and tells you why.
      </p>
    </div>
  );
}
