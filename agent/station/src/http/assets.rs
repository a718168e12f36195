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
    asset!("/banner.css", CSS, "banner.css"),
    asset!("/dialog.css", CSS, "dialog.css"),
    asset!("/night.css", CSS, "night.css"),
    asset!("/page.css", CSS, "page.css"),
    asset!("/panel.css", CSS, "panel.css"),
    asset!("/print.css", CSS, "print.css"),
    asset!("/tile.css", CSS, "tile.css"),
    asset!("/views.css", CSS, "views.css"),
    asset!("/js/actions.js", JS, "js/actions.js"),
    asset!("/js/alarm.js", JS, "js/alarm.js"),
    asset!("/js/alarms.js", JS, "js/alarms.js"),
    asset!("/js/api.js", JS, "js/api.js"),
    asset!("/js/awake.js", JS, "js/awake.js"),
    asset!("/js/banner.js", JS, "js/banner.js"),
    asset!("/js/bedpanel.js", JS, "js/bedpanel.js"),
    asset!("/js/bedtools.js", JS, "js/bedtools.js"),
    asset!("/js/bedview.js", JS, "js/bedview.js"),
    asset!("/js/burden.js", JS, "js/burden.js"),
    asset!("/js/call.js", JS, "js/call.js"),
    asset!("/js/chart.js", JS, "js/chart.js"),
    asset!("/js/chips.js", JS, "js/chips.js"),
    asset!("/js/clock.js", JS, "js/clock.js"),
    asset!("/js/dialog.js", JS, "js/dialog.js"),
    asset!("/js/dom.js", JS, "js/dom.js"),
    asset!("/js/flash.js", JS, "js/flash.js"),
    asset!("/js/form.js", JS, "js/form.js"),
    asset!("/js/format.js", JS, "js/format.js"),
    asset!("/js/handover.js", JS, "js/handover.js"),
    asset!("/js/health.js", JS, "js/health.js"),
    asset!("/js/history.js", JS, "js/history.js"),
    asset!("/js/historyview.js", JS, "js/historyview.js"),
    asset!("/js/icons.js", JS, "js/icons.js"),
    asset!("/js/keys.js", JS, "js/keys.js"),
    asset!("/js/layout.js", JS, "js/layout.js"),
    asset!("/js/limit.js", JS, "js/limit.js"),
    asset!("/js/limits.js", JS, "js/limits.js"),
    asset!("/js/login.js", JS, "js/login.js"),
    asset!("/js/main.js", JS, "js/main.js"),
    asset!("/js/melody.js", JS, "js/melody.js"),
    asset!("/js/model.js", JS, "js/model.js"),
    asset!("/js/panel.js", JS, "js/panel.js"),
    asset!("/js/person.js", JS, "js/person.js"),
    asset!("/js/prefs.js", JS, "js/prefs.js"),
    asset!("/js/route.js", JS, "js/route.js"),
    asset!("/js/say.js", JS, "js/say.js"),
    asset!("/js/scores.js", JS, "js/scores.js"),
    asset!("/js/shift.js", JS, "js/shift.js"),
    asset!("/js/sighting.js", JS, "js/sighting.js"),
    asset!("/js/socket.js", JS, "js/socket.js"),
    asset!("/js/sound.js", JS, "js/sound.js"),
    asset!("/js/sweep.js", JS, "js/sweep.js"),
    asset!("/js/switches.js", JS, "js/switches.js"),
    asset!("/js/system.js", JS, "js/system.js"),
    asset!("/js/tile.js", JS, "js/tile.js"),
    asset!("/js/tiles.js", JS, "js/tiles.js"),
    asset!("/js/trend.js", JS, "js/trend.js"),
    asset!("/js/trendview.js", JS, "js/trendview.js"),
    asset!("/js/views.js", JS, "js/views.js"),
    asset!("/js/watch.js", JS, "js/watch.js"),
    asset!("/js/wave.js", JS, "js/wave.js"),
    asset!("/js/whatif.js", JS, "js/whatif.js"),
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_file_of_the_page_is_served() {
        let web = Path::new(env!("CARGO_MANIFEST_DIR")).join("web");
        let names = |folder: &Path| -> Vec<String> {
            let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
            let files = entries.filter(|entry| entry.path().is_file());
            files.map(|entry| entry.file_name().into_string().unwrap()).collect()
        };
        let top = names(&web).into_iter().map(|name| match name.as_str() {
            "index.html" => "/".to_owned(),
            _ => format!("/{name}"),
        });
        let scripts = names(&web.join("js")).into_iter().filter(|name| !name.ends_with(".test.mjs"));
        let there: BTreeSet<String> = top.chain(scripts.map(|name| format!("/js/{name}"))).collect();
        let served: BTreeSet<String> = ASSETS.iter().map(|asset| asset.path.to_owned()).collect();
        assert_eq!(served, there);
    }
}
