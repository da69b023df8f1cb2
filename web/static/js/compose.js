// On the page where a campaign is written; without it each button still works.
// 1. The preview follows the typing. Its frame is filled as the button "Show how it looks" does it, by
//    posting the form into it: nothing is saved, and no script of ours can touch the email.
// 2. Who leaves with words that are not saved is asked first.

const writing = document.getElementById("writing");
const show = document.getElementById("show");
const viewport = document.getElementById("viewport");

// Into a new frame each time: the first document of a frame leaves no step in the history, so Back
// still leads off this page. The old one stays in sight until the new one is there.
let number = 0;
const fill = () => {
  const [shown, ...late] = viewport.children;
  for (const one of late) one.remove();
  const fresh = shown.cloneNode();
  fresh.removeAttribute("src");
  fresh.name = `preview-${(number += 1)}`;
  fresh.hidden = true;
  viewport.append(fresh);
  fresh.addEventListener("load", () => {
    fresh.hidden = false;
    shown.remove();
  });
  show.formTarget = fresh.name;
  writing.requestSubmit(show);
};

document.body.addEventListener("htmx:afterSwap", ({ target }) => {
  if (target.id === "sketch") fill();
});

let unsaved = "typed" in writing.dataset;
writing.addEventListener("input", ({ target }) => {
  unsaved ||= !target.closest(".composer__view");
});
writing.addEventListener("submit", ({ submitter }) => {
  if (submitter !== show) unsaved = false;
});
addEventListener("beforeunload", (event) => {
  if (unsaved) event.preventDefault();
});
