// One comment as it stands in the list. Whatever others wrote goes in as text, never as markup.

// Letters; longer comments are folded until asked for, if no evidence and nothing searched for is hidden by that.
const LONG = 1_200;

const make = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter(child => child !== null && child !== undefined));
  return element;
};

// Where the terms of a search stand in a text, although capitals and accents make no difference to the search.
const hitsIn = (text, terms) => {
  const wanted = terms.filter(term => !term.absent);
  if (!wanted.length) return [];
  let plain = "";
  const from = [];
  let at = 0;
  for (const letter of text) {
    const said = folded(letter);
    for (let k = 0; k < said.length; k += 1) from.push(at);
    plain += said;
    at += letter.length;
  }
  from.push(at);
  const hits = [];
  for (const term of wanted) {
    for (let k = plain.indexOf(term.text); k >= 0 && hits.length < 400; k = plain.indexOf(term.text, k + term.text.length))
      hits.push([from[k], Math.max(from[k + term.text.length], from[k] + 1)]);
  }
  return hits;
};

// Text with its evidence and the words searched for marked; the two may overlap.
const marked = (text, marks, hits) => {
  const edges = new Set([0, text.length]);
  const spans = [];
  for (let k = 0; k < marks.length; k += 2) spans.push([marks[k], marks[k + 1]]);
  for (const [low, high] of [...spans, ...hits]) edges.add(Math.min(low, text.length)).add(Math.min(high, text.length));
  const places = [...edges].sort((a, b) => a - b);
  const within = (list, low, high) => list.some(span => span[0] <= low && high <= span[1]);
  const found = document.createDocumentFragment();
  for (let k = 0; k + 1 < places.length; k += 1) {
    const [low, high] = [places[k], places[k + 1]];
    let part = document.createTextNode(text.slice(low, high));
    if (within(hits, low, high)) part = make("span", { class: "hit" }, part);
    if (within(spans, low, high)) part = make("mark", {}, part);
    found.append(part);
  }
  return found;
};

// Tab stops at one row and its buttons only; arrows lead to the others.
const reachable = (row, on) => {
  if (!row) return;
  row.setAttribute("tabindex", on ? "0" : "-1");
  for (const each of row.querySelectorAll("a, button, input, summary")) {
    if (on) each.removeAttribute("tabindex");
    else each.setAttribute("tabindex", "-1");
  }
};

class Rows {
  // `view` is the explorer: what is folded, opened, searched for, corrected, and what a button does.
  constructor(corpus, wording, view) {
    Object.assign(this, { corpus, wording, view });
  }

  make(i, place) {
    const { corpus, wording, view } = this;
    const { columns, about } = corpus;
    const ref = corpus.ref(i);
    const tree = view.tree;
    const deep = tree ? Math.min(columns.depth[i], 6) : 0;
    const row = make("article", {
      class: `comment d${deep}${view.here === i ? " here" : ""}`,
      "aria-labelledby": `by-${ref}`,
      "aria-posinset": place + 1,
      "aria-setsize": view.items.length,
      "data-comment": i,
    });
    const before = place ? view.items[place - 1] : -1;
    if (view.ordered && about.threads.length > 1 && (before < 0 || columns.thread[before] !== columns.thread[i]))
      row.append(make("h3", { class: "thread-name", dir: "auto" }, about.threads[columns.thread[i]]));
    row.append(this.byline(i, ref), ...this.body(i), ...this.tags(i, ref), this.actions(i, ref));
    if (view.opened.verdict === i) row.append(view.corrections.panel(i, ref));
    reachable(row, view.current === i);
    return row;
  }

  byline(i, ref) {
    const { corpus, wording, view } = this;
    const { columns, about } = corpus;
    const author = corpus.author(i);
    const name = author === null
      ? make("span", { class: "author" }, wording.say("comment.no_author"))
      : make("button", {
        type: "button", class: "author plain", click: () => view.only("author", author),
        title: wording.say("explorer.only_author"),
      }, author);
    const line = make("p", { class: "byline", id: `by-${ref}` }, name);
    if (about.roles[columns.role[i]]) line.append(" ", make("span", { class: "role" }, about.roles[columns.role[i]]));
    if (columns.precision[i]) {
      const [at, how] = [columns.time[i], columns.precision[i]];
      line.append(" ", make("time", { datetime: wording.machine(at, how) }, wording.when(at, how)));
    }
    if (columns.score[i] !== UNKNOWN)
      line.append(" ", make("span", { class: "score" }, wording.count("explorer.score", columns.score[i])));
    line.append(" ", this.answers(i) ?? "");
    if (!view.ordered && about.threads.length > 1)
      line.append(" ", make("span", { class: "thread" }, make("bdi", {}, about.threads[columns.thread[i]])));
    const link = make("a", { class: "permalink", href: `#c=${ref}`, "aria-label": wording.say("comment.permalink") }, "#");
    line.append(" ", link);
    return line;
  }

