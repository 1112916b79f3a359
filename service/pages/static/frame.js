// What is wider than the window can be scrolled with the keyboard too, also what comes later.
const content = document.getElementById("content");

function reach() {
  for (const wide of content.querySelectorAll(".wide, pre")) {
    if (wide.scrollWidth > wide.clientWidth) {
      wide.tabIndex = 0;
    } else if (wide.tabIndex === 0) {
      wide.removeAttribute("tabindex");
    }
  }
}

reach();
new ResizeObserver(reach).observe(content);
new MutationObserver(reach).observe(content, { childList: true, subtree: true });
