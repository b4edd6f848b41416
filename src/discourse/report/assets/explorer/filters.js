// Filters: one field for each kind of tag, made from what there is in this file.

const ANY = "";

// How often each code occurs in a column.
const counted = (column, codes) => {
  const counts = new Uint32Array(codes);
  for (let i = 0; i < column.length; i += 1) counts[column[i]] += 1;
  return counts;
};

class Filters {
  constructor(corpus, wording) {
    Object.assign(this, { corpus, wording });
    this.fields = new Map(); // name → { label, element, test() → (place → whether), or nothing, says() }
    this.made = [];
    this.active = [];
    this.changed = () => {};
  }

  static async of(corpus, wording) {
    const filters = new Filters(corpus, wording);
    for (const part of filters.parts()) {
      part();
      await pause();
    }
    return filters;
  }

  // The work of making the fields, in slices.
  parts() {
    const { corpus, wording } = this;
    const { columns, about } = corpus;
    const word = key => wording.say(`explorer.${key}`);
    const is = (column, code) => i => column[i] === code;
    const frames = about.frames.map((frame, k) => () => {
      const column = columns[`frame${k}`];
      const counts = counted(column, 16);
      this.choice(`frame:${frame.name}`, frame.title, [
        ["yes", word("value.yes"), is(column, 1), counts[1]],
        ["no", word("value.no"), is(column, 2), counts[2]],
        ["unsure", word("value.unsure"), i => column[i] === 3 || column[i] === 4, counts[3] + counts[4]],
      ]);
    });
    const targets = about.targets.map((target, k) => () => {
      const column = columns[`target${k}`];
      const counts = counted(column, 16);
      this.choice(`stance:${target.name}`, wording.say("explorer.toward", { target: target.name }), [
        ["about", word("value.about"), i => column[i] >= 1 && column[i] <= 3, counts[1] + counts[2] + counts[3]],
        ...SIDES.map((side, at) => [side, word(`value.${side}`), is(column, at + 1), counts[at + 1]]),
        ["unsure", word("value.unsure"), i => column[i] === 5 || column[i] === 6, counts[5] + counts[6]],
      ]);
    });
    return [
      ...frames,
      ...targets,
      () => this.listed("topic", ["", word("no_topic"), ...about.topics], columns.topic),
      () => this.listed("thread", about.threads, columns.thread),
      () => this.author(),
      () => this.flags(),
      () => this.readers(),
      () => this.listed("state", about.states, columns.state),
      () => this.listed("language", ["", ...about.languages], columns.language),
      () => this.listed("role", about.roles, columns.role),
      () => this.kinds(),
      () => this.dates(),
    ];
  }

  flags() {
    const { flags } = this.corpus.columns;
    const word = key => this.wording.say(`explorer.${key}`);
    const counts = counted(flags, 256);
    for (const [name, bit, labels] of [["evidence", EVIDENCE, ["with", "without"]], ["repeats", DUPLICATE, ["only", "without"]]]) {
      const n = counts.reduce((sum, count, code) => sum + (code & bit ? count : 0), 0);
      this.choice(name, word(name), [
        ["with", word(labels[0]), i => (flags[i] & bit) > 0, n],
        ["without", word(labels[1]), i => (flags[i] & bit) === 0, this.corpus.size - n],
      ]);
    }
  }

  // A select with what occurs; a field in which all comments are alike is left out.
  choice(name, label, options) {
    const there = options.filter(option => option[3] > 0);
    if (!there.length || (there.length === 1 && there[0][3] === this.corpus.size)) return;
    const select = make("select", { change: () => this.changed() }, make("option", { value: ANY }, this.wording.say("explorer.any")));
    for (const [value, said, , n] of there)
      select.append(make("option", { value }, `${said} (${this.wording.number(n)})`));
    const tests = Object.fromEntries(there.map(([value, , test]) => [value, test]));
    const says = Object.fromEntries(there.map(([value, said]) => [value, said]));
    const values = new Map(there.map(([value, said]) => [said, value]));
    this.field(name, label, select, () => tests[select.value], () => says[select.value], values);
  }

