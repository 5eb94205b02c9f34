// The page of all operations: looking for words, copying examples, and examples with the address of this hub.
"use strict";

const field = document.getElementById("search");
const count = document.getElementById("count");
const operations = [...document.querySelectorAll("details")].map(element => ({
  element,
  words: element.querySelector("summary").textContent.toLowerCase() + " " + element.dataset.words,
}));

function show() {
  const wanted = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const {element, words} of operations) {
    element.hidden = !wanted.every(word => words.includes(word));
    shown += element.hidden ? 0 : 1;
  }
  for (const area of document.querySelectorAll("section")) {
    area.hidden = !area.querySelector("details:not([hidden])");
  }
  count.textContent = wanted.length ? `${shown} of ${operations.length}` : `${operations.length} operations`;
}

async function copy(button) {
  const text = button.parentElement.querySelector("code").textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // without TLS a page may not reach the clipboard by itself, but what is selected can be copied
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = "Copy"; }, 1500);
}

for (const code of document.querySelectorAll("pre code")) {
  code.textContent = code.textContent.replaceAll("http://127.0.0.1:8123", location.origin);
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.addEventListener("click", () => copy(button));
  code.parentElement.append(button);
}

function openTarget() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target && target.tagName === "DETAILS") {
    target.open = true;
    target.scrollIntoView();
  }
}

field.closest("label").hidden = false;
field.addEventListener("input", show);
addEventListener("hashchange", openTarget);
document.addEventListener("keydown", event => {
  if (event.key === "/" && document.activeElement !== field) {
    event.preventDefault();
    field.focus();
  }
});
show();
openTarget();
