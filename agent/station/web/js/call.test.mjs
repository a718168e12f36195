import assert from "node:assert/strict";
import { test } from "node:test";
import { calls, sounds } from "./alarm.js";
import { byCall, callState, callText, escalated, escalationText, rings, sounding } from "./call.js";

const alarm = (id, more = {}) => ({ id, bed: "b1", call: id, priority: "high", state: "active", audio: "on", receiver: "primary", accepted_by: null, text: "Desaturation", ...more });

test("what is heard: active or latched, unless its audio is paused or off", () => {
  assert.equal(sounds(alarm("a")), true);
  assert.equal(sounds(alarm("a", { state: "latched" })), true);
  assert.equal(sounds(alarm("a", { state: "acknowledged" })), false);
  assert.equal(sounds(alarm("a", { audio: "paused" })), false);
  assert.equal(sounds(alarm("a", { audio: "off" })), false);
  const all = [alarm("a"), alarm("b", { priority: "low", audio: "off" }), alarm("c", { priority: "medium" })];
  assert.deepEqual(sounding(all), { high: 1, medium: 1, low: 0 });
});

test("an alarm that joins a call does not ring separately, unless it is more urgent", () => {
  const first = alarm("a", { priority: "medium" });
  assert.equal(rings(undefined, first, []), true);
  assert.equal(rings(undefined, alarm("b", { priority: "medium", call: "a" }), [first]), false);
  assert.equal(rings(undefined, alarm("b", { priority: "high", call: "a" }), [first]), true);
  assert.equal(rings(undefined, alarm("b", { priority: "medium" }), [first]), true, "another call rings");
  const acked = { ...first, state: "acknowledged" };
  assert.equal(rings(undefined, alarm("b", { priority: "medium", call: "a" }), [acked]), true, "nobody hears the first any more");
});

test("a burst does not start anew because a value changed, but when a reminder or the end of a pause brings it back", () => {
  const before = alarm("a", { value: 78 });
  assert.equal(rings(before, { ...before, value: 76 }, [before]), false);
  assert.equal(rings({ ...before, state: "acknowledged" }, before, []), true);
  assert.equal(rings({ ...before, audio: "paused" }, before, []), true);
  assert.equal(rings({ ...before, priority: "medium" }, before, []), true);
});

test("a screen reader hears what is new, back or risen, and not what merely latched", () => {
  assert.equal(calls(undefined, alarm("a")), true);
  assert.equal(calls(alarm("a"), alarm("a", { state: "latched" })), false);
  assert.equal(calls(alarm("a", { state: "acknowledged" }), alarm("a")), true);
  assert.equal(calls(alarm("a", { priority: "medium" }), alarm("a")), true);
  assert.equal(calls(undefined, alarm("a", { state: "acknowledged" })), false);
});

test("a call that goes up is said, and one that goes nowhere is not", () => {
  assert.equal(escalated(alarm("a"), alarm("a", { receiver: "second" })), true);
  assert.equal(escalated(alarm("a", { receiver: "second" }), alarm("a", { receiver: "charge_nurse" })), true);
  assert.equal(escalated(alarm("a", { receiver: "second" }), alarm("a", { receiver: "second" })), false);
  assert.equal(escalated(undefined, alarm("a", { receiver: "second" })), false, "a page that has just opened");
  assert.equal(escalated(alarm("a"), alarm("a", { receiver: "second", state: "acknowledged" })), false);
  assert.equal(escalationText(alarm("a", { receiver: "charge_nurse" })), "Bed b1: Desaturation not answered. The charge nurse is called.");
});

test("alarms of one bed and one call are one event, in the order of urgency", () => {
  const events = byCall([alarm("a"), alarm("b", { bed: "b2" }), alarm("c", { call: "a" }), alarm("d", { bed: "b2", call: "a" })]);
  assert.deepEqual(events.map((e) => [e.bed, e.alarms.map((a) => a.id)]), [
    ["b1", ["a", "c"]],
    ["b2", ["b"]],
    ["b2", ["d"]],
  ]);
});

test("who is called, in words", () => {
  assert.equal(callState(alarm("a")), null);
  assert.equal(callState(alarm("a", { receiver: "second" })).long, "2nd nurse called");
  assert.equal(callState(alarm("a", { receiver: "charge_nurse" })).long, "charge nurse called");
  assert.equal(callState(alarm("a", { receiver: "second", accepted_by: "K. Brandt" })).long, "K. Brandt is going");
  assert.equal(callState(alarm("a", { receiver: "second", state: "acknowledged" })), null);
  const calling = ["K. Brandt", "4102"];
  assert.equal(callText(alarm("a", { calling })), "calling: K. Brandt, 4102");
  assert.equal(callText(alarm("a", { receiver: "second", calling })), "2nd nurse called, calling: K. Brandt, 4102");
  assert.equal(callText(alarm("a", { receiver: "second", calling, accepted_by: "L. Ode" })), "L. Ode is going");
  assert.equal(callText(alarm("a", { receiver: "second", calling, state: "acknowledged" })), "");
  assert.equal(escalationText(alarm("a", { receiver: "second", calling })), "Bed b1: Desaturation not answered. The second nurse is called: K. Brandt, 4102.");
});
