// The comments of this file, searched, filtered, read as a tree, linked to, copied and corrected.

class Explorer {
  constructor(root, corpus, wording, filters) {
    Object.assign(this, { root, corpus, wording });
    this.part = name => root.querySelector(`#explorer-${name}`);
    this.items = new Int32Array(0);
    this.terms = [];
    this.folded = new Set();
    this.opened = { texts: new Set(), verdict: -1 };
    this.current = 0;
    this.here = -1;
    this.tree = this.ordered = true;
    this.query = new Query(corpus);
    this.corrections = new Corrections(corpus, wording, () => this.corrected());
    this.filters = filters;
    filters.changed = () => this.ask();
    this.part("fields").append(...filters.made);
    this.rows = new Rows(corpus, wording, this);
    this.orders();
    // Shown before the list is measured.
    root.hidden = false;
    document.getElementById("chosen").classList.add("printed");
    this.list = this.part("list");
    this.reel = new Reel(this.list, corpus.size, (i, place) => this.rows.make(i, place), i => this.left(i));
    this.listen();
    this.corrected();
  }

  orders() {
    const { columns } = this.corpus;
    const { time, score, precision } = columns;
    const word = key => this.wording.say(`explorer.order.${key}`);
    const some = (column, unknown) => column.some(value => value !== unknown);
    const ways = [["conversation", word("conversation")]];
    if (some(precision, 0)) ways.push(["newest", word("newest")], ["oldest", word("oldest")]);
    if (some(score, UNKNOWN)) ways.push(["score", word("score")]);
    const select = make("select", { id: "explorer-order", change: () => this.ask() });
    for (const [value, said] of ways) select.append(make("option", { value }, said));
    const label = make("label", { for: "explorer-order" }, this.wording.say("explorer.order"));
    this.part("fields").append(make("div", { class: "field" }, label, select));
    this.order = select;
    // Each order is worked out once, when it is first asked for.
    const once = (column, descending) => {
      let places;
      return () => (places ??= sorted(column, descending, UNKNOWN));
    };
    this.sorts = { newest: once(time, true), oldest: once(time, false), score: once(score, true) };
  }

