//! [`ApiRouter`]: a router that knows for each route which scope it needs. The check is on the route itself, so that none is
//! without one; the OpenAPI document lists the same.

use axum::Router;
use axum::handler::Handler;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, delete, get, post, put};
use utoipa::openapi::HttpMethod;

use super::super::Console;
use super::super::auth::{Scope, check};

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Everybody: it shows nothing of a post.
    Open,
    /// Callers with this scope.
    Scope(Scope),
}

/// A method of a path.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct ApiRoute {
    pub(super) method: HttpMethod,
    pub(super) path: &'static str,
    pub(super) access: Access,
}

#[derive(Default)]
pub(super) struct ApiRouter {
    router: Router<Console>,
    routes: Vec<ApiRoute>,
}

impl ApiRouter {
    pub(super) fn get<H: Handler<T, Console>, T: 'static>(
        self,
        path: &'static str,
        access: Access,
        handler: H,
    ) -> Self {
        self.route(HttpMethod::Get, path, access, get(handler))
    }

    pub(super) fn post<H: Handler<T, Console>, T: 'static>(
        self,
        path: &'static str,
        access: Access,
        handler: H,
    ) -> Self {
        self.route(HttpMethod::Post, path, access, post(handler))
    }

    pub(super) fn put<H: Handler<T, Console>, T: 'static>(
        self,
        path: &'static str,
        access: Access,
        handler: H,
    ) -> Self {
        self.route(HttpMethod::Put, path, access, put(handler))
    }

    pub(super) fn delete<H: Handler<T, Console>, T: 'static>(
        self,
        path: &'static str,
        access: Access,
        handler: H,
    ) -> Self {
        self.route(HttpMethod::Delete, path, access, delete(handler))
    }

    fn route(mut self, method: HttpMethod, path: &'static str, access: Access, handler: MethodRouter<Console>) -> Self {
        let handler = match access {
            Access::Open => handler,
            // Before the handler reads anything of the request.
            Access::Scope(scope) => handler.route_layer(from_fn_with_state(scope, check)),
        };
        self.routes.push(ApiRoute { method, path, access });
        Self { router: self.router.route(path, handler), ..self }
    }

    pub(super) fn routes(&self) -> &[ApiRoute] {
        &self.routes
    }

    pub(super) fn into_router(self) -> Router<Console> {
        self.router
    }
}
