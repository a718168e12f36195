// What a person does to alarms. Everything needs a live connection and somebody who does it; what is refused is said.

import { bedPath, post } from "./api.js";
import * as f from "./format.js";
import { identify, notice, question } from "./person.js";

/** Length of an audio pause in seconds; the station allows no longer one. */
export const PAUSE_S = 120;

export class Actions {
  /** `live()`: whether the page hears the agent. */
  constructor(socket, live) {
    Object.assign(this, { socket, live });
  }

  /** Acknowledges one condition; with `confirm` after a question. */
  async acknowledge(alarm, confirm = false) {
    const what = `${f.bedName(alarm.bed)}, ${alarm.text}`;
    if (confirm && this.live()) {
      const text = `${f.cause(alarm)} Acknowledge on this page only: the bedside monitor goes on by itself.`.trim();
      if (!(await question({ title: `${what}?`, text, yes: "Acknowledge" }))) return;
    }
    await this.#order(`${what}: acknowledge`, (by) => this.socket.acknowledge(alarm.id, by), `${what}: acknowledged`);
  }

  /** "I am going", or "not my bed", which calls the next receiver. */
  respond(alarm, accept) {
    const said = accept ? "you are going" : "not your bed; the next nurse is called";
    return this.#order(`${f.bedName(alarm.bed)}: ${accept ? "I am going" : "not my bed"}`, () => post(`alarms/${encodeURIComponent(alarm.id)}/respond`, { accept }), `${f.bedName(alarm.bed)}: ${said}`);
  }

  /** Calls the next receiver now. */
  escalate(alarm) {
    return this.#order(`${f.bedName(alarm.bed)}: escalate`, () => post(`alarms/${encodeURIComponent(alarm.id)}/escalate`, {}), `${f.bedName(alarm.bed)}: the next nurse is called`);
  }

  /** Pauses the audio of a bed, or everywhere without one. */
  pauseAudio(bed = null) {
    const where = bed === null ? "all beds" : f.bedName(bed);
    const body = bed === null ? { seconds: PAUSE_S } : { bed, seconds: PAUSE_S };
    return this.#order(`Pause audio, ${where}`, () => post("audio/pause", body), `Audio paused for 2 min, ${where}. A new high alarm sounds.`);
  }

  resumeAudio(bed = null) {
    const where = bed === null ? "all beds" : f.bedName(bed);
    return this.#order(`Audio on, ${where}`, () => post("audio/resume", bed === null ? {} : { bed }), `Audio on again, ${where}`);
  }

  /** Switches a kind of alarm at a bed: `on`, `audio_off` or `alarm_off`. Resolves to the problem, or null. */
  async switchAlarm(bed, kind, set) {
    const send = () => post(bedPath(bed, `/alarms/${encodeURIComponent(kind)}`), { set });
    return this.#order(`${f.bedName(bed)}: switch`, send, null);
  }

  /** Whoever opens a bed or its row has seen its alarms. */
  seen(alarms, at) {
    for (const alarm of alarms) this.socket.send({ type: "seen", alarm: alarm.id, at: Math.round(at) });
  }

  /** Does it, unless there is no link or nobody who does it. Resolves to the problem, or null. */
  async #order(what, send, done) {
    let problem = this.live() ? null : "no live connection to the agent";
    if (problem === null) {
      const by = await identify();
      if (by === null) return { error: "nobody signed on" };
      problem = await send(by);
    }
    const text = problem?.error ?? problem;
    if (text) notice(`NOT SENT. ${what}: ${text}`, true);
    else if (done) notice(done);
    return text ? { error: text } : null;
  }
}
