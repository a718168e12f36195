//! dev
#![allow(clippy::unwrap_used, dead_code, reason = "dev")]
#[path = "../src/model_cli/recording.rs"]
mod recording;
use std::io::Write;
use wardlight_models::ecg_beat::{Extractor, CHANNELS, WINDOW, RHYTHM};
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let mut rec = recording::Recording::open(args[1].as_ref()).unwrap();
    let all = rec.leads();
    if let Some(only) = args.get(3) { rec.only(only.parse().unwrap()); }
    let mut ex = Extractor::default();
    let mut out: Vec<f32> = Vec::new();
    let mut n = 0;
    rec.play(&mut |heard| ex.hear(&heard, &mut |beat| {
        for row in &beat.rows {
            n += 1;
            out.push(recording::seconds(beat.at_ms) as f32);
            out.push(all.iter().position(|l| *l == row.lead).unwrap() as f32);
            out.extend(&row.window);
            out.extend(&row.rhythm);
        }
    }));
    let bytes: Vec<u8> = out.iter().flat_map(|v| v.to_le_bytes()).collect();
    std::fs::File::create(&args[2]).unwrap().write_all(&bytes).unwrap();
    println!("{n} rows of {}", 2 + CHANNELS * WINDOW + RHYTHM);
}
