// A text area with line numbers, and notes at the lines where something is wrong.
const LINE = 20; // pixels, as playground.css has it
const TOP = 8;

export function editor(frame) {
  const text = frame.querySelector("textarea");
  const numbers = frame.querySelector(".editor-numbers");
  const notes = frame.querySelector(".editor-notes");
  let counted = 0;
  let told = [];

  function count() {
    const lines = text.value.split("\n").length;
    if (lines !== counted) {
      counted = lines;
      numbers.textContent = Array.from({ length: lines }, (_, line) => line + 1).join("\n");
    }
    follow();
  }

  function follow() {
    numbers.scrollTop = text.scrollTop;
    for (const { note, line } of told) {
      note.style.top = `${TOP + (line - 1) * LINE - text.scrollTop}px`;
    }
  }

  function mark(faults) {
    told = faults.map(({ line, words }) => {
      const note = document.createElement("div");
      const said = document.createElement("span");
      note.className = "editor-note";
      said.textContent = words;
      note.append(said);
      return { note, line };
    });
    notes.replaceChildren(...told.map(({ note }) => note));
    text.toggleAttribute("aria-invalid", false);
    if (faults.length) {
      text.setAttribute("aria-invalid", "true");
      show(faults[0].line);
    }
    follow();
  }

  function show(line) {
    text.scrollTop = Math.max(0, (line - 4) * LINE);
    text.scrollLeft = 0;
  }

  // Columns count characters, and the text area counts halves of those beyond the first plane.
  function goTo(line, column) {
    const lines = text.value.split("\n");
    const before = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
    const within = Array.from(lines[line - 1] ?? "").slice(0, column - 1).join("").length;
    text.focus();
    text.setSelectionRange(before + within, before + within);
    show(line);
  }

  function fill(words) {
    text.value = words;
    text.setSelectionRange(0, 0);
    text.scrollTop = 0;
    mark([]);
    count();
  }

  text.addEventListener("input", () => {
    if (told.length) mark([]);
    count();
  });
  text.addEventListener("scroll", follow);
  new ResizeObserver(follow).observe(text);
  count();
  return { text, mark, goTo, fill };
}
