//! A progress bar on standard error.

use std::io::IsTerminal;

/// Width of the bar in characters.
const WIDTH: usize = 30;

/// Draws the bar at `share` (0 to 1) with a text after it; on a terminal over the last one, else as a line now and then.
pub(super) fn draw(share: f64, text: &str) {
    let filled = (share.clamp(0.0, 1.0) * WIDTH as f64).round() as usize;
    let bar = format!("{}{}", "█".repeat(filled), "·".repeat(WIDTH - filled));
    if std::io::stderr().is_terminal() {
        eprint!("\r{bar} {:3.0} %  {text}   ", share * 100.0);
    } else {
        eprintln!("{:3.0} %  {text}", share * 100.0);
    }
}
