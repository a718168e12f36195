// The WebSocket: opens, reopens, and says what arrived.

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 8000;
/** An acknowledgement without an answer for so long counts as not sent. */
const ANSWER_WITHIN_MS = 6000;

export class Socket {
  #ws = null;
  #retry = FIRST_RETRY_MS;
  #waiting = new Map();

  /** `on` has `frame(object)`, `wave(ArrayBuffer)` and `open(boolean)`. */
  constructor(on) {
    this.on = on;
    this.#connect();
  }

  get open() {
    return this.#ws?.readyState === WebSocket.OPEN;
  }

  #connect() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const ws = new WebSocket(`${scheme}://${location.host}/ws`);
    ws.binaryType = "arraybuffer";
    ws.onopen = () => {
      this.#retry = FIRST_RETRY_MS;
      this.on.open(true);
    };
    ws.onmessage = ({ data }) => this.#message(data);
    ws.onclose = () => this.#closed();
    this.#ws = ws;
  }

  #message(data) {
    if (data instanceof ArrayBuffer) {
      this.on.wave(data);
      return;
    }
    const frame = JSON.parse(data);
    if (frame.type === "ack_result") this.#settle(frame.alarm, frame.ok ? null : frame.error);
    this.on.frame(frame);
  }

  #closed() {
    for (const alarm of [...this.#waiting.keys()]) this.#settle(alarm, "the connection broke: look whether it happened");
    this.on.open(false);
    // A little randomness, so that all pages of a hospital do not return in the same instant.
    setTimeout(() => this.#connect(), this.#retry * (0.75 + Math.random() / 2));
    this.#retry = Math.min(Math.max(this.#retry * 2, FIRST_RETRY_MS), LAST_RETRY_MS);
  }

  /** A link that is open but dead is given up, so that a new one is tried. */
  giveUp() {
    if (this.open) this.#ws.close();
  }

  /** Opens anew at once: somebody else is logged in now. */
  renew() {
    this.#retry = 0;
    this.giveUp();
  }

  send(frame) {
    if (!this.open) return false;
    this.#ws.send(JSON.stringify(frame));
    return true;
  }

  /** Acknowledges an alarm; resolves to `null`, or to the reason why it was not done. */
  acknowledge(alarm, by) {
    return new Promise((resolve) => {
      if (!this.send({ type: "ack", alarm, by })) {
        resolve("no connection to the agent");
        return;
      }
      const timer = setTimeout(() => this.#settle(alarm, "the agent did not answer"), ANSWER_WITHIN_MS);
      this.#waiting.set(alarm, { resolve, timer });
    });
  }

  #settle(alarm, problem) {
    const waiting = this.#waiting.get(alarm);
    if (!waiting) return;
    this.#waiting.delete(alarm);
    clearTimeout(waiting.timer);
    waiting.resolve(problem);
  }
}
