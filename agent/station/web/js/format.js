// How values, times and alarms read. Pure: no DOM, no clock.

import { bedName } from "./alarm.js";
import { callText } from "./call.js";

export { bedName };

/** What stands where there is no value: never a zero, never the last one. */
export const NOTHING = "--";

const TENTHS = new Set(["temp", "temp_skin", "perfusion"]);

/** A length of time given in hours, in words: `24 hours`, `3 minutes`, `hour`. */
export function span(hours) {
  const [value, unit] = hours < 1 ? [Math.max(1, Math.round(hours * 60)), "minute"] : [Math.round(hours), "hour"];
  return value === 1 ? unit : `${value} ${unit}s`;
}

/** A value as it is shown. The agent has rounded it already, as alarms do. */
export function number(value, parameter) {
  if (value === null || value === undefined || !Number.isFinite(value)) return NOTHING;
  return TENTHS.has(parameter) ? value.toFixed(1) : String(Math.round(value));
}

/** An age as people read it: `42 s`, `3:07`, `2 h 05`. */
export function age(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`;
  return `${Math.floor(s / 3600)} h ${String(Math.floor((s % 3600) / 60)).padStart(2, "0")}`;
}

/** What is left of a pause: `1:34`; the last second is `0:01`, so that it never reads as over while it lasts. */
export function left(ms) {
  const s = Math.max(0, Math.ceil(ms / 1000));
  return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`;
}

/** Clock time of an instant in this browser's time zone: `14:05`, with seconds if asked. */
export function clock(ms, withSeconds = false) {
  const d = new Date(ms);
  const two = (n) => String(n).padStart(2, "0");
  const hm = `${two(d.getHours())}:${two(d.getMinutes())}`;
  return withSeconds ? `${hm}:${two(d.getSeconds())}` : hm;
}

/** Offset from UTC in this browser's time zone at an instant: `UTC+2`, `UTC+5:30`. It changes with summer time. */
export function zone(ms) {
  const minutes = -new Date(ms).getTimezoneOffset();
  const size = Math.abs(minutes);
  const rest = size % 60 === 0 ? "" : `:${String(size % 60).padStart(2, "0")}`;
  return `UTC${minutes < 0 ? "−" : "+"}${Math.floor(size / 60)}${rest}`;
}

const STARS = { high: "***", medium: "**", low: "*" };

/** The priority's mark, for those who do not see colours. */
export function stars(priority) {
  return STARS[priority] ?? "";
}

const LABELS = {
  hr: "HR",
  pr: "PR",
  spo2: "SpO2",
  perfusion: "PI",
  rr: "RR",
  nibp_sys: "NIBP sys",
  nibp_dia: "NIBP dia",
  nibp_map: "NIBP mean",
  abp_sys: "ABP sys",
  abp_dia: "ABP dia",
  abp_map: "ABP mean",
  cvp: "CVP",
  temp: "T",
  temp_skin: "T skin",
  etco2: "EtCO2",
  fico2: "FiCO2",
  pvc: "PVC",
  glucose: "Glucose",
  battery: "Battery",
  battery_minutes: "Battery left",
};

const UNITS = {
  hr: "/min",
  pr: "/min",
  spo2: "%",
  perfusion: "%",
  rr: "/min",
  cvp: "mmHg",
  temp: "°C",
  temp_skin: "°C",
  etco2: "mmHg",
  fico2: "mmHg",
  pvc: "/min",
  glucose: "mg/dL",
  battery: "%",
  battery_minutes: "min",
};

const ORDER = Object.keys(LABELS);

/** Parameters in the order in which people read them. */
export function inOrder(numerics) {
  return Object.entries(numerics).sort(([a], [b]) => ORDER.indexOf(a) - ORDER.indexOf(b));
}

/** A parameter's short name. */
export function label(parameter) {
  return LABELS[parameter] ?? parameter;
}

/** A parameter's unit. */
export function unit(parameter) {
  return UNITS[parameter] ?? (parameter.includes("bp_") ? "mmHg" : "");
}

/** Value and limit of an alarm: `SpO2 78 < 80`; empty where the kind has none. */
export function cause(alarm) {
  if (alarm.value === null || alarm.value === undefined) return "";
  const value = number(alarm.value, alarm.parameter);
  const limit = number(alarm.limit, alarm.parameter);
  const sign = alarm.value < alarm.limit ? "<" : alarm.value > alarm.limit ? ">" : "=";
  return `${label(alarm.parameter)} ${value} ${sign} ${limit}`;
}

/** Limits: `50–120`, `≥90` or `≤39.0`; empty where there are none. */
export function range(low, high, parameter) {
  const has = (v) => v !== null && v !== undefined;
  if (!has(low) && !has(high)) return "";
  if (!has(low)) return `≤${number(high, parameter)}`;
  return has(high) ? `${number(low, parameter)}–${number(high, parameter)}` : `≥${number(low, parameter)}`;
}

