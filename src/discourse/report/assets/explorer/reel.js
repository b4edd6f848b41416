// A list of any length in which only the rows on screen exist; heights are guessed until a row was seen.

const TALLEST = 8_000_000; // pixels; browsers cut off what is much taller
const MARGIN = 300;

// Sums of heights up to any place, each changed in log n steps (a Fenwick tree).
class Heights {
  constructor(values) {
    this.size = values.length;
    this.sums = new Float64Array(this.size + 1);
    for (let i = 1; i <= this.size; i += 1) {
      this.sums[i] += values[i - 1];
      const next = i + (i & -i);
      if (next <= this.size) this.sums[next] += this.sums[i];
    }
    this.highest = 2 ** Math.floor(Math.log2(Math.max(this.size, 1)));
  }

  add(place, change) {
    for (let i = place + 1; i <= this.size; i += i & -i) this.sums[i] += change;
  }

  before(place) {
    let sum = 0;
    for (let i = place; i > 0; i -= i & -i) sum += this.sums[i];
    return sum;
  }

  at(offset) {
    let place = 0;
    for (let step = this.highest; step; step >>= 1) {
      if (place + step <= this.size && this.sums[place + step] <= offset) {
        place += step;
        offset -= this.sums[place];
      }
    }
    return Math.min(place, Math.max(this.size - 1, 0));
  }
}

class Reel {
  // `make(item, place)` returns the element of one row; `left(item)` is called when a row with the focus goes away.
  constructor(root, size, make, left) {
    Object.assign(this, { root, make, left });
    this.known = new Float32Array(size);
    this.items = new Int32Array(0);
    this.rows = new Map();
    this.sheet = root.appendChild(document.createElement("div"));
    this.sheet.className = "sheet";
    this.frame = this.sheet.appendChild(document.createElement("div"));
    this.frame.className = "rows";
    this.width = root.clientWidth;
    this.watch = new ResizeObserver(() => this.resized());
    this.watch.observe(root);
    root.addEventListener("scroll", () => this.draw(), { passive: true });
  }

  show(items, first = 0, offset = 0) {
    const focused = this.frame.contains(document.activeElement);
    this.items = items;
    this.guess();
    for (const row of this.rows.values()) row.remove();
    this.rows.clear();
    this.root.scrollTop = 0;
    this.draw({ place: first, offset });
    if (focused) this.root.focus({ preventScroll: true });
  }

  guess() {
    const usual = Math.min(this.usual ?? 150, TALLEST / Math.max(this.items.length, 1));
    this.values = new Float32Array(this.items.length);
    for (let k = 0; k < this.items.length; k += 1) this.values[k] = this.known[this.items[k]] || usual;
    this.heights = new Heights(this.values);
  }

  // Bring a row on screen: at the start of it, or wherever it is nearest.
  to(place, where = "nearest") {
    if (!this.items.length) return this.draw();
    const top = this.heights.before(place);
    const bottom = top + this.values[place];
    const { scrollTop, clientHeight } = this.root;
    if (where === "start" || top < scrollTop || bottom - top > clientHeight) this.draw({ place, offset: 0 });
    else if (bottom > scrollTop + clientHeight) {
      this.draw({ place, offset: bottom - top - clientHeight });
      // The row may have turned out taller than it was thought to be.
      const row = this.rows.get(place);
      if (row) this.draw({ place, offset: Math.min(0, row.offsetHeight - clientHeight) });
    } else this.draw();
    return undefined;
  }

  // Whether any of a row is on screen.
  seen(place) {
    const row = this.rows.get(place)?.getBoundingClientRect();
    const view = this.root.getBoundingClientRect();
    return Boolean(row) && row.bottom > view.top && row.top < view.bottom;
  }

  resized() {
    if (!this.root.clientHeight) return;
    if (this.root.clientWidth !== this.width) {
      this.width = this.root.clientWidth;
      this.known.fill(0);
      const anchor = this.anchor();
      this.guess();
      this.draw({ place: anchor.place, offset: 0 });
    } else this.draw();
  }

  anchor() {
    const place = this.heights.at(this.root.scrollTop);
    return { place, offset: this.root.scrollTop - this.heights.before(place) };
  }

  // Make the rows around the anchor, measure them, and keep the anchor where it is on screen.
  draw(anchor = this.anchor()) {
    if (this.drawing) return;
    this.drawing = true;
    const view = this.root.clientHeight || 600;
    for (let turn = 0; turn < 4; turn += 1) {
      const top = this.heights.before(anchor.place) + anchor.offset;
      const first = this.heights.at(Math.max(0, top - MARGIN));
      const last = this.heights.at(Math.max(0, top) + view + MARGIN);
      this.fill(first, this.items.length ? last : -1);
      if (!this.measure()) break;
    }
    const top = this.heights.before(anchor.place) + anchor.offset;
    this.sheet.style.blockSize = `${this.heights.before(this.items.length)}px`;
    this.frame.style.insetBlockStart = `${this.heights.before(this.first)}px`;
    if (Math.abs(this.root.scrollTop - top) > 0.5) this.root.scrollTop = top;
    this.drawing = false;
  }

  fill(first, last) {
    this.first = first;
    for (const [place, row] of this.rows) {
      if (place >= first && place <= last) continue;
      if (row.contains(document.activeElement)) this.left(this.items[place]);
      this.watch.unobserve(row);
      row.remove();
      this.rows.delete(place);
    }
    let next = this.frame.firstChild;
    for (let place = first; place <= last; place += 1) {
      let row = this.rows.get(place);
      if (row) {
        next = row.nextSibling;
        continue;
      }
      row = this.make(this.items[place], place);
      this.rows.set(place, row);
      this.frame.insertBefore(row, next);
      this.watch.observe(row);
    }
  }

  measure() {
    let changed = false;
    for (const [place, row] of this.rows) {
      const height = row.getBoundingClientRect().height;
      if (Math.abs(height - this.values[place]) > 0.5 && height) {
        this.heights.add(place, height - this.values[place]);
        this.values[place] = height;
        changed = true;
      }
      this.known[this.items[place]] = height;
    }
    this.usual ??= this.rows.size ? [...this.rows].reduce((sum, [place]) => sum + this.values[place], 0) / this.rows.size : undefined;
    return changed;
  }

  // Make one row again, as what it shows has changed.
  again(place) {
    const row = this.rows.get(place);
    if (!row) return null;
    const made = this.make(this.items[place], place);
    this.watch.unobserve(row);
    row.replaceWith(made);
    this.rows.set(place, made);
    this.watch.observe(made);
    this.draw();
    return made;
  }
}
