import { useState } from 'react';
import { forgetVisitor } from './forget.ts';
import type { Visitor } from './visitors.ts';

/** "Forget me": asks once more, because nobody can undo it. */
export function ForgetButton({ visitor }: { visitor: Visitor }) {
  const [step, setStep] = useState<'rest' | 'sure' | 'busy'>('rest');
  const forget = async () => {
    setStep('busy');
    if (!(await forgetVisitor(visitor))) setStep('rest');
  };
  return (
    <button
      type="button"
      disabled={step === 'busy'}
      onClick={() => {
        if (step === 'rest') setStep('sure');
        else void forget();
      }}
      onBlur={() => {
        if (step === 'sure') setStep('rest');
      }}
      className="rounded-lg px-2 py-1 text-sm font-medium text-bad hover:underline"
    >
      {step === 'rest' ? 'Forget me' : step === 'sure' ? 'Really forget everything?' : 'Forgetting…'}
    </button>
  );
}
