#![allow(warnings)]
#[path = "../tests/evaluation/mod.rs"]
mod evaluation;
use std::path::Path;
use evaluation::{load, truth, score};
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let folder = Path::new("/work/shared/data");
    let r = if a[1].starts_with("cu") { load::cudb(folder, &a[1]) } else if a[1].len() == 3 { load::mitdb(folder, &a[1]) } else { load::wfdb(&folder.join("wfdb"), &a[1]) };
    let lead: usize = a[2].parse().unwrap();
    let o = r.play(|i| i == lead || lead == 9, a.len() > 3);
    for (t, m) in &o.oscillation { println!("O {t} {:.3} {:.3} {:.2} {:.0}", m.leakage, m.occupancy, m.frequency_hz, m.height_uv); }
    let c = score::qrs(&truth::beats(&r), &o.beats, &truth::flutter(&r));
    println!("Q {} {:.4} {:.4} {} {}", a[1], c.sensitivity(), c.precision(), c.missed, c.false_);
}
