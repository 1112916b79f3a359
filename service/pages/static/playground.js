// The playground: load a request, run it, show what the server wrote about it. Nothing is kept.
import { editor } from "./editor.js";

const find = (id) => document.getElementById(id);
const [answer, why, told, run] = ["answer", "why", "request-told", "run"].map(find);
const written = editor(find("editor"));
const nothingYet = answer.innerHTML;
let turn = 0;

const say = (words) => { told.textContent = words; };

async function ask(address, body) {
  const response = await fetch(address, {
    method: "POST", body, cache: "no-store", headers: { "Content-Type": "application/json" },
  });
  if (response.ok) return response;
  const issues = await response.json().then((said) => said.issue, () => []);
  throw new Error(issues.map((issue) => issue.diagnostics).join(" ") || "The service did not answer.");
}

async function attempt(doing, task) {
  const mine = ++turn;
  say(doing);
  run.disabled = true;
  answer.setAttribute("aria-busy", "true");
  try {
    await task(() => mine === turn);
  } catch (problem) {
    if (mine === turn) say(problem instanceof TypeError ? "The service cannot be reached." : problem.message);
  } finally {
    if (mine === turn) {
      run.disabled = false;
      answer.removeAttribute("aria-busy");
    }
  }
}

const tryOut = (before = "") => attempt("Running …", async (isCurrent) => {
  const response = await ask("/try/run", written.text.value);
  const parts = await response.text();
  if (isCurrent()) show(parts, before);
});

// What comes from the server is escaped there; the policy of the page lets no script in it run.
function show(html, before) {
  const parts = document.createElement("template");
  parts.innerHTML = html;
  for (const place of [answer, why]) {
    place.replaceChildren(...(parts.content.querySelector(`[data-part=${place.id}]`)?.childNodes ?? []));
  }
  written.mark([...answer.querySelectorAll("[data-fault]")].map(({ dataset }) => ({
    line: Number(dataset.line), words: dataset.fault,
  })));
  document.dispatchEvent(new CustomEvent("shown"));
  const heading = find("answer-heading");
  say(`${before}${heading.dataset.said}`);
  heading.focus({ preventScroll: true });
  heading.scrollIntoView({ block: "nearest" });
}

function forget() {
  turn += 1;
  run.disabled = false;
  answer.removeAttribute("aria-busy");
  answer.innerHTML = nothingYet;
  why.replaceChildren();
}

const load = (name) => attempt("Loading …", async (isCurrent) => {
  const response = await fetch(`/try/patients/${encodeURIComponent(name)}`);
  if (!response.ok) throw new Error("This patient cannot be loaded.");
  const words = await response.text();
  if (!isCurrent()) return;
  forget();
  written.fill(words);
  await tryOut("Loaded. ");
});

async function take(file) {
  if (!file) return;
  forget();
  written.fill(await file.text());
  say("The file is loaded. Run it to see the cards.");
}

const cardsAnswered = () => JSON.parse(answer.querySelector("[data-response]").textContent).cards;

const apply = (button) => attempt("Applying the suggestion …", async (isCurrent) => {
  const card = cardsAnswered()[button.closest("[data-card]").dataset.card];
  const suggestion = button.dataset.suggestion;
  const response = await ask("/try/apply", JSON.stringify({ request: written.text.value, card, suggestion }));
  const next = await response.json();
  if (!isCurrent()) return;
  written.fill(next.request);
  await tryOut(`Applied: ${button.textContent.trim()}. `);
});

function override(select) {
  const place = select.closest("details").querySelector("[data-feedback]");
  const option = select.selectedOptions[0];
  if (!option.value) return place.replaceChildren();
  const feedback = { feedback: [{
    card: select.dataset.override,
    outcome: "overridden",
    overrideReason: { reason: { code: option.value, system: option.dataset.system } },
    outcomeTimestamp: new Date().toISOString(),
  }] };
  const [words, json] = [document.createElement("p"), document.createElement("pre")];
  const service = answer.querySelector("[data-response]").dataset.service;
  words.textContent = `A record system would send to /cds-services/${service}/feedback (this page sends nothing):`;
  json.textContent = JSON.stringify(feedback, null, 2);
  json.tabIndex = 0;
  place.replaceChildren(words, json);
}

find("trial").addEventListener("submit", (event) => { event.preventDefault(); tryOut(); });
find("trial").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !run.disabled) {
    event.preventDefault();
    tryOut();
  }
});
find("clear").addEventListener("click", () => { forget(); written.fill(""); say("Cleared."); written.text.focus(); });
find("file").addEventListener("change", (event) => { take(event.target.files[0]); event.target.value = ""; });
answer.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.dataset.suggestion) apply(button);
  if (button?.dataset.line) written.goTo(Number(button.dataset.line), Number(button.dataset.column));
});
answer.addEventListener("change", (event) => {
  if (event.target.matches("[data-override]")) override(event.target);
});

const frame = find("editor");
for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
  frame.addEventListener(kind, (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    frame.classList.toggle("dropping", kind === "dragenter" || kind === "dragover");
    if (kind === "drop") take(event.dataTransfer.files[0]);
  });
}

const people = find("patient");
if (people) {
  const everybody = [...people.options];
  find("search").addEventListener("input", (event) => {
    const words = event.target.value.toLowerCase().split(/\s+/);
    const matching = everybody.filter((option) => {
      const about = `${option.text} ${option.value}`.toLowerCase();
      return words.every((word) => about.includes(word));
    });
    people.replaceChildren(...matching);
    if (matching.length && people.selectedIndex < 0) people.selectedIndex = 0;
    find("found").textContent = `${matching.length} found`;
  });
  find("pick").addEventListener("submit", (event) => {
    event.preventDefault();
    if (people.value) load(people.value);
    else find("found").textContent = "Choose a patient first.";
  });
  people.addEventListener("dblclick", () => { if (people.value) load(people.value); });
  for (const link of document.querySelectorAll("[data-patient]")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      people.value = link.dataset.patient;
      load(link.dataset.patient);
    });
  }
}
