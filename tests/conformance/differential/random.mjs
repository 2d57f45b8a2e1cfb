// Random choices that a seed repeats.

/** Random choices from a seed. The seed is a text, so that each case can have its own. */
export class Random {
  #state;

  constructor(seed) {
    // FNV-1a, then mulberry32: fast, and random enough for this.
    this.#state = [...String(seed)].reduce((hash, letter) => Math.imul(hash ^ letter.codePointAt(0), 16777619), 2166136261) >>> 0;
  }

  /** A number from 0 to below 1. */
  next() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** An integer from `least` to `most`, inclusive. */
  whole(least, most) {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  /** True with this probability. */
  chance(probability) {
    return this.next() < probability;
  }

  /** A random item. */
  pick(list) {
    if (list.length === 0) throw new RangeError("nothing to pick from");
    return list[this.whole(0, list.length - 1)];
  }

  /** The items in random order. */
  shuffle(list) {
    const rest = [...list];
    return list.map(() => rest.splice(this.whole(0, rest.length - 1), 1)[0]);
  }

  /** At most `count` of the items, in random order. */
  some(list, count) {
    return this.shuffle(list).slice(0, count);
  }
}
