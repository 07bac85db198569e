/**
 * Long work in slices between turns of the event loop: the extension host belongs to all extensions, and while one works,
 * whatever somebody types or clicks waits.
 */

/** Milliseconds of a slice, far below those that anybody may be kept waiting: a machine may be slow or busy. */
const slice = 5;

const waiting: (() => void)[] = [];
let isScheduled = false;
/** When the slice of this turn is over, by `performance.now()`. */
let turnEnds = 0;

/** Resolves in a later turn. All who wait share its slice: who does not come within it gets the next turn. */
export function nextTurn(): Promise<void> {
  return new Promise(resolve => {
    waiting.push(resolve);
    if (!isScheduled) schedule();
  });
}

/** Work that goes on in the next turn when its slice is over: `if (slices.isOver) await slices.next();`. */
export class Slices {
  #ends = performance.now() + slice;

  get isOver(): boolean {
    return performance.now() >= this.#ends;
  }

  async next(): Promise<void> {
    await nextTurn();
    this.#ends = turnEnds;
  }
}

let answering: Slices | undefined;

/**
 * Answers one of many questions that somebody may ask in a row: at once as long as the slice of this turn lasts, then in
 * later turns.
 */
export function answerInTurns<Answer>(answer: () => Answer | Promise<Answer>): Answer | Promise<Answer> {
  if (answering === undefined) {
    answering = new Slices();
    setImmediate(() => (answering = undefined));
  }
  return answering.isOver ? nextTurn().then(answer) : answer();
}

function schedule(): void {
  isScheduled = true;
  setImmediate(() => {
    turnEnds = performance.now() + slice;
    letOneGoOn();
  });
}

function letOneGoOn(): void {
  waiting.shift()?.();
  // What the editor makes of it counts as well.
  afterMicrotasks(() => {
    if (waiting.length === 0) isScheduled = false;
    else if (performance.now() < turnEnds) letOneGoOn();
    else schedule();
  });
}

/** Calls when everybody has gone on who waited for something that is there by now. */
export function afterMicrotasks(call: () => void): void {
  queueMicrotask(() => {
    process.nextTick(call);
  });
}
