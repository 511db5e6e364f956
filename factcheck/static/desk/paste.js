// Takes the markup of a pasted text along: a textarea keeps the words alone. Without this file the words are read as
// plain text.
//
// What goes to the server is the clipboard's text/html as it is, in a hidden field; nothing of it is ever put into
// the page. As soon as the text is edited it is another text, and the markup is forgotten.

// The server takes forms of 5 MB; a character may be three bytes of it, and more once it is encoded.
const LARGEST = 1_200_000;

const text = document.querySelector('[data-paste="text"]');
const markup = document.querySelector('[data-paste="markup"]');
const notice = document.querySelector("#pasted");

function say(what) {
  notice.hidden = !what;
  notice.querySelector("span").textContent = what ? notice.dataset[what] : "";
  notice.querySelector("button").hidden = what !== "taken";
}

/** Whether there is anything in the markup that the plain text does not have. */
function saysMore(html) {
  return /<(?:h[1-6]|li|blockquote|tr|figcaption|p|div)[\s>]|<a\s[^>]*href/i.test(html);
}

if (text && markup && notice) {
  let pasting = false;
  text.addEventListener("paste", (event) => {
    const all = text.selectionStart === 0 && text.selectionEnd === text.value.length;
    const html = event.clipboardData?.getData("text/html") ?? "";
    // Pictures come along as addresses with all their bytes in them.
    const lean = html.replace(/\ssrc\s*=\s*(?:"data:[^"]*"|'data:[^']*')/gi, "");
    pasting = all && lean !== "" && saysMore(lean) && (event.clipboardData.getData("text/plain") ?? "").trim() !== "";
    if (!pasting) return;
    markup.value = lean.length <= LARGEST ? lean : "";
    say(markup.value ? "taken" : "large");
  });
  text.addEventListener("input", () => {
    if (pasting) {
      pasting = false;
    } else if (markup.value) {
      markup.value = "";
      say("dropped");
    } else if (!text.value) {
      say("");
    }
  });
  notice.querySelector("button").addEventListener("click", () => {
    markup.value = "";
    say("");
    text.focus();
  });
  // Back from the next page, or after a refusal.
  if (markup.value) say("taken");
}
