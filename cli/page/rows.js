// Shows a list of any length with rows of one height: only those in sight are nodes, and these are used again.

// No browser makes an element as high as it is asked to: Firefox ends at 17.8 million pixels.
const HIGHEST = 12e6;
const SPARE = 4;

export class Rows {
  #slots = [];
  #count = 0;
  #spacer;

  /** `make()` gives a slot with its `node`; `paint(slot, index)` fills it. `height` is that of a row in pixels. */
  constructor(scroller, spacer, { height, make, paint }) {
    this.scroller = scroller;
    this.#spacer = spacer;
    this.height = height;
    this.make = make;
    this.paint = paint;
  }

  get count() {
    return this.#count;
  }

  set count(count) {
    this.#count = count;
    const height = Math.min(count * this.height, HIGHEST);
    if (this.#spacer.offsetHeight !== height) this.#spacer.style.height = `${height}px`;
  }

  /** The first and the last row in sight. */
  range() {
    const first = Math.max(0, Math.floor(this.#top() / this.height));
    const seen = Math.ceil(this.scroller.clientHeight / this.height);
    return [first, Math.min(this.#count - 1, first + seen)];
  }

  /** How many rows are in sight at once. */
  fits() {
    return Math.ceil(this.scroller.clientHeight / this.height) + 1;
  }

  /** Draws; gives the first and the last row that were painted. */
  render() {
    const [first, last] = this.range();
    const from = Math.max(0, first - SPARE);
    const to = Math.min(this.#count - 1, last + SPARE);
    const needed = this.fits() + 2 * SPARE;
    while (this.#slots.length < needed) this.#add();
    const shift = this.scroller.scrollTop - this.#top();
    for (const slot of this.#slots) slot.used = false;
    for (let index = from; index <= to; index += 1) {
      const slot = this.#slots[index % this.#slots.length];
      slot.used = true;
      this.paint(slot, index);
      const y = index * this.height + shift;
      if (slot.y !== y) slot.node.style.transform = `translateY(${(slot.y = y)}px)`;
    }
    for (const slot of this.#slots) if (slot.node.hidden === slot.used) slot.node.hidden = !slot.used;
    return [from, to];
  }

  /** Scrolls as far as it takes for the row to be in sight. */
  reveal(index) {
    const top = index * this.height;
    const room = this.scroller.clientHeight - this.height;
    if (top < this.#top()) this.#scroll(top);
    else if (top > this.#top() + room) this.#scroll(top - room);
  }

  /** Scrolls by whole rows, when rows before those in sight turn out to be more or fewer than was thought. */
  shift(rows) {
    this.#scroll(this.#top() + rows * this.height);
  }

  #add() {
    const slot = this.make();
    slot.node.hidden = true;
    this.#slots.push(slot);
    this.#spacer.append(slot.node);
  }

  // How many pixels of list one pixel of the scroll bar stands for. One, unless the list is higher than can be.
  #scale() {
    const hidden = this.#spacer.offsetHeight - this.scroller.clientHeight;
    return hidden > 0 ? (this.#count * this.height - this.scroller.clientHeight) / hidden : 1;
  }

  #top() {
    return this.#count * this.height > HIGHEST ? this.scroller.scrollTop * this.#scale() : this.scroller.scrollTop;
  }

  #scroll(top) {
    this.scroller.scrollTop = this.#count * this.height > HIGHEST ? top / this.#scale() : top;
  }
}
