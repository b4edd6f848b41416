"use strict";
(() => {
  const get = id => document.getElementById(id);
  const data = JSON.parse(get("data").textContent);
  const store = "discourse-sheet-" + data.sheet;
  const total = data.items.length;
  let state = { at: 0, answers: {}, done: [] };
  let hard = false;

  const warn = text => { get("warning").textContent = text; get("warning").hidden = false; };
  try {
    const kept = JSON.parse(localStorage.getItem(store) || "null");
    if (kept && kept.answers && Array.isArray(kept.done) && Number.isInteger(kept.at)) state = kept;
  } catch { warn("This browser keeps nothing for this file: save the labels before you close it."); }

  const keep = () => {
    try { localStorage.setItem(store, JSON.stringify(state)); }
    catch { warn("This browser could not keep your last answer: save the labels before you close it."); }
  };
  const values = () => data.items.filter(item => item.id in state.answers);

  const show = () => {
    state.at = Math.max(0, Math.min(state.at, total));
    const count = values().length;
    const finished = state.at >= total;
    get("desk").hidden = finished;
    get("done").hidden = !finished;
    get("progress").value = count;
    get("count").textContent = finished ? `${count} of ${total} done` : `${state.at + 1} of ${total}, ${count} done`;
    if (finished) {
      const skipped = values().filter(item => state.answers[item.id].value === null).length;
      get("summary").textContent = `${count - skipped} labelled, ${skipped} skipped, ${total - count} left open.`;
      get("save-end").focus();
      return;
    }
    const item = data.items[state.at];
    const thread = data.threads[item.thread];
    get("title").textContent = thread.title;
    get("title").hidden = !thread.title;
    get("article").hidden = !thread.article;
    get("article").open = false;
    get("article-text").textContent = thread.article;
    get("parent").hidden = !item.parent;
    get("parent-text").textContent = item.parent;
    get("comment").textContent = item.text;
    const given = state.answers[item.id];
    hard = Boolean(given && given.hard);
    get("hard").setAttribute("aria-pressed", hard);
    for (const button of document.querySelectorAll(".answer"))
      button.setAttribute("aria-pressed", Boolean(given) && given.value === button.dataset.value);
    get("skip").setAttribute("aria-pressed", Boolean(given) && given.value === null);
    get("undo").disabled = !state.done.length;
    get("back").disabled = state.at === 0;
    get("comment").focus({ preventScroll: true });
    window.scrollTo(0, 0);
  };

  const answer = value => {
    if (state.at >= total) return;
    const item = data.items[state.at];
    state.done.push({ at: state.at, before: state.answers[item.id] || null });
    state.answers[item.id] = { value, hard, at: new Date().toISOString() };
    state.at += 1;
    keep();
    show();
  };
  const undo = () => {
    const last = state.done.pop();
    if (!last) return;
    const id = data.items[last.at].id;
    if (last.before) state.answers[id] = last.before; else delete state.answers[id];
    state.at = last.at;
    keep();
    show();
  };
  const move = step => { state.at += step; keep(); show(); };
  const mark = () => {
    hard = !hard;
    const given = state.at < total && state.answers[data.items[state.at].id];
    if (given) { given.hard = hard; keep(); }
    get("hard").setAttribute("aria-pressed", hard);
  };
  const flip = id => { if (!get(id).hidden) get(id).open = !get(id).open; };
  const save = () => {
    const items = values().map(item => ({ id: item.id, ...state.answers[item.id] }));
    const { format, version, sheet, round, kind, level } = data;
    const text = JSON.stringify({ format, version, sheet, round, kind, level, asked: total, items }, null, 1);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    link.download = `labels-${level.replace(/[^A-Za-z0-9]+/g, "-")}-round-${round}.json`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };

  const actions = {
    k: () => answer(null), h: mark, u: undo, s: save, p: () => flip("parent"), t: () => flip("article"),
    arrowleft: () => move(-1), arrowright: () => move(1),
  };
  for (const each of data.answers) actions[each.key] = () => answer(each.value);
  document.addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const action = actions[event.key.toLowerCase()];
    if (!action) return;
    event.preventDefault();
    action();
  });
  for (const button of document.querySelectorAll(".answer"))
    button.addEventListener("click", () => answer(button.dataset.value));
  const clicks = { skip: actions.k, hard: mark, undo, save, "save-end": save, back: () => move(-1), review: () => move(-1), forward: () => move(1) };
  for (const [id, action] of Object.entries(clicks)) get(id).addEventListener("click", action);
  show();
})();
