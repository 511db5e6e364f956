// Marks a claim by selecting its words. The form works without this file, by writing the words out.
//
// The page has one [data-marker-text], whose elements with data-start hold the blocks of the canonical
// text, and one [data-marker-form] with a field "spans". The server counts Unicode code points and the
// browser UTF-16 units: every offset that leaves here has been through codePoints().

const textOf = () => document.querySelector("[data-marker-text]");
const formOf = () => document.querySelector("[data-marker-form]");
const blocksOf = (text) => [...text.querySelectorAll("[data-start]")];
const codePoints = (string) => [...string].length;

// Passages that were put aside with "Add passage", and the words that are selected now:
// each is {spans: [[start, end]], words, ranges}.
let passages = [];
let current = null;
let pointerIsDown = false;

/** The part of a range that lies in the text, block by block; null if no letter of the text is in it. */
function passageOf(range, text) {
  const passage = { spans: [], words: "", ranges: [] };
  for (const block of blocksOf(text)) {
    if (!range.intersectsNode(block)) continue;
    const inside = document.createRange();
    inside.selectNodeContents(block);
    if (range.compareBoundaryPoints(Range.START_TO_START, inside) > 0) inside.setStart(range.startContainer, range.startOffset);
    if (range.compareBoundaryPoints(Range.END_TO_END, inside) < 0) inside.setEnd(range.endContainer, range.endOffset);
    const words = inside.toString();
    if (!words.trim()) continue;
    const before = document.createRange();
    before.selectNodeContents(block);
    before.setEnd(inside.startContainer, inside.startOffset);
    const start = Number(block.dataset.start) + codePoints(before.toString());
    passage.spans.push([start, start + codePoints(words)]);
    passage.words += (passage.words ? " " : "") + words.trim();
    passage.ranges.push(inside);
  }
  return passage.spans.length ? passage : null;
}

function chosen() {
  return current ? [...passages, current] : passages;
}

function render() {
  const form = formOf();
  if (!form) return;
  const all = chosen();
  form.elements.spans.value = all.flatMap((passage) => passage.spans).map((span) => span.join("-")).join(",");
  const list = form.querySelector("[data-marker-words]");
  list.replaceChildren(...all.map((passage) => listItem(passage, list.dataset.removeLabel)));
  const add = form.querySelector("[data-marker-add]");
  if (add) add.disabled = !current;
  form.hidden = !all.length;
  if (globalThis.Highlight && CSS.highlights) {
    CSS.highlights.set("chosen", new Highlight(...all.flatMap((passage) => passage.ranges)));
  }
}

function listItem(passage, removeLabel) {
  const item = document.createElement("li");
  const words = document.createElement("span");
  words.textContent = passage.words;
  words.dir = "auto";
  item.append(words);
  if (passage !== current) {
    const remove = document.createElement("button");
    remove.type = "button";
    remove.textContent = "×";
    remove.setAttribute("aria-label", `${removeLabel}: ${passage.words}`);
    remove.addEventListener("click", () => {
      passages = passages.filter((other) => other !== passage);
      render();
    });
    item.append(remove);
  }
  return item;
}

function clear() {
  passages = [];
  current = null;
  render();
}

function readSelection() {
  const text = textOf();
  const selection = document.getSelection();
  // A selection elsewhere, in the form's own fields say, takes nothing away from the chosen words.
  if (!text || !selection.rangeCount || !text.contains(selection.anchorNode)) return;
  current = selection.isCollapsed ? null : passageOf(selection.getRangeAt(0), text);
  render();
}

function putAside() {
  if (!current) return;
  passages.push(current);
  current = null;
  document.getSelection().removeAllRanges();
  render();
  textOf().focus({ preventScroll: true });
}

// --- by keyboard: from word to word, since a text that cannot be edited shows no caret -------------

const segmenter = globalThis.Intl?.Segmenter && new Intl.Segmenter(undefined, { granularity: "word" });

function wordsIn(string) {
  if (!segmenter) return [...string.matchAll(/[\p{L}\p{N}]+/gu)].map((match) => [match.index, match.index + match[0].length]);
  return [...segmenter.segment(string)]
    .filter((piece) => piece.isWordLike)
    .map((piece) => [piece.index, piece.index + piece.segment.length]);
}

function pointIn(block, offset) {
  const walker = document.createTreeWalker(block, NodeFilter.SHOW_TEXT);
  let node = walker.nextNode();
  for (; node; node = walker.nextNode()) {
    if (offset <= node.length) return [node, offset];
    offset -= node.length;
  }
  return [block, block.childNodes.length];
}

function offsetIn(block, node, offset) {
  const before = document.createRange();
  before.selectNodeContents(block);
  before.setEnd(node, offset);
  return before.toString().length;
}

