import { isNotFound } from '@freshet/client';
import { clearCart } from '../cart/cart.ts';
import { notify } from '../lib/notices.ts';
import { freshet } from '../service/freshet.ts';
import { removeVisitor, type Visitor } from './visitors.ts';

/** Everything known of a person goes: on the server first, so that a failure leaves the person able to ask again. */
export async function forgetVisitor({ userId, name }: Visitor): Promise<boolean> {
  try {
    await freshet.forget(userId);
  } catch (error) {
    const why = isNotFound(error) ? 'this service does not offer it' : error instanceof Error ? error.message : 'unknown reason';
    notify(`${name} could not be forgotten: ${why}`, 'bad');
    return false;
  }
  clearCart(userId);
  removeVisitor(userId);
  notify(`${name} is forgotten`);
  return true;
}
