// On every admin page; without it each part still works.
// 1. The menu beside every page is a <details>: closed on a phone, held open on a wide screen by
//    css/admin.css. Browsers that cannot style ::details-content get it opened here.
// 2. What the finder has found is gone through with the arrow keys, and put away with Escape.
// 3. Rows are ticked all at once, and counted. Whoever ticks a row means the ticked ones.
// 4. A sheet is printed by a button that is there only where a script can do it.
// 5. A button that is gone after its click leaves the focus nearby and not at the top of the page.

if (!CSS.supports("selector(::details-content)")) {
  document.getElementById("menu").open = matchMedia("(min-width: 62rem)").matches;
}

// --- 2 the finder

const putAway = () => document.getElementById("hits")?.replaceChildren();

document.addEventListener("keydown", (event) => {
  const finder = event.target.closest?.("#finder-form");
  if (!finder) return;
  const stops = [finder.elements.q, ...finder.querySelectorAll("#hits a")];
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) {
    const next = stops[stops.indexOf(event.target) + step];
    next?.focus();
    if (next) event.preventDefault();
  } else if (event.key === "Escape" && stops.length > 1) {
    event.preventDefault();
    putAway();
    stops[0].focus();
  }
});

for (const kind of ["focusin", "click"]) {
  document.addEventListener(kind, ({ target }) => {
    if (!target.closest?.("#finder-form")) putAway();
  });
}

// --- 3 rows

const ticked = (form) => [...form.querySelectorAll('tbody input[type="checkbox"]')];

const count = (form) => {
  const boxes = ticked(form);
  const number = boxes.filter((box) => box.checked).length;
  for (const box of boxes) box.closest("tr").classList.toggle("is-selected", box.checked);
  const every = form.querySelector("[data-every]");
  every.checked = number === boxes.length;
  every.indeterminate = number > 0 && !every.checked;
  const said = form.querySelector(".bulk strong");
  form.dataset.unsaid ??= said.textContent;
  said.textContent = number ? form.dataset.said.replace("{n}", number) : form.dataset.unsaid;
};

const dress = () => {
  const form = document.getElementById("chosen");
  const head = form?.elements.who && form.querySelector("thead th");
  if (!head || head.querySelector("input")) return;
  const every = document.createElement("input");
  every.type = "checkbox";
  every.dataset.every = "";
  every.setAttribute("aria-label", form.dataset.all);
  head.replaceChildren(every);
  count(form);
};

document.addEventListener("change", ({ target }) => {
  const form = target.closest?.("#chosen");
  if (!form || target.type !== "checkbox") return;
  if ("every" in target.dataset) for (const box of ticked(form)) box.checked = target.checked;
  form.elements.who.value = "ticked";
  count(form);
});

document.addEventListener("DOMContentLoaded", dress);
addEventListener("pageshow", dress);

// --- 4 printing

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}

// --- 5 focus

document.addEventListener("htmx:afterSettle", ({ target }) => {
  dress();
  const lost = !document.activeElement || document.activeElement === document.body;
  if (target.id === "found" && lost) document.getElementById("t:add")?.focus();
});
