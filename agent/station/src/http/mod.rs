//! What the station serves over HTTP: the page's files, the API, and the door to the WebSocket.

mod api;
mod assets;
mod body;
mod care;
mod guard;
mod past;
mod requests;

use axum::Router;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::http::StatusCode;
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::socket::{self, Seat};
use crate::station::Station;
use body::ApiError;
pub(crate) use requests::person;

/// Longest frame that the WebSocket layer reads at all, in bytes; longer ones close the connection.
const MAX_READ: usize = 64 * 1024;

pub(crate) fn router(station: Station) -> Router {
    let guard = middleware::from_fn_with_state(station.clone(), guard::guard);
    Router::new()
        .merge(assets::routes())
        .nest("/api/v1", api::routes().merge(care::routes()).merge(past::routes()))
        .route("/ws", get(live))
        .layer(guard)
        .with_state(station)
}

async fn live(State(station): State<Station>, upgrade: WebSocketUpgrade) -> Response {
    let Some(seat) = Seat::take(&station) else {
        return ApiError::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "too many pages are open: close one and try again",
        )
        .into_response();
    };
    upgrade
        .max_message_size(MAX_READ)
        .max_frame_size(MAX_READ)
        .on_upgrade(move |socket| socket::serve(socket, seat))
}
