// Single keys for lists of claims: j and k go down and up, x chooses, ? says which keys there are. They can be
// switched off, since a voice that is typed would press them (WCAG 2.1.4); without this file everything is there as links.

const ROWS = "li.claim-card, li.captures__row";
const MAIN = ".claim-card__words a, .captures__title a";
const OFF = "factcheck.keys.off";

const sheet = document.querySelector("#keys");
const use = sheet?.querySelector("input");

function isOff() {
  try {
    return localStorage.getItem(OFF) === "1";
  } catch {
    return false;
  }
}

function isTyping(target) {
  return target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable], [role=textbox]");
}

function go(step) {
  const rows = [...document.querySelectorAll(ROWS)];
  const here = rows.indexOf(document.activeElement?.closest(ROWS));
  const next = rows[here < 0 ? (step > 0 ? 0 : rows.length - 1) : here + step];
  if (!next) return;
  next.querySelector(MAIN)?.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
  // Where the words stand beside the list, they come along.
  document.getElementById(`note-${next.dataset.claim}`)?.scrollIntoView({ block: "nearest" });
}

function choose() {
  document.activeElement?.closest(ROWS)?.querySelector("input[type=checkbox]")?.click();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || isTyping(event.target) || sheet?.open) return;
  if (event.key === "?") sheet?.showModal();
  else if (isOff()) return;
  else if (event.key === "j") go(1);
  else if (event.key === "k") go(-1);
  else if (event.key === "x") choose();
  else return;
  event.preventDefault();
});

if (use) {
  use.checked = !isOff();
  use.addEventListener("change", () => {
    try {
      localStorage.setItem(OFF, use.checked ? "0" : "1");
    } catch {
      // A browser that keeps nothing has the keys on each page anew.
    }
  });
}
document.querySelector("[data-keys-open]")?.addEventListener("click", () => sheet?.showModal());
document.querySelector("[data-keys-open]")?.removeAttribute("hidden");
