// Wires the page: frames in, tiles, banner, panel and sound out. One frame loop, one second tick.

import { Banner, acknowledge, announce } from "./alarms.js";
import { ServerClock, link } from "./clock.js";
import { byId, el, put, show, text } from "./dom.js";
import * as flash from "./flash.js";
import * as f from "./format.js";
import * as login from "./login.js";
import { needed } from "./melody.js";
import { WardModel, calls } from "./model.js";
import { Panel } from "./panel.js";
import { current, forget, identify, notice } from "./person.js";
import { Socket } from "./socket.js";
import { Sound } from "./sound.js";
import { SweepLoop } from "./sweep.js";
import { Tiles } from "./tiles.js";
import { WaveStore, decode } from "./wave.js";

const model = new WardModel();
const clock = new ServerClock();
const store = new WaveStore();
const loop = new SweepLoop();
const sound = new Sound(showSound);
/** Local time of the newest heartbeat, and the agent's clock in it. */
let heartbeatAt = performance.now();
let heartbeatNow = 0;
let connected = false;
let privateNames = localStorage.getItem("private") === "true";

const acknowledgeAlarm = (alarm) => acknowledge(socket, alarm);
const panel = new Panel({ onOpen: login.viewed, model, store, loop, onAcknowledge: acknowledgeAlarm });
const tiles = new Tiles(byId("grid"), loop, store, (name) => panel.openBed(name, view()), acknowledgeForemostOf);
const banner = new Banner((name) => panel.openBed(name, view()), acknowledgeAlarm, () => panel.openList(view()));
await login.admitted();
const socket = new Socket({ frame: onFrame, wave: onWave, open: onOpen });
login.attach(socket);

/** What all drawing needs to know of the moment. */
function view() {
  const at = performance.now();
  return {
    now: clock.at(at) ?? Date.now(),
    blank: link(at - heartbeatAt) === "blank",
    private: privateNames,
    model: model.ward?.model ?? "gone",
  };
}

function onOpen(open) {
  connected = open;
}

function onFrame(frame) {
  if (frame.type === "session") login.apply(frame);
  const at = performance.now();
  if (frame.now > 0) clock.heard(frame.now, at);
  noteHeartbeat(frame, at);
  const changed = model.apply(frame);
  const moment = view();
  if (changed.layout) onLayout();
  for (const name of changed.beds) tiles.update(model.beds.get(name), moment);
  if (changed.ward || changed.layout) showWard(moment);
  if (changed.raised.length > 0 || frame.type === "alarm") onAlarms(changed.raised, moment, at);
  if (frame.type === "alarm") confirmDisplay(frame.alarm);
}

/** A snapshot counts too, but only if the agent's clock has moved: one of a stalled agent is as old as the link. */
function noteHeartbeat(frame, at) {
  if (frame.type !== "heartbeat" && frame.type !== "snapshot") return;
  if (frame.now === heartbeatNow) return;
  heartbeatNow = frame.now;
  heartbeatAt = at;
}

/** Tells the agent when the change was on the screen: after the next paint. */
function confirmDisplay(alarm) {
  if (document.hidden) return;
  requestAnimationFrame(() => {
    const at = clock.at(performance.now());
    socket.send({ type: "displayed", alarm: alarm.id, revision: alarm.revision, at: Math.round(at) });
  });
}

function onAlarms(raised, moment, at) {
  announce(raised, at);
  banner.update(model, moment.now);
  panel.update(moment);
  const burst = needed(model.counts(), link(at - heartbeatAt));
  sound.set(burst, raised.some((a) => calls(a) && a.priority === burst));
}

function onLayout() {
  const names = [...model.beds.keys()];
  if (!tiles.shows(names)) tiles.layout(names);
  const { site_name: site, units, simulated, role, version } = model.info;
  const units_ = units.map((u) => u.name).join(", ");
  byId("ward-name").replaceChildren(units_, el("small", { text: site }));
  show(byId("simulated"), simulated);
  text(byId("role"), role);
  text(byId("version"), `Wardlight ${version}`);
}

function onWave(buffer) {
  const block = decode(buffer);
  if (block) store.push(block, performance.now());
}

