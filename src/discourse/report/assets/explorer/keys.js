// Keys: letters act while the focus is in the explorer, / and ? everywhere on the page; all can be switched off.

const KEYS_STORE = "discourse-keys";

class Keys {
  constructor(root, actions, anywhere, toggle) {
    Object.assign(this, { root, actions, anywhere, toggle });
    this.on = true;
    try { this.on = localStorage.getItem(KEYS_STORE) !== "off"; } catch { /* the browser keeps nothing: keys are on */ }
    toggle.checked = this.on;
    toggle.addEventListener("change", () => this.turn(toggle.checked));
    document.addEventListener("keydown", event => this.pressed(event));
  }

  turn(on) {
    this.on = on;
    try { localStorage.setItem(KEYS_STORE, on ? "on" : "off"); } catch { /* it holds until the page is left */ }
  }

  pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (document.querySelector("dialog[open]")) return;
    const { target, key } = event;
    const inList = target.closest?.(".reel");
    const typing = target.closest?.("input, select, textarea, [contenteditable]");
    if (typing && !(inList && key === "Escape")) return;
    const inside = this.root.contains(target);
    const named = key.length > 1; // Arrows and Home act in the list even where letters are switched off.
    if (!this.on && !named) return;
    const pressing = target.closest?.("button, a, summary") && (key === "Enter" || key === " ");
    if (pressing) return;
    const action = named ? inList && this.actions[key] : this.anywhere[key] ?? (inside && this.actions[key]);
    if (!action) return;
    event.preventDefault();
    action();
  }
}
