// On every page; without it each part still works.
// 1. High contrast and dark switch without a reload. The server keeps the choice in a cookie and
//    writes it on <html>; where nothing is chosen, the system's preference holds and is shown.
// 2. After an action the focus goes to the heading, which is described by what was done.

const root = document.documentElement;

const choices = {
  contrast: { on: "more", off: "standard", system: matchMedia("(prefers-contrast: more)") },
  theme: { on: "dark", off: "light", system: matchMedia("(prefers-color-scheme: dark)") },
};

const isOn = (name) => {
  const { on, system } = choices[name];
  return name in root.dataset ? root.dataset[name] === on : system.matches;
};

const show = () => {
  for (const button of document.querySelectorAll(".display button[name]")) {
    const { on, off } = choices[button.name];
    button.setAttribute("aria-pressed", String(isOn(button.name)));
    button.value = isOn(button.name) ? off : on;
  }
};

document.addEventListener("submit", (event) => {
  const form = event.target;
  const button = event.submitter;
  if (!form.matches(".display") || !(button?.name in choices)) return;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(form, button));
  root.dataset[button.name] = button.value;
  show();
  // Only the cookie matters; where the redirect leads does not. Offline, the choice lasts this page.
  fetch(form.action, { method: "POST", body, redirect: "manual", keepalive: true }).catch(() => {});
});

for (const { system } of Object.values(choices)) system.addEventListener("change", show);
show();

const heading = document.querySelector("main h1");
if (heading && document.getElementById("notice") && !document.querySelector("[autofocus]")) {
  heading.tabIndex = -1;
  heading.setAttribute("aria-describedby", "notice");
  heading.focus({ preventScroll: true });
}
