// Small comforts. Every page works without them.
(() => {
  "use strict";

  // An address without empty values is shorter and can be read out.
  document.addEventListener("htmx:config:request", (event) => {
    const body = event.detail?.ctx?.request?.body;
    if (!(body instanceof FormData)) return;
    const empty = [...new Set(body.keys())].filter((key) => body.getAll(key).every((value) => value === ""));
    empty.forEach((key) => body.delete(key));
  });

  // A form with one choice is sent when it is made.
  document.addEventListener("change", (event) => {
    if (event.target.matches?.("select[data-send]")) event.target.form?.requestSubmit();
  });

  // "/" goes to the search field, by the key's place, so that it works on every keyboard.
  document.addEventListener("keydown", (event) => {
    if (event.code !== "Slash" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest?.("input, select, textarea, [contenteditable]")) return;
    const search = document.querySelector("input[type=search]");
    if (!search) return;
    event.preventDefault();
    search.focus();
    search.select();
  });

  // A second press of a button would ask twice.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post") return;
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
    setTimeout(() => delete form.dataset.sent, 3000);
  });
})();