  field(name, label, element, test, says, values) {
    element.id = `filter-${this.fields.size}`;
    this.made.push(make("div", { class: "field" }, make("label", { for: element.id, dir: "auto" }, label), element));
    this.fields.set(name, { label, element, test, says, values });
  }

  listed(name, labels, column) {
    const counts = counted(column, Math.max(labels.length, 1));
    const options = labels.map((label, code) => [String(code), label, i => column[i] === code, label ? counts[code] : 0]);
    this.choice(name, this.wording.say(`explorer.${name}`), options);
  }

  author() {
    const { corpus, wording } = this;
    if (!corpus.authors.length) return;
    const input = make("input", { type: "text", autocomplete: "off", spellcheck: "false", maxlength: 40, input: () => this.changed() });
    const names = corpus.authors.map(name => name.toLowerCase());
    const test = () => {
      const start = input.value.trim().toLowerCase();
      if (!start) return undefined;
      const fits = new Uint8Array(names.length + 1);
      for (let k = 0; k < names.length; k += 1) if (names[k].startsWith(start)) fits[k + 1] = 1;
      return i => fits[corpus.columns.author[i]] === 1;
    };
    this.field("author", wording.say("explorer.author"), input, test, () => input.value.trim());
  }

  readers() {
    const { corpus, wording } = this;
    const levels = [...corpus.about.frames.map((_, k) => `frame${k}`), ...corpus.about.targets.map((_, k) => `target${k}`)];
    const pairs = levels
      .map(name => [corpus.columns[name], corpus.columns[`${name}_readers`]])
      .filter(([, readers]) => readers.some(code => code));
    if (!pairs.length) return;
    const labelled = i => pairs.some(([, readers]) => readers[i]);
    const differs = i => pairs.some(([model, readers]) => readers[i] && readers[i] !== 9 && readers[i] !== model[i]);
    const divided = i => pairs.some(([, readers]) => readers[i] === 9);
    const counts = [0, 0, 0];
    for (let i = 0; i < corpus.size; i += 1)
      [labelled, differs, divided].forEach((test, k) => { if (test(i)) counts[k] += 1; });
    const word = key => wording.say(`explorer.readers.${key}`);
    this.choice("readers", wording.say("explorer.readers"), [
      ["labelled", word("labelled"), labelled, counts[0]],
      ["differs", word("differs"), differs, counts[1]],
      ["divided", word("divided"), divided, counts[2]],
    ]);
  }

  kinds() {
    const { depth } = this.corpus.columns;
    let top = 0;
    for (let i = 0; i < depth.length; i += 1) if (!depth[i]) top += 1;
    this.choice("place", this.wording.say("explorer.place"), [
      ["top", this.wording.say("explorer.place.top"), i => depth[i] === 0, top],
      ["reply", this.wording.say("explorer.place.reply"), i => depth[i] > 0, this.corpus.size - top],
    ]);
  }

  dates() {
    const { time, precision } = this.corpus.columns;
    let [first, last] = [Infinity, -Infinity];
    for (let i = 0; i < time.length; i += 1)
      if (precision[i]) [first, last] = [Math.min(first, time[i]), Math.max(last, time[i])];
    if (!(first < last)) return;
    const day = minutes => new Date(minutes * 60_000).toISOString().slice(0, 10);
    for (const [name, sign] of [["from", 1], ["to", -1]]) {
      const input = make("input", { type: "date", min: day(first), max: day(last), change: () => this.changed() });
      const test = () => {
        const at = Date.parse(input.value) / 60_000;
        if (Number.isNaN(at)) return undefined;
        const limit = sign > 0 ? at : at + 1_439;
        return i => precision[i] > 0 && (time[i] - limit) * sign >= 0;
      };
      this.field(name, this.wording.say(`explorer.${name}`), input, test, () => input.value);
    }
  }

  // The tests that are asked for; `active` tells of which fields they are.
  tests() {
    const asked = [...this.fields].map(([name, field]) => ({ name, field, test: field.test() }));
    this.active = asked.filter(each => each.test);
    return this.active.map(each => each.test);
  }

  // A select takes a value or what it says for one.
  set(name, value) {
    const field = this.fields.get(name);
    if (!field) return;
    field.element.value = field.values?.get(value) ?? value;
  }

  clear() { for (const field of this.fields.values()) field.element.value = ANY; }
}
