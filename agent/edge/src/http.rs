//! One listener for the page, the API, `/metrics`, `/healthz` and `/readyz`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use axum::serve::ListenerExt;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio::sync::watch;
use wardlight_station::Station;

use crate::session::{Phase, SessionCounters};
use crate::tls::{PageListener, ServerTls};
use crate::turned_away::TurnedAway;

/// What `/readyz` asks: is the Ward restored, and has the broker taken us?
#[derive(Clone)]
pub(crate) struct Readiness {
    pub(crate) ward: Arc<AtomicBool>,
    pub(crate) session: Arc<SessionCounters>,
}

impl Readiness {
    fn missing(&self) -> Option<&'static str> {
        match () {
            () if !self.ward.load(Ordering::Relaxed) => Some("the state is being restored"),
            () if !self.session.connected.load(Ordering::Relaxed) => Some("no connection to the broker"),
            () => None,
        }
    }
}

/// Binds the address.
/// # Errors
/// If it is taken or not ours, with what to do.
pub(crate) async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let bound = TcpListener::bind(address).await;
    bound.with_context(|| format!("http.listen = {address}: cannot listen there; is another agent running? Choose another port"))
}

/// Serves until the agent closes.
/// # Errors
/// If the listener fails.
pub(crate) async fn serve(
    (listener, tls): (TcpListener, Option<ServerTls>),
    turned_away: TurnedAway,
    station: Station,
    prometheus: PrometheusHandle,
    ready: Readiness,
    mut phase: watch::Receiver<Phase>,
) -> anyhow::Result<()> {
    let routes = Router::new()
        .route("/metrics", get(move || async move { prometheus.render() }))
        .route("/healthz", get(|| async { "alive\n" }))
        .route(
            "/readyz",
            get(move || async move {
                match ready.missing() {
                    None => (StatusCode::OK, "ready\n".to_owned()),
                    Some(missing) => (StatusCode::SERVICE_UNAVAILABLE, format!("{missing}\n")),
                }
            }),
        )
        .merge(station.router());
    let listener = PageListener::new(listener, tls, move |who, reason| {
        turned_away.at("page", &who.to_string(), reason.label());
    });
    // Only a tapped listener hands the visitor's address on.
    let listener = listener.tap_io(|_| {});
    let closing = async move {
        phase.wait_for(|phase| *phase == Phase::Close).await.ok();
        station.close();
    };
    axum::serve(listener, routes.into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(closing)
        .await
        .context("the page's listener failed")
}
