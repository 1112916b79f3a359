// A button that copies what stands in another element; without a clipboard it stays hidden.
if (navigator.clipboard) {
  for (const button of document.querySelectorAll("[data-copies]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const told = button.parentElement.querySelector("[data-copied]");
      try {
        await navigator.clipboard.writeText(document.getElementById(button.dataset.copies).textContent.trim());
        told.textContent = "Copied.";
      } catch {
        told.textContent = "The browser did not let us copy; select the address instead.";
      }
    });
  }
}
