//! `GET /api/v1/openapi.json`: the OpenAPI document of the API. Paths and bodies are written at the handlers and the types; the
//! scopes are those of the [routes](super::routes).

use std::sync::LazyLock;

use axum::http::header;
use axum::response::{IntoResponse, Response};
use utoipa::OpenApi;
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::Ref;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{Content, HttpMethod, PathItem, RefOr, ResponseBuilder};

use super::super::auth::Scope;
use super::super::error::Problem;
use super::super::sign_in::SESSION_COOKIE;
use super::api_router::{Access, ApiRoute};

/// The name of the scheme of tokens, and of that of sessions.
const TOKEN: &str = "token";
const SESSION: &str = "session";
const SESSION_DESCRIPTION: &str = "The session of a person who is signed in, with a role. A change also needs the header \
                                   `X-Form-Token`, with the `form_token` of a form of a page.";

/// What is written at the handlers.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "vigie",
        description = "Watches what people post about a brand and alerts you to a backlash while it is still small. Times are RFC \
                       3339 in UTC. Errors are problem details (RFC 9457).",
        license(name = "MIT OR Apache-2.0")
    ),
    paths(
        serve,
        super::status::status,
        super::super::live::status,
        super::posts::list,
        super::posts::ingest,
        super::posts::one,
        super::classify::classify,
        super::feedback::list,
        super::feedback::record,
        super::report::page,
        super::windows::windows,
        super::incidents::list,
        super::incidents::one,
        super::incidents::acknowledge,
        super::incidents::unacknowledge,
        super::incidents::note,
        super::silences::list,
        super::silences::make,
        super::silences::one,
        super::silences::end,
        super::model::model,
        super::sources::sources,
        super::alerts::query,
        super::erase::erase,
    ),
    components(schemas(Problem))
)]
struct Document;

/// The document never changes while the daemon runs.
static DOCUMENT: LazyLock<Result<String, String>> =
    LazyLock::new(|| document(super::routes().routes()).to_json().map_err(|error| error.to_string()));

/// This document
#[utoipa::path(
    get,
    path = "/api/v1/openapi.json",
    tag = "meta",
    responses((status = 200, description = "The OpenAPI document of this API", body = serde_json::Value))
)]
pub(super) async fn serve() -> Response {
    match &*DOCUMENT {
        Ok(document) => ([(header::CONTENT_TYPE, "application/json")], document.as_str()).into_response(),
        Err(error) => Problem::unavailable(&anyhow::anyhow!("no OpenAPI document: {error}")).into_response(),
    }
}

fn document(routes: &[ApiRoute]) -> utoipa::openapi::OpenApi {
    let mut document = Document::openapi();
    let components = document.components.get_or_insert_default();
    let token = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("A token of `vigie token create`, with scopes; or that of the file api-token, with all"));
    components.add_security_scheme(TOKEN, SecurityScheme::Http(token.build()));
    let session = ApiKeyValue::with_description(SESSION_COOKIE, SESSION_DESCRIPTION);
    components.add_security_scheme(SESSION, SecurityScheme::ApiKey(ApiKey::Cookie(session)));
    for route in routes {
        let item = document.paths.paths.get_mut(route.path);
        if let Some(operation) = item.and_then(|item| operation(item, &route.method)) {
            complete(operation, route.access);
        }
    }
    document
}

/// The operation of a path with this method.
fn operation<'a>(item: &'a mut PathItem, method: &HttpMethod) -> Option<&'a mut Operation> {
    match method {
        HttpMethod::Get => item.get.as_mut(),
        HttpMethod::Post => item.post.as_mut(),
        HttpMethod::Put => item.put.as_mut(),
        HttpMethod::Delete => item.delete.as_mut(),
        _ => None,
    }
}

