// Which comments are wanted: words of a search and codes of columns, looked through in slices.

// Words must all be there, "words in quotes" side by side, -words not at all.
const termsOf = text => {
  const terms = [];
  const asked = text.replace(/[“”„«»]/g, '"'); // as keyboards of phones write them
  for (const [, minus, phrase, word] of asked.matchAll(/(-?)(?:"([^"]*)"?|(\S+))/g)) {
    const said = folded(phrase ?? word).trim();
    if (said) terms.push({ text: said, absent: minus === "-" });
  }
  return terms;
};

// `tests` are functions of a comment's place; a newer question ends an older one.
class Query {
  constructor(corpus) {
    this.corpus = corpus;
    this.latest = 0;
  }

  // Return the places of the comments that pass, or null if another question came in between.
  async run(terms, tests) {
    const { corpus } = this;
    const number = (this.latest += 1);
    const found = new Int32Array(corpus.size);
    let count = 0;
    let began = performance.now();
    for (let i = 0; i < corpus.size; i += 1) {
      if (terms.length && !corpus.has(i)) {
        await corpus.load(corpus.block(i));
        if (number !== this.latest) return null;
        began = performance.now();
      }
      if (tests.every(test => test(i)) && terms.every(term => corpus.search[i].includes(term.text) !== term.absent)) {
        found[count] = i;
        count += 1;
      }
      if (i % 256 === 255 && performance.now() - began > SLICE) {
        await pause();
        if (number !== this.latest) return null;
        began = performance.now();
      }
    }
    return found.subarray(0, count);
  }
}

// All places in the order of a column, whatever is unknown last; what is alike stays in its order. Sorted in slices:
// runs of a few thousand keys, merged two by two.
const RUN = 4_096;
const sorted = async (column, descending, unknown) => {
  const n = column.length;
  let keys = new Float64Array(n);
  for (let i = 0; i < n; i += 1) {
    const value = column[i];
    keys[i] = (value === unknown ? 2 ** 32 : descending ? -value : value) * 2 ** 18 + i;
  }
  for (let low = 0; low < n; low += RUN) {
    keys.subarray(low, low + RUN).sort();
    await pause();
  }
  let merged = new Float64Array(n);
  for (let width = RUN; width < n; width *= 2) {
    let began = performance.now();
    for (let low = 0; low < n; low += 2 * width) {
      const [middle, high] = [Math.min(low + width, n), Math.min(low + 2 * width, n)];
      let [a, b] = [low, middle];
      for (let k = low; k < high; k += 1) {
        merged[k] = a < middle && (b >= high || keys[a] <= keys[b]) ? keys[a++] : keys[b++];
        if (k % 1_024 === 0 && performance.now() - began > SLICE) {
          await pause();
          began = performance.now();
        }
      }
    }
    [keys, merged] = [merged, keys];
  }
  const places = new Int32Array(n);
  for (let k = 0; k < n; k += 1) places[k] = keys[k] - Math.floor(keys[k] / 2 ** 18) * 2 ** 18;
  return places;
};

// Those of `found` in the order of `places`.
const inOrder = (places, found) => {
  const wanted = new Uint8Array(places.length);
  for (let k = 0; k < found.length; k += 1) wanted[found[k]] = 1;
  return places.filter(i => wanted[i]);
};
