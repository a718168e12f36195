// HTTP with the station: questions, and orders with their refusals.

/** An order without an answer for so long counts as not confirmed; the agent itself gives up after 5 s. */
const ANSWER_WITHIN_MS = 7000;

let typedName = () => null;

/** Tells who says who acts at a station without a login; it goes with every order. */
export function nameBy(ask) {
  typedName = ask;
}

/** A bed's address in the API. */
export const bedPath = (name, rest = "") => `beds/${encodeURIComponent(name)}${rest}`;

/** Asks for `path`; throws an `Error` with a sentence if there is no answer. */
export async function get(path) {
  let response;
  try {
    response = await fetch(`/api/v1/${path}`, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
  } catch {
    throw new Error("no connection to the agent");
  }
  if (response.ok) return response.json();
  throw new Error((await problemOf(response)).error);
}

/** Posts; resolves to `null`, or to `{ error, field?, expected? }`: why it was not done. */
export async function post(path, body) {
  return (await send(path, body)).problem;
}

/** Posts a question that has an answer; resolves to `{ problem, answer }`. */
export async function send(path, body, withinMs = ANSWER_WITHIN_MS) {
  try {
    const response = await fetch(`/api/v1/${path}`, {
      method: "POST",
      // Another site's page cannot send this header: with a login, the agent asks for it.
      headers: { "content-type": "application/json", "x-wardlight": "page", ...by() },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(withinMs),
    });
    if (response.ok) return { problem: null, answer: await response.json() };
    return { problem: await problemOf(response), answer: null };
  } catch (error) {
    const late = error?.name === "TimeoutError";
    const why = late ? "not confirmed: look whether it happened" : "not sent: no connection to the agent";
    return { problem: { error: why }, answer: null };
  }
}

function by() {
  const name = typedName();
  return name === null ? {} : { "x-wardlight-by": encodeURIComponent(name) };
}

async function problemOf(response) {
  try {
    const problem = await response.json();
    if (problem.error) return problem;
  } catch {
    // Not JSON: an old agent, or something in between.
  }
  return { error: `refused (${response.status})` };
}