/// Adds what all operations have: who may call, and how it is refused.
fn complete(operation: &mut Operation, access: Access) {
    let responses = &mut operation.responses.responses;
    let mut add = |status: &str, description: &str| {
        let response = ResponseBuilder::new().description(description).build();
        responses.entry(status.to_owned()).or_insert(RefOr::T(response));
    };
    operation.security = Some(match access {
        Access::Open => vec![SecurityRequirement::default()],
        Access::Scope(scope) => security(scope),
    });
    if access != Access::Open {
        add("401", "No token and no session, or a wrong token");
        add("403", "The token lacks the scope, or the person the role");
    }
    if operation.request_body.is_some() {
        add("413", "The body is larger than 2 MiB");
    }
    add("default", "The request is refused");
    for (status, response) in responses.iter_mut() {
        if let RefOr::T(response) = response
            && (status == "default" || status.starts_with(['4', '5']))
        {
            let problem = Content::new(Some(RefOr::Ref(Ref::from_schema_name("Problem"))));
            response.content.entry("application/problem+json".to_owned()).or_insert(problem);
        }
    }
}

fn security(scope: Scope) -> Vec<SecurityRequirement> {
    let token = SecurityRequirement::new(TOKEN, [scope.as_str()]);
    let session = SecurityRequirement::new(SESSION, [scope.role().as_str()]);
    vec![token, session]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    /// Every method and path of the document, with its security.
    fn documented() -> Vec<(String, Value)> {
        let document = document(super::super::routes().routes());
        let document: Value = serde_json::from_str(&document.to_json().unwrap()).unwrap();
        let paths = document["paths"].as_object().unwrap();
        let operations = paths.iter().flat_map(|(path, item)| {
            let methods = item.as_object().unwrap().iter();
            methods.map(move |(method, operation)| (format!("{method} {path}"), operation.clone()))
        });
        operations.collect()
    }

    #[test]
    fn every_route_is_in_the_document_and_nothing_else() {
        let method = |method: &HttpMethod| serde_json::to_value(method).unwrap().as_str().unwrap().to_owned();
        let routes: BTreeSet<String> = super::super::routes()
            .routes()
            .iter()
            .map(|route| format!("{} {}", method(&route.method), route.path))
            .collect();
        assert!(routes.len() > 20, "{routes:?}");
        let documented: BTreeSet<String> = documented().into_iter().map(|(operation, _)| operation).collect();
        assert_eq!(documented, routes);
    }

    #[test]
    fn every_operation_says_who_may_call_and_how_it_is_refused() {
        let documented = documented();
        for (name, operation) in &documented {
            assert!(operation["security"].is_array(), "{name}");
            let problem = &operation["responses"]["default"]["content"]["application/problem+json"]["schema"]["$ref"];
            assert_eq!(problem, "#/components/schemas/Problem", "{name}");
            assert!(operation["operationId"].is_string() && operation["summary"].is_string(), "{name}: {operation}");
        }
        let security = |name: &str| {
            documented.iter().find(|(found, _)| found == name).map(|(_, operation)| operation["security"].clone())
        };
        let expected = serde_json::json!([{"token": ["operate"]}, {"session": ["operator"]}]);
        assert_eq!(security("post /api/v1/silences"), Some(expected));
        assert_eq!(security("get /api/v1/status"), Some(serde_json::json!([{}])));
        let names: BTreeSet<&str> =
            documented.iter().filter_map(|(_, operation)| operation["operationId"].as_str()).collect();
        assert_eq!(names.len(), documented.len(), "each operation has its own name: {names:?}");
    }

    #[test]
    fn every_reference_of_the_document_leads_somewhere() {
        let document = document(super::super::routes().routes()).to_json().unwrap();
        let value: Value = serde_json::from_str(&document).unwrap();
        let references = document.split("\"$ref\":\"#").skip(1).filter_map(|rest| rest.split('"').next());
        let mut found = 0;
        for reference in references {
            assert!(value.pointer(reference).is_some(), "{reference}");
            found += 1;
        }
        assert!(found > 20, "{found} references");
    }
}
