//! The page's files, embedded in the binary: what was tested is what is served, and nothing is read from disk.

use axum::Router;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::station::Station;

struct Asset {
    path: &'static str,
    kind: &'static str,
    body: &'static [u8],
}

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

macro_rules! asset {
    ($path:literal, $kind:expr, $file:literal) => {
        Asset {
            path: $path,
            kind: $kind,
            body: include_bytes!(concat!("../../web/", $file)),
        }
    };
}

static ASSETS: &[Asset] = &[
    asset!("/", HTML, "index.html"),
    asset!("/icon.svg", SVG, "icon.svg"),
    asset!("/alarm.css", CSS, "alarm.css"),
    asset!("/page.css", CSS, "page.css"),
    asset!("/panel.css", CSS, "panel.css"),
    asset!("/tile.css", CSS, "tile.css"),
    asset!("/js/alarms.js", JS, "js/alarms.js"),
    asset!("/js/bedforms.js", JS, "js/bedforms.js"),
    asset!("/js/clock.js", JS, "js/clock.js"),
    asset!("/js/dom.js", JS, "js/dom.js"),
    asset!("/js/flash.js", JS, "js/flash.js"),
    asset!("/js/format.js", JS, "js/format.js"),
    asset!("/js/layout.js", JS, "js/layout.js"),
    asset!("/js/login.js", JS, "js/login.js"),
    asset!("/js/main.js", JS, "js/main.js"),
    asset!("/js/melody.js", JS, "js/melody.js"),
    asset!("/js/model.js", JS, "js/model.js"),
    asset!("/js/panel.js", JS, "js/panel.js"),
    asset!("/js/person.js", JS, "js/person.js"),
    asset!("/js/socket.js", JS, "js/socket.js"),
    asset!("/js/sound.js", JS, "js/sound.js"),
    asset!("/js/sweep.js", JS, "js/sweep.js"),
    asset!("/js/tiles.js", JS, "js/tiles.js"),
    asset!("/js/wave.js", JS, "js/wave.js"),
];

pub(super) fn routes() -> Router<Station> {
    ASSETS.iter().fold(Router::new(), |router, asset| {
        router.route(
            asset.path,
            get(move |headers: HeaderMap| async move { serve(asset, &headers) }),
        )
    })
}

/// The browser asks each time and is told "unchanged" by the tag: a new agent never meets an old page.
fn serve(asset: &'static Asset, headers: &HeaderMap) -> Response {
    let tag = format!("\"{:016x}\"", fnv1a(asset.body));
    let known = headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|value| value.as_bytes() == tag.as_bytes());
    let caching = [(header::ETAG, tag), (header::CACHE_CONTROL, "no-cache".to_owned())];
    if known {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    (caching, [(header::CONTENT_TYPE, asset.kind)], asset.body).into_response()
}

/// FNV-1a, 64 bit: enough to tell two builds apart.
fn fnv1a(bytes: &[u8]) -> u64 {
    let step = |hash: u64, &byte: &u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}
