// The pathway view: a button to print the sheet, and an address without what opened the chart.
window.history.replaceState(null, "", window.location.pathname);

for (const button of document.querySelectorAll("[data-prints]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
