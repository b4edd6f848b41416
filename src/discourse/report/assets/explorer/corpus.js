// The comments of this file: numbers in typed arrays, texts block by block, and the tree made from the depths.

const UNKNOWN = -(2 ** 31);
const DUPLICATE = 1, EVIDENCE = 2, PARENT_ABSENT = 4;
const ARRAYS = { i4: Int32Array, u4: Uint32Array, u2: Uint16Array, u1: Uint8Array };

// Capitals, accents, the width of letters and the shape of quotation marks and dashes make no difference to a search.
const PLAIN = /^[\x00-\x7f]*$/;
const folded = text => {
  if (PLAIN.test(text)) return text.toLowerCase();
  const bare = text.normalize("NFKD").replace(/\p{M}+/gu, "");
  return bare.replace(/[‘’‚ʼ′]/g, "'").replace(/[“”„«»″]/g, '"').replace(/[‐-―−]/g, "-").toLowerCase();
};

class Corpus {
  constructor(about, columns, authors, refs, blocks) {
    Object.assign(this, { about, columns, authors, refs, blocks });
    this.size = about.comments;
    this.texts = new Array(this.size);
    this.search = new Array(this.size);
    this.marks = new Array(this.size);
    this.urls = new Array(this.size);
    this.quotes = new Array(this.size);
    this.waiting = new Map();
    this.read = 0;
    this.grow();
  }

  static async of(root) {
    const about = JSON.parse(root.querySelector("#corpus-about").textContent);
    const [columns, authors, refs] = await Promise.all([
      inflated(root.querySelector("#corpus-columns")),
      inflatedJson(root.querySelector("#corpus-authors")),
      inflated(root.querySelector("#corpus-refs")),
    ]);
    let at = 0;
    const named = {};
    for (const [name, kind] of about.columns) {
      named[name] = new ARRAYS[kind](columns, at, about.comments);
      at += named[name].byteLength;
    }
    return new Corpus(about, named, authors, new Uint8Array(refs), [...root.querySelectorAll(".corpus-texts")]);
  }

  // What a comment answers, and where all that hangs from it ends.
  grow() {
    const { depth } = this.columns;
    this.parent = new Int32Array(this.size).fill(-1);
    this.end = new Uint32Array(this.size).fill(this.size);
    const above = [];
    for (let i = 0; i < this.size; i += 1) {
      while (above.length > depth[i]) this.end[above.pop()] = i;
      if (above.length) this.parent[i] = above[above.length - 1];
      above.push(i);
    }
  }

  block(i) { return Math.floor(i / this.about.block); }

  has(i) { return this.search[i] !== undefined; }

  load(block) {
    if (!this.waiting.has(block)) this.waiting.set(block, this.unpack(block));
    return this.waiting.get(block);
  }

  async unpack(block) {
    const found = await inflatedJson(this.blocks[block]);
    const first = block * this.about.block;
    let began = performance.now();
    for (let k = 0; k < found.texts.length; k += 1) {
      const i = first + k;
      this.texts[i] = found.texts[k];
      this.marks[i] = found.marks[k];
      this.urls[i] = found.urls[k];
      this.quotes[i] = found.quotes[k];
      this.search[i] = folded(found.texts[k] ?? "");
      if (k % 64 === 63 && performance.now() - began > SLICE) {
        await pause();
        began = performance.now();
      }
    }
    this.read += found.texts.length;
  }

  ref(i) {
    let found = "";
    for (let k = i * 6; k < i * 6 + 6; k += 1) found += this.refs[k].toString(16).padStart(2, "0");
    return found;
  }

  place(ref) {
    if (!/^[0-9a-f]{12}$/.test(ref)) return -1;
    const wanted = ref.match(/../g).map(pair => parseInt(pair, 16));
    for (let i = 0; i < this.size; i += 1) {
      if (wanted.every((byte, k) => this.refs[i * 6 + k] === byte)) return i;
    }
    return -1;
  }

  author(i) {
    const code = this.columns.author[i];
    return code ? this.authors[code - 1] : null;
  }

  tags(i) {
    const found = [];
    const add = (level, name) => {
      for (const [prefix, column] of [["", name], ["r", `${name}_readers`]]) {
        const tag = level.tags[prefix + this.columns[column][i]];
        if (tag && !found.some(each => each[1] === tag[1])) found.push(tag);
      }
    };
    this.about.frames.forEach((frame, k) => add(frame, `frame${k}`));
    this.about.targets.forEach((target, k) => add(target, `target${k}`));
    const topic = this.columns.topic[i];
    if (topic > 1) found.push(["topic", this.about.topics[topic - 2]]);
    return found;
  }
}