  answers(i) {
    const { corpus, wording, view } = this;
    const { columns, about } = corpus;
    const kind = about.kinds[columns.kind[i]];
    const parent = corpus.parent[i];
    if (parent < 0) {
      const said = kind || (columns.flags[i] & PARENT_ABSENT ? wording.say("explorer.parent_absent") : "");
      return said ? make("span", { class: "answers" }, said) : null;
    }
    const author = corpus.author(parent);
    const said = author ? wording.say("explorer.answers", { author }) : wording.say("explorer.answers_unknown");
    const go = event => { event.preventDefault(); view.open(parent); };
    return make("a", { class: "answers", href: `#c=${corpus.ref(parent)}`, click: go }, said);
  }

  body(i) {
    const { corpus, wording, view } = this;
    if (!corpus.has(i)) {
      corpus.load(corpus.block(i)).then(() => view.arrived(i));
      return [make("p", { class: "placeholder" }, wording.say("explorer.reading"))];
    }
    const found = corpus.quotes[i].map(([text, ref]) => {
      const quote = make("blockquote", { class: "quoting", dir: "auto" });
      quote.append(make("span", { class: "hidden" }, `${wording.say("comment.quoting")}: `), text);
      if (ref) quote.append(" ", make("a", { href: `#c=${ref}`, "aria-label": wording.say("comment.quoted_at") }, "↑"));
      return quote;
    });
    const text = corpus.texts[i];
    if (text === null) {
      const state = corpus.about.placeholders[corpus.columns.state[i]];
      return [...found, make("p", { class: "placeholder" }, state)];
    }
    const hits = hitsIn(text, view.terms);
    const late = hits.some(([low]) => low > LONG / 2) || corpus.marks[i].some(place => place > LONG / 2);
    const long = text.length > LONG && !late && !view.opened.texts.has(i);
    const said = marked(text, corpus.marks[i], hits);
    found.push(make("p", { class: long ? "text folded" : "text", dir: "auto" }, said));
    if (long) {
      const whole = () => view.unfold(i);
      found.push(make("p", {}, make("button", { type: "button", click: whole }, wording.say("explorer.whole"))));
    }
    return found;
  }

  tags(i, ref) {
    const list = make("ul", { class: "tags" });
    for (const [kind, said] of this.corpus.tags(i)) list.append(make("li", { class: `tag ${kind}`, dir: "auto" }, said));
    for (const said of this.view.corrections.told(ref)) list.append(make("li", { class: "tag own", dir: "auto" }, said));
    return list.children.length ? [list] : [];
  }

  actions(i, ref) {
    const { corpus, wording, view } = this;
    const line = make("p", { class: "actions" });
    const below = corpus.end[i] - i - 1;
    const author = corpus.author(i) ?? wording.say("comment.no_author");
    const button = (name, said, act, more = {}) => {
      const label = wording.say("explorer.of", { what: said, author });
      line.append(make("button", { type: "button", class: name, click: act, "aria-label": label, ...more }, said));
    };
    if (view.tree && below) {
      const folded = view.folded.has(i);
      const said = wording.count(folded ? "explorer.unfold" : "explorer.fold", below);
      button("fold", said, () => view.fold(i), { "aria-expanded": String(!folded) });
    }
    if (!view.tree) button("context", wording.say("explorer.context"), () => view.open(i));
    if (corpus.texts[i]) button("copy", wording.say("explorer.copy"), () => view.copy(i));
    if (corpus.texts[i] && (corpus.about.frames.length || corpus.about.targets.length)) {
      const open = view.opened.verdict === i;
      button("wrong", wording.say("explorer.wrong"), () => view.judge(i), { "aria-expanded": String(open) });
    }
    const address = corpus.urls[i];
    if (address && /^https?:\/\//i.test(address)) {
      const outside = { href: address, rel: "noreferrer noopener nofollow" };
      line.append(make("a", outside, wording.say("comment.address")));
    }
    return line;
  }
}