function showWard(moment) {
  const free = model.unassigned();
  show(byId("unassigned"), free.length > 0);
  text(byId("unassigned"), free.length === 1 ? "1 device at no bed" : `${free.length} devices at no bed`);
  showHealth(moment);
}

function showHealth(moment) {
  const state = link(performance.now() - heartbeatAt);
  const items = [
    ["Agent", state === "live" ? "up" : "down"],
    ["Broker", model.health?.broker.state ?? "unknown", model.health?.broker.reason],
    ["Journal", model.health?.journal.state ?? "unknown", model.health?.journal.reason],
    ["Model", moment.model === "live" ? "up" : "down", moment.model === "live" ? null : "rules only"],
  ].map(([name, ...rest]) => (state === "live" || name === "Agent" ? [name, ...rest] : [name, "unknown"]));
  const key = JSON.stringify(items);
  const node = byId("health");
  if (node.dataset.key === key) return;
  node.dataset.key = key;
  node.replaceChildren(
    ...items.map(([name, s, reason]) =>
      el("span", { class: "item", data: { state: s }, title: reason ?? s, text: reason ? `${name}: ${reason}` : name }),
    ),
  );
}

function showSound(state) {
  const button = byId("sound");
  put(button, "state", state);
  text(button, state === "on" ? "Sound on" : "SOUND OFF – click to arm");
}

/** Once a second: ages, clock, link, blanking. */
function second() {
  const at = performance.now();
  const moment = view();
  const state = link(at - heartbeatAt);
  for (const bed of model.beds.values()) tiles.update(bed, moment);
  banner.update(model, moment.now);
  panel.update(moment);
  showHealth(moment);
  showLost(state, at);
  linkShown = state;
  sound.set(needed(model.counts(), state));
  text(byId("wall-clock"), clock.at(at) === null ? "--:--:--" : f.clock(moment.now, true));
  text(byId("who"), current() === null ? "Nobody signed on" : `Acting: ${current()} (change)`);
}

/** State of the link as the page shows it now. */
let linkShown = null;

/** Shows a changed link at once and not with the next second. */
function watchLink() {
  if (link(performance.now() - heartbeatAt) !== linkShown) second();
}

function showLost(state, at) {
  const node = byId("lost");
  document.body.classList.toggle("blank", state === "blank");
  show(node, state !== "live");
  if (state === "live") {
    node.dataset.key = "";
    return;
  }
  // Made once, so that a screen reader reads it once; only the seconds change.
  if (node.dataset.key !== String(connected)) {
    node.dataset.key = String(connected);
    const why = connected ? "The agent does not answer." : "This page has no connection to the agent.";
    node.replaceChildren(el("strong", { text: "LINK LOST" }), `${why} Look at the bedside monitors. `, el("span", { "aria-live": "off" }));
  }
  text(node.lastChild, `No data for ${f.age(at - heartbeatAt)}.`);
  if (connected && at - heartbeatAt > 15_000) socket.giveUp();
}

function acknowledgeForemostOf(name) {
  const alarm = model.beds.get(name)?.alarms.find(calls);
  if (alarm) acknowledge(socket, { ...alarm, bed: name }, true);
  else notice(`Bed ${name}: no alarm is waiting`);
}

function showPrivacy() {
  const button = byId("privacy");
  button.setAttribute("aria-pressed", String(privateNames));
  text(button, privateNames ? "Show names" : "Hide names");
}

byId("sound").addEventListener("click", () => (sound.armed ? sound.disarm() : sound.arm()));
byId("privacy").addEventListener("click", () => {
  privateNames = !privateNames;
  localStorage.setItem("private", String(privateNames));
  showPrivacy();
  second();
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

/** Keeps the screen on while the page is seen; where the browser cannot, nothing is lost. */
async function stayAwake() {
  try {
    if (!document.hidden) await navigator.wakeLock?.request("screen");
  } catch {
    // Refused, for example on low battery.
  }
}
document.addEventListener("visibilitychange", stayAwake);
stayAwake();
showPrivacy();

function frame() {
  const at = performance.now();
  flash.tick(clock.at(at) ?? Date.now());
  loop.frame(at, link(at - heartbeatAt) !== "live");
  watchLink();
  requestAnimationFrame(frame);
}
setInterval(second, 1000);
requestAnimationFrame(frame);
second();
