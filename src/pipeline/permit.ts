/** A reading's permit for its next page: asked for once, given in turn, given back when the page came or never will. */
import type { Bell } from './bell.ts';
import type { Budget, Holder } from './budget.ts';

export class Permit {
  readonly #budget: Budget;
  readonly #holder: Holder;
  readonly #bell: Bell;
  #state: 'none' | 'asked' | 'given' = 'none';

  constructor(budget: Budget, holder: Holder, bell: Bell) {
    this.#budget = budget;
    this.#holder = holder;
    this.#bell = bell;
  }

  /** Whether it is given; rings the bell when it is later. */
  ask(): boolean {
    if (this.#state === 'none') {
      this.#state = 'asked';
      this.#budget.request(this.#holder, () => {
        this.#state = 'given';
        this.#bell.ring();
      });
    } else if (this.#state === 'asked') this.#budget.lookAgain();
    return this.#state !== 'asked';
  }

  /**
   * Waits for it beside the main reading, which waits longer after each throttle: read on meanwhile, and it never comes to its turn. False, and given
   * back, once it is not wanted any more.
   */
  async granted(isWanted: () => boolean, main: { readonly isThrottled: boolean }): Promise<boolean> {
    for (; isWanted(); await this.#bell.wait()) {
      if (main.isThrottled) this.giveBack();
      else if (this.ask()) return true;
    }
    this.giveBack();
    return false;
  }

  giveBack(): void {
    const was = this.#state;
    this.#state = 'none';
    if (was === 'given') this.#budget.pageArrived();
    if (was === 'asked') this.#budget.withdraw(this.#holder);
  }
}
