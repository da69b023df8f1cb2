// The menu beside every admin page is a <details>: closed on a phone, held open on a wide screen by
// css/admin.css. Browsers that cannot style ::details-content get it opened here.

if (!CSS.supports("selector(::details-content)")) {
  document.getElementById("menu").open = matchMedia("(min-width: 62rem)").matches;
}
