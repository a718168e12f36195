// Wires the page: frames in; tiles, banner, panel, views and sound out. One frame loop, one second tick.

import { Actions } from "./actions.js";
import { unacknowledged } from "./alarm.js";
import { stayAwake } from "./awake.js";
import { Banner } from "./banner.js";
import { sounding } from "./call.js";
import { ServerClock } from "./clock.js";
import { byId, el, put, show, text } from "./dom.js";
import * as flash from "./flash.js";
import * as f from "./format.js";
import * as login from "./login.js";
import { healthItems, showHealth } from "./health.js";
import { globalKeys, openHelp } from "./keys.js";
import { needed } from "./melody.js";
import { WardModel } from "./model.js";
import { Panel } from "./panel.js";
import { current, forget, identify, notice } from "./person.js";
import { namesHidden, preferences } from "./prefs.js";
import { announce, announceEscalation } from "./say.js";
import { ScoreHistory } from "./scores.js";
import { Socket } from "./socket.js";
import { Sound } from "./sound.js";
import { SweepLoop } from "./sweep.js";
import { Tiles } from "./tiles.js";
import { Views } from "./views.js";
import { Watch } from "./watch.js";
import { WaveStore, decode } from "./wave.js";

const model = new WardModel();
const clock = new ServerClock();
const scores = new ScoreHistory();
const store = new WaveStore();
const loop = new SweepLoop();
const watch = new Watch();
const sound = new Sound(showSound);
let awake = null;

const actions = new Actions({ send: (frame) => socket.send(frame), acknowledge: (id, by) => socket.acknowledge(id, by) }, () => watch.live);
const panel = new Panel({ model, store, loop, actions, view: moment });
const tiles = new Tiles(byId("grid"), loop, store, { open: openBed, acknowledge: acknowledgeForemostOf, pause: pauseBed });
const banner = new Banner(model, actions, { open: openBed, list: () => panel.openList() });
const views = new Views({ model, actions, scores, view: moment, openBed });
await login.admitted();
const socket = new Socket({ frame: onFrame, wave: onWave, open: (open) => (watch.connected = open) });
login.attach(socket);

/** What all drawing needs to know of the moment. */
function moment() {
  const at = performance.now();
  return {
    now: clock.at(at) ?? Date.now(),
    blank: watch.state(at) === "blank",
    private: namesHidden(),
    model: model.ward?.model ?? "gone",
    scores,
  };
}

function onFrame(frame) {
  if (frame.type === "session") login.apply(frame);
  const at = performance.now();
  if (frame.now > 0) clock.heard(frame.now, at);
  if (watch.heard(frame, at)) sound.heard();
  const changed = model.apply(frame);
  const view = moment();
  if (changed.layout) onLayout();
  for (const name of changed.beds) {
    scores.note(model.beds.get(name), view.now);
    tiles.update(model.beds.get(name), view);
  }
  if (changed.ward || changed.layout) showWard();
  if (changed.raised.length > 0 || changed.rings.length > 0 || frame.type === "alarm") onAlarms(changed, at);
  if (frame.type === "alarm") confirmDisplay(frame.alarm);
}

/** Tells the agent when the change was on the screen: after the next paint. */
function confirmDisplay(alarm) {
  if (document.hidden) return;
  requestAnimationFrame(() => {
    const at = clock.at(performance.now());
    socket.send({ type: "displayed", alarm: alarm.id, revision: alarm.revision, at: Math.round(at) });
  });
}

function onAlarms({ raised, rings, escalated }, at) {
  const view = moment();
  announce(raised, at);
  announceEscalation(escalated, notice);
  banner.update(view.now);
  panel.update(view);
  const burst = needed(sounding(model.alarms()), watch.state(at));
  sound.set(burst, rings.some((alarm) => alarm.priority === burst));
}

function onLayout() {
  const names = [...model.beds.keys()];
  if (!tiles.shows(names)) tiles.layout(names);
  const { site_name: site, units, simulated, role, version } = model.info;
  byId("ward-name").replaceChildren(units.map((u) => u.name).join(", "), el("small", { text: site }));
  show(byId("simulated"), simulated);
  text(byId("role"), role);
  text(byId("version"), `Wardlight ${version}`);
  views.refresh();
}

function onWave(buffer) {
  const block = decode(buffer);
  if (block) store.push(block, performance.now());
}

function showWard() {
  const free = model.unassigned();
  show(byId("unassigned"), free.length > 0);
  text(byId("unassigned"), free.length === 1 ? "1 device at no bed" : `${free.length} devices at no bed`);
}

function showSound(state) {
  const button = byId("sound");
  put(button, "state", state);
  text(button, state === "on" ? "Sound on" : "SOUND OFF – click to arm");
  show(byId("tone"), state === "on");
  // A page that cannot be heard is itself a technical alarm.
  flash.paint(button, state === "on" ? null : "medium", state === "on" ? null : "calls");
}

/** Once a second: ages, clock, link, blanking. */
function second() {
  const at = performance.now();
  const view = moment();
  const state = watch.show(at, () => socket.giveUp());
  for (const bed of model.beds.values()) tiles.update(bed, view);
  banner.update(view.now);
  panel.update(view);
  showHealth(healthItems(state, model.health, view.model, awake));
  sound.set(needed(sounding(model.alarms()), state));
  text(byId("wall-clock"), clock.at(at) === null ? "--:--:--" : `${f.clock(view.now, true)} ${f.zone(view.now)}`);
  text(byId("who"), current() === null ? "Nobody signed on" : `Acting: ${current()} (change)`);
}

function openBed(name) {
  panel.openBed(name);
  const bed = model.beds.get(name);
  if (bed) actions.seen(bed.alarms.filter(unacknowledged), moment().now);
}

function acknowledgeForemostOf(name) {
  const alarm = model.beds.get(name)?.alarms.find(unacknowledged);
  if (alarm) actions.acknowledge({ ...alarm, bed: name }, true);
  else notice(`${f.bedName(name)}: no alarm is waiting`);
}

function pauseBed(name) {
  if (model.beds.get(name)?.audio_pause) actions.resumeAudio(name);
  else actions.pauseAudio(name);
}

byId("sound").addEventListener("click", () => (sound.armed ? sound.disarm() : sound.arm()));
byId("tone").addEventListener("click", () => sound.tone());
byId("help").addEventListener("click", openHelp);
byId("menu").addEventListener("click", ({ currentTarget: button }) => {
  button.setAttribute("aria-expanded", String(byId("top").classList.toggle("menu-open")));
});
byId("unassigned").addEventListener("click", () => {
  const names = model.unassigned().map((d) => `${d.device}${d.model ? ` (${d.model})` : ""}`);
  notice(`At no bed, so without alarms: ${names.join(", ")}. Open a bed to attach one.`, true);
});
byId("who").addEventListener("click", async () => {
  forget();
  await identify();
  second();
});
preferences(second);
globalKeys({ help: openHelp, list: () => panel.openList() });
stayAwake(
  (message) => notice(message, true),
  (held) => (awake = held),
);

function frame() {
  const at = performance.now();
  flash.tick(clock.at(at) ?? Date.now());
  loop.frame(at, watch.state(at) !== "live");
  if (watch.state(at) !== watch.shown) second();
  requestAnimationFrame(frame);
}
setInterval(second, 1000);
requestAnimationFrame(frame);
second();
