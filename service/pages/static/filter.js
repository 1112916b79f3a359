// Rows of a table shown by choice and by words. A form says which table:
//   <form data-filter="ID-OF-TABLE" hidden> with <select name="outcome"> for rows that bear
//   data-outcome, <input name="words"> for any text, and an element with data-filter-count.
// Forms and tables may come later, too; without this script every row is shown.
const PAUSE = 120;

function fits(row, words, choices) {
  if (choices.some(([name, wanted]) => row.dataset[name] !== wanted)) return false;
  const text = words.length ? row.textContent.toLowerCase() : "";
  return words.every((word) => text.includes(word));
}

function filter(form) {
  const table = document.getElementById(form.dataset.filter);
  if (!table) return;
  const words = (form.elements.words?.value ?? "").toLowerCase().split(/\s+/).filter(Boolean);
  const choices = [...form.querySelectorAll("select")]
    .filter((select) => select.value)
    .map((select) => [select.name, select.value]);
  const rows = [...table.querySelectorAll("tbody > tr")];
  for (const row of rows) row.hidden = !fits(row, words, choices);
  const shown = rows.filter((row) => !row.hidden).length;
  const count = form.querySelector("[data-filter-count]");
  if (count) count.textContent = `${shown} of ${rows.length} shown`;
}

function uncover() {
  for (const form of document.querySelectorAll("form[data-filter][hidden]")) {
    form.hidden = false;
    filter(form);
  }
}

let waiting;
document.addEventListener("input", (event) => {
  const form = event.target.closest("form[data-filter]");
  if (!form) return;
  clearTimeout(waiting);
  waiting = setTimeout(filter, PAUSE, form);
});
document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-filter]");
  if (!form) return;
  event.preventDefault();
  filter(form);
});
uncover();
new MutationObserver(uncover).observe(document.body, { childList: true, subtree: true });
