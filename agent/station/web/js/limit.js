// What a person typed as a limit. Pure.

/** A number as the API takes it: null for an empty field, which switches that side off; NaN for what is none. */
export function limitValue(text) {
  const trimmed = text.trim().replace(",", ".");
  return trimmed === "" ? null : Number(trimmed);
}

/** The body for one parameter, or null if nothing differs from what holds. */
export function limitChange(limit, low, high, delay) {
  const same = low === limit.low && high === limit.high && (delay === null || delay === limit.delay_s);
  if (same) return null;
  const body = { parameter: limit.parameter, low, high };
  if (delay !== null && delay !== limit.delay_s) body.delay_s = delay;
  return body;
}