/** Selects the next or the previous word, or the first word of the next or the previous block. */
function step(text, forward, wholeBlock) {
  const blocks = blocksOf(text);
  const selection = document.getSelection();
  let place = forward ? -1 : blocks.length;
  let offset = 0;
  if (selection.rangeCount && text.contains(selection.anchorNode)) {
    const range = selection.getRangeAt(0);
    const [node, at] = forward ? [range.endContainer, range.endOffset] : [range.startContainer, range.startOffset];
    const block = (node.nodeType === Node.ELEMENT_NODE ? node : node.parentElement).closest("[data-start]");
    if (block) {
      place = blocks.indexOf(block);
      offset = offsetIn(block, node, at);
    }
  }
  if (!wholeBlock && blocks[place]) {
    const words = wordsIn(blocks[place].textContent);
    const word = forward ? words.find(([start]) => start >= offset) : words.findLast(([start]) => start < offset);
    if (word) return select(blocks[place], word);
  }
  const next = blocks.slice();
  const candidates = forward ? next.slice(place + 1) : next.slice(0, Math.max(place, 0)).reverse();
  for (const block of candidates) {
    const words = wordsIn(block.textContent);
    if (words.length) return select(block, forward || wholeBlock ? words[0] : words.at(-1));
  }
  return undefined;
}

function select(block, [start, end]) {
  document.getSelection().setBaseAndExtent(...pointIn(block, start), ...pointIn(block, end));
  keepInSight();
}

function keepInSight() {
  const selection = document.getSelection();
  if (!selection.rangeCount) return;
  const end = document.createRange();
  end.setStart(selection.focusNode, selection.focusOffset);
  const box = end.getBoundingClientRect();
  const bottom = window.innerHeight - (formOf()?.hidden === false ? formOf().offsetHeight : 0) - 40;
  if (box.bottom > bottom) window.scrollBy({ top: box.bottom - bottom + 60 });
  else if (box.top < 40 && box.height) window.scrollBy({ top: box.top - 100 });
}

const DIRECTIONS = { ArrowRight: "right", ArrowLeft: "left", ArrowDown: "forward", ArrowUp: "backward" };

function onTextKey(event, text) {
  if (event.altKey || event.metaKey) return;
  const direction = DIRECTIONS[event.key];
  if (direction) {
    event.preventDefault();
    const isLine = event.key === "ArrowDown" || event.key === "ArrowUp";
    if (event.shiftKey) {
      if (document.getSelection().isCollapsed) step(text, true, false);
      const grain = isLine ? "line" : event.ctrlKey ? "word" : "character";
      document.getSelection().modify("extend", direction, grain);
      keepInSight();
    } else {
      const leftIsForward = getComputedStyle(text).direction === "rtl";
      const forward = isLine ? direction === "forward" : (direction === "left") === leftIsForward;
      step(text, forward, isLine);
    }
  } else if (event.key.toLowerCase() === "m" && !event.ctrlKey) {
    // The browser tells of a selection a little later than it makes it; whoever types fast is quicker.
    readSelection();
    if (!chosen().length) return;
    event.preventDefault();
    formOf().querySelector("select, input:not([type=hidden]), button:not([type=button])").focus();
  } else if (event.key === "Escape") {
    document.getSelection().removeAllRanges();
    clear();
  }
}

// --- the same claim in text and margin -------------------------------------------------------------

function light(event) {
  const card = event.target.closest?.("[data-claim]");
  const piece = event.target.closest?.("[data-claims]");
  const ids = card ? [card.dataset.claim] : piece ? piece.dataset.claims.split(" ") : [];
  for (const element of document.querySelectorAll("[data-claims]")) {
    element.classList.toggle("claimed--lit", element.dataset.claims.split(" ").some((id) => ids.includes(id)));
  }
  for (const element of document.querySelectorAll("[data-claim]")) {
    element.classList.toggle("claim-card--lit", !card && ids.includes(element.dataset.claim));
  }
}

// --- listening: on the document, since htmx replaces what is inside --------------------------------

document.addEventListener("selectionchange", () => {
  if (!pointerIsDown) readSelection();
});
document.addEventListener("pointerdown", (event) => {
  pointerIsDown = event.pointerType === "mouse";
});
document.addEventListener("pointerup", () => {
  if (!pointerIsDown) return;
  pointerIsDown = false;
  readSelection();
});
document.addEventListener("pointercancel", () => {
  pointerIsDown = false;
});
document.addEventListener("pointerover", light);
document.addEventListener("focusin", light);

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-marker-add]")) putAside();
  if (event.target.closest("[data-marker-cancel]")) {
    document.getSelection().removeAllRanges();
    clear();
    textOf().focus({ preventScroll: true });
  }
});

document.addEventListener("keydown", (event) => {
  const text = textOf();
  if (!text) return;
  if (event.target === text) onTextKey(event, text);
  else if (event.key === "Escape" && formOf()?.contains(event.target)) text.focus({ preventScroll: true });
});

document.addEventListener("htmx:afterSettle", (event) => {
  const form = formOf();
  if (!form) return;
  if (event.target.id === "marking-words") {
    event.target.querySelector("textarea").focus();
    return;
  }
  if (form.hidden) {
    document.getSelection().removeAllRanges();
    clear();
    if (document.activeElement === document.body) textOf().focus({ preventScroll: true });
  } else {
    // The selection was refused: the form came back with the reason, and everything chosen is kept.
    render();
    form.querySelector("select")?.focus();
  }
});

render();
