import assert from "node:assert/strict";
import { test } from "node:test";
import { byUrgency } from "./alarm.js";
import { Announcer, WardModel } from "./model.js";

const alarm = (id, priority = "high", state = "active", raised_at = 1) => ({
  id,
  bed: "b1",
  priority,
  state,
  raised_at,
  value: null,
  limit: null,
});
const bed = (name, alarms = []) => ({ bed: name, unit: "icu", stay: null, numerics: {}, devices: [], alarms });
const snapshot = (beds) => ({
  type: "snapshot",
  now: 1,
  info: { units: [{ unit: "icu", name: "ICU", beds: ["b1", "b2"] }] },
  beds,
  ward: { unassigned: [] },
  health: {},
});

test("beds keep the order of the configuration, seen or not", () => {
  const model = new WardModel();
  const changed = model.apply(snapshot([bed("b2")]));
  assert.deepEqual([...model.beds.keys()], ["b1", "b2"]);
  assert.equal(changed.layout, true);
});

test("an alarm knows by name who is called, at each step", () => {
  const model = new WardModel();
  const frame = snapshot([bed("b1", [{ ...alarm("a"), receiver: "primary" }]), bed("b2")]);
  frame.info.units[0].receivers = { primary: ["4101"], second: ["K. Brandt"], charge_nurse: [] };
  model.apply(frame);
  assert.deepEqual(model.foremost().calling, ["4101"]);
  model.apply({ type: "alarm", alarm: { ...alarm("a"), receiver: "second" } });
  assert.deepEqual(model.foremost().calling, ["K. Brandt"]);
  model.apply({ type: "beds", beds: [bed("b1", [{ ...alarm("a"), receiver: "charge_nurse" }])] });
  assert.deepEqual(model.foremost().calling, []);
});

test("an alarm frame raises, changes and clears", () => {
  const model = new WardModel();
  model.apply(snapshot([bed("b1")]));
  assert.deepEqual(model.apply({ type: "alarm", alarm: alarm("a") }).raised.map((a) => a.id), ["a"]);
  assert.equal(model.foremost().id, "a");
  assert.deepEqual(model.apply({ type: "alarm", alarm: alarm("a") }).raised, []);
  model.apply({ type: "alarm", alarm: alarm("a", "high", "acknowledged") });
  assert.deepEqual(model.counts(), { high: 0, medium: 0, low: 0 });
  assert.equal(model.alarms().length, 1);
  model.apply({ type: "alarm", alarm: alarm("a", "high", "cleared") });
  assert.equal(model.alarms().length, 0);
});

test("an alarm that comes again after its acknowledgement is raised again", () => {
  const model = new WardModel();
  model.apply(snapshot([bed("b1", [alarm("a", "high", "acknowledged")])]));
  assert.equal(model.apply({ type: "alarm", alarm: alarm("a") }).raised.length, 1);
});

test("a latched alarm still calls", () => {
  const model = new WardModel();
  model.apply(snapshot([bed("b1", [alarm("a", "high", "latched")])]));
  assert.equal(model.counts().high, 1);
});

test("after a resync only what is new is announced", () => {
  const model = new WardModel();
  model.apply(snapshot([bed("b1", [alarm("a")])]));
  const changed = model.apply(snapshot([bed("b1", [alarm("a"), alarm("b", "low")])]));
  assert.deepEqual(changed.raised.map((a) => a.id), ["b"]);
});

test("the banner shows the newest of the highest priority that nobody has acknowledged", () => {
  const model = new WardModel();
  const alarms = [
    alarm("acked", "high", "acknowledged", 9),
    alarm("old", "medium", "active", 3),
    alarm("new", "medium", "active", 5),
    alarm("low", "low", "active", 8),
  ];
  model.apply(snapshot([bed("b1", alarms)]));
  assert.equal(model.foremost().id, "new");
  assert.deepEqual(model.alarms().map((a) => a.id), ["acked", "new", "old", "low"]);
  assert.ok(byUrgency(alarm("x"), alarm("y", "low")) < 0);
});

test("an alarm of an unknown bed changes nothing", () => {
  const model = new WardModel();
  model.apply(snapshot([]));
  assert.deepEqual(model.apply({ type: "alarm", alarm: { ...alarm("a"), bed: "nowhere" } }).beds, []);
});

test("one announcement per bed in ten seconds, unless it is worse", () => {
  const announcer = new Announcer();
  assert.equal(announcer.allows(alarm("a", "low"), 0), true);
  assert.equal(announcer.allows(alarm("b", "low"), 9999), false);
  assert.equal(announcer.allows(alarm("c", "high"), 9999), true);
  assert.equal(announcer.allows(alarm("d", "medium"), 10_500), false);
  assert.equal(announcer.allows(alarm("e", "medium"), 20_000), true);
});
