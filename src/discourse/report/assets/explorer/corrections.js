// What a reader says of wrong tags: kept in this browser where it may be, saved as a file for `annotate import`.

const FORMAT = "discourse-labels";
// What the codes of the columns stand for, see report/tag_codes.py.
const DECIDED = ["", "yes", "no", "unsure", "unsure"];
const SIDED = ["", "favor", "against", "neutral", "off_target", "unsure", "unsure"];
const SIDES = ["favor", "against", "neutral", "off_target"];

class Corrections {
  constructor(corpus, wording, changed) {
    Object.assign(this, { corpus, wording, changed });
    this.store = `discourse-corrections-${corpus.about.id}`;
    this.kept = true;
    this.state = { sheet: "", answers: {} };
    try {
      const found = JSON.parse(localStorage.getItem(this.store) || "null");
      if (found && typeof found.sheet === "string" && found.answers && typeof found.answers === "object") this.state = found;
    } catch { this.kept = false; }
    if (!this.state.sheet) {
      const digits = [...crypto.getRandomValues(new Uint8Array(6))].map(byte => byte.toString(16).padStart(2, "0"));
      this.state.sheet = `corrections-${digits.join("")}`;
    }
  }

  get count() { return Object.values(this.state.answers).reduce((sum, given) => sum + Object.keys(given).length, 0); }

  get comments() { return Object.keys(this.state.answers).length; }

  give(ref, level, value) {
    const given = this.state.answers[ref] ?? {};
    if (value) given[level] = { value, at: new Date().toISOString() };
    else delete given[level];
    if (Object.keys(given).length) this.state.answers[ref] = given;
    else delete this.state.answers[ref];
    this.keep();
    this.changed();
  }

  discard() {
    this.state.answers = {};
    this.keep();
    this.changed();
  }

  keep() {
    try {
      if (this.count) localStorage.setItem(this.store, JSON.stringify(this.state));
      else localStorage.removeItem(this.store);
      this.kept = true;
    } catch { this.kept = false; }
  }

  // The labels of the file: one item for each comment and level, named as the report names comments.
  file() {
    const items = Object.entries(this.state.answers).flatMap(([id, given]) =>
      Object.entries(given).map(([level, { value, at }]) => {
        const [, kind, name] = level.match(/^(frame|stance):([^]*)$/);
        return { id, kind, level: name, value, at };
      }));
    return { format: FORMAT, version: 1, sheet: this.state.sheet, corrections: true, report: this.corpus.about.id, items };
  }

  save() {
    const text = JSON.stringify(this.file(), null, 1);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    link.download = `${this.state.sheet}.json`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1_000);
  }

  // Own labels of a comment, to stand beside its tags.
  told(ref) {
    const { frames, targets } = this.corpus.about;
    return Object.entries(this.state.answers[ref] ?? {}).map(([level, { value }]) => {
      const frame = frames.find(each => level === `frame:${each.name}`);
      const target = targets.find(each => level === `stance:${each.name}`);
      const title = frame?.title ?? target?.name ?? level;
      return this.wording.say("explorer.own", { title, value: this.wording.say(`explorer.value.${value}`) });
    });
  }

  panel(i, ref) {
    const { corpus, wording } = this;
    const given = this.state.answers[ref] ?? {};
    const panel = make("div", { class: "verdict", role: "group", "aria-label": wording.say("explorer.verdict") });
    panel.append(make("p", { class: "note" }, wording.say("explorer.verdict.note")));
    const ask = (level, title, about, values, now) => {
      const set = make("fieldset", {}, make("legend", { dir: "auto" }, title));
      if (about) set.append(make("details", {}, make("summary", {}, wording.say("explorer.definition")), make("p", {}, about)));
      for (const value of ["", ...values]) {
        let said = wording.say(value ? `explorer.value.${value}` : "explorer.value.none");
        if (!value && now) said += ` (${wording.say(`explorer.value.${now}`)})`;
        const choice = make("input", {
          type: "radio", name: `${ref} ${level}`, value, change: () => this.give(ref, level, value),
        });
        choice.checked = (given[level]?.value ?? "") === value;
        set.append(make("label", {}, choice, " ", said));
      }
      panel.append(set);
    };
    const { columns, about } = corpus;
    about.frames.forEach(({ name, title, definition }, k) =>
      ask(`frame:${name}`, title, definition, ["yes", "no"], DECIDED[columns[`frame${k}`][i]]));
    about.targets.forEach(({ name }, k) =>
      ask(`stance:${name}`, wording.say("explorer.toward", { target: name }), "", SIDES, SIDED[columns[`target${k}`][i]]));
    return panel;
  }
}
