// Audible signals of the general melody, as samples. Pure: no audio device, no clock.
//
// Numbers: IEC 60601-1-8 pulses and intervals as this product chose them inside the standard's ranges; a hospital must
// ratify them. Fundamental C4 with harmonics 2 to 6, so that at least four lie between 300 and 4000 Hz.

const C4_HZ = 261.63;
/** Amplitude of harmonics 1 to 6: all within 15 dB of the fundamental. */
const HARMONICS = [1, 0.8, 0.65, 0.5, 0.4, 0.3];
/** Rise and fall as a share of the pulse (the standard allows 10 to 40 %). */
const RAMP = 0.2;

/** Starts (s) and length (s) of the pulses, and when the burst repeats (s). */
export const BURSTS = {
  // 3 + 2 pulses of 120 ms with gaps of x = 100 ms; 3→4 is 2x + pulse; the same again after 0.5 s; every 8 s.
  high: { pulse_s: 0.12, starts_s: ten(0.12, 0.1, 0.5), period_s: 8, hz: C4_HZ },
  // 3 pulses of 200 ms with gaps of 200 ms; every 20 s.
  medium: { pulse_s: 0.2, starts_s: [0, 0.4, 0.8], period_s: 20, hz: C4_HZ },
  // One pulse of 200 ms; every 30 s.
  low: { pulse_s: 0.2, starts_s: [0], period_s: 30, hz: C4_HZ },
  // The page has lost the agent: not an alarm of a patient, so neither its pitch nor its rhythm.
  link: { pulse_s: 0.4, starts_s: [0, 0.5], period_s: 10, hz: 174.61 },
};

function ten(pulse, x, between) {
  const five = [];
  let t = 0;
  for (let i = 0; i < 5; i += 1) {
    five.push(t);
    t += pulse + (i === 2 ? 2 * x + pulse : x);
  }
  const end = five[4] + pulse;
  return [...five, ...five.map((start) => start + end + between)];
}

/** One period of a burst, silence included, so that playing it in a loop needs no timer. */
export function render(burst, sampleRate) {
  const out = new Float32Array(Math.round(burst.period_s * sampleRate));
  const sum = HARMONICS.reduce((a, b) => a + b);
  const length = Math.round(burst.pulse_s * sampleRate);
  for (const start of burst.starts_s) {
    const at = Math.round(start * sampleRate);
    for (let i = 0; i < length; i += 1) {
      const angle = (2 * Math.PI * burst.hz * i) / sampleRate;
      let value = 0;
      HARMONICS.forEach((a, h) => (value += a * Math.sin((h + 1) * angle)));
      out[at + i] = (value / sum) * envelope(i / length);
    }
  }
  return out;
}

function envelope(part) {
  return Math.min(1, part / RAMP, (1 - part) / RAMP);
}

/** Which burst must sound: a high alarm first, even a last known one; then the lost link; then the rest; else none. */
export function needed(counts, linkState) {
  if (counts.high > 0) return "high";
  if (linkState !== "live") return "link";
  return ["medium", "low"].find((p) => counts[p] > 0) ?? null;
}
