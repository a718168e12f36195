//! For a telephone: a QR code that says where the broker is and who to be there. It holds no key: a code is seen by everybody in the
//! room. The telephone makes its own and sends a request, or the bundle's files reach it by cable or device management.

use qrcodegen::{QrCode, QrCodeEcc};
use serde::Serialize;

use super::{Bundle, BundleFile, file};
use crate::enrolment::EnrolError;

/// Modules of white around a code, as the standard wants them.
const QUIET: i32 = 4;

#[derive(Serialize)]
struct Invitation<'a> {
    v: u8,
    site: &'a str,
    device: &'a str,
    profile: &'a str,
    host: &'a str,
    port: u16,
    /// SHA-256 of the authority's certificate: whatever brings the file, the telephone can tell whether it is the right one.
    ca_sha256: String,
}

/// The code as a picture, and as text for a terminal.
pub(super) fn files(bundle: &Bundle<'_>) -> Result<[BundleFile; 2], EnrolError> {
    let invitation = Invitation {
        v: 1,
        site: bundle.site.as_str(),
        device: bundle.device.as_str(),
        profile: &bundle.profile.name,
        host: bundle.broker_host,
        port: bundle.broker_port,
        ca_sha256: bundle
            .authorities
            .first()
            .map(crate::Certificate::fingerprint)
            .unwrap_or_default(),
    };
    // Numbers and texts under fixed names: there is nothing that JSON could not write.
    let text = serde_json::to_string(&invitation).unwrap_or_default();
    let code =
        QrCode::encode_text(&text, QrCodeEcc::Medium).map_err(|_too_long| EnrolError::TooLongForQr { bytes: text.len() })?;
    Ok([file("qr.svg", svg(&code)), file("qr.txt", blocks(&code))])
}

fn dark(code: &QrCode) -> impl Iterator<Item = (i32, i32)> + '_ {
    let side = 0..code.size();
    side.clone()
        .flat_map(move |y| side.clone().map(move |x| (x, y)))
        .filter(|(x, y)| code.get_module(*x, *y))
}

fn svg(code: &QrCode) -> String {
    let side = code.size() + 2 * QUIET;
    let squares: Vec<String> = dark(code)
        .map(|(x, y)| format!("M{},{}h1v1h-1z", x + QUIET, y + QUIET))
        .collect();
    let path = squares.concat();
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\n\
         <rect width=\"{side}\" height=\"{side}\" fill=\"#fff\"/>\n<path d=\"{path}\" fill=\"#000\"/>\n</svg>\n"
    )
}

/// Two rows of modules in one row of text; light on dark, as terminals are.
fn blocks(code: &QrCode) -> String {
    let side = code.size();
    let light = |x, y| !code.get_module(x, y);
    let mut text = String::new();
    for y in (-QUIET..side + QUIET).step_by(2) {
        let row = (-QUIET..side + QUIET).map(|x| match (light(x, y), light(x, y + 1)) {
            (true, true) => '█',
            (true, false) => '▀',
            (false, true) => '▄',
            (false, false) => ' ',
        });
        text.extend(row);
        text.push('\n');
    }
    text
}
