// Beside a form with a preview: the preview follows the typing. Its frame is filled as the button
// "Show how it looks" does it, by posting the form into it: nothing is saved. Without this the button
// still works.

const show = document.getElementById("show");
const viewport = document.getElementById("viewport");
const typed = show.form;

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
  typed.requestSubmit(show);
};

let waiting = 0;
typed.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(fill, 1000);
});
