/** A typed array that grows: millions of numbers without an object for each. */

const FIRST_LENGTH = 1_024;

export class GrowingArray {
  length = 0;
  #values;

  /** `Values`: the class of the typed array. */
  constructor(Values) {
    this.#values = new Values(FIRST_LENGTH);
  }

  at(index) {
    return index < this.length ? this.#values[index] : undefined;
  }

  push(value) {
    this.set(this.length, value);
  }

  /** Sets one value; what lies between the end and it becomes 0. */
  set(index, value) {
    if (index >= this.#values.length) this.#grow(index + 1);
    this.#values[index] = value;
    this.length = Math.max(this.length, index + 1);
  }

  #grow(length) {
    const grown = new this.#values.constructor(Math.max(length, 2 * this.#values.length));
    grown.set(this.#values);
    this.#values = grown;
  }
}
