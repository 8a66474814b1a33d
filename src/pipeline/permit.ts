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

  giveBack(): void {
    const was = this.#state;
    this.#state = 'none';
    if (was === 'given') this.#budget.pageArrived();
    if (was === 'asked') this.#budget.withdraw(this.#holder);
  }
}
