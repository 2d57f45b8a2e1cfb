// Choices that a seed repeats.

/** Choices from this seed: a text, so that each case can have its own. */
export class Random {
  #state;

  constructor(seed) {
    // FNV-1a, then mulberry32: quick, and good enough to choose by.
    this.#state = [...String(seed)].reduce((hash, letter) => Math.imul(hash ^ letter.codePointAt(0), 16777619), 2166136261) >>> 0;
  }

  /** At least 0, below 1. */
  next() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from `least` to `most`, both included. */
  whole(least, most) {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  /** Whether something of this probability happens. */
  chance(probability) {
    return this.next() < probability;
  }

  /** One of these. */
  pick(list) {
    if (list.length === 0) throw new RangeError("nothing to pick from");
    return list[this.whole(0, list.length - 1)];
  }

  /** These in another order. */
  shuffle(list) {
    const rest = [...list];
    return list.map(() => rest.splice(this.whole(0, rest.length - 1), 1)[0]);
  }

  /** So many of these at most, in another order. */
  some(list, count) {
    return this.shuffle(list).slice(0, count);
  }
}