  listen() {
    const { root, list } = this;
    let waiting;
    this.part("search").addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => this.ask(), 120);
    });
    this.part("form").addEventListener("submit", event => event.preventDefault());
    this.part("search").addEventListener("keydown", event => {
      if (event.key !== "Enter" || event.isComposing) return;
      event.preventDefault();
      clearTimeout(waiting);
      this.ask().then(() => { if (this.items.length) this.focus(0); });
    });
    const clicks = {
      clear: () => { this.clear(); this.part("search").focus(); },
      fold: () => this.foldAll(),
      help: () => this.help(),
      save: () => this.corrections.save(),
      discard: () => this.discard(),
    };
    for (const [name, act] of Object.entries(clicks)) this.part(name).addEventListener("click", act);
    list.addEventListener("focusin", event => this.entered(event));
    const move = step => () => this.move(step);
    const actions = {
      j: move(1), k: move(-1), ArrowDown: move(1), ArrowUp: move(-1),
      Home: () => this.focus(0), End: () => this.focus(this.items.length - 1),
      ArrowRight: () => this.deeper(), ArrowLeft: () => this.higher(), p: () => this.higher(),
      o: () => this.toggle(), c: () => this.copy(this.current), w: () => this.judge(this.current),
      t: () => this.open(this.current), x: () => this.clear(),
      Escape: () => this.leave(),
    };
    const anywhere = { "/": () => this.toSearch(), "?": () => this.help() };
    this.keys = new Keys(root, actions, anywhere, this.part("keys"));
    addEventListener("hashchange", () => this.follow());
    for (const each of document.querySelectorAll(".all-tagged")) each.hidden = false;
    document.addEventListener("click", event => {
      const tagged = event.target.closest?.("a[data-filter]");
      if (tagged) {
        event.preventDefault();
        this.see(tagged.dataset.filter);
        return;
      }
      const link = event.target.closest?.("a[href^='#c=']");
      if (link && !event.defaultPrevented && link.getAttribute("href") === location.hash) this.follow();
    });
  }

  // Ask anew what is shown, after a filter, the search or the order has changed.
  async ask() {
    const began = performance.now();
    const terms = termsOf(this.part("search").value);
    const tests = this.filters.tests();
    const order = this.order.value;
    this.part("form").setAttribute("aria-busy", "true");
    const asked = this.query.run(terms, tests);
    const number = this.query.latest;
    const found = await asked;
    if (!found) return false;
    const places = order === "conversation" ? null : await this.sorts[order]();
    if (number !== this.query.latest) return false;
    this.part("form").removeAttribute("aria-busy");
    this.terms = terms;
    this.narrowed = terms.length > 0 || tests.length > 0;
    this.ordered = order === "conversation";
    this.tree = this.ordered && !this.narrowed;
    this.opened.verdict = -1;
    this.items = this.tree ? this.unfolded() : this.ordered ? found : inOrder(places, found);
    this.current = this.items[0] ?? 0;
    this.reel.show(this.items);
    this.tell();
    performance.measure("explorer-answer", { start: began });
    return true;
  }

  // All comments but those below a folded one.
  unfolded() {
    const { size, end } = this.corpus;
    const kept = new Int32Array(size);
    let count = 0;
    for (let i = 0; i < size; i = this.folded.has(i) ? end[i] : i + 1) {
      kept[count] = i;
      count += 1;
    }
    return kept.subarray(0, count);
  }

  tell() {
    const { corpus, wording } = this;
    const [n, all] = [this.items.length, corpus.size];
    const of = wording.number(all);
    let said = wording.count("explorer.all", all);
    if (this.narrowed) said = n ? wording.count("explorer.found", n, { of }) : wording.say("explorer.none");
    else if (n < all) said = wording.say("explorer.folded", { n: of, hidden: wording.number(all - n) });
    this.part("count").textContent = said;
    this.part("clear").hidden = !this.narrowed;
    this.part("fold").hidden = !this.tree;
    const folded = this.folded.size > 0;
    this.part("fold").textContent = wording.say(folded ? "explorer.unfold_all" : "explorer.fold_all");
    const chips = this.filters.active.map(({ name, field }) => {
      const off = () => { this.filters.set(name, ANY); this.ask(); this.part("search").focus(); };
      const label = `${field.label}: ${field.says()}`;
      const button = make("button", { type: "button", click: off, "aria-label": wording.say("explorer.remove", { label }) });
      button.append(make("bdi", {}, label), make("span", { "aria-hidden": "true" }, " ×"));
      return make("li", {}, button);
    });
    this.part("chips").replaceChildren(...chips);
    this.part("chips").hidden = !chips.length;
  }

  clear() {
    this.part("search").value = "";
    this.filters.clear();
    this.order.value = "conversation";
    return this.ask();
  }

  only(name, value) {
    this.part("search").value = "";
    this.filters.clear();
    this.filters.set(name, value);
    this.ask();
    this.part("search").focus({ preventScroll: true });
  }

  // All comments of one tag, as a section of the page asks for them: name=value.
  async see(filter) {
    const at = filter.startsWith("topic=") ? 5 : filter.lastIndexOf("="); // names of others may hold one
    this.part("search").value = "";
    this.filters.clear();
    this.order.value = "conversation";
    this.filters.set(filter.slice(0, at), filter.slice(at + 1));
    await this.ask();
    this.root.scrollIntoView({ block: "start" });
    this.part("search").focus({ preventScroll: true });
  }

  // The place of a comment in what is shown, -1 if it is not.
  placeOf(i) {
    if (!this.ordered) return this.items.indexOf(i);
    let [low, high] = [0, this.items.length - 1];
    while (low <= high) {
      const middle = (low + high) >> 1;
      if (this.items[middle] === i) return middle;
      if (this.items[middle] < i) low = middle + 1; else high = middle - 1;
    }
    return -1;
  }

  focus(place, where = "nearest") {
    if (place < 0 || place >= this.items.length) return;
    reachable(this.reel.rows.get(this.placeOf(this.current)), false);
    this.current = this.items[place];
    this.reel.to(place, where);
    const row = this.reel.rows.get(place);
    reachable(row, true);
    row?.focus({ preventScroll: true });
    row?.scrollIntoView({ block: "nearest" }); // the list itself may be half off screen
  }

  // The focus went into the list: the row it is in becomes the one that keys move on from.
  entered(event) {
    const row = event.target.closest("article");
    if (!row) return;
    const i = Number(row.dataset.comment);
    if (i === this.current) return;
    reachable(this.reel.rows.get(this.placeOf(this.current)), false);
    this.current = i;
    reachable(row, true);
  }

  // The row with the focus was scrolled away: the list keeps the focus, and keys go on from there.
  left(i) {
    this.current = i;
    this.list.focus({ preventScroll: true });
  }

  // From the row with the focus to the next; into the list where the keys left it, or where it was scrolled to.
  move(step) {
    const place = this.placeOf(this.current);
    if (document.activeElement.closest(".reel article")) this.focus(place + step);
    else this.focus(this.reel.seen(place) ? place : this.reel.anchor().place);
  }

  higher() {
    const parent = this.corpus.parent[this.current];
    if (!this.tree) return;
    if (this.corpus.end[this.current] > this.current + 1 && !this.folded.has(this.current)) this.fold(this.current);
    else if (parent >= 0) this.focus(this.placeOf(parent));
  }

  deeper() {
    if (!this.tree || this.corpus.end[this.current] <= this.current + 1) return;
    if (this.folded.has(this.current)) this.fold(this.current);
    else this.focus(this.placeOf(this.current + 1));
  }

  // Open what is closed of the comment: its whole text first, then the answers below it.
  toggle() {
    const text = this.corpus.texts[this.current];
    if (text && text.length > LONG && !this.opened.texts.has(this.current)) this.unfold(this.current);
    else if (this.tree && this.corpus.end[this.current] > this.current + 1) this.fold(this.current);
    else if (!this.tree) this.open(this.current);
  }

  fold(i) {
    if (!this.folded.delete(i)) this.folded.add(i);
    this.relist(i);
  }

  foldAll() {
    const { corpus } = this;
    if (this.folded.size) this.folded.clear();
    else for (let i = 0; i < corpus.size; i += 1) if (!corpus.columns.depth[i] && corpus.end[i] > i + 1) this.folded.add(i);
    this.relist(this.current, false);
  }

  // Show the tree again, with one comment where it is on screen.
  relist(i, focus = true) {
    const { parent } = this.corpus;
    for (let above = parent[i]; above >= 0; above = parent[above]) if (this.folded.has(above)) i = above;
    const row = this.reel.rows.get(this.placeOf(i));
    const pressed = document.activeElement.classList.contains("fold");
    const shift = row ? row.getBoundingClientRect().top - this.list.getBoundingClientRect().top : 0;
    this.items = this.unfolded();
    this.current = i;
    const place = Math.max(this.placeOf(i), 0);
    this.reel.show(this.items, place, -shift);
    this.tell();
    if (focus) this.focus(place);
    if (focus && pressed) this.reel.rows.get(place)?.querySelector(".fold")?.focus({ preventScroll: true });
  }

  unfold(i) {
    this.opened.texts.add(i);
    this.reel.again(this.placeOf(i))?.focus({ preventScroll: true });
  }

  arrived(i) {
    const place = this.placeOf(i);
    const row = place < 0 ? null : this.reel.rows.get(place);
    if (!row || !row.querySelector(".placeholder")) return;
    const focused = row === document.activeElement;
    const made = this.reel.again(place);
    if (focused) made?.focus({ preventScroll: true });
  }

  judge(i) {
    const before = this.opened.verdict;
    this.opened.verdict = before === i ? -1 : i;
    if (before >= 0 && before !== i) this.reel.again(this.placeOf(before));
    const row = this.reel.again(this.placeOf(i));
    row?.querySelector(before === i ? ".wrong" : ".verdict input:checked")?.focus({ preventScroll: true });
    this.reel.to(this.placeOf(i));
  }

  corrected() {
    const { corrections, wording } = this;
    const of = wording.count("explorer.on_comments", corrections.comments);
    const n = corrections.count;
    this.part("own").hidden = !n;
    this.part("own-count").textContent = n ? wording.count("explorer.corrections", n, { of }) : "";
    this.part("own-kept").hidden = corrections.kept;
    const row = this.reel?.rows.get(this.placeOf(this.opened.verdict));
    if (!row) return;
    // The labels beside the tags only: the panel keeps the focus.
    const ref = this.corpus.ref(this.opened.verdict);
    row.querySelector("ul.tags")?.remove();
    row.querySelector(".actions").before(...this.rows.tags(this.opened.verdict, ref));
  }

  discard() {
    if (!confirm(this.wording.say("explorer.discard.sure"))) return;
    this.corrections.discard();
    this.reel.show(this.items, Math.max(this.placeOf(this.current), 0));
    this.part("search").focus();
  }

  async copy(i) {
    const { corpus, wording } = this;
    const text = corpus.texts[i];
    if (!text) return;
    const chosen = String(getSelection() ?? "").trim();
    const row = this.reel.rows.get(this.placeOf(i));
    const within = chosen && row?.contains(getSelection().anchorNode) && text.includes(chosen);
    const { columns, about } = corpus;
    const when = columns.precision[i] ? wording.when(columns.time[i], columns.precision[i]) : null;
    const where = [corpus.author(i) ?? wording.say("comment.no_author"), when, about.threads[columns.thread[i]]];
    const source = [...where, corpus.urls[i], `#c=${corpus.ref(i)}`].filter(Boolean).join(", ");
    const said = `${wording.say("explorer.quoted", { text: within ? chosen : text })}\n— ${source}`;
    const done = await written(said);
    this.part("said").textContent = wording.say(done ? "explorer.copied" : "explorer.not_copied");
  }

  // Go to a comment in its conversation, whatever filters hide it.
  async open(i) {
    if (!this.tree) {
      await this.clear();
      this.part("said").textContent = "";
    }
    const { parent } = this.corpus;
    let hidden = false;
    for (let above = parent[i]; above >= 0; above = parent[above]) hidden = this.folded.delete(above) || hidden;
    if (hidden) {
      this.items = this.unfolded();
      this.reel.show(this.items);
      this.tell();
    }
    this.mark(i);
    await this.corpus.load(this.corpus.block(i));
    this.focus(this.placeOf(i), "start");
  }

  mark(i) {
    this.reel.rows.get(this.placeOf(this.here))?.classList.remove("here");
    this.here = i;
    this.reel.rows.get(this.placeOf(i))?.classList.add("here");
  }

  // A link into the comments: #c=<ref>.
  async follow() {
    const ref = location.hash.match(/^#c=(.*)$/)?.[1];
    if (ref === undefined) return;
    const i = this.corpus.place(ref.toLowerCase());
    if (i < 0) {
      this.part("said").textContent = this.wording.say("explorer.not_here");
      this.root.scrollIntoView({ block: "start" });
      return;
    }
    await this.open(i);
  }

  leave() {
    if (this.opened.verdict >= 0) this.judge(this.opened.verdict);
    else this.part("search").focus();
  }

  toSearch() {
    const search = this.part("search");
    search.focus();
    search.select();
    search.scrollIntoView({ block: "nearest" });
  }

  help() { this.part("dialog").showModal(); }
}

// Put text on the clipboard; an old browser is asked in the old way.
const written = async text => {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.body.appendChild(make("textarea", { class: "hidden", readonly: true }));
    const focused = document.activeElement;
    area.value = text;
    area.select();
    let done = false;
    try { done = document.execCommand("copy"); } catch { done = false; }
    area.remove();
    focused?.focus({ preventScroll: true });
    return done;
  }
};

const start = async () => {
  const root = document.getElementById("explorer");
  if (!root || !document.getElementById("corpus-about") || !globalThis.DecompressionStream) return;
  const corpus = await Corpus.of(document);
  const wording = new Wording(corpus.about.words);
  await corpus.load(0);
  const filters = await Filters.of(corpus, wording);
  const explorer = new Explorer(root, corpus, wording, filters);
  await explorer.ask();
  performance.mark("explorer-open");
  if (location.hash.startsWith("#c=")) await explorer.follow();
  for (let block = 0; block < corpus.blocks.length; block += 1) {
    await corpus.load(block);
    await pause();
  }
  performance.mark("explorer-ready");
  root.dataset.state = "ready";
};

// The page is painted first.
requestAnimationFrame(() => setTimeout(start, 0));
