// Who is at this page: logging in and off, the display without names, breaking the glass. It touches nothing of the ward:
// alarms, numbers and sound go on whoever is logged in.

import { byId, el, show, text } from "./dom.js";

/** A gesture is told at most this often; the agent counts minutes. */
const TELL_EVERY_MS = 20_000;

/** As `GET /api/v1/session` and the `session` frame say it; null before the first answer. */
let session = null;
let socket = null;
let toldAt = -Infinity;

const headers = { "content-type": "application/json", "x-wardlight": "page" };

/** Sends to the session's API; resolves to `[answer, null]` or `[null, reason]`. */
async function send(method, path, body) {
  try {
    const response = await fetch(`/api/v1/session${path}`, { method, headers, body: body && JSON.stringify(body) });
    const answer = await response.json();
    return response.ok ? [answer, null] : [null, answer.error ?? `refused (${response.status})`];
  } catch {
    return [null, "no connection to the agent"];
  }
}

async function look() {
  const [answer] = await send("GET", "");
  if (answer) apply(answer);
  return session;
}

/** Resolves when the page may open its socket: at once on a display, after the first login on a new page. */
export async function admitted() {
  while (!(await look())) await new Promise((resolve) => setTimeout(resolve, 2000));
  if (session.state === "none") await ask(false);
}

/** Connects this module with the page's socket, which is opened anew after a login, and listens for gestures. */
export function attach(to) {
  socket = to;
  for (const event of ["pointerdown", "keydown"]) addEventListener(event, gesture, { capture: true, passive: true });
}

function gesture() {
  if (session?.state !== "person" || performance.now() - toldAt < TELL_EVERY_MS) return;
  if (socket?.send({ type: "gesture" })) toldAt = performance.now();
}

/** Takes a `session` frame, or what the API answered. */
export function apply(frame) {
  session = frame;
  showWho();
}

/** The name of whoever is logged in, or null. */
export const person = () => session?.name ?? null;

/** Whether the page must ask for a name itself, because there is no login. */
export const open = () => session !== null && !session.login;

/** Resolves to the name of the person logged in, after a login if need be; to null if the person turned away. */
export async function logged() {
  if (session?.state === "person") return session.name;
  return (await ask(true)) ? session.name : null;
}

export async function logoff() {
  await send("DELETE", "");
  await look();
}

/** The login form. Without `mayCancel` it stays until somebody has logged in. */
function ask(mayCancel) {
  const dialog = el("dialog", { class: "ask", "aria-labelledby": "login-title" });
  const name = el("input", { "aria-label": "Name", placeholder: "Name", autocomplete: "username", maxlength: "64", required: true });
  const password = el("input", { "aria-label": "Password", placeholder: "Password", type: "password", autocomplete: "current-password" });
  const problem = el("p", { class: "problem", role: "alert" });
  return new Promise((resolve) => {
    let ended = false;
    const end = (done) => {
      ended = true;
      dialog.close();
      dialog.remove();
      resolve(done);
    };
    const submit = async (event) => {
      event.preventDefault();
      problem.textContent = "Logging in …";
      const [, reason] = await send("POST", "", { name: name.value, password: password.value });
      password.value = "";
      problem.textContent = reason ?? "";
      if (reason) return;
      await look();
      socket?.renew();
      end(true);
    };
    const cancel = mayCancel ? el("button", { type: "button", text: "Cancel", on: { click: () => end(false) } }) : null;
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      if (mayCancel) end(false);
    });
    // A browser may close it all the same, at a second Escape.
    dialog.addEventListener("close", () => !ended && (mayCancel ? end(false) : dialog.showModal()));
    dialog.append(
      el("h2", { id: "login-title", text: "Log in" }),
      el("p", { text: "Look at the bedside monitors: they are the primary alarm, also while nobody is logged in here." }),
      el("form", { class: "form", on: { submit } }, name, password, problem, el("div", { class: "row" }, cancel, el("button", { class: "yes", type: "submit", text: "Log in" }))),
    );
    document.body.append(dialog);
    dialog.showModal();
    name.focus();
  });
}

/** A biomedical engineer or an administrator takes a nurse's rights for a quarter of an hour. */
async function breakGlass() {
  const reason = prompt("Why do you need a nurse's rights? It stands in the audit trail. Do not write a patient's name.");
  if (reason === null) return;
  const [answer, problem] = await send("POST", "/break-glass", { reason });
  if (answer) apply(answer);
  else alert(`Not done: ${problem}`);
}

/** The line in the footer. */
function showWho() {
  let line = byId("login");
  if (!line) {
    line = el("span", { id: "login" });
    byId("foot").append(line);
  }
  const clock = (at) => new Date(at).toTimeString().slice(0, 5);
  const button = (label, click) => el("button", { class: "link", type: "button", text: label, on: { click } });
  show(byId("who"), open());
  if (open()) line.replaceChildren(el("strong", { text: "No login: everybody at this machine can act" }));
  else if (session.state !== "person") line.replaceChildren("Display: no names, nobody logged in. ", button("Log in", () => ask(true)));
  else {
    const glass = session.break_glass_until;
    const mayBreak = !glass && ["biomed", "admin"].includes(session.role);
    line.replaceChildren(
      ...(glass ? [el("strong", { text: `BREAK-GLASS until ${clock(glass)}. ` })] : []),
      `${session.name} (${session.role.replace("_", " ")}) `,
      button("Log off", logoff),
      ...(mayBreak ? [" ", button("Emergency: act as a nurse", breakGlass)] : []),
    );
  }
}
