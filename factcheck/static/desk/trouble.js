// Says when a part of a page could not be fetched: without it a lost network looks like a dead button.

const trouble = () => document.getElementById("trouble");

function say(sentence) {
  // Set anew only when it changes: a poll that fails every second is read aloud once.
  if (trouble().textContent !== sentence) trouble().textContent = sentence;
}

for (const name of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, () => say(trouble().dataset.offline));
}
document.addEventListener("htmx:responseError", () => say(trouble().dataset.failed));
document.addEventListener("htmx:beforeOnLoad", (event) => {
  const { status } = event.detail.xhr;
  if (status < 400 || status === 422) say("");
});