const BLIND = {
  no_data: "no data",
  lead_off: "lead off",
  artefact: "signal disturbed",
  clock_skew: "device clock wrong",
  demo_device: "device in demo mode",
  agent_down: "agent not running",
  gap: "messages missing",
};

/** Why a bed is blind, in words. */
export function blindCause(cause) {
  return BLIND[cause] ?? cause.replaceAll("_", " ");
}

/**
 * When an alarm began, for its age. The onset is on the device's clock: where that is far off, the time of the raise counts.
 */
export function began(alarm) {
  const lead = alarm.raised_at - alarm.onset_at;
  return lead >= 0 && lead < 600_000 ? alarm.onset_at : alarm.raised_at;
}

/** Blood pressure for a tile: the invasive one if the bed has it. `null` if it has none. */
export function pressure(numerics) {
  for (const kind of ["abp", "nibp"]) {
    const sys = numerics[`${kind}_sys`];
    const dia = numerics[`${kind}_dia`];
    const map = numerics[`${kind}_map`];
    const lead = sys ?? map ?? dia;
    if (!lead) continue;
    const n = (v) => number(v?.freshness === "expired" ? null : v?.value, "bp");
    return { kind, text: `${n(sys)}/${n(dia)}`, map: n(map), lead };
  }
  return null;
}

/** NEWS2 as it may be shown: a number, or `≥ n` with what is missing; never a total of half the inputs. */
export function news2(score) {
  if (score.total !== null) return { text: String(score.total), missing: "" };
  return { text: `≥${score.at_least}`, missing: score.missing.map(input).join(", ") };
}

const INPUTS = {
  respiration: "RR",
  "air or oxygen": "O2",
  "systolic pressure": "SBP",
  rr: "RR",
  resp_rate: "RR",
  spo2: "SpO2",
  oxygen: "O2",
  sbp: "SBP",
  systolic: "SBP",
  dbp: "DBP",
  diastolic: "DBP",
  mean: "MAP",
  map: "MAP",
  hr: "HR",
  pulse: "pulse",
  acvpu: "ACVPU",
  consciousness: "ACVPU",
  temp: "T",
  temperature: "T",
  age: "age",
};

/** Name of an input of a score or model. */
export function input(name) {
  return INPUTS[name] ?? name.replaceAll("_", " ");
}

/** The seven parts of NEWS2, in the chart's order. */
export const NEWS2_PARTS = ["rr", "spo2", "oxygen", "sbp", "pulse", "acvpu", "temp"];

/** Millionths as signed percentage points: `+4.1`, `−0.3`, `0`. */
export function points(ppm) {
  const points = (Math.abs(ppm) / 10_000).toFixed(1);
  if (points === "0.0") return "0";
  return `${ppm > 0 ? "+" : "−"}${points}`;
}

/** A probability in parts per thousand as whole percent; the ends say that they are ends. */
export function percent(permille) {
  if (permille < 10) return "<1 %";
  if (permille > 990) return ">99 %";
  return `${Math.round(permille / 10)} %`;
}

/** Two things that tell a patient from others: `Okafor, B., 54 years`. */
export function who(stay) {
  return [stay.name, stay.age_years === null ? stay.age_group : `${stay.age_years} years`].filter(Boolean).join(", ");
}

/** Initials for privacy mode. */
export function initials(name) {
  return name
    .split(/[\s,.-]+/u)
    .filter(Boolean)
    .map((part) => `${part[0]}.`)
    .slice(0, 2)
    .join(" ");
}

/** Text of a tile for a screen reader. */
export function summary(bed, now = 0) {
  const parts = [bedName(bed.bed)];
  if (!bed.stay) parts.push("no patient");
  for (const p of ["hr", "pr", "spo2", "rr", "temp"]) {
    const n = bed.numerics[p];
    if (n) parts.push(`${label(p)} ${n.value === null || n.freshness === "expired" ? "no value" : number(n.value, p)}`);
  }
  const bp = pressure(bed.numerics);
  if (bp) parts.push(`${bp.kind === "abp" ? "ABP" : "NIBP"} ${bp.text}`);
  if (bed.news2) parts.push(`NEWS2 ${news2(bed.news2).text.replace("≥", "at least ")}`);
  if (bed.blind_since !== null) parts.push("cannot alarm now");
  if (bed.audio_pause && bed.audio_pause.until > now) parts.push("audio paused");
  for (const o of bed.inactivated ?? []) parts.push(`${o.text} ${o.how.replace("_", " ")}`);
  for (const a of bed.alarms) {
    parts.push(`${a.priority} alarm ${a.text} ${a.state} ${callText(a)}`.trimEnd());
  }
  return parts.join(", ");
}
