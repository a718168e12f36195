//! The table of routes: what each is, who may use it, what goes in and comes out. Router, access and contract follow from it,
//! so that none of the three can know a route that the others do not.

use axum::Router;
use axum::middleware;
use axum::routing::MethodRouter;
use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::access::{Access, Gate, gate};
use crate::station::Station;

/// Makes the schema of a type.
pub(super) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// One route. Its path is below `/api/v1`.
pub(super) struct Route {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) access: Access,
    pub(super) summary: &'static str,
    pub(super) body: Option<SchemaOf>,
    pub(super) answer: Option<SchemaOf>,
    handler: MethodRouter<Station>,
}

impl Route {
    pub(super) fn get(path: &'static str, access: Access, summary: &'static str, handler: MethodRouter<Station>) -> Self {
        Self::new("get", path, access, summary, handler)
    }

    pub(super) fn post(path: &'static str, access: Access, summary: &'static str, handler: MethodRouter<Station>) -> Self {
        Self::new("post", path, access, summary, handler)
    }

    pub(super) fn delete(path: &'static str, access: Access, summary: &'static str, handler: MethodRouter<Station>) -> Self {
        Self::new("delete", path, access, summary, handler)
    }

    fn new(
        method: &'static str,
        path: &'static str,
        access: Access,
        summary: &'static str,
        handler: MethodRouter<Station>,
    ) -> Self {
        Self {
            method,
            path,
            access,
            summary,
            body: None,
            answer: None,
            handler,
        }
    }

    /// What the request's body holds.
    pub(super) fn takes<T: JsonSchema>(mut self) -> Self {
        self.body = Some(SchemaGenerator::subschema_for::<T>);
        self
    }

    /// What the answer holds.
    pub(super) fn answers<T: JsonSchema>(mut self) -> Self {
        self.answer = Some(SchemaGenerator::subschema_for::<T>);
        self
    }

    /// The handler behind its gate.
    fn gated(self, station: &Station) -> MethodRouter<Station> {
        let state = Gate {
            station: station.clone(),
            access: self.access,
            path: self.path,
        };
        self.handler.route_layer(middleware::from_fn_with_state(state, gate))
    }
}

/// A router of these routes, each behind its gate.
pub(super) fn router(station: &Station, routes: Vec<Route>) -> Router<Station> {
    routes.into_iter().fold(Router::new(), |router, route| {
        let path = route.path;
        router.route(path, route.gated(station))
    })
}
