// Which comments are wanted: words of a search and codes of columns, looked through in slices.

// Words must all be there, "words in quotes" side by side, -words not at all.
const termsOf = text => {
  const terms = [];
  for (const [, minus, phrase, word] of text.matchAll(/(-?)(?:"([^"]*)"?|(\S+))/g)) {
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

// Sort places by a column, whatever is unknown last; comments that are alike stay in their order.
const sorted = (places, column, descending, unknown) => {
  const keys = new Float64Array(places.length);
  for (let k = 0; k < places.length; k += 1) {
    const value = column[places[k]];
    keys[k] = (value === unknown ? 2 ** 32 : descending ? -value : value) * 2 ** 18 + k;
  }
  keys.sort();
  return Int32Array.from(keys, key => places[((key % 2 ** 18) + 2 ** 18) % 2 ** 18]);
};
