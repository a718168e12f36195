//! What the station serves over HTTP: the page's files, the API, and the door to the WebSocket.

mod access;
mod api;
mod assets;
mod body;
mod care;
mod contract;
mod guard;
mod past;
mod requests;
mod route;
mod session;

use axum::Router;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::http::StatusCode;
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::people::Sight;
use crate::socket::{self, Seat};
use crate::station::Station;
pub(crate) use access::CARE;
use access::{Access, Gate, Visit, gate};
pub(crate) use body::ApiError;
pub(crate) use requests::named;

/// Longest frame that the WebSocket layer reads at all, in bytes; longer ones close the connection.
const MAX_READ: usize = 64 * 1024;

pub(crate) fn router(station: Station) -> Router {
    let guard = middleware::from_fn_with_state(station.clone(), guard::guard);
    let watchers = middleware::from_fn_with_state(
        Gate {
            station: station.clone(),
            access: Access::Watch,
            path: "/ws",
        },
        gate,
    );
    Router::new()
        .merge(assets::routes())
        .nest("/api/v1", api::router(&station))
        .route("/ws", get(live).route_layer(watchers))
        .layer(guard)
        .with_state(station)
}

async fn live(State(station): State<Station>, visit: Visit, upgrade: WebSocketUpgrade) -> Response {
    let Some(seat) = Seat::take(&station) else {
        return ApiError::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "too many pages are open: close one and try again",
        )
        .into_response();
    };
    if let Err(error) = visit.tell(&station, &Sight::Ward) {
        return error.into_response();
    }
    upgrade
        .max_message_size(MAX_READ)
        .max_frame_size(MAX_READ)
        .on_upgrade(move |socket| socket::serve(socket, seat, visit.visitor))
}
